"""Passages of an utterance, each in one voice: runs, joined and cut by how they sound. Pure.

A segmenter knows when somebody else speaks, but within seconds it confuses voices that are alike; embeddings
tell voices apart, but not when two sound at once. So runs with enough speech of their own go by their voices,
where a change of track makes a change of voice likelier, and the others follow their track.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from recognition.audio import samples

from . import turns
from .runs import Listening, Look, Run
from .turns import HOP, MAX_VOICE, WINDOW, TurnVoice

MIN_OVERLAP = samples(0.2)
"""Speech at once for so long is two people's; less is the inaccuracy of a segmenter."""

CHANGE = 0.3
"""What another turn must gain where the track changes, as a share of what it must within one."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A run, or a part of it in one voice; positions in the stream."""

    start: int
    end: int
    voice: int
    """Number of its voice."""

    is_cut: bool = False
    """Whether it begins within a run: about where the voice changes."""


def find_passages(
    runs: Sequence[Run], listening: Listening, embeddings: np.ndarray, *, penalty: float
) -> tuple[list[Passage], list[TurnVoice]]:
    """Tell by which voices runs are spoken.

    Of all ways to cut the windows of the runs, one after the other, into turns, the best is taken: see
    `turns.turns`. So two runs may be one voice, and one run two.

    Args:
        listening: As `listen` returns it for these runs.
        embeddings: Of its spans, float32, shape (n, dimension), unit length.
        penalty: What another turn must gain.

    Returns:
        Passages in order, and the voices that they number.
    """
    looks = listening.looks
    groups = _grouped(runs, looks, embeddings, penalty)
    parts = _parts(looks, groups)
    voices = [_voice(number, rows, parts, looks, embeddings) for number, rows in enumerate(groups)]
    own = _cut(runs, listening, parts)
    numbers: dict[int, int] = {}
    for track in sorted({run.track for run in runs} - {runs[number].track for number in own}):
        numbers[track] = len(voices)
        voices.append(_voice_of_track(track, looks, embeddings))
    for number, run in enumerate(runs):
        if number not in own:
            own[number] = [Passage(run.start, run.end, _nearest_voice(run, runs, own, numbers))]
    passages = [passage for number in sorted(own) for passage in own[number]]
    return sorted(passages, key=lambda passage: (passage.start, -passage.end)), voices


def _grouped(
    runs: Sequence[Run], looks: Sequence[Look], embeddings: np.ndarray, penalty: float
) -> list[list[int]]:
    """Return the rows of the windows of runs, in order, grouped by their voice."""
    rows = [row for row, look in enumerate(looks) if look.is_window]
    if not rows:
        return []
    of = [runs[looks[row].run or 0] for row in rows]
    penalties = [_price(before, after, penalty) for before, after in pairwise(of)]
    weights = np.array([_weight(looks[row].length) for row in rows])
    cuts = turns.best_cuts(embeddings[rows] * weights[:, None], np.array([0.0, *penalties]))
    return [part.tolist() for part in np.split(np.array(rows), cuts)]


def _weight(length: int) -> float:
    """Return how many windows speech counts for: a short run is one window, as is one of nearly two."""
    return length / WINDOW if length < WINDOW else 1 + (length - WINDOW) / HOP


def _price(before: Run, after: Run, penalty: float) -> float:
    """Return what a turn must gain between windows of these runs; it is sure if they sound at once."""
    if before.track == after.track:
        return penalty
    return -1.0 if before.end - after.start >= MIN_OVERLAP else CHANGE * penalty


@dataclass(frozen=True, slots=True)
class _Part:
    """A part, in one voice, of what a run says alone."""

    run: int
    voice: int
    start: int
    end: int
    """In the recording."""


def _parts(looks: Sequence[Look], groups: Sequence[Sequence[int]]) -> list[_Part]:
    """Cut what runs say alone in the middle between windows of different voices."""
    parts: list[_Part] = []
    before: Look | None = None
    for voice, look in ((voice, looks[row]) for voice, rows in enumerate(groups) for row in rows):
        if before is None or before.run != look.run:
            parts.append(_Part(look.run or 0, voice, look.start, look.end))
        elif parts[-1].voice == voice:
            parts[-1] = replace(parts[-1], end=look.end)
        else:
            middle = (before.start + look.end) // 2
            parts[-1] = replace(parts[-1], end=middle)
            parts.append(_Part(look.run or 0, voice, middle, look.end))
        before = look
    return parts


def _cut(runs: Sequence[Run], listening: Listening, parts: Sequence[_Part]) -> dict[int, list[Passage]]:
    """Return the passages of each run of which there are parts."""
    found: dict[int, list[Passage]] = {}
    for part in parts:
        run, own = runs[part.run], found.setdefault(part.run, [])
        start = listening.position(part.start) if own else run.start
        if own:
            own[-1] = replace(own[-1], end=start)
        own.append(Passage(start, run.end, part.voice, is_cut=bool(own)))
    return found


def _voice(
    number: int,
    rows: Sequence[int],
    parts: Sequence[_Part],
    looks: Sequence[Look],
    embeddings: np.ndarray,
) -> TurnVoice:
    """Return the voice of windows, and of all that their runs say alone where that was embedded too."""
    own = [part for part in parts if part.voice == number]
    shared = {part.run for part in parts if part.voice != number}
    wholes = [
        row
        for row, look in enumerate(looks)
        if look.is_whole and look.run not in shared and look.run in {part.run for part in own}
    ]
    mean = turns.mean_voice(embeddings[list(rows)])
    length = sum(part.end - part.start for part in own)
    return TurnVoice(turns.mean_voice(np.stack([mean, *embeddings[wholes]])), min(length, MAX_VOICE))


def _voice_of_track(track: int, looks: Sequence[Look], embeddings: np.ndarray) -> TurnVoice:
    """Return the voice of a track that says little: half as certain if it is never alone."""
    for row, look in enumerate(looks):
        if look.track == track:
            return TurnVoice(embeddings[row], look.length if look.is_alone else look.length // 2)
    return TurnVoice(None, 0)


def _nearest_voice(
    run: Run, runs: Sequence[Run], own: Mapping[int, Sequence[Passage]], numbers: Mapping[int, int]
) -> int:
    """Return the voice of the passage of a run's track that is nearest, or else the track's."""
    if run.track in numbers:
        return numbers[run.track]
    others = [
        passage for number, passages in own.items() if runs[number].track == run.track for passage in passages
    ]
    return min(others, key=lambda other: max(other.start - run.end, run.start - other.end)).voice
