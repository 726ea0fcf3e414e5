"""Recognition that does what a test wants, in place of a worker with models."""

from __future__ import annotations

import asyncio


class Worker:
    """A worker that says what it is told; it runs until it is cancelled unless it `ends`.

    Args:
        failure: What its start raises.
        hangs: Its stop never comes to an end.
    """

    def __init__(self, failure: Exception | None = None, *, ends: bool = False, hangs: bool = False) -> None:
        self.failure, self.ends, self.hangs = failure, ends, hangs
        self.told: list[str] = []

    async def start(self) -> None:
        self.told.append("start")
        if self.failure:
            raise self.failure

    async def run(self) -> None:
        self.told.append("run")
        if not self.ends:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        self.told.append("stop")
        if self.hangs:
            await asyncio.Event().wait()
