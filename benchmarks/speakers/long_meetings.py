"""Meetings of hours, as the lines that recognition would make: whether voices stay, and what a line costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from recognition.audio import samples, seconds
from recognition.core.turns import MAX_VOICE, voice_in
from recognition.interfaces import SpeakerEmbedder
from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.overlaps import HeardLine
from speakers.voiceprints.tracking import SpeakerTracker

from .diarization_error import Segment, errors
from .meetings import Labels, revise
from .people import trimmed


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


def three_hours(gallery: Gallery, lines: Lines, *, seed: int, length_s: float) -> LongMeeting:
    """Everybody in `lines` speaks in turn, one line after the other, for three hours.

    Args:
        lines: Of every length that lines have; drawn again and again.
    """
    random = np.random.default_rng(seed)
    rows = _rows_of(lines)
    tracker = SpeakerTracker(gallery)
    whose: Labels = {}
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
        revise(whose, tracker)
        at += float(lines.seconds[row]) + 1.0
    return _judged(lines, said, whose, at_once, costs, tracker, length_s)


def talking_over(gallery: Gallery, lines: Lines, *, seed: int, length_s: float) -> LongMeeting:
    """Everybody in `lines` speaks in turn for two hours, every third time with somebody else beside."""
    random = np.random.default_rng(seed)
    rows = _rows_of(lines)
    tracker = SpeakerTracker(gallery)
    whose: Labels = {}
    at_once: Labels = {}
    said: list[int] = []
    costs: list[tuple[float, float]] = []
    at = 0.0
    while at < length_s:
        names = random.choice(list(rows), 1 + (random.random() < 1 / 3), replace=False)
        chosen = [int(random.choice(rows[name])) for name in names]
        heard = [_spoken_at(lines, row, key, at) for key, row in enumerate(chosen, len(said))]
        started = time.thread_time()
        told = tracker.identify_all(heard)
        costs.append((at, (time.thread_time() - started) / len(heard)))
        labels = {line.key: decision.voice for line, decision in zip(heard, told, strict=True)}
        at_once |= labels
        whose |= labels
        said += chosen
        revise(whose, tracker)
        at += float(max(lines.seconds[chosen])) + 1.0
    return _judged(lines, said, whose, list(at_once.values()), costs, tracker, length_s)


def _spoken_at(lines: Lines, row: int, key: int, at: float) -> HeardLine:
    length_s = float(lines.seconds[row])
    return HeardLine(key, lines.embeddings[row], length_s, samples(at), samples(at + length_s))


def _rows_of(lines: Lines) -> dict[str, np.ndarray]:
    return {str(name): np.flatnonzero(lines.speakers == name) for name in np.unique(lines.speakers)}


def _judged(
    lines: Lines,
    said: list[int],
    whose: Labels,
    at_once: Sequence[Any],
    costs: Sequence[tuple[float, float]],
    tracker: SpeakerTracker,
    length_s: float,
) -> LongMeeting:
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
