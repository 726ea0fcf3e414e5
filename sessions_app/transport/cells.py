"""The transport over several cells, each a Redis with workers of its own: a session lives in one of them.

Senders of a web process may have theirs anywhere; the workers of a process are all of one cell. With
REDIS_URL alone there is one cell, and this passes on what it is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from channels.db import database_sync_to_async

from sessions_app.cells import directory
from sessions_app.cells.placement import HOME
from sessions_app.metrics import senders

from .interface import AudioChunk, SenderListener, Superseded, WorkerNote
from .layers import find_address
from .redis import RedisTransport

logger = logging.getLogger(__name__)

ASK_S = 2.0
"""How long a cell is waited for that is asked for its workers."""

Names = Callable[[], Awaitable[list[str]]]

find_names: Names = database_sync_to_async(directory.names, thread_sensitive=False)
find_takers: Names = database_sync_to_async(directory.takers, thread_sensitive=False)


class CellsTransport:
    """Implements `Transport` for the event loop that uses it.

    Args:
        cell: That of this process's workers.
    """

    keeps_audio = True

    def __init__(self, cell: str = HOME) -> None:
        self.cell: str | None = cell
        self._own = cell
        self._made: dict[str, RedisTransport] = {}
        self._sending: dict[tuple[int, str], str] = {}

    async def _at(self, cell: str) -> RedisTransport:
        if cell not in self._made:
            address = await find_address(cell)
            self._made.setdefault(cell, RedisTransport(address))
        return self._made[cell]

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
        position = await (await self._at(cell)).open(
            session_pk,
            sender,
            durable=durable,
            may_take_over=may_take_over,
            attempt=attempt,
            listener=listener,
            model_set=model_set,
        )
        self._forget(session_pk, sender)  # it may have been elsewhere
        self._sending[session_pk, sender] = cell
        senders.labels(cell).inc()
        return position

    async def append(self, session_pk: int, sender: str, audio: bytes) -> int:
        return await self._of(session_pk, sender).append(session_pk, sender, audio)

    async def flush(self, session_pk: int, sender: str) -> int:
        return await self._of(session_pk, sender).flush(session_pk, sender)

    async def finish(self, session_pk: int, sender: str) -> None:
        await self._of(session_pk, sender).finish(session_pk, sender)

    async def leave(self, session_pk: int, sender: str) -> None:
        cell = self._forget(session_pk, sender)
        if cell is not None:
            await self._made[cell].leave(session_pk, sender)

    def _forget(self, session_pk: int, sender: str) -> str | None:
        cell = self._sending.pop((session_pk, sender), None)
        if cell is not None:
            senders.labels(cell).dec()
        return cell

    def _of(self, session_pk: int, sender: str) -> RedisTransport:
        cell = self._sending.get((session_pk, sender))
        if cell is None:
            raise Superseded
        return self._made[cell]

    # Workers.

    async def join_workers(self, capacity: int, *, model_sets: Sequence[str] = ("",)) -> None:
        await (await self._at(self._own)).join_workers(capacity, model_sets=model_sets)

    async def leave_workers(self) -> None:
        await (await self._at(self._own)).leave_workers()

    async def has_workers(self, model_set: str | None = None) -> bool:
        told = await self._told_by(await find_takers())
        return any(model_set is None or model_set in each.model_sets for each in told)

    async def workers(self) -> list[WorkerNote]:
        return await self._told_by(await find_names())

    async def _told_by(self, cells: Sequence[str]) -> list[WorkerNote]:
        """Return the workers of these cells; one that does not answer has none, unless none answers."""
        answers = await asyncio.gather(*map(self.workers_of, cells), return_exceptions=True)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        for cell, answer in zip(cells, answers, strict=True):
            if isinstance(answer, BaseException):
                logger.warning("the cell %s does not answer: %s", cell, answer)
        if len(failures) == len(cells):
            raise failures[0]
        return [worker for answer in answers if not isinstance(answer, BaseException) for worker in answer]

    async def workers_of(self, cell: str) -> list[WorkerNote]:
        """Return the workers of a cell that take sessions.

        Raises:
            RedisError, TimeoutError, Unreachable: If it does not answer.
        """
        transport = await self._at(cell)
        async with asyncio.timeout(ASK_S):
            return await transport.workers()

    async def offer(self, session_pk: int, *, durable: int, model_set: str = "") -> None:
        await (await self._at(self._own)).offer(session_pk, durable=durable, model_set=model_set)

    async def take(self) -> int:
        return await (await self._at(self._own)).take()

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        own = await self._at(self._own)
        return await own.read(session_pk, position, timeout_s=timeout_s, after_flush=after_flush)

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        await (await self._at(self._own)).report(session_pk, processed=processed, durable=durable)

    async def sender_gone_s(self, session_pk: int) -> float:
        return await (await self._at(self._own)).sender_gone_s(session_pk)

    async def release(self, session_pk: int) -> None:
        await (await self._at(self._own)).release(session_pk)

    async def give_up(self, session_pk: int) -> None:
        await (await self._at(self._own)).give_up(session_pk)

    async def aclose(self) -> None:
        for transport in self._made.values():
            await transport.aclose()
