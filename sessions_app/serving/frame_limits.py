"""Limits of WebSocket frames that are small or want an answer: their cost is not in their bytes. Pure."""

from __future__ import annotations

SMALL_BYTES = 320
"""Smaller than any audio that is sent in pieces of 10 ms, but that of telephones."""

MAX_SMALL_PER_S = 200.0
MAX_SMALL_AT_ONCE = 1000
"""Real time in pieces of 5 ms, and what has waited for a while; who sends more is read more slowly."""

MAX_CONTROL_PER_S = 10.0
MAX_CONTROL_AT_ONCE = 100
"""Pings and pongs. Clients send one in some seconds; who sends more than these is let go."""

CLOSE_OPCODE = 8

MAX_MESSAGE_BYTES = 1024 * 1024
"""Who sends a larger message is told so and let go, unless the client's dialect allows more."""


class TokenBucket:
    """Admits so many a second in the long run, and so many at once; who comes early waits for it later."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._left = at_once
        self._counted_at = 0.0

    def take(self, now: float) -> float:
        """Count one.

        Args:
            now: In seconds, by a clock that never goes back.

        Returns:
            Seconds until the next one is admitted; 0 if it may come now.
        """
        self._left = min(self._at_once, self._left + (now - self._counted_at) * self._per_s) - 1
        self._counted_at = now
        return max(0.0, (1 - self._left) / self._per_s) if self._left < 1 else 0.0


class FrameLimits:
    """Both limits of one socket."""

    def __init__(self) -> None:
        self._small = TokenBucket(MAX_SMALL_PER_S, MAX_SMALL_AT_ONCE)
        self._control = TokenBucket(MAX_CONTROL_PER_S, MAX_CONTROL_AT_ONCE)

    def count_data(self, length: int, now: float) -> float:
        """Return for how many seconds to read no more of it."""
        return self._small.take(now) if length < SMALL_BYTES else 0.0

    def admits_control(self, opcode: int, now: float) -> bool:
        """Return whether this client may stay."""
        return opcode == CLOSE_OPCODE or not self._control.take(now)
