"""Who spoke when, in recordings and in meetings made of recordings: the whole way but for the words.

In place of a recogniser, which would have to know the language, stands one that hears a word every 200 ms;
speech detection, the search for turns, embeddings and tracking are what a live session uses.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from recognition.audio import samples, seconds
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final
from recognition.core.turns import MAX_VOICE, voice_in
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.interfaces import Models, Samples, SessionContext, SpeakerEmbedder, Token
from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.tracking import LineMoved, SpeakerTracker, VoicesMerged

from .diarization_error import Errors, Segment, errors, read_rttm
from .people import read

WORD = samples(0.2)

AMI = "speech/pyannote"
LOOKED_AT = (
    "trn01",
    "trn02",
    "trn03",
    "trn04",
    "trn05",
    "trn06",
    "trn07",
    "trn08",
    "trn09",
    "dev00",
    "dev01",
)
"""Excerpts that were at hand when the search for turns was made; no figure rests on them."""


class EveryWord:
    """A recogniser to which everything is words."""

    min_samples = 0

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        return [
            [
                Token("x", at, min(at + WORD, len(audio)))
                for at in range(0, max(1, len(audio) - WORD // 2), WORD)
            ]
            for audio in batch
        ]


class NoMarks:
    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[""] * len(tokens) for tokens in batch]


def without_words(models: Models) -> Models:
    return replace(models, offline=EveryWord(), punctuator=NoMarks())


@dataclass(frozen=True, slots=True)
class Answers:
    """Errors of ours, and of answers that need no voices."""

    ours: Errors
    one_speaker: Errors
    new_speaker_each: Errors
    overlap_s: float
    """Speech beside somebody else's: a line has one speaker, so the other's is missed whatever we do."""

    def __add__(self, other: Answers) -> Answers:
        return Answers(
            self.ours + other.ours,
            self.one_speaker + other.one_speaker,
            self.new_speaker_each + other.new_speaker_each,
            self.overlap_s + other.overlap_s,
        )


async def ami(models: Models, gallery: Gallery, assets: Path) -> Answers:
    """The excerpts of AMI meetings that nothing was tuned on."""
    folder = assets / AMI
    truths = {
        name: segments
        for file in sorted(folder.glob("*.rttm"))
        for name, segments in read_rttm(file).items()
        if name not in LOOKED_AT and (folder / f"{name}.flac").exists()
    }
    found = [await _answer(models, gallery, read(folder / f"{name}.flac"), t) for name, t in truths.items()]
    return sum(found[1:], found[0])


async def joined(
    models: Models, gallery: Gallery, people: dict[str, list[np.ndarray]], *, seed: int
) -> Answers:
    """A minute in which some of these people take turns without any pause."""
    audio, truth = _podcast(people, np.random.default_rng(seed))
    return await _answer(models, gallery, audio, truth)


async def _answer(models: Models, gallery: Gallery, audio: np.ndarray, truth: Sequence[Segment]) -> Answers:
    finals = await _finals(models, audio)
    tracker = SpeakerTracker(gallery)
    whose: dict[int, Any] = {}
    for number, final in enumerate(finals):
        whose[number] = tracker.identify(number, final.embedding, seconds(final.speech)).voice
        _revise(whose, tracker)
    length_s = seconds(len(audio))

    def rated(labels: Sequence[Any]) -> Errors:
        segments = [
            Segment(seconds(final.start), seconds(final.end), label)
            for final, label in zip(finals, labels, strict=True)
        ]
        return errors(truth, segments, length_s)

    spoken = sum(segment.end - segment.start for segment in truth)
    at_all = errors([replace(segment, speaker=0) for segment in truth], [], length_s).speech
    return Answers(
        rated(list(whose.values())), rated([0] * len(finals)), rated(range(len(finals))), spoken - at_all
    )


def _revise(whose: dict[int, Any], tracker: SpeakerTracker) -> None:
    for revision in tracker.take_revisions():
        match revision:
            case VoicesMerged(kept, gone):
                for line, voice in whose.items():
                    whose[line] = kept if voice == gone else voice
            case LineMoved(line, voice, _):
                whose[line] = voice


async def _finals(models: Models, audio: np.ndarray) -> list[Final]:
    engine = Engine(without_words(models))
    engine.start()
    transcriber = Transcriber(engine, EndpointingOptions(), partials=False)
    await transcriber.feed_all(audio)
    finals = [event async for event in transcriber.events() if isinstance(event, Final)]
    await engine.aclose()
    return finals


def _podcast(
    people: dict[str, list[np.ndarray]], random: np.random.Generator, length_s: float = 60
) -> tuple[np.ndarray, list[Segment]]:
    """Turns of 1 to 12 seconds, without pauses between them."""
    names = list(random.permutation(sorted(people))[: random.integers(2, 5)])
    pieces: list[np.ndarray] = []
    truth: list[Segment] = []
    at, last = 0.0, ""
    while at < length_s:
        name = str(random.choice([other for other in names if other != last]))
        spoken = trimmed(people[name][random.integers(len(people[name]))])
        length = samples(float(np.clip(np.exp(random.normal(np.log(4), 0.6)), 1, 12)))
        start = int(random.integers(max(1, len(spoken) - length)))
        piece = spoken[start : start + length]
        pieces.append(piece / max(float(np.abs(piece).max()), 0.05) * 0.5)
        truth.append(Segment(at, at + seconds(len(piece)), name))
        at, last = at + seconds(len(piece)), name
    return np.concatenate(pieces), truth


def trimmed(audio: np.ndarray) -> np.ndarray:
    """Without the silence at both ends: from the first to the last 20 ms within 35 dB of the loudest."""
    frame = samples(0.02)
    power = np.mean(audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return audio[loud[0] * frame : (loud[-1] + 1) * frame]


@dataclass(frozen=True, slots=True)
class LongMeeting:
    """What became of three hours."""

    lines: int
    voices: int
    """That it ended with."""

    right: float
    """Share of the speech whose voice is the right one at the end."""

    right_at_once: float
    """And when the line was first shown."""

    cost_ratio: float
    """Processor time of a line in the last half hour, over that in the first after ten minutes."""

    line_ms: float
    kept_lines: int
    """Lines that it still has in memory."""


def three_hours(gallery: Gallery, lines: Lines, *, seed: int = 0, length_s: float = 3 * 3600) -> LongMeeting:
    """Everybody in `lines` speaks in turn, one line after the other, for three hours.

    Args:
        lines: Of every length that lines have; drawn again and again.
    """
    random = np.random.default_rng(seed)
    rows = {name: np.flatnonzero(lines.speakers == name) for name in np.unique(lines.speakers)}
    tracker = SpeakerTracker(gallery)
    whose: dict[int, Any] = {}
    at_once: list[Any] = []
    said: list[int] = []
    costs: list[tuple[float, float]] = []
    at, name = 0.0, None
    while at < length_s:
        if name is None or random.random() > 0.3:
            name = random.choice(list(rows))
        row = int(random.choice(rows[name]))
        started = time.thread_time()
        decision = tracker.identify(len(said), lines.embeddings[row], float(lines.seconds[row]))
        costs.append((at, time.thread_time() - started))
        whose[len(said)] = decision.voice
        at_once.append(decision.voice)
        said.append(row)
        _revise(whose, tracker)
        at += float(lines.seconds[row]) + 1.0
    truth, weights = lines.speakers[said], lines.seconds[said]
    early = np.median([cost for when, cost in costs if 600 <= when < 2400])
    late = np.median([cost for when, cost in costs if when >= length_s - 1800])
    return LongMeeting(
        lines=len(said),
        voices=len(set(whose.values())),
        right=_agreement(truth, list(whose.values()), weights),
        right_at_once=_agreement(truth, at_once, weights),
        cost_ratio=float(late / early),
        line_ms=float(np.median([cost for _, cost in costs])) * 1e3,
        kept_lines=len(tracker._lines),
    )


def lines_of(people: dict[str, list[np.ndarray]], embedder: SpeakerEmbedder, *, seed: int = 0) -> Lines:
    """What these people say, cut into lines of 0.6 to 8 seconds."""
    random = np.random.default_rng(seed)
    rows = []
    for name, recorded in people.items():
        for number, audio in enumerate(recorded):
            spoken, at = trimmed(audio), 0
            while len(spoken) - at >= samples(0.6):
                wanted = samples(float(np.clip(np.exp(random.normal(np.log(2.2), 0.7)), 0.6, 8)))
                piece = spoken[at : at + wanted][:MAX_VOICE]
                at += wanted
                if len(piece) >= samples(0.6):
                    rows.append((voice_in(piece, embedder), seconds(len(piece)), name, f"{name} {number}"))
    return Lines(
        np.array([row[0] for row in rows], np.float32),
        *(np.array([row[column] for row in rows]) for column in (1, 2, 3)),
    )


def _agreement(truth: np.ndarray, answers: Sequence[Any], weights: np.ndarray) -> float:
    """Share of the weight in which people and voices match one to one."""
    bounds = list(pairwise(np.concatenate([[0.0], np.cumsum(weights)]).tolist()))
    spoken = [Segment(*bound, name) for bound, name in zip(bounds, truth.tolist(), strict=True)]
    told = [Segment(*bound, voice) for bound, voice in zip(bounds, answers, strict=True)]
    return 1 - errors(spoken, told, bounds[-1][1]).rate
