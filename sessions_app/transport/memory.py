"""The transport within one process: a bounded log per session, and a queue of sessions for the worker."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from . import CREDIT, REPLAY, SAMPLE_BYTES, SENDER_SILENCE_S, SenderConflict, Stretch, Superseded

LONGEST_READ = 16_000 * SAMPLE_BYTES


@dataclass(slots=True)
class _Log:
    """One session's audio from `durable` on, and where everybody stands in it."""

    start: int  # position of the first chunk
    end: int
    processed: int
    durable: int
    left_at: float
    sender: str = ""
    heard_at: float = 0.0
    is_finished: bool = False
    is_owned: bool = False
    chunks: deque[bytes] = field(default_factory=deque)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def has_room(self) -> bool:
        return self.end - self.processed < CREDIT and self.end - self.durable < REPLAY

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
            if length >= LONGEST_READ:
                break
        return b"".join(parts)

    def forget_durable(self) -> None:
        while self.chunks and self.start + len(self.chunks[0]) // SAMPLE_BYTES <= self.durable:
            self.start += len(self.chunks.popleft()) // SAMPLE_BYTES


class MemoryTransport:
    """Implements `Transport` for the event loop that uses it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logs: dict[int, _Log] = {}
        self._offers: asyncio.Queue[int] = asyncio.Queue()
        self._workers = 0  # waiting in take()

    async def open(self, session: int, sender: str, *, durable: int, may_take_over: bool) -> int:
        log = self._log(session, durable)
        now = self._clock()
        is_alive = bool(log.sender) and now - log.heard_at < SENDER_SILENCE_S
        if is_alive and not may_take_over:
            raise SenderConflict
        log.sender, log.heard_at = sender, now
        await self._offer(session, log)
        await self._notify(log)  # whoever was sender stops waiting
        return log.end

    async def append(self, session: int, sender: str, audio: bytes) -> int:
        log = self._own_log(session, sender)
        log.heard_at = self._clock()
        async with log.changed:
            await log.changed.wait_for(lambda: log.has_room or log.sender != sender)
            if log.sender != sender:
                raise Superseded
            log.chunks.append(audio)
            log.end += len(audio) // SAMPLE_BYTES
            log.heard_at = self._clock()
            log.changed.notify_all()
        return log.end

    async def finish(self, session: int, sender: str) -> None:
        log = self._own_log(session, sender)
        log.is_finished = True
        await self._notify(log)

    async def leave(self, session: int, sender: str) -> None:
        log = self._logs.get(session)
        if log and log.sender == sender:
            log.sender, log.left_at = "", self._clock()

    async def offer(self, session: int, *, durable: int) -> None:
        await self._offer(session, self._log(session, durable))

    async def take(self) -> int:
        self._workers += 1
        try:
            return await self._offers.get()
        finally:
            self._workers -= 1

    async def has_workers(self) -> bool:
        return self._workers > 0

    async def read(self, session: int, position: int, *, timeout_s: float) -> Stretch:
        log = self._logs[session]
        try:
            async with asyncio.timeout(timeout_s), log.changed:
                await log.changed.wait_for(lambda: log.end > position or log.is_finished)
        except TimeoutError:
            return Stretch(position, b"", is_end=False)
        audio = log.read(position)
        end = position + len(audio) // SAMPLE_BYTES
        return Stretch(position, audio, is_end=log.is_finished and end == log.end)

    async def report(self, session: int, *, processed: int, durable: int) -> None:
        log = self._logs[session]
        log.processed, log.durable = processed, durable
        log.forget_durable()
        await self._notify(log)

    async def sender_gone_s(self, session: int) -> float:
        log = self._logs[session]
        return 0.0 if log.sender else self._clock() - log.left_at

    async def release(self, session: int) -> None:
        log = self._logs.pop(session, None)
        if log:
            log.sender = ""
            await self._notify(log)

    async def give_up(self, session: int) -> None:
        log = self._logs[session]
        log.is_owned = False
        await self._offer(session, log)

    def _log(self, session: int, durable: int) -> _Log:
        if session not in self._logs:
            self._logs[session] = _Log(durable, durable, durable, durable, left_at=self._clock())
        return self._logs[session]

    def _own_log(self, session: int, sender: str) -> _Log:
        log = self._logs.get(session)
        if log is None or log.sender != sender:
            raise Superseded
        return log

    async def _offer(self, session: int, log: _Log) -> None:
        if not log.is_owned:
            log.is_owned = True
            self._offers.put_nowait(session)

    async def _notify(self, log: _Log) -> None:
        async with log.changed:
            log.changed.notify_all()
