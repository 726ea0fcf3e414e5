"""Pieces of speech compared two by two, one against one: near the microphone, far from it, in Mandarin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognition.audio import samples
from recognition.core.turns import voice_in
from recognition.interfaces import Samples, SpeakerEmbedder
from speakers.voiceprints.fitting import Lines, equal_error_rate
from speakers.voiceprints.scoring import Cohort, Scoring

from .acoustics import Acoustics
from .people import TEST_PEOPLE, listed, read, trimmed

NEAR_S = (1.0, 2.0, 3.0, 4.0, 5.0)
FAR_S = (1.0, 2.0, 3.0)
SNR_DB = 10.0
PIECES, FAR_PIECES = 3, 2
"""At most so many of one recording."""

ONE_MANDARIN, OTHER_MANDARIN = "speech/aishell1/", "speech/aishell3/"
MANDARIN_RECORDINGS = 60

Spoken = tuple[str, str, Samples]
"""Who speaks, the recording, and its audio."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Equal error rates by seconds of speech."""

    near: dict[float, float]
    far: dict[float, float]
    mandarin: dict[float, float]


def measure(embedder: SpeakerEmbedder, cohort: Cohort, assets: Path) -> ErrorRates:
    """Compare by what both have in common with strangers, as everywhere; never two of one recording."""
    acoustics = Acoustics.read(assets)
    near = _recordings(assets, TEST_PEOPLE)
    far = [
        (name, file, _at_table(acoustics, number, audio)) for number, (name, file, audio) in enumerate(near)
    ]
    mandarin = _recordings(assets, ONE_MANDARIN)[:MANDARIN_RECORDINGS] + _recordings(assets, OTHER_MANDARIN)

    def rates(spoken: Sequence[Spoken], lengths: Iterable[float], most: int) -> dict[float, float]:
        scoring = Scoring(cohort)
        pieces = {length: cut(spoken, length, most, embedder) for length in lengths}
        return {length: single_error_rate(lines, scoring) for length, lines in pieces.items()}

    return ErrorRates(
        rates(near, NEAR_S, PIECES), rates(far, FAR_S, FAR_PIECES), rates(mandarin, FAR_S, PIECES)
    )


def cut(spoken: Sequence[Spoken], length_s: float, most: int, embedder: SpeakerEmbedder) -> Lines:
    """Return the voices in pieces of one length, one after the other."""
    length = samples(length_s)
    rows = [
        (voice_in(audio[at : at + length], embedder), name, file)
        for name, file, audio in spoken
        for at in range(0, min(most * length, len(audio) - length + 1), length)
    ]
    voices, names, files = zip(*rows, strict=True)
    return Lines(np.stack(voices), np.full(len(rows), length_s), np.array(names), np.array(files))


def single_error_rate(lines: Lines, scoring: Scoring) -> float:
    """Compare each two pieces of different recordings."""
    voices = scoring.voices(lines.embeddings, lines.seconds)
    odds = scoring.log_odds(voices, voices)
    one, other = np.triu_indices(len(lines), 1)
    is_pair = lines.recordings[one] != lines.recordings[other]
    one, other = one[is_pair], other[is_pair]
    is_same = lines.speakers[one] == lines.speakers[other]
    found = odds[one, other]
    return equal_error_rate(found[is_same], found[~is_same])[0]


def _recordings(assets: Path, under: str) -> list[Spoken]:
    return [
        (row["speaker"], row["file"], trimmed(read(assets / row["file"]))) for row in listed(assets, under)
    ]


def _at_table(acoustics: Acoustics, number: int, audio: Samples) -> Samples:
    heard = acoustics.noisy(number, acoustics.heard_in(number, audio), SNR_DB)
    scaled: np.ndarray = heard / np.abs(heard).max() * np.float32(0.5)
    return scaled
