"""What processes of the service use: CPU time and resident memory, with their children."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import psutil

MIB = 1024 * 1024


def cpu_s(pids: Iterable[int]) -> float:
    """CPU time used so far, of processes and their living children."""
    total = 0.0
    for process in _families(pids):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def rss_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MIB


class PeakMemory:
    """`async with`: how far the resident memory of a process grows meanwhile."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before_mib = self.peak_mib = rss_mib(pid)

    @property
    def growth_mib(self) -> float:
        return self.peak_mib - self.before_mib

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.cancel()
        self.peak_mib = max(self.peak_mib, rss_mib(self._pid))

    async def _watch(self) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, rss_mib(self._pid))
            await asyncio.sleep(0.1)


def _families(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found
