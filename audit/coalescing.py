"""Coalescing of what happens again and again into one entry for a while. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class _Seen:
    at: float
    more: int = 0


class Coalescing:
    """The latest things that happened. Bounded: what is forgotten early is told once more."""

    def __init__(self, max_known: int = 10_000) -> None:
        self._max_known = max_known
        self._seen: OrderedDict[Hashable, _Seen] = OrderedDict()

    def happen(self, what: Hashable, now: float, interval_s: float) -> int | None:
        """Note that something happened.

        Returns:
            None if it is told already; otherwise how often it happened untold since it was told last.
        """
        seen = self._seen.get(what)
        if seen and now - seen.at < interval_s:
            seen.more += 1
            return None
        self._seen[what] = _Seen(now)
        self._seen.move_to_end(what)
        if len(self._seen) > self._max_known:
            self._seen.popitem(last=False)
        return seen.more if seen else 0

    def forget(self, what: Hashable) -> None:
        """Let it be told when it happens next: it was not told after all."""
        self._seen.pop(what, None)

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
