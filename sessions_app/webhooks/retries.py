"""Retries of webhooks: what an answer means, and when the next attempt is. Pure."""

from __future__ import annotations

import enum

DELAYS_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
"""Before the second attempt, the third, and so on; the last one again and again."""

GIVE_UP_S = 3 * 24 * 3600.0

BUSY = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses by which a receiver, or what stands before it, says that it cannot listen now."""


class Outcome(enum.Enum):
    """Meanings of an answer."""

    DELIVERED = "delivered"
    AWAY = "away"
    """Nobody listens: all that waits for this receiver goes on waiting, so that it comes in order."""

    REFUSED = "refused"
    """Somebody listens, and does not take this one: it is tried again, and the others go on without it."""


def outcome(status: int | None) -> Outcome:
    """Return what an answer means.

    Args:
        status: Of HTTP; None if there was no answer.
    """
    if status is None or status in BUSY:
        return Outcome.AWAY
    return Outcome.DELIVERED if 200 <= status < 300 else Outcome.REFUSED


def delay_s(attempts: int) -> float:
    """Return how long to wait after so many attempts in vain."""
    return DELAYS_S[min(max(attempts, 1), len(DELAYS_S)) - 1]
