"""Spans of speech: how they join, how long they are together, and which lines sound at once. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

Span = tuple[int, int]
"""Start and end, in any unit."""


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, as one where they touch: no time is counted twice."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def length(spans: Iterable[Span]) -> int:
    """Return how much time they take together."""
    return sum(end - start for start, end in joined(spans))


class Speech:
    """Speech of some people, to be asked whether any of it is within a span."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._reach: Sequence[int] = list(accumulate((end for _, end in ordered), max))

    def sounds_in(self, span: Span, *, at_least: int) -> bool:
        """Tell whether some of it reaches so far into a span from either side."""
        start, end = span
        before = bisect_left(self._starts, end - at_least)
        return before > 0 and self._reach[before - 1] > start + at_least
