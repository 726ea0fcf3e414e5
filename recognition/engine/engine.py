"""Runs the models of many sessions on one thread, batch after batch. The only asyncio in this package.

The event loop queues jobs and hands results out; the thread (`runner`) computes and owns every model state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recognition.core.work import EndDecoding, Failed, Result, Work
from recognition.interfaces import Models

from .metrics import Statistics
from .runner import ModelRequest, ModelRunner, ModelStream, job_of
from .scheduler import QueuedJob, Scheduler, Stage, limits_for

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Engine:
    """One model set, many sessions.

    `start()` it on the event loop that will submit; `aclose()` it before the loop ends, or the thread
    outlives the models.
    """

    def __init__(
        self,
        models: Models,
        scheduler: Scheduler[ModelRequest] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.models = models
        self.scheduler = (
            Scheduler[ModelRequest](limits_for(models.device)) if scheduler is None else scheduler
        )
        self.statistics = Statistics()
        self._runner = ModelRunner(models)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="models")
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop_task = asyncio.create_task(self._run(), name="recognition engine")

    async def aclose(self) -> None:
        """Stop after the batch that is running."""
        if self._loop_task:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)

    def open_stream(self) -> ModelStream:
        return ModelStream()

    def close_stream(self, stream: ModelStream) -> None:
        """Drop what waits for this session and free its model state."""
        stream.is_open = False
        self.scheduler.discard(id(stream))
        self._thread.submit(self._runner.release, stream)

    def submit(self, stream: ModelStream, work: Work, deliver: Callable[[Result], None]) -> None:
        """Queue a piece of work.

        Args:
            deliver: Called once on the event loop, with the result or with `Failed`; never for `EndDecoding`,
                and not after `close_stream`.
        """
        if isinstance(work, EndDecoding):
            self.scheduler.discard(id(stream), [Stage.DECODE, Stage.PREVIEW])
            self._thread.submit(self._runner.end_decoding, stream, work.utterance)
            return
        self.scheduler.add(job_of(ModelRequest(stream, work, deliver), self._clock()))
        self._idle.clear()
        self._wake.set()

    async def run(self, work: Callable[[Models], Answer]) -> Answer:
        """Do something with the models outside any session, between two batches.

        Sessions wait for it: keep each piece short, and ask again for the next.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self.models)

    def now(self) -> float:
        """The moment, on the clock of `scheduler`."""
        return self._clock()

    async def idle(self) -> None:
        """Wait until nothing is queued and nothing runs."""
        await self._idle.wait()

    async def _run(self) -> None:
        while True:
            now = self._clock()
            self._give_up(self.scheduler.expired(now))
            if batch := self.scheduler.next_batch(now):
                await self._run_batch(batch, now)
                del batch  # the last batch of a day must not keep its sessions alive
            else:
                await self._wait_until_due()

    async def _run_batch(self, batch: Sequence[QueuedJob[ModelRequest]], now: float) -> None:
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(self._thread, self._runner.run, batch)
        failed = sum(isinstance(result, Failed) for result in results)
        took_s = self._clock() - now
        self.statistics.count_batch(batch, taken_at=now, took_s=took_s, failed=failed)
        for job, result in zip(batch, results, strict=True):
            _deliver(job, result)

    def _give_up(self, late: Sequence[QueuedJob[ModelRequest]]) -> None:
        """Tell those who wait that nothing will come."""
        self.statistics.count_dropped(late)
        for job in late:
            _deliver(job, Failed(job.payload.work))

    async def _wait_until_due(self) -> None:
        due = self.scheduler.due_at()
        if due is None:
            self._idle.set()
        self._wake.clear()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                await self._wake.wait()
        except TimeoutError:
            pass


def _deliver(job: QueuedJob[ModelRequest], result: Result) -> None:
    stream, work, deliver = job.payload
    if not stream.is_open:
        return
    try:
        deliver(result)
    except Exception:  # one session's trouble must not stop the engine of all
        logger.exception("a session could not take its %s", type(work).__name__)
