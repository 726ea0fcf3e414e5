"""Extents: which of many records holds which bytes, where the later of two that overlap holds them. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple


class Extent(NamedTuple):
    """Bytes `start` to `end`, the last one not included, and the record that holds them."""

    start: int
    end: int
    record: int


class Extents:
    """Extents of one file; those that come in order cost next to nothing."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._extents: list[Extent] = []

    @property
    def length(self) -> int:
        """Return the end of the last one."""
        return self._extents[-1].end if self._extents else 0

    def add(self, start: int, end: int, record: int) -> None:
        """Give bytes to a record, whoever had them before."""
        first, last = self._touched(start, end)
        kept = []
        for old in self._extents[first:last]:
            if old.start < start:
                kept.append(old._replace(end=start))
            if old.end > end:
                kept.append(old._replace(start=end))
        kept.append(Extent(start, end, record))
        kept.sort()
        self._extents[first:last] = kept
        self._starts[first:last] = [extent.start for extent in kept]

    def within(self, start: int, end: int) -> Iterator[Extent]:
        """Yield the parts of extents that lie within, in their order."""
        first, last = self._touched(start, end)
        for old in self._extents[first:last]:
            yield Extent(max(start, old.start), min(end, old.end), old.record)

    def _touched(self, start: int, end: int) -> tuple[int, int]:
        """Return the slice of extents that have bytes of these."""
        first = max(0, bisect_right(self._starts, start) - 1)
        if first < len(self._extents) and self._extents[first].end <= start:
            first += 1
        return first, max(first, bisect_left(self._starts, end))
