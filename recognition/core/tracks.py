"""Tracks of speakers: what a segmenter hears in windows that overlap, put together to one answer. Pure.

A window's speakers have no names, and the first of one may be the second of the next. Who speaks at the same
times where two windows overlap is one speaker: a track. From the middle of that part the later window counts,
which has heard more of what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from recognition.audio import samples
from recognition.interfaces import Span

STEP = samples(0.01)
"""Tracks tell from each multiple of it to the next who is active."""

MIN_SHARED = samples(0.2)
"""Speech at the same times that makes one track of the speakers of two windows; less may be chance."""

ACTIVE = 0.5
"""Activity above which somebody speaks."""


@dataclass(frozen=True, slots=True)
class WindowLayout:
    """Windows of a segmenter and the rows of its answers, in samples: see `SpeakerSegmenter`."""

    window: int
    frame: int
    first: int


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Activity of speakers over a part of the stream."""

    start: int
    """Position of the first step, a multiple of `STEP`."""

    active: np.ndarray
    """bool, shape (tracks, steps)."""

    def positions(self, steps: Span) -> Span:
        """Return the part of the stream that steps stand for."""
        return self.start + steps[0] * STEP, self.start + steps[1] * STEP

    def within(self, start: int, end: int) -> Tracks:
        """Return the part from the step in which one position lies to another, as far as it is known."""
        first = max(0, start - self.start) // STEP
        last = max(first, min(self.active.shape[1], (end - self.start) // STEP))
        return Tracks(self.start + first * STEP, self.active[:, first:last])


def stitch(heard: Sequence[tuple[Span, np.ndarray]], layout: WindowLayout) -> Tracks:
    """Put the answers for windows together.

    Args:
        heard: Windows in order, each overlapping the one before, and their activity as a segmenter returns
            it; at least one.
    """
    start = -(-min(since for (since, _), _ in heard) // STEP)
    stop = max(until for (_, until), _ in heard) // STEP
    tracks: list[np.ndarray] = []
    before = np.zeros((0, stop - start), bool)  # the last window's speakers, and the track of each
    before_tracks: list[int] = []
    reached = 0
    for window, activity in heard:
        own = _on_steps(window, activity, layout, start, stop)
        first = -(-window[0] // STEP) - start
        matches = _matches(before[:, first:reached], own[:, first:reached])
        numbers = [before_tracks[matches[row]] if row in matches else _added(tracks, stop - start)
                   for row in range(len(own))]  # fmt: skip
        middle = (first + max(first, reached)) // 2
        for track in tracks:
            track[middle:] = False
        for row, number in enumerate(numbers):
            tracks[number][middle:] = own[row, middle:]
        before, before_tracks, reached = own, numbers, window[1] // STEP - start
    return Tracks(start * STEP, np.stack(tracks) if tracks else before)


def _on_steps(window: Span, activity: np.ndarray, layout: WindowLayout, start: int, stop: int) -> np.ndarray:
    """Return who is active in each step of the whole, shape (speakers, steps); nobody outside the window."""
    own = np.zeros((activity.shape[1] if activity.ndim == 2 else 0, stop - start), bool)
    first, last = -(-window[0] // STEP), window[1] // STEP
    if len(activity):
        middles = (np.arange(first, last) + 0.5) * STEP - window[0]
        rows = np.clip(np.round((middles - layout.first) / layout.frame).astype(int), 0, len(activity) - 1)
        own[:, first - start : last - start] = activity[rows].T > ACTIVE
    return own


def _matches(before: np.ndarray, own: np.ndarray) -> dict[int, int]:
    """Return for speakers of a window which of the window before they are, from what both heard.

    Of all ways to pair them the one in which they speak together most: they are three, so all are tried.
    """
    together = own.astype(int) @ before.T.astype(int)  # (own, before), in steps
    size = max(together.shape)
    padded = np.zeros((size, size), int)
    padded[: together.shape[0], : together.shape[1]] = together
    rows = np.arange(size)
    best = max(permutations(range(size)), key=lambda order: int(padded[rows, list(order)].sum()))
    return {row: other for row, other in enumerate(best) if padded[row, other] * STEP >= MIN_SHARED}


def _added(tracks: list[np.ndarray], steps: int) -> int:
    """Add a track, and return its number."""
    tracks.append(np.zeros(steps, bool))
    return len(tracks) - 1
