"""A limit on commands that end an utterance: each costs a second pass of the models. Pure."""

from __future__ import annotations

from collections import deque

from sessions_app.wire.protocol import ErrorCode, ProtocolError

MAX_FLUSHES = 5
PERIOD_S = 1.0


class FlushLimit:
    """Admits `MAX_FLUSHES` within any `PERIOD_S`; those that it refuses do not count."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=MAX_FLUSHES)

    def admit(self, now: float) -> None:
        """Count a command.

        Args:
            now: In seconds, by a clock that never goes back.

        Raises:
            ProtocolError: TOO_MANY_FLUSHES, with the time to wait.
        """
        if len(self._latest) == MAX_FLUSHES and (wait_s := self._latest[0] + PERIOD_S - now) > 0:
            raise ProtocolError(
                ErrorCode.TOO_MANY_FLUSHES,
                f'at most {MAX_FLUSHES} commands "flush" are taken in {PERIOD_S:g} s; this one was ignored, '
                "the audio is kept",
                retry_after=round(wait_s, 3),
            )
        self._latest.append(now)
