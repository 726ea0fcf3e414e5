"""Limits of request bodies: of each one, and of all that a process holds at a time. Pure."""

from __future__ import annotations

from sessions_app.exceptions import SessionsError

MIB = 2**20

MAX_BODY_BYTES = 3 * MIB
"""Forms and JSON. Django reads 2.5 MB of those and refuses the rest."""

MAX_FILE_BODY_BYTES = 52 * MIB
"""Where people send recordings: the largest one, and the form around it."""

MAX_HELD_BYTES = 512 * MIB
"""Of all bodies that have come, in part or whole, and are not answered yet."""


class BodyTooLarge(SessionsError):
    """More than this address takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is too large: this address takes {limit // MIB} MB at most.\n")


class TooManyBodies(SessionsError):
    """More than this process holds of all clients together; it will do so in a moment."""

    def __init__(self) -> None:
        super().__init__("The server is busy with other uploads: try again in a moment.\n")


class BodyBudget:
    """Bytes of request bodies that a process holds."""

    def __init__(self, limit: int = MAX_HELD_BYTES) -> None:
        self.limit = limit
        self.held = 0

    def take(self, count: int) -> None:
        """Make room.

        Raises:
            TooManyBodies: If there is none.
        """
        if self.held + count > self.limit:
            raise TooManyBodies
        self.held += count

    def give_back(self, count: int) -> None:
        self.held -= count


class BodyMeter:
    """Bytes of one request's body, counted as they come; a length that is announced counts at once.

    Args:
        limit: Of this request.
        budget: Of all of them.
    """

    def __init__(self, limit: int, budget: BodyBudget) -> None:
        self._limit = limit
        self._budget = budget
        self._received = 0
        self._taken = 0

    def announce(self, length: int) -> None:
        """Take the client's word for the whole length. Raises as `receive`."""
        self._take(length)

    def receive(self, count: int) -> None:
        """Count what has come.

        Raises:
            BodyTooLarge: Over the limit.
            TooManyBodies: Over the budget.
        """
        self._received += count
        self._take(max(0, self._received - self._taken))

    def release(self) -> None:
        """Give back what was taken. Idempotent."""
        taken, self._taken = self._taken, 0
        self._budget.give_back(taken)

    def _take(self, count: int) -> None:
        if self._taken + count > self._limit:
            raise BodyTooLarge(self._limit)
        self._budget.take(count)
        self._taken += count
