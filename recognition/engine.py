"""Runs the models of many sessions on one thread, batch after batch. The only asyncio in this package.

The event loop queues jobs and hands results out; the thread computes and owns every model state. Nothing
else touches a model, because FunASR's are not safe to share, and because one thread per core is fastest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from .batching import Job, Scheduler, Stage
from .interfaces import Models, State
from .work import (
    ChunkDecoded,
    DecodeChunk,
    DetectSpeech,
    Embed,
    Embedded,
    EndDecoding,
    Failed,
    Punctuate,
    Punctuated,
    Recognize,
    Recognized,
    Result,
    SpeechProbabilities,
    Work,
)

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class ModelStream:
    """What the models remember of one session. Only the engine's thread reads or writes it."""

    def __init__(self) -> None:
        self.vad: State = None
        self.decoding: dict[int, State] = {}
        self.is_open = True


class Order(NamedTuple):
    """A job's payload: the work, whose it is, and who waits for the result."""

    stream: ModelStream
    work: Work
    deliver: Callable[[Result], None]


class Engine:
    """One model set, many sessions.

    `start()` it on the event loop that will submit; `aclose()` it before the loop ends, or the thread
    outlives the models.
    """

    def __init__(
        self,
        models: Models,
        scheduler: Scheduler[Order] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.models = models
        self.scheduler: Scheduler[Order] = scheduler or Scheduler()
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
        self._thread.submit(self._release, stream)

    def submit(self, stream: ModelStream, work: Work, deliver: Callable[[Result], None]) -> None:
        """Queue a piece of work.

        Args:
            deliver: Called once on the event loop, with the result or with `Failed`; never for `EndDecoding`,
                and not after `close_stream`.
        """
        if isinstance(work, EndDecoding):
            self.scheduler.discard(id(stream), [Stage.DECODE])
            self._thread.submit(self._end_decoding, stream, work.utterance)
            return
        stage, samples = _stage_of(work)
        order = Order(stream, work, deliver)
        self.scheduler.add(Job(stage, id(stream), samples, self._clock(), order))
        self._idle.clear()
        self._wake.set()

    async def run(self, work: Callable[[Models], Answer]) -> Answer:
        """Do something with the models outside any session, between two batches.

        Sessions wait for it: keep each piece short, and ask again for the next.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self.models)

    async def idle(self) -> None:
        """Wait until nothing is queued and nothing runs."""
        await self._idle.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self.scheduler.next_batch(self._clock())
            if not batch:
                await self._wait_until_due()
                continue
            results = await loop.run_in_executor(self._thread, self._compute, batch)
            for job, result in zip(batch, results, strict=True):
                if job.payload.stream.is_open:
                    job.payload.deliver(result)

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

    # On the models' thread from here on.

    def _compute(self, batch: Sequence[Job[Order]]) -> list[Result]:
        orders = [job.payload for job in batch]
        try:
            return self._run_models(batch[0].stage, orders)
        except Exception:  # whatever a model raises must reach everyone who waits
            logger.exception("a batch of %d failed in %s", len(batch), batch[0].stage.name)
        if len(batch) == 1:
            return [Failed(orders[0].work)]
        # One bad input must not cost the others their results.
        return [self._compute([job])[0] for job in batch]

    def _run_models(self, stage: Stage, orders: Sequence[Order]) -> list[Result]:
        match stage:
            case Stage.DETECT:
                return self._detect(orders)
            case Stage.DECODE:
                return self._decode(orders)
            case Stage.RECOGNIZE:
                return self._recognize(orders)
            case Stage.PUNCTUATE:
                return self._punctuate(orders)
            case Stage.EMBED:
                return self._embed(orders)

    def _detect(self, orders: Sequence[Order]) -> list[Result]:
        batch = []
        for stream, work, _ in orders:
            assert isinstance(work, DetectSpeech)
            if stream.vad is None:
                stream.vad = self.models.vad.new_state()
            batch.append((stream.vad, work.audio))
        return [SpeechProbabilities(values) for values in self.models.vad.detect(batch)]

    def _decode(self, orders: Sequence[Order]) -> list[Result]:
        batch, utterances = [], []
        for stream, work, _ in orders:
            assert isinstance(work, DecodeChunk)
            if work.utterance not in stream.decoding:
                stream.decoding[work.utterance] = self.models.streaming.new_state()
            batch.append((stream.decoding[work.utterance], work.audio))
            utterances.append(work.utterance)
        decoded = self.models.streaming.decode(batch)
        return [ChunkDecoded(u, tuple(tokens)) for u, tokens in zip(utterances, decoded, strict=True)]

    def _recognize(self, orders: Sequence[Order]) -> list[Result]:
        works = [order.work for order in orders if isinstance(order.work, Recognize)]
        recognized = self.models.offline.recognize([work.audio for work in works])
        return [Recognized(w.utterance, tuple(tokens)) for w, tokens in zip(works, recognized, strict=True)]

    def _punctuate(self, orders: Sequence[Order]) -> list[Result]:
        works = [order.work for order in orders if isinstance(order.work, Punctuate)]
        marks = self.models.punctuator.punctuate([work.tokens for work in works])
        return [Punctuated(w.utterance, tuple(m)) for w, m in zip(works, marks, strict=True)]

    def _embed(self, orders: Sequence[Order]) -> list[Result]:
        works = [order.work for order in orders if isinstance(order.work, Embed)]
        pieces = [work.audio[start:end] for work in works for start, end in work.stretches]
        embeddings = self.models.embedder.embed(pieces)
        results: list[Result] = []
        for work in works:
            own, embeddings = embeddings[: len(work.stretches)], embeddings[len(work.stretches) :]
            results.append(Embedded(work.utterance, own))
        return results

    def _end_decoding(self, stream: ModelStream, utterance: int) -> None:
        state = stream.decoding.pop(utterance, None)
        if state is not None:
            self.models.streaming.release(state)

    def _release(self, stream: ModelStream) -> None:
        for utterance in list(stream.decoding):
            self._end_decoding(stream, utterance)
        stream.vad = None


def _stage_of(work: Work) -> tuple[Stage, int]:
    """The stage that does this work, and the samples that it costs."""
    match work:
        case DetectSpeech(audio):
            return Stage.DETECT, len(audio)
        case DecodeChunk(_, audio):
            return Stage.DECODE, len(audio)
        case Recognize(_, audio):
            return Stage.RECOGNIZE, len(audio)
        case Embed(_, _, stretches):
            return Stage.EMBED, max(end - start for start, end in stretches)
        case Punctuate():
            return Stage.PUNCTUATE, 0
        case EndDecoding():
            raise ValueError("the end of decoding is no job")
