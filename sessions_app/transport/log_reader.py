"""The audio logs of all sessions that one worker owns, read together: one request for many sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from sessions_app import pacing

from .cancel import cancel_and_wait
from .interface import SAMPLE_BYTES, AudioChunk, Fenced
from .scripts import REDIS_RETRY_S, audio_key

logger = logging.getLogger(__name__)

BLOCK_S = 0.1
"""How long one request waits; a session that begins to wait meanwhile is in the next."""

MAX_ENTRIES = 8

Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass(slots=True)
class _Waiting:
    position: int
    after_flush: bool
    chunk: asyncio.Future[AudioChunk]


class LogReader:
    """Belongs to one event loop."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: dict[int, _Waiting] = {}
        self._has_waiting = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        """Read as `Transport.read`; given up on the way, it is as if never asked."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_forever(), name="audio logs")
        waiting = _Waiting(position, after_flush, asyncio.get_running_loop().create_future())
        self._waiting[session_pk] = waiting
        self._has_waiting.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await waiting.chunk
        except TimeoutError:
            return AudioChunk(position, b"", is_end=False)
        finally:
            if self._waiting.get(session_pk) is waiting:
                del self._waiting[session_pk]

    def fence(self, session_pk: int) -> None:
        """Stop whoever waits for the audio of a session: it is not ours any more."""
        if waiting := self._waiting.get(session_pk):
            _fail(waiting, Fenced())

    async def aclose(self) -> None:
        if self._reading:
            await cancel_and_wait(self._reading)

    async def _read_forever(self) -> None:
        while True:
            await self._has_waiting.wait()
            if not self._waiting:
                self._has_waiting.clear()
                continue
            try:
                await self._read_once()
            except RedisError as error:
                logger.warning("the audio logs cannot be read: %s", error)
                await asyncio.sleep(REDIS_RETRY_S)
            await asyncio.sleep(pacing.LOG_READ_INTERVAL_S)

    async def _read_once(self) -> None:
        asked = {audio_key(session_pk): waiting for session_pk, waiting in self._waiting.items()}
        positions: Any = {
            key: f"{waiting.position}-{int(waiting.after_flush)}" for key, waiting in asked.items()
        }
        found: Any = await self._redis.xread(positions, count=MAX_ENTRIES, block=int(BLOCK_S * 1000))
        for key, entries in found or []:
            waiting = asked[key.decode()]
            if waiting.chunk.done():
                continue
            try:
                waiting.chunk.set_result(stretch_of(entries, waiting.position))
            except Fenced as error:
                _fail(waiting, error)


def stretch_of(entries: Sequence[Entry], position: int) -> AudioChunk:
    """Return the audio of entries of a log, in order, from a position on, up to the first flush.

    Raises:
        Fenced: If audio is missing before the first entry: it was durable for somebody else.
    """
    parts: list[bytes] = []
    for name, fields in entries:
        if b"end" in fields:
            return AudioChunk(position, b"".join(parts), is_end=True)
        if b"flush" in fields:
            if int(name.partition(b"-")[0]) != position + sum(map(len, parts)) // SAMPLE_BYTES:
                raise Fenced
            return AudioChunk(position, b"".join(parts), is_end=False, is_flush=True)
        audio = fields[b"audio"]
        if not parts:
            end = int(name.partition(b"-")[0])
            skipped = position - (end - len(audio) // SAMPLE_BYTES)
            if skipped < 0:
                raise Fenced
            audio = audio[skipped * SAMPLE_BYTES :]
        parts.append(audio)
    return AudioChunk(position, b"".join(parts), is_end=False)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.chunk.done():
        waiting.chunk.set_exception(error)
