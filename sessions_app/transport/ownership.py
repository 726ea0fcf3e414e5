"""Sessions that this worker owns in Redis: taking them, keeping them by being alive, handing them over.

The offers are a stream with one consumer group, and a session is owned by the consumer that its entry is
pending for. A worker keeps its entries from becoming old; entries that do are taken by the others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis as blocking_redis
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry as BlockingRetry

from .interface import TransportError
from .scripts import OFFERS, WORKERS, audio_key, patiently, read_script, run, session_key

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
        self._entries: dict[int, bytes] = {}
        self._capacity = 0
        self._heart: _Heart | None = None
        self._pulse: asyncio.Task[None] | None = None

    def owns(self, session_pk: int) -> bool:
        return session_pk in self._entries

    async def join(self, capacity: int) -> None:
        self._capacity = capacity
        await patiently(self._make_group)
        _, arguments = self._keep_arguments()
        await patiently(lambda: run(self._redis, KEEP, [OFFERS, WORKERS], *arguments))
        if self._heart is None:
            loop = asyncio.get_running_loop()
            self._heart = _Heart(
                self._url, self._keep_arguments, lambda lost: loop.call_soon_threadsafe(self._lose, lost)
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
                if entry := await self._look() or await self._wait_for_offer():
                    return await self._own(*entry)
            except _Gone:
                continue
            except RedisError as error:
                logger.warning("no sessions can be taken: %s", error)
                await asyncio.sleep(SETTLE_S)
                await patiently(self._make_group)

    async def release(self, session_pk: int) -> None:
        if self._entries.pop(session_pk, None):
            keys = [session_key(session_pk), audio_key(session_pk), OFFERS]
            await patiently(lambda: run(self._redis, RELEASE, keys, GROUP, self.worker))

    async def give_up(self, session_pk: int) -> None:
        if entry := self._entries.pop(session_pk, None):
            arguments = GROUP, self.worker, entry, int((REDIS_TIMEOUT_S + WORKER_LEASE_S) * 1000)
            keys = [session_key(session_pk), OFFERS]
            await patiently(lambda: run(self._redis, GIVE_UP, keys, *arguments))

    async def aclose(self) -> None:
        if self._pulse:
            self._pulse.cancel()
        if self._heart:
            await asyncio.to_thread(self._heart.stop)
            try:
                await run(self._redis, RETIRE, [OFFERS, WORKERS], GROUP, self.worker)
            except RedisError as error:
                logger.warning("this worker's name stays behind in Redis: %s", error)

    # Taking.

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(OFFERS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    @property
    def _has_room(self) -> bool:
        return len(self._entries) < self._capacity

    async def _look(self) -> tuple[bytes, int] | None:
        if not self._capacity:
            return None
        idle_s = WORKER_LEASE_S if self._has_room else WORKER_LEASE_S + REDIS_TIMEOUT_S
        arguments = GROUP, self.worker, int(idle_s * 1000), int(self._has_room)
        entry = await run(self._redis, TAKE, [OFFERS], *arguments)
        return (entry[0], int(entry[1])) if entry else None

    async def _wait_for_offer(self) -> tuple[bytes, int] | None:
        """Wait for a new session, if this worker is idle: it hears before those who only look at times."""
        if self._entries or not self._has_room:
            return None
        block_ms = int(IDLE_BLOCK_S * 1000)
        found: Any = await self._redis.xreadgroup(GROUP, self.worker, {OFFERS: ">"}, count=1, block=block_ms)
        if not found:
            return None
        [(_, [(entry, fields)])] = found
        return entry, int(fields[b"session"])

    async def _own(self, entry: bytes, session_pk: int) -> int:
        keys = [session_key(session_pk), OFFERS]
        if not await run(self._redis, OWN, keys, GROUP, self.worker, entry):
            raise _Gone
        self._entries[session_pk] = entry  # from now on it is kept
        return session_pk

    # Being alive.

    def _keep_arguments(self) -> tuple[dict[bytes, int], list[Any]]:
        """Called by the heart's thread."""
        owned = {entry: session_pk for session_pk, entry in list(self._entries.items())}
        return owned, [GROUP, self.worker, self._capacity, int(ALIVE_S * 1000), *owned]

    def _lose(self, lost: dict[bytes, int]) -> None:
        for entry, session_pk in lost.items():
            if self._entries.get(session_pk) == entry:
                del self._entries[session_pk]
                self._on_lost(session_pk)

    async def _feel(self, heart: _Heart) -> None:
        while True:
            heart.loop_was_alive_at = time.monotonic()
            await asyncio.sleep(BEAT_S)


class _Gone(TransportError):
    """The session of an entry has ended."""


class _Heart(threading.Thread):
    """Beats for the worker, on a connection of its own: models and database may take their time."""

    def __init__(
        self,
        url: str,
        arguments: Callable[[], tuple[dict[bytes, int], list[Any]]],
        on_lost: Callable[[dict[bytes, int]], object],
    ) -> None:
        super().__init__(name="heart of the worker", daemon=True)
        self.loop_was_alive_at = time.monotonic()
        self._redis = blocking_redis.Redis.from_url(
            url, socket_timeout=WORKER_LEASE_S, retry=BlockingRetry(NoBackoff(), 1)
        )
        self._arguments = arguments
        self._on_lost = on_lost
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(BEAT_S):
            if time.monotonic() - self.loop_was_alive_at > HUNG_S:
                continue
            owned, arguments = self._arguments()
            try:
                lost = self._keep(arguments)
            except RedisError as error:
                logger.warning("Redis does not hear that this worker is alive: %s", error)
                continue
            if lost:
                self._on_lost({entry: owned[entry] for entry in lost})

    def stop(self) -> None:
        """Return when it beats no more, or is held up in a last request: that one says nothing new."""
        self._stopped.set()
        self.join(timeout=WORKER_LEASE_S)
        self._redis.close()

    def _keep(self, arguments: list[Any]) -> list[bytes]:
        try:
            lost: Any = self._redis.evalsha(KEEP.sha, 2, OFFERS, WORKERS, *arguments)
        except NoScriptError:
            lost = self._redis.eval(KEEP.source, 2, OFFERS, WORKERS, *arguments)
        return list(lost)
