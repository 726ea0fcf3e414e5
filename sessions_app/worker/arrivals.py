"""Moments at which the audio of a session came, so that the age of what is said of it can be told. Pure."""

from __future__ import annotations

from collections import deque


class Arrivals:
    """Ends of the latest pieces of audio, with the moments at which they came.

    Args:
        limit: Pieces that are remembered; text about earlier audio has the age of the earliest of them.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._pieces: deque[tuple[int, float]] = deque(maxlen=limit)

    def add(self, end: int, at: float) -> None:
        """Note that the audio up to a position is there."""
        self._pieces.append((end, at))

    def when(self, position: int) -> float | None:
        """Return the moment at which the audio up to a position was there; None if it is not yet."""
        found = None
        for end, at in reversed(self._pieces):
            if end < position:
                break
            found = at
        return found
