"""Threads that hash passwords: few, and behind everything else, since each attempt costs most of a second."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sessions_app.exceptions import SessionsError

Result = TypeVar("Result")

THREADS = max(1, (os.cpu_count() or 1) // 4)

NICENESS = 15
"""Recognition comes first: who logs in can wait, what is said cannot."""

MAX_WAITING = 16
"""Beyond these an attempt is refused: it would wait longer than anybody does."""


class Busy(SessionsError):
    """More passwords are waiting than can be looked at in reasonable time."""


class HashingPool:
    """Runs what takes long of a login, so many at a time."""

    def __init__(self, *, threads: int = THREADS, max_waiting: int = MAX_WAITING) -> None:
        self._room = threading.BoundedSemaphore(threads + max_waiting)
        self._executor = ThreadPoolExecutor(threads, "hashing", initializer=_step_back)

    def run(self, work: Callable[..., Result], *args: object) -> Result:
        """Wait for the result of this.

        Raises:
            Busy: If too many wait already.
        """
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            return self._executor.submit(work, *args).result()
        finally:
            self._room.release()


def _step_back() -> None:
    """Give way to all other threads; Linux has a priority for each."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


pool = HashingPool()
