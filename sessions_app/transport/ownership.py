"""Sessions that this worker owns in Redis: taking them, keeping them by being alive, handing them over.

The offers of a model set are a stream with one consumer group, and a session is owned by the consumer that
its entry is pending for. A worker keeps its entries from becoming old; entries that do are taken by others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from . import connecting
from .interface import TransportError
from .scripts import WORKERS, audio_key, offers_key, patiently, read_script, run, session_key

logger = logging.getLogger(__name__)

GROUP = "workers"

WORKER_LEASE_S = 1.0
"""A worker that was not heard of for so long loses its sessions."""

BEAT_S = WORKER_LEASE_S / 4

ALIVE_S = 3.0
"""For so long its capacity counts."""

HUNG_S = 10.0
"""A worker whose event loop stands still for so long lets go: its thread alone is no worker."""

SETTLE_S = WORKER_LEASE_S
"""After Redis was away every worker first says that it is alive, before anyone takes sessions."""

REDIS_TIMEOUT_S = 5.0
"""A session that nobody has room for is taken in the end: late is better than never."""

STEP_S, FULL_STEP_S = 0.05, 0.3
"""Before it looks for a session a worker waits, the longer the more it has: so the idle ones get more."""

IDLE_BLOCK_S = 0.2

KEEP, TAKE, OWN = read_script("keep"), read_script("take"), read_script("own")
RELEASE, GIVE_UP, RETIRE = read_script("release"), read_script("give_up"), read_script("retire")


class _Entry(NamedTuple):
    """The place of a session among the offers."""

    offers: str
    id: bytes


class Ownership:
    """The sessions of one worker; belongs to one event loop, and has a thread that says it is alive.

    Args:
        worker: A name that no other process has.
        on_lost: Called on the event loop for each session that another worker has taken.
    """

    def __init__(self, redis: Redis, url: str, worker: str, *, on_lost: Callable[[int], None]) -> None:
        self.worker = worker
        self._redis = redis
        self._url = url
        self._on_lost = on_lost
        self._entries: dict[int, _Entry] = {}
        self._capacity = 0
        self._model_sets: Sequence[str] = ()
        self._streams: list[str] = []
        self._heart: _Heart | None = None
        self._pulse: asyncio.Task[None] | None = None

    def owns(self, session_pk: int) -> bool:
        return session_pk in self._entries

    async def join(self, capacity: int, model_sets: Sequence[str]) -> None:
        self._capacity, self._model_sets = capacity, model_sets
        self._streams = [offers_key(name) for name in model_sets]
        await patiently(self._make_groups)
        beat = self._beat()
        await patiently(lambda: run(self._redis, KEEP, beat.keys, *beat.arguments))
        if self._heart is None:
            loop = asyncio.get_running_loop()
            self._heart = _Heart(
                self._url, self._beat, lambda lost: loop.call_soon_threadsafe(self._lose, lost)
            )
            self._heart.start()
            self._pulse = asyncio.create_task(self._feel(self._heart), name="pulse of the worker")

    def leave(self) -> None:
        self._capacity = 0

    async def take(self) -> int:
        """Wait for a session and own it."""
        while True:
            load = len(self._entries) / self._capacity if self._capacity else 1.0
            if load:
                await asyncio.sleep(STEP_S + FULL_STEP_S * min(load, 1.0))
            try:
                if found := await self._look() or await self._wait_for_offer():
                    return await self._own(*found)
            except _Gone:
                continue
            except RedisError as error:
                logger.warning("no sessions can be taken: %s", error)
                await patiently(self._make_groups)
                await asyncio.sleep(SETTLE_S)

    async def release(self, session_pk: int) -> None:
        if entry := self._entries.pop(session_pk, None):
            keys = [session_key(session_pk), audio_key(session_pk), entry.offers]
            await patiently(lambda: run(self._redis, RELEASE, keys, GROUP, self.worker))

    async def give_up(self, session_pk: int) -> None:
        if entry := self._entries.pop(session_pk, None):
            await self._leave_to_others(entry, session_pk)

    async def _leave_to_others(self, entry: _Entry, session_pk: int) -> None:
        arguments = GROUP, self.worker, entry.id, int((REDIS_TIMEOUT_S + WORKER_LEASE_S) * 1000)
        keys = [session_key(session_pk), entry.offers]
        await patiently(lambda: run(self._redis, GIVE_UP, keys, *arguments))

    async def aclose(self) -> None:
        if self._pulse:
            self._pulse.cancel()
        if self._heart:
            await asyncio.to_thread(self._heart.stop)
            try:
                await run(self._redis, RETIRE, [WORKERS, *self._streams], GROUP, self.worker)
            except RedisError as error:
                logger.warning("this worker's name stays behind in Redis: %s", error)

    # Taking.

    async def _make_groups(self) -> None:
        for stream in self._streams:
            try:
                await self._redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    @property
    def _has_room(self) -> bool:
        return len(self._entries) < self._capacity

    async def _look(self) -> tuple[_Entry, int] | None:
        if not self._capacity:
            return None
        idle_s = WORKER_LEASE_S if self._has_room else WORKER_LEASE_S + REDIS_TIMEOUT_S
        arguments = GROUP, self.worker, int(idle_s * 1000), int(self._has_room)
        found = await run(self._redis, TAKE, self._streams, *arguments)
        if not found:
            return None
        number, entry, session_pk = found
        return _Entry(self._streams[number - 1], entry), int(session_pk)

    async def _wait_for_offer(self) -> tuple[_Entry, int] | None:
        """Wait for a new session, if this worker is idle: it hears before those who only look at times."""
        if self._entries or not self._has_room:
            return None
        block_ms = int(IDLE_BLOCK_S * 1000)
        new: Any = dict.fromkeys(self._streams, ">")
        found: Any = await self._redis.xreadgroup(GROUP, self.worker, new, count=1, block=block_ms)
        offers = [
            (_Entry(stream.decode(), entry), int(fields[b"session"]))
            for stream, entries in found or []
            for entry, fields in entries
        ]
        for entry, session_pk in offers[1:]:  # one of each set comes at once, and there may be room for one
            await self._leave_to_others(entry, session_pk)
        return offers[0] if offers else None

    async def _own(self, entry: _Entry, session_pk: int) -> int:
        keys = [session_key(session_pk), entry.offers]
        if not await run(self._redis, OWN, keys, GROUP, self.worker, entry.id):
            raise _Gone
        self._entries[session_pk] = entry  # from now on it is kept
        return session_pk

    # Being alive.

    def _beat(self) -> _Beat:
        """Called by the heart's thread."""
        owned = list(self._entries.items())
        place = {stream: number for number, stream in enumerate(self._streams, 2)}
        entries = [part for _, entry in owned for part in (place[entry.offers], entry.id)]
        names = ",".join(self._model_sets)
        arguments = [GROUP, self.worker, self._capacity, int(ALIVE_S * 1000), names, *entries]
        return _Beat(owned, [WORKERS, *self._streams], arguments)

    def _lose(self, lost: list[tuple[int, _Entry]]) -> None:
        for session_pk, entry in lost:
            if self._entries.get(session_pk) == entry:
                del self._entries[session_pk]
                self._on_lost(session_pk)

    async def _feel(self, heart: _Heart) -> None:
        while True:
            heart.loop_was_alive_at = time.monotonic()
            await asyncio.sleep(BEAT_S)


class _Beat(NamedTuple):
    """A worker's word that it is alive: what it owns, and the call that says so."""

    owned: list[tuple[int, _Entry]]
    keys: list[str]
    arguments: list[Any]


class _Gone(TransportError):
    """The session of an entry has ended."""


class _Heart(threading.Thread):
    """Beats for the worker, on a connection of its own: models and database may take their time."""

    def __init__(
        self,
        url: str,
        beat: Callable[[], _Beat],
        on_lost: Callable[[list[tuple[int, _Entry]]], object],
    ) -> None:
        super().__init__(name="heart of the worker", daemon=True)
        self.loop_was_alive_at = time.monotonic()
        self._redis = connecting.connect_blocking(url, socket_timeout=WORKER_LEASE_S)
        self._beat = beat
        self._on_lost = on_lost
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(BEAT_S):
            if time.monotonic() - self.loop_was_alive_at > HUNG_S:
                continue
            beat = self._beat()
            try:
                lost = self._keep(beat)
            except RedisError as error:
                logger.warning("Redis does not hear that this worker is alive: %s", error)
                continue
            if lost:
                self._on_lost([beat.owned[place] for place in lost])

    def stop(self) -> None:
        """Return when it beats no more, or is held up in a last request: that one says nothing new."""
        self._stopped.set()
        self.join(timeout=WORKER_LEASE_S)
        connecting.close_blocking(self._redis)

    def _keep(self, beat: _Beat) -> list[int]:
        parts = (len(beat.keys), *beat.keys, *beat.arguments)
        try:
            lost: Any = self._redis.evalsha(KEEP.sha, *parts)
        except NoScriptError:
            lost = self._redis.eval(KEEP.source, *parts)
        return list(lost)
