"""Runs the models of many sessions on one thread, batch after batch. The only asyncio in this package.

The event loop queues jobs and hands results out; the thread (`runner`) computes and owns every model state.
Recognisers that take long (`Models.recognises_apart`) run on a second thread, so that speech detection of
other sessions does not wait for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recognition.core.work import EndDecoding, Failed, Result, Work
from recognition.hotwords import Hotwords
from recognition.interfaces import Models

from .metrics import Statistics
from .pace import Pace
from .runner import ModelRequest, ModelRunner, ModelStream, job_of
from .scheduler import QueuedJob, Scheduler, Stage, lanes, limits_for

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class _Lane:
    """Stages that share a thread: one batch of theirs runs at a time."""

    def __init__(self, stages: Sequence[Stage], name: str) -> None:
        self.stages = stages
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.wake = asyncio.Event()
        self.idle = asyncio.Event()


class Engine:
    """One model set, many sessions.

    `start()` it on the event loop that will submit; `aclose()` it before the loop ends, or its threads
    outlive the models.
    """

    def __init__(
        self,
        models: Models,
        scheduler: Scheduler[ModelRequest] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.models = models
        self.scheduler = Scheduler[ModelRequest](limits_for(models)) if scheduler is None else scheduler
        self.statistics = Statistics()
        self._runner = ModelRunner(models)
        self._clock = clock
        self._lanes = [
            _Lane(stages, name)
            for stages, name in zip(lanes(models), ("models", "recognisers"), strict=False)
        ]
        self._lane_of = {stage: lane for lane in self._lanes for stage in lane.stages}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._run(lane), name="recognition engine") for lane in self._lanes
        ]

    async def aclose(self) -> None:
        """Stop after the batches that are running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(asyncio.to_thread(lane.thread.shutdown) for lane in self._lanes))

    def open_stream(self, pace: Pace | None = None, hotwords: Hotwords | None = None) -> ModelStream:
        return ModelStream(pace, hotwords)

    def close_stream(self, stream: ModelStream) -> None:
        """Drop what waits for this session and free its model state."""
        stream.is_open = False
        self.scheduler.discard(id(stream))
        self._lane_of[Stage.DETECT].thread.submit(self._runner.release_detection, stream)
        self._lane_of[Stage.DECODE].thread.submit(self._runner.release_decoding, stream)

    def submit(self, stream: ModelStream, work: Work, deliver: Callable[[Result], None]) -> None:
        """Queue a piece of work.

        Args:
            deliver: Called once on the event loop, with the result or with `Failed`; never for `EndDecoding`,
                and not after `close_stream`.
        """
        if isinstance(work, EndDecoding):
            self.scheduler.discard(id(stream), [Stage.DECODE, Stage.PREVIEW])
            self._lane_of[Stage.DECODE].thread.submit(self._runner.end_decoding, stream, work.utterance)
            return
        job = job_of(ModelRequest(stream, work, deliver), self._clock())
        self.scheduler.add(job)
        lane = self._lane_of[job.stage]
        lane.idle.clear()
        lane.wake.set()

    async def run(self, work: Callable[[Models], Answer], *, stage: Stage = Stage.DETECT) -> Answer:
        """Do something with the models outside any session, between two batches.

        Sessions wait for it: keep each piece short, and ask again for the next.

        Args:
            stage: Whose thread it is for: `Stage.RECOGNIZE` for work with the recognisers.
        """
        thread = self._lane_of[stage].thread
        return await asyncio.get_running_loop().run_in_executor(thread, work, self.models)

    def now(self) -> float:
        """The moment, on the clock of `scheduler`."""
        return self._clock()

    async def idle(self) -> None:
        """Wait until nothing is queued and nothing runs."""
        while busy := [lane for lane in self._lanes if not lane.idle.is_set()]:
            await busy[0].idle.wait()

    async def _run(self, lane: _Lane) -> None:
        while True:
            now = self._clock()
            self._give_up(self.scheduler.expired(now))
            if batch := self.scheduler.next_batch(now, lane.stages):
                await self._run_batch(lane, batch, now)
                del batch  # the last batch of a day must not keep its sessions alive
            else:
                await self._wait_until_due(lane)

    async def _run_batch(self, lane: _Lane, batch: Sequence[QueuedJob[ModelRequest]], now: float) -> None:
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(lane.thread, self._runner.run, batch)
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

    async def _wait_until_due(self, lane: _Lane) -> None:
        due = self.scheduler.due_at(lane.stages)
        if due is None:
            lane.idle.set()
        lane.wake.clear()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                await lane.wake.wait()
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
