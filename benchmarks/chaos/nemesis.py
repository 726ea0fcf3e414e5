"""What goes wrong, and when: at random, but each run can be had again by its seed."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import redis as blocking_redis

from deploy.local_cluster import LocalCluster
from deploy.local_servers import LocalProcess

EVERY_S = (3.0, 8.0)


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """Something that went wrong."""

    kind: str
    began_at: float
    over_at: float
    """From when on the service can be expected to recover: at once, or when what was frozen moves again."""

    sessions: frozenset[int] | None
    """Primary keys of those that it touches; None for all."""


class Nemesis:
    """Brings faults until it is cancelled; what it froze or killed always comes back.

    Args:
        cut: Aborts the connections of some clients; how many it were.
    """

    def __init__(self, cluster: LocalCluster, rng: random.Random, *, cut: Callable[[], int]) -> None:
        self.faults: list[ErrorCode] = []
        self.troubles: list[str] = []
        self._cluster = cluster
        self._rng = rng
        self._cut = cut
        self._kinds: dict[Callable[[], Awaitable[ErrorCode | None]], int] = {
            self._kill_worker: 5,
            self._freeze_worker: 3,
            self._stop_worker: 2,
            self._kill_web: 4,
            self._freeze_web: 2,
            self._stop_web: 2,
            self._cut_sockets: 4,
            self._restart_redis: 2,
            self._freeze_redis: 1,
            self._freeze_database: 3,
            self._restart_database: 1,
        }

    async def rage(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(*EVERY_S))
            (bring,) = self._rng.choices(list(self._kinds), list(self._kinds.values()))
            try:
                # To its end, also when the run is over: the fault must be undone.
                if fault := await asyncio.shield(bring()):
                    self.faults.append(fault)
            except RuntimeError as error:  # a process that is slow to return is no reason to spare the others
                self.troubles.append(str(error))

    # Workers.

    async def _kill_worker(self) -> ErrorCode:
        return await self._take_worker_down("kill worker", signal.SIGKILL)

    async def _stop_worker(self) -> ErrorCode:
        return await self._take_worker_down("stop worker", signal.SIGTERM)

    async def _take_worker_down(self, kind: str, signal_number: int) -> ErrorCode:
        worker = self._rng.choice(self._cluster.workers)
        sessions, began_at = await asyncio.to_thread(self._owned_by, worker), time.monotonic()
        await self._restart(worker, signal_number)
        return ErrorCode(kind, began_at, began_at, sessions)

    async def _freeze_worker(self) -> ErrorCode:
        """Others take its sessions over, and it wakes up believing that they are still its own."""
        worker = self._rng.choice(self._cluster.workers)
        sessions, began_at = await asyncio.to_thread(self._owned_by, worker), time.monotonic()
        await self._freeze(worker, 1.5, 6.0)
        return ErrorCode("freeze worker", began_at, began_at, sessions)

    def _owned_by(self, worker: LocalProcess) -> frozenset[int]:
        redis = blocking_redis.Redis.from_url(self._cluster.redis.url, decode_responses=True)
        owners = {str(key): str(redis.hget(key, "owner")) for key in redis.scan_iter("asr:session:*")}
        mine = [key for key, owner in owners.items() if f"-{worker.pid}-" in owner]
        return frozenset(int(key.rpartition(":")[2]) for key in mine)

    # Web processes.

    async def _kill_web(self) -> ErrorCode:
        return await self._take_web_down("kill web", signal.SIGKILL)

    async def _stop_web(self) -> ErrorCode:
        return await self._take_web_down("stop web", signal.SIGTERM)

    async def _take_web_down(self, kind: str, signal_number: int) -> ErrorCode:
        web, began_at = self._rng.choice(self._cluster.webs), time.monotonic()
        await self._restart(web, signal_number)
        await asyncio.to_thread(self._cluster.wait_for_answer, web)
        return ErrorCode(kind, began_at, began_at, None)

    async def _freeze_web(self) -> ErrorCode:
        began_at = time.monotonic()
        await self._freeze(self._rng.choice(self._cluster.webs), 1.0, 4.0)
        return ErrorCode("freeze web", began_at, time.monotonic(), None)

    async def _cut_sockets(self) -> ErrorCode | None:
        began_at = time.monotonic()
        return ErrorCode("cut sockets", began_at, began_at, None) if self._cut() else None

    # Redis and PostgreSQL.

    async def _restart_redis(self) -> ErrorCode:
        began_at = time.monotonic()
        await self._restart(self._cluster.redis, signal.SIGKILL)
        return ErrorCode("restart redis", began_at, time.monotonic(), None)

    async def _freeze_redis(self) -> ErrorCode:
        began_at = time.monotonic()
        await self._freeze(self._cluster.redis, 0.5, 2.0)
        return ErrorCode("freeze redis", began_at, time.monotonic(), None)

    async def _restart_database(self) -> ErrorCode:
        began_at = time.monotonic()
        await self._restart(self._cluster.postgres, signal.SIGKILL)
        return ErrorCode("restart database", began_at, time.monotonic(), None)

    async def _freeze_database(self) -> ErrorCode:
        began_at = time.monotonic()
        await self._freeze(self._cluster.postgres, 1.0, 5.0)
        return ErrorCode("freeze database", began_at, time.monotonic(), None)

    # How.

    async def _restart(self, process: LocalProcess, signal_number: int) -> None:
        await asyncio.to_thread(process.stop, signal_number)
        await asyncio.sleep(self._rng.uniform(0.2, 2.0))
        await asyncio.to_thread(process.start)

    async def _freeze(self, process: LocalProcess, least_s: float, most_s: float) -> None:
        process.freeze()
        try:
            await asyncio.sleep(self._rng.uniform(least_s, most_s))
        finally:
            process.thaw()
