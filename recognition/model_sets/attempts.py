"""Decisions about fetching a file: the next place, is it the right file, is it too slow. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from .files import ModelFile

MAX_TRIES = 5
"""At one place, as long as each of them brings something."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Times after which a place is given up."""

    answer_s: float = 3.0
    """Until it answers at all."""

    window_s: float = 20.0
    """In any time of this length..."""

    window_bytes: int = 100_000
    """...so much must have come."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place, tried once in vain."""

    place: int
    """Which one in the order."""

    problem: str
    gained: int = 0
    """Bytes that came and were kept, from which another attempt goes on."""

    continued: bool = False
    """It went on from bytes that came before."""

    is_wrong: bool = False
    """All came, and is another file; nothing of it was kept."""


def next_place(count: int, attempts: Sequence[Attempt]) -> int | None:
    """Return which of so many places is to be tried now; None after the last.

    A connection that broke off is taken up again. What was put together from two attempts and is wrong is
    fetched once more as a whole, for the first part may have been another place's.
    """
    if not attempts:
        return 0 if count else None
    last = attempts[-1]
    tries = sum(attempt.place == last.place for attempt in attempts)
    goes_on = last.gained > 0 and not last.is_wrong
    if (goes_on or (last.is_wrong and last.continued)) and tries < MAX_TRIES:
        return last.place
    return last.place + 1 if last.place + 1 < count else None


def mistake(file: ModelFile, size: int, sha256: str) -> str:
    """Return in what the file that came is another than the one that was meant; empty if it is that one."""
    if size != file.size:
        return f"it has {size} bytes instead of {file.size}"
    return "" if sha256 == file.sha256 else f"it has another content (sha256 {sha256})"


def failure(file: ModelFile, places: Sequence[str], attempts: Sequence[Attempt]) -> str:
    """Return what is told when no place had the file: each place with its last reason."""
    reasons = {places[attempt.place]: attempt.problem for attempt in attempts}
    told = "; ".join(f"{place}: {reason}" for place, reason in reasons.items())
    return f"{file.name} could not be fetched from any place: {told}"


def innermost(reason: str) -> str:
    """Return the last of the reasons that libraries wrap around each other, without addresses of objects."""
    inner = re.split(r"(?:object at \w+>|port=\d+\)): ", reason.strip())[-1]
    return re.sub(r"['\"]\)+$", "", inner)


@dataclass(slots=True)
class Pace:
    """Bytes that arrive, against those that must to be waited for."""

    patience: Patience
    _arrivals: deque[tuple[float, int]] = field(default_factory=deque)

    def is_too_slow(self, now: float, done: int) -> bool:
        """Take the bytes that are here, and return whether too few came during the last window."""
        self._arrivals.append((now, done))
        if now - self._arrivals[0][0] < self.patience.window_s:
            return False
        came = done - self._arrivals[0][1]
        while now - self._arrivals[0][0] >= self.patience.window_s:
            self._arrivals.popleft()
        return came < self.patience.window_bytes
