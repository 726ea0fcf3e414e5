"""Assessment of recordings: is one good enough to enroll a voice? Pure.

Found out from the audio, the speech probabilities of its frames, and the embeddings of its spans.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import SAMPLE_RATE, samples
from recognition.core.turns import mean_voice

from .scoring import Scoring

MIN_SPEECH_S = 3.0
ENOUGH_SPEECH_S = 8.0
MIN_SNR_DB = 10.0
MAX_CLIPPED = 0.005

STRETCH_S = 3.0
"""Speech per embedding: long enough to tell a voice, short enough to notice a second one."""

SURE = 20.0
FULL_SCALE = 0.985
MAX_SNR_DB = 60.0


class Problem(enum.StrEnum):
    """A reason why a recording cannot be stored, or should not be."""

    TOO_SHORT = "too_short"
    SEVERAL_VOICES = "several_voices"
    NOISY = "noisy"
    CLIPPED = "clipped"
    LITTLE_SPEECH = "little_speech"
    LIKE_ANOTHER = "like_another"
    UNLIKE_OWN = "unlike_own"

    @property
    def is_fatal(self) -> bool:
        return self is Problem.TOO_SHORT


@dataclass(frozen=True, slots=True)
class Sound:
    """The cleanness of a recording, in figures."""

    speech_s: float
    """Net: without pauses."""

    snr_db: float
    """Loudness of speech over that of the rest; at most 60."""

    clipped: float
    """Share of the speech at full scale, 0 to 1."""


def measure(audio: np.ndarray, probabilities: np.ndarray, frame: int, *, threshold: float = 0.5) -> Sound:
    """Measure speech against what is not speech.

    Args:
        audio: float32 in [-1, 1], shape (n,).
        probabilities: Speech probability per frame, float32, shape (n // frame,).
        frame: Samples per frame.
    """
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)[: len(probabilities)]
    power = np.mean(frames * frames, axis=1)
    is_speech = probabilities[: len(frames)] >= threshold
    if not is_speech.any():
        return Sound(0.0, 0.0, 0.0)
    # Frames beside speech hold its fading: only what is clearly apart tells the noise.
    around = SAMPLE_RATE // 10 // frame
    is_near = np.convolve(is_speech, np.ones(2 * around + 1))[around : around + len(power)] > 0
    apart = power[~is_near]
    noise = np.mean(apart) if len(apart) * frame >= samples(0.3) else np.percentile(power, 5)
    speech = np.mean(power[is_speech])
    signal = max(speech - noise, 1e-12)
    snr = 10 * np.log10(signal / max(noise, 1e-12))
    clipped = np.mean(np.abs(frames[is_speech]) >= FULL_SCALE)
    return Sound(
        speech_s=float(is_speech.sum() * frame / SAMPLE_RATE),
        snr_db=float(np.clip(snr, -20.0, MAX_SNR_DB)),
        clipped=float(clipped),
    )


def speech_stretches(
    audio: np.ndarray, probabilities: np.ndarray, frame: int, *, threshold: float = 0.5
) -> list[np.ndarray]:
    """Cut the speech, without its pauses, into pieces to embed.

    Returns:
        float32 arrays of `STRETCH_S`, the last one up to twice as long; none without speech.
    """
    is_speech = np.repeat(probabilities >= threshold, frame)[: len(audio)]
    # Keep a little around the speech: first and last sounds are soft.
    around = samples(0.1)
    starts = np.flatnonzero(np.diff(is_speech, prepend=False) & is_speech)
    ends = np.flatnonzero(np.diff(is_speech, append=False) & is_speech) + 1
    keep = np.zeros(len(audio), bool)
    for start, end in zip(starts, ends, strict=True):
        keep[max(0, start - around) : end + around] = True
    speech = audio[keep]
    count = len(speech) // samples(STRETCH_S)
    if not len(speech):
        return []
    if count < 2:
        return [speech]
    cuts = [samples(STRETCH_S) * i for i in range(1, count)]
    return list(np.split(speech, cuts))


def likeness_of_parts(embeddings: np.ndarray, seconds: np.ndarray, scoring: Scoring) -> float:
    """Return log-odds that the two least alike parts of a recording are of one person.

    The spans are put in order along the axis on which they differ most, and cut in two at every place: a
    second voice is at one end of it, however short.

    Args:
        embeddings: One per span, float32, shape (n, d), unit length.
        seconds: Of each span, shape (n,).

    Returns:
        Log-odds; `SURE` for fewer than two spans.
    """
    if len(embeddings) < 2:
        return SURE
    centred = embeddings - embeddings.mean(axis=0)
    order = np.argsort(centred @ np.linalg.svd(centred, full_matrices=False)[2][0])
    parts = [(order[:cut], order[cut:]) for cut in range(1, len(order))]
    ones, others = (
        scoring.voices(
            np.stack([mean_voice(embeddings[part[side]]) for part in parts]),
            np.array([seconds[part[side]].sum() for part in parts]),
        )
        for side in (0, 1)
    )
    return float(scoring.log_odds_of_pairs(ones, others).min())


def problems(
    sound: Sound,
    *,
    likeness: float,
    several_below: float,
    nearest: Sequence[tuple[int, float]],
    same_from: float,
    speaker_pk: int | None,
    own_score: float | None,
) -> list[Problem]:
    """Return what speaks against storing this.

    Args:
        likeness: Of `likeness_of_parts`.
        several_below: Parts less alike than this are of two people.
        nearest: Enrolled speakers and the log-odds that it is they.
        same_from: From these log-odds on two recordings are of one person.
        speaker_pk: Whose voice it is meant to be; None for somebody new.
        own_score: Log-odds that it is `speaker_pk`; None if nothing is enrolled of them.
    """
    found = []
    if sound.speech_s < MIN_SPEECH_S:
        return [Problem.TOO_SHORT]
    if likeness < several_below:
        found.append(Problem.SEVERAL_VOICES)
    if any(other != speaker_pk and score >= same_from for other, score in nearest):
        found.append(Problem.LIKE_ANOTHER)
    if own_score is not None and own_score < 0:
        found.append(Problem.UNLIKE_OWN)
    return found + shortcomings(sound)


def shortcomings(sound: Sound) -> list[Problem]:
    """Return what could be better about a recording that can be stored."""
    found = []
    if sound.snr_db < MIN_SNR_DB:
        found.append(Problem.NOISY)
    if sound.clipped > MAX_CLIPPED:
        found.append(Problem.CLIPPED)
    if sound.speech_s < ENOUGH_SPEECH_S:
        found.append(Problem.LITTLE_SPEECH)
    return found
