"""Workers forked from one process that has loaded the models: what they share is in memory once.

The parent computes nothing; it waits for signals, starts a worker again that ended though nobody told it to,
and stops them all when it is stopped. Workers see by a pipe, the lifeline, when their parent is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

from sessions_app.exceptions import SessionsError
from sessions_app.serving.gc_freeze import freeze_heap

logger = logging.getLogger(__name__)

START_S = 10.0
"""A worker that does not live so long has a trouble that another start does not mend."""

_STOP = {signal.SIGTERM, signal.SIGINT}
_WATCHED = _STOP | {signal.SIGCHLD}


class WorkersFailed(SessionsError):
    """Workers ended and would end again."""


class WorkerProcesses:
    """`run()` forks and returns when all workers have ended.

    Args:
        count: How many.
        work: What a worker does, given its number from 0 on and the descriptor of the lifeline, which becomes
            readable when the parent is gone. It returns when the process gets SIGTERM or SIGINT.
        start_s: How long a worker must have lived to be started again.
    """

    def __init__(self, count: int, work: Callable[[int, int], None], *, start_s: float = START_S) -> None:
        self._count = count
        self._work = work
        self._start_s = start_s
        self._started: dict[int, tuple[int, float]] = {}
        self._is_stopping = False
        self._failure: str | None = None
        self._lifeline = (-1, -1)

    def run(self) -> None:
        """Call it in the main thread, where no other thread and no event loop runs.

        Raises:
            WorkersFailed: If a worker ended soon after its start.
        """
        self._lifeline = os.pipe()
        freeze_heap()
        earlier = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        try:
            for number in range(self._count):
                self._start(number)
            while self._started:
                if signal.sigwait(_WATCHED) == signal.SIGCHLD:
                    self._reap()
                else:
                    self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
        if self._failure:
            raise WorkersFailed(self._failure)

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._be_worker(number)
        self._started[pid] = number, time.monotonic()

    def _be_worker(self, number: int) -> None:
        status = 1
        try:
            reading, writing = self._lifeline
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            self._work(number, reading)
            status = 0
        except BaseException:  # the process ends here, and its log must say why
            logger.exception("worker %d failed", os.getpid())
        finally:
            logging.shutdown()
            os._exit(status)

    def _reap(self) -> None:
        while self._started:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            number, started = self._started.pop(pid)
            lived_s = time.monotonic() - started
            if self._is_stopping:
                continue
            how = f"worker {pid} ended with status {os.waitstatus_to_exitcode(status)} after {lived_s:.0f} s"
            if lived_s < self._start_s:
                self._failure = how
                self._stop()
            else:
                logger.error("%s; starting another", how)
                self._start(number)

    def _stop(self) -> None:
        self._is_stopping = True
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)
