"""The transport within one process: a bounded log per session, and a queue of sessions for the worker."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sessions_app import pacing
from sessions_app.cells.placement import HOME

from .interface import (
    SAMPLE_BYTES,
    SENDER_SILENCE_S,
    AudioChunk,
    AudioFinished,
    Fenced,
    LogLost,
    Overloaded,
    SenderConflict,
    SenderListener,
    Superseded,
    WorkerNote,
    has_room,
    without_models,
)

MAX_READ = 16_000 * SAMPLE_BYTES

OVERLOADED_RETRY_S = 10.0


@dataclass(slots=True)
class _Log:
    """One session's audio from `durable` on, and where everybody stands in it."""

    start: int  # position of the first chunk
    end: int
    processed: int
    durable: int
    left_at: float
    sender: str = ""
    attempt: int = 0  # of the sender's client
    listener: SenderListener | None = None
    heard_at: float = 0.0
    is_finished: bool = False
    is_offered: bool = False
    is_owned: bool = False
    chunks: deque[bytes] = field(default_factory=deque)
    flushes: deque[int] = field(default_factory=deque)
    has_news: asyncio.Event = field(default_factory=asyncio.Event)  # for the worker
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)  # for senders that are held

    @property
    def has_room(self) -> bool:
        return has_room(self.end, processed=self.processed, durable=self.durable)

    def flush_from(self, position: int) -> int | None:
        return next((flush for flush in self.flushes if flush >= position), None)

    def read(self, position: int) -> bytes:
        skip = (position - self.start) * SAMPLE_BYTES
        parts: list[bytes] = []
        length = 0
        for chunk in self.chunks:
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            parts.append(chunk[skip:])
            length += len(chunk) - skip
            skip = 0
            if length >= MAX_READ:
                break
        return b"".join(parts)

    def forget_durable(self) -> None:
        while self.chunks and self.start + len(self.chunks[0]) // SAMPLE_BYTES <= self.durable:
            self.start += len(self.chunks.popleft()) // SAMPLE_BYTES
        while self.flushes and self.flushes[0] < self.durable:
            self.flushes.popleft()


class MemoryTransport:
    """Implements `Transport` for the event loop that uses it."""

    cell: str | None = None
    keeps_audio = False

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logs: dict[int, _Log] = {}
        self._offers: asyncio.Queue[int] = asyncio.Queue()
        self._news: list[_Log] = []  # what the worker is told of next
        self._told_at = -math.inf
        self._capacity: int | None = None  # no worker yet: it may still be loading its models
        self._model_sets: Sequence[str] = ()

    # Senders.

    async def open(
        self,
        session_pk: int,
        sender: str,
        *,
        durable: int,
        may_take_over: bool,
        attempt: int = 0,
        listener: SenderListener,
        model_set: str = "",
        cell: str = HOME,
    ) -> int:
        is_new = session_pk not in self._logs and not durable  # with audio it was let in before
        if is_new and self._capacity is not None:
            self._check_room(model_set, self._capacity)
        log = self._log(session_pk, durable)
        if log.is_finished:
            raise AudioFinished(log.end)
        now = self._clock()
        is_alive = bool(log.sender) and now - log.heard_at < SENDER_SILENCE_S
        if is_alive and log.sender != sender and not may_take_over:
            raise SenderConflict
        if 0 < attempt <= log.attempt:
            raise Superseded
        if log.listener and log.sender not in ("", sender):
            log.listener.sender_lost(Superseded())
        log.sender, log.listener, log.heard_at, log.attempt = sender, listener, now, attempt
        await self._offer(session_pk, log)
        await self._notify(log)  # whoever was sender stops waiting
        return log.end

    async def append(self, session_pk: int, sender: str, audio: bytes) -> int:
        log = self._own_log(session_pk, sender)
        log.heard_at = self._clock()
        async with log.changed:
            await log.changed.wait_for(lambda: log.has_room or log.sender != sender)
            if self._own_log(session_pk, sender) is not log:
                raise LogLost
            log.chunks.append(audio)
            log.end += len(audio) // SAMPLE_BYTES
            log.heard_at = self._clock()
        self._tell_worker(log)
        if log.listener:
            log.listener.audio_kept(log.end)
        return log.end

    async def flush(self, session_pk: int, sender: str) -> int:
        log = self._own_log(session_pk, sender)
        log.heard_at = self._clock()
        if not log.is_finished and log.flush_from(log.end) is None:
            log.flushes.append(log.end)
            self._tell_worker(log)
        return log.end

    async def finish(self, session_pk: int, sender: str) -> None:
        log = self._own_log(session_pk, sender)
        log.is_finished = True
        self._tell_worker(log)

    async def leave(self, session_pk: int, sender: str) -> None:
        log = self._logs.get(session_pk)
        if log and log.sender == sender:
            log.sender, log.listener, log.left_at = "", None, self._clock()
            await self._notify(log)  # an append that was held back

    # Workers.

    async def join_workers(self, capacity: int, *, model_sets: Sequence[str] = ("",)) -> None:
        self._capacity = capacity
        self._model_sets = model_sets

    async def leave_workers(self) -> None:
        self._capacity = 0

    async def has_workers(self, model_set: str | None = None) -> bool:
        return bool(self._capacity) and (model_set is None or model_set in self._model_sets)

    async def workers(self) -> list[WorkerNote]:
        return [WorkerNote("", self._capacity, tuple(self._model_sets))] if self._capacity else []

    async def offer(self, session_pk: int, *, durable: int, model_set: str = "") -> None:
        await self._offer(session_pk, self._log(session_pk, durable))

    async def take(self) -> int:
        # Sessions that were unfinished when the process started may be more than the capacity: late is better
        # than never.
        while True:
            session_pk = await self._offers.get()
            if session_pk in self._logs:
                self._logs[session_pk].is_owned = True
                return session_pk

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        log = self._owned(session_pk)
        first_flush = position + after_flush
        try:
            async with asyncio.timeout(timeout_s):
                while log.end <= position and not log.is_finished and log.flush_from(first_flush) is None:
                    log.has_news.clear()
                    await log.has_news.wait()
        except TimeoutError:
            return AudioChunk(position, b"", is_end=False)
        audio, flush = log.read(position), log.flush_from(first_flush)
        if flush is not None:
            audio = audio[: (flush - position) * SAMPLE_BYTES]
        end = position + len(audio) // SAMPLE_BYTES
        if end == flush:
            return AudioChunk(position, audio, is_end=False, is_flush=True)
        return AudioChunk(position, audio, is_end=log.is_finished and end == log.end)

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        log = self._owned(session_pk)
        log.processed, log.durable = processed, durable
        log.forget_durable()
        await self._notify(log)

    async def sender_gone_s(self, session_pk: int) -> float:
        log = self._owned(session_pk)
        return 0.0 if log.sender else self._clock() - log.left_at

    async def release(self, session_pk: int) -> None:
        log = self._logs.get(session_pk)
        if log and log.is_owned:
            del self._logs[session_pk]
            log.sender = ""  # for those who wait in `append`
            await self._notify(log)

    async def give_up(self, session_pk: int) -> None:
        log = self._logs.get(session_pk)
        if log and log.is_owned:
            log.is_owned = log.is_offered = False
            await self._offer(session_pk, log)

    async def aclose(self) -> None:
        pass

    def _check_room(self, model_set: str, capacity: int) -> None:
        if capacity and model_set not in self._model_sets:
            raise Overloaded(without_models(model_set), retry_after_s=OVERLOADED_RETRY_S)
        if len(self._logs) >= capacity:
            raise Overloaded("no room for another session", retry_after_s=OVERLOADED_RETRY_S)

    def _log(self, session_pk: int, durable: int) -> _Log:
        if session_pk not in self._logs:
            self._logs[session_pk] = _Log(durable, durable, durable, durable, left_at=self._clock())
        return self._logs[session_pk]

    def _own_log(self, session_pk: int, sender: str) -> _Log:
        """Return the log of which this is the sender."""
        log = self._logs.get(session_pk)
        if log is None:
            raise LogLost
        if log.sender != sender:
            raise Superseded
        return log

    def _owned(self, session_pk: int) -> _Log:
        """Return the log of a session that the worker has."""
        log = self._logs.get(session_pk)
        if log is None or not log.is_owned:
            raise Fenced
        return log

    async def _offer(self, session_pk: int, log: _Log) -> None:
        if not log.is_offered:
            log.is_offered = True
            self._offers.put_nowait(session_pk)

    def _tell_worker(self, log: _Log) -> None:
        self._news.append(log)
        if len(self._news) == 1:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._told_at + pacing.HANDOVER_INTERVAL_S), self._tell_news)

    def _tell_news(self) -> None:
        self._told_at = asyncio.get_running_loop().time()
        news, self._news = self._news, []
        for log in news:
            log.has_news.set()

    async def _notify(self, log: _Log) -> None:
        async with log.changed:
            log.changed.notify_all()
