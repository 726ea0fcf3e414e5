"""Times of tokens, from Whisper's alignment and the energy of the audio. Numbers only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recognition.audio import LEVEL_FRAME, levels, samples
from recognition.interfaces import Samples, Span

FRAME = 320
"""Samples of one frame of the encoder."""

_EARLY = samples(0.25)
"""By so much alignments come too early, whatever the window.

Where one recording was joined to another it is 0.31 s; but pauses within a sentence fall between two words
most often at 0.2 s, and from 0.31 s on hardly more often than any place does.
"""

_SHORTEST = samples(0.04)
"""Of a token, where there is room."""

_REACH = samples(0.4)
"""A boundary between tokens is drawn to a pause no further away."""

_TORN = samples(0.2)
"""So much further away seems a boundary within a word."""

_MIN_PAUSE = 10
"""Frames of 10 ms: shorter ones are parts of sounds."""

_PAUSE_DB = 25.0
"""So far below the loud parts nothing is said."""

_DIP = 20
"""Frames of the place where an utterance that is too long is cut."""


def spans(
    audio: Samples, alignment: Sequence[tuple[int, int]], lengths: Sequence[int], ends: Sequence[bool]
) -> list[Span]:
    """Return when each token was said, in order and within the audio.

    Args:
        alignment: Pairs of a token's number and a frame: a path through both, behind the last token too.
        lengths: Bytes of each token, for how long it takes about.
        ends: Whether a word ends with it: people pause between words.
    """
    count = len(lengths)
    if not count:
        return []
    bounds = _bounds(alignment, count).clip(0, len(audio))
    found: list[Span] = []
    for first, end, start, stop in _stretches(bounds, pauses(audio), ends):
        placed = _placed(bounds[first : end + 1], start, stop, np.array(lengths[first:end]))
        found += zip(placed[:-1].tolist(), placed[1:].tolist(), strict=True)
    return found


def pauses(audio: Samples) -> list[Span]:
    """Return the quiet parts of audio, those at its ends included."""
    found = levels(audio)
    if not len(found):
        return []
    is_quiet = found < np.quantile(found, 0.9) - _PAUSE_DB
    edges = np.flatnonzero(np.diff(is_quiet, prepend=False, append=False)).reshape(-1, 2)
    return [
        (int(start) * LEVEL_FRAME, int(end) * LEVEL_FRAME)
        for start, end in edges
        if end - start >= _MIN_PAUSE
    ]


def quietest(audio: Samples, start: int, end: int) -> int:
    """Return the middle of the quietest 200 ms in a part of audio."""
    found = levels(audio[start:end])
    if len(found) < _DIP:
        return (start + end) // 2
    sums = sliding_window_view(found, _DIP).sum(axis=1)
    return start + (int(sums.argmin()) + _DIP // 2) * LEVEL_FRAME


def _bounds(alignment: Sequence[tuple[int, int]], count: int) -> np.ndarray:
    """Return where each token begins and the last ends, in samples, shape (count + 1,)."""
    bounds = np.full(count + 1, np.iinfo(np.int32).max)
    for token, frame in reversed(alignment):
        if token <= count:
            bounds[token] = frame * FRAME + _EARLY
    return np.minimum.accumulate(bounds[::-1])[::-1]


def _stretches(
    bounds: np.ndarray, quiet: Sequence[Span], ends: Sequence[bool]
) -> list[tuple[int, int, int, int]]:
    """Return tokens without a pause between them: first, end, and when they begin and end."""
    chosen: dict[int, Span] = {}
    handicaps = np.where([True, *ends], 0, _TORN)
    for start, end in quiet:
        distances = np.maximum(start - bounds, bounds - end).clip(0) + handicaps
        nearest = int(distances.argmin())
        # Of two pauses at one place the longer is meant.
        if distances[nearest] <= _REACH and end - start > np.diff(chosen.get(nearest, (0, 0)))[0]:
            chosen[nearest] = (start, end)
    last = len(bounds) - 1
    begin = chosen.pop(0, (0, int(bounds[0])))[1]
    finish = chosen.pop(last, (int(bounds[last]), 0))[0]
    first = 0
    found = []
    for place, (start, end) in sorted(chosen.items()):
        found.append((first, place, begin, max(begin, start)))
        first, begin = place, end
    return [*found, (first, last, begin, max(begin, finish))]


def _placed(bounds: np.ndarray, start: int, end: int, lengths: np.ndarray) -> np.ndarray:
    """Return bounds within a stretch: the mean of the alignment's and of evenly spread ones."""
    count = len(lengths)
    evenly = start + (end - start) * np.append(0, np.cumsum(lengths)) / max(1, lengths.sum())
    mixed = (bounds.clip(start, end) + evenly) / 2
    mixed[0], mixed[-1] = start, end
    shortest = min(_SHORTEST, (end - start) / count)
    steps = np.arange(count + 1) * shortest
    apart = np.maximum.accumulate(mixed - steps) + steps
    placed: np.ndarray = np.minimum(apart, end - steps[::-1]).clip(start, end).astype(int)
    return placed
