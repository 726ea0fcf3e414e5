"""The transport for any number of web and worker processes: audio and ownership live in Redis.

    asr:audio:N     Stream: the audio of session N. An entry's id is the position of its end, so appending
                    twice is refused, reading from a position is XREAD, and forgetting is XTRIM. Behind it
                    stand the marks of that position: of a flush, and of the end.
    asr:session:N   Hash: who sends, who recognises, and how far both are.
    asr:offers:SET  Stream with a group: an entry per session of this model set that has not ended; pending
                    entries are owned.
    asr:workers     Hash: each worker's capacity, until when it counts as alive, and its model sets.

Each decision is one script in `lua/`, on Redis's clock. Every request may be repeated, because answers can
get lost.
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Sequence
from typing import Any

from sessions_app.cells.placement import HOME

from . import connecting
from .interface import (
    SENDER_SILENCE_S,
    AudioChunk,
    AudioFinished,
    Fenced,
    LogLost,
    Overloaded,
    SenderConflict,
    SenderListener,
    Superseded,
    Unreachable,
    WorkerNote,
    without_models,
)
from .log_reader import LogReader
from .outbox import SENDER_LEASE_S, Outbox, PendingAudio
from .ownership import GROUP, Ownership
from .scripts import (
    OFFERS,
    WORKERS,
    LuaScript,
    audio_key,
    offers_key,
    patiently,
    read_script,
    run,
    session_key,
)

COMMAND_TIMEOUT_S = 5.0

REDIS_OPEN_TIMEOUT_S = 3.0
"""How long a newcomer waits for Redis."""

OVERLOADED_RETRY_S = 10.0

REPORT_EVERY = 16_000
"""Samples of progress that are worth a message; what has become durable is told at once."""

OPEN, FINISH, LEAVE = read_script("open"), read_script("finish"), read_script("leave")
FLUSH = read_script("flush")
SENDER_GONE, OFFER, REPORT = read_script("sender_gone"), read_script("offer"), read_script("report")


class RedisTransport:
    """Implements `Transport` for the event loop that uses it."""

    cell: str | None = None
    keeps_audio = True

    def __init__(self, url: str) -> None:
        self._redis = connecting.connect(url, socket_timeout=COMMAND_TIMEOUT_S)
        self._outbox = Outbox(self._redis)
        self._reader = LogReader(self._redis)
        worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._ownership = Ownership(self._redis, url, worker, on_lost=self._reader.fence)
        self._reported: dict[int, tuple[int, int]] = {}

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
        arguments = (
            session_pk,
            sender,
            durable,
            int(may_take_over),
            _ms(SENDER_LEASE_S),
            _ms(SENDER_SILENCE_S),
            model_set,
            GROUP,
            OFFERS,
            attempt,
        )
        lease_end = None
        while True:
            match await self._ask_to_open(session_pk, model_set, arguments):
                case [b"ok", int(end), int(processed), int(known_durable), int(turn)]:
                    self._outbox.begin(
                        session_pk,
                        sender,
                        listener,
                        end=end,
                        processed=processed,
                        durable=known_durable,
                        turn=turn,
                    )
                    return end
                case [b"conflict", int(left), int(renewed)]:
                    # A web process that was killed renews no leases: it is worth waiting a moment to see.
                    if lease_end not in (None, renewed):
                        raise SenderConflict
                    lease_end = renewed
                    await asyncio.sleep(min(0.1, left / 1000))
                case [b"superseded"]:
                    raise Superseded
                case [b"finished", int(end)]:
                    raise AudioFinished(end)
                case [b"no models"]:
                    raise Overloaded(without_models(model_set), retry_after_s=OVERLOADED_RETRY_S)
                case _:
                    raise Overloaded(
                        "no recogniser has room for another session", retry_after_s=OVERLOADED_RETRY_S
                    )

    async def _ask_to_open(self, session_pk: int, model_set: str, arguments: tuple[Any, ...]) -> Any:
        keys = [session_key(session_pk), offers_key(model_set), WORKERS]
        try:
            async with asyncio.timeout(REDIS_OPEN_TIMEOUT_S):
                return await patiently(lambda: run(self._redis, OPEN, keys, *arguments))
        except TimeoutError:
            raise Unreachable("Redis does not answer") from None

    async def append(self, session_pk: int, sender: str, audio: bytes) -> int:
        return await self._outbox.append(session_pk, sender, audio)

    async def flush(self, session_pk: int, sender: str) -> int:
        return (await self._mark(FLUSH, session_pk, sender)).end

    async def finish(self, session_pk: int, sender: str) -> None:
        (await self._mark(FINISH, session_pk, sender)).has_finished = True

    async def _mark(self, script: LuaScript, session_pk: int, sender: str) -> PendingAudio:
        """Set a mark behind all that a sender has sent, when all of it is in the log."""
        keys = [session_key(session_pk), audio_key(session_pk)]
        while True:
            pending = await self._outbox.flushed(session_pk, sender)
            turn, end = pending.turn, pending.end
            match await patiently(lambda: run(self._redis, script, keys, sender, turn, end)):  # noqa: B023
                case [b"ok", *_]:
                    return pending
                case [b"behind", int(known)] if pending.rewind(known):
                    continue
                case [b"superseded"]:
                    raise Superseded
                case _:
                    raise LogLost

    async def leave(self, session_pk: int, sender: str) -> None:
        try:
            await self._outbox.flushed(session_pk, sender)
        except (Superseded, LogLost):
            return
        finally:
            self._outbox.forget(session_pk, sender)
        await patiently(lambda: run(self._redis, LEAVE, [session_key(session_pk)], sender))

    # Workers.

    async def join_workers(self, capacity: int, *, model_sets: Sequence[str] = ("",)) -> None:
        await self._ownership.join(capacity, model_sets)

    async def leave_workers(self) -> None:
        self._ownership.leave()

    async def has_workers(self, model_set: str | None = None) -> bool:
        return any(model_set is None or model_set in each.model_sets for each in await self.workers())

    async def workers(self) -> list[WorkerNote]:
        now: Any = await self._redis.time()
        known: Any = await self._redis.hgetall(WORKERS)
        told = [(name.decode(), *_worker(said)) for name, said in sorted(known.items())]
        return [
            WorkerNote(name, capacity, tuple(sets))
            for name, capacity, until, sets in told
            if capacity > 0 and until > now[0] * 1000
        ]

    async def offer(self, session_pk: int, *, durable: int, model_set: str = "") -> None:
        keys = [session_key(session_pk), offers_key(model_set)]
        await patiently(lambda: run(self._redis, OFFER, keys, session_pk, durable, model_set))

    async def take(self) -> int:
        session_pk = await self._ownership.take()
        self._reported.pop(session_pk, None)
        return session_pk

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        self._check_owned(session_pk)
        return await self._reader.read(session_pk, position, timeout_s=timeout_s, after_flush=after_flush)

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        self._check_owned(session_pk)
        told_processed, told_durable = self._reported.get(session_pk, (-REPORT_EVERY, -1))
        if processed - told_processed < REPORT_EVERY and durable == told_durable:
            return
        self._reported[session_pk] = processed, durable
        await self._report(session_pk, processed, durable)

    async def _report(self, session_pk: int, processed: int, durable: int) -> None:
        keys = [session_key(session_pk), audio_key(session_pk)]
        worker = self._ownership.worker
        if not await patiently(lambda: run(self._redis, REPORT, keys, worker, processed, durable)):
            raise Fenced

    async def sender_gone_s(self, session_pk: int) -> float:
        self._check_owned(session_pk)
        gone_ms, known = await patiently(lambda: run(self._redis, SENDER_GONE, [session_key(session_pk)]))
        if gone_ms < 0:
            raise Fenced
        processed, durable = self._reported.get(session_pk, (0, 0))
        if known < processed:  # another master has forgotten it
            await self._report(session_pk, processed, durable)
        return float(gone_ms) / 1000

    async def release(self, session_pk: int) -> None:
        await self._ownership.release(session_pk)

    async def give_up(self, session_pk: int) -> None:
        await self._ownership.give_up(session_pk)

    async def aclose(self) -> None:
        await self._outbox.aclose()
        await self._reader.aclose()
        await self._ownership.aclose()
        await connecting.close(self._redis)

    def _check_owned(self, session_pk: int) -> None:
        if not self._ownership.owns(session_pk):
            raise Fenced


def _worker(said: bytes) -> tuple[int, int, list[str]]:
    """Return a worker's capacity, until when it counts as alive in ms, and the names of its model sets."""
    capacity, until, *names = said.decode().split(":", 2)
    return int(capacity), int(until), "".join(names).split(",")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
