"""Pace of sessions: those that are spoken now, and those that come faster, as files do. Pure.

Somebody waits for the next line of a meeting; a recording has waited already. So work for sessions that keep
pace is done first, and the others share what is left.
"""

from __future__ import annotations

from recognition.audio import samples, seconds
from recognition.core.session import TranscriptionSession

MAX_AHEAD_S = 3.0
"""Audio that may come before its time: what clients and networks gather."""

MAX_CREDIT_S = 600.0
"""Silence that a session may make up for, in which its sender or its worker was away."""

INTERRUPTED_CREDIT_S = 30.0
"""Of a session that goes on from an interruption: for so long it may have waited elsewhere."""

MAX_UNSETTLED = samples(60)
"""Audio of a session ahead of its time that waits for its lines: the rest stays with its sender."""


class Pace:
    """Lead of a session's audio over what could have been said since it began.

    Args:
        credit_s: What it may make up for at the beginning.
        is_background: Whether nobody is speaking, however slowly it comes: a file comes no faster than it is
            recognised, and would pass for a meeting while there is little time for it.
    """

    def __init__(self, *, credit_s: float = 0.0, is_background: bool = False) -> None:
        self._ahead_s = -credit_s
        self._is_background = is_background
        self._at: float | None = None

    def receive(self, count: int, now: float) -> None:
        """Count samples that have come."""
        self._ahead_s = self._ahead_at(now) + seconds(count)
        self._at = now

    def is_ahead(self, now: float) -> bool:
        """Return whether more has come than can have been said."""
        return self._is_background or self._ahead_at(now) > MAX_AHEAD_S

    def _ahead_at(self, now: float) -> float:
        passed_s = 0.0 if self._at is None else now - self._at
        return max(-MAX_CREDIT_S, self._ahead_s - passed_s)


def is_full(session: TranscriptionSession, pace: Pace, *, backlog: int, now: float) -> bool:
    """Return whether a session should get no more audio for the moment.

    Args:
        backlog: Samples that may wait to be searched for speech.
    """
    if session.position - session.processed > backlog:
        return True
    waits_for_lines = session.position - session.settled > MAX_UNSETTLED and not session.is_waiting
    return waits_for_lines and pace.is_ahead(now)
