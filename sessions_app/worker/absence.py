"""Absence of a session's sender, as its worker sees it: for how long it was waited for. Pure.

The log says for how long nobody has sent, by a clock that may jump; and it may be us who keep a sender away.
So the shortest of three times counts: since it left, since this worker noticed, since all of ours works.
"""

from __future__ import annotations


class Absence:
    """One session's sender, here or away. Times are of the caller's clock, which never jumps.

    Args:
        now: When the worker began.
    """

    def __init__(self, now: float) -> None:
        self._in_order_since = now
        self._noticed_at: float | None = None

    def receive_hindrance(self, now: float) -> None:
        """Note that something of ours has kept every sender away until now."""
        self._in_order_since = now

    def waited_s(self, gone_s: float, *, now: float) -> float:
        """Return for how long the sender has been waited for; 0 while there is one.

        Args:
            gone_s: For how long the log has been without a sender; 0 while it has one.
        """
        if gone_s <= 0:
            self._noticed_at = None
            return 0.0
        if self._noticed_at is None:
            self._noticed_at = now
        return min(gone_s, now - self._noticed_at, now - self._in_order_since)
