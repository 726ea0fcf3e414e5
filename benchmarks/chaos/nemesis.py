"""What goes wrong, and when: at random, but each run can be had again by its seed."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis as blocking_redis

from deploy.cutting_proxy import CuttingProxy
from deploy.local_servers import LocalProcess, wait_until

from .installation import Installation

EVERY_S = (3.0, 8.0)

LONG_EVERY_S = (5.0, 15.0)

FREEZE_S, AWAY_S, FULL_S = (5.0, 90.0), (5.0, 120.0), (2.0, 15.0)

JUMP_S = 3600

Bring = Callable[[], Awaitable["Fault | None"]]

End = Callable[[LocalProcess], object]
"""Ends a process, in one way or another."""

KILL: End = lambda process: process.kill()  # noqa: E731
STOP: End = lambda process: process.stop()  # noqa: E731


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong."""

    kind: str
    began_at: float
    over_at: float
    """From when on the service can be expected to recover: at once, or when what was frozen moves again."""

    sessions: frozenset[int] | None = None
    """Primary keys of those that it touches; None for all."""

    is_loss: bool = False
    """Whether the log of what is not recognised yet was lost, and with it what a plain sender had sent."""

    is_hush: bool = False
    """Whether bytes went nowhere meanwhile, or waited in a memory that may be lost, and nobody was told."""


class Nemesis:
    """Brings faults until it is cancelled; what it froze or killed always comes back.

    Args:
        longest_s: Of a fault; for short runs.
    """

    def __init__(
        self,
        installation: Installation,
        proxies: Sequence[CuttingProxy],
        rng: random.Random,
        *,
        longest_s: float = math.inf,
    ) -> None:
        self.faults: list[Fault] = []
        self.troubles: list[str] = []
        self._there = installation
        self._proxies = proxies
        self._rng = rng
        self._longest_s = longest_s
        self._ongoing: set[asyncio.Future[None]] = set()
        self._brief = self._brief_kinds()
        self._long: dict[Bring, int] = {
            self._freeze_web_long: 2,
            self._lose_network: 3,
            self._swallow: 2,
            **({self._freeze_worker_long: 2} if installation.workers else {}),
        }

    def _brief_kinds(self) -> dict[Bring, int]:
        there = self._there
        kinds: dict[Bring, int] = {self._kill_web: 4, self._freeze_web: 2, self._stop_web: 2, self._cut: 4}
        if there.workers:
            kinds |= {self._kill_worker: 5, self._freeze_worker: 3, self._stop_worker: 2}
        if there.redis:
            kinds |= {self._restart_redis: 2, self._freeze_redis: 1, self._fill_redis: 1}
            kinds |= {self._evict_redis: 1, self._lock_redis: 1}
        if there.database:
            kinds |= {self._freeze_database: 2, self._restart_database: 1, self._kill_backend: 1}
        if there.pair:
            kinds |= {self._kill_primary: 1}
        if there.memory:
            kinds |= {self._starve_web: 1, **({self._starve_worker: 1} if there.workers else {})}
        if there.disk:
            kinds |= {self._fill_disk: 2}
        if there.clock:
            kinds |= {self._jump: 2}
        return kinds

    async def rage(self) -> None:
        """Bring brief faults one after the other, and long ones beside them."""
        async with asyncio.TaskGroup() as raging:
            raging.create_task(self._bring(self._brief, EVERY_S))
            raging.create_task(self._bring(self._long, LONG_EVERY_S))

    async def _bring(self, kinds: dict[Bring, int], every_s: tuple[float, float]) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(*every_s))
            (bring,) = self._rng.choices(list(kinds), list(kinds.values()))
            await self._to_its_end(bring)

    async def _to_its_end(self, bring: Bring) -> None:
        """Bring a fault, and undo it also when the run is over meanwhile."""
        bringing = asyncio.ensure_future(self._note(bring))
        self._ongoing.add(bringing)
        bringing.add_done_callback(self._ongoing.discard)
        await asyncio.shield(bringing)

    async def _note(self, bring: Bring) -> None:
        try:
            if fault := await bring():
                self.faults.append(fault)
        except RuntimeError as error:  # a process that is slow to return is no reason to spare the others
            self.troubles.append(str(error))

    async def rest(self) -> None:
        """Wait until all is undone that was done; what lasts long ends now."""
        if self._ongoing:
            await asyncio.wait(self._ongoing, timeout=UNDONE_S)
        for bringing in self._ongoing:
            bringing.cancel()
        await asyncio.gather(*self._ongoing, return_exceptions=True)

    # Workers.

    async def _kill_worker(self) -> Fault:
        return await self._take_worker_down("kill worker", KILL)

    async def _stop_worker(self) -> Fault:
        return await self._take_worker_down("stop worker", STOP)

    async def _starve_worker(self) -> Fault:
        assert self._there.memory
        return await self._take_worker_down("starve worker", self._there.memory.starve)

    async def _take_worker_down(self, kind: str, end: End) -> Fault:
        worker = self._rng.choice(self._there.workers)
        sessions, began_at = await asyncio.to_thread(self._owned_by, worker), time.monotonic()
        await self._restart(worker, end)
        return Fault(kind, began_at, began_at, sessions)

    async def _freeze_worker(self) -> Fault:
        return await self._freeze_a_worker("freeze worker", (1.5, 5.0))

    async def _freeze_worker_long(self) -> Fault:
        return await self._freeze_a_worker("freeze worker long", FREEZE_S)

    async def _freeze_a_worker(self, kind: str, range_s: tuple[float, float]) -> Fault:
        """Others take its sessions over, and it wakes up believing that they are still its own."""
        worker = self._rng.choice(self._there.workers)
        sessions, began_at = await asyncio.to_thread(self._owned_by, worker), time.monotonic()
        await self._freeze(worker, range_s)
        return Fault(kind, began_at, began_at, sessions)

    def _owned_by(self, worker: LocalProcess) -> frozenset[int] | None:
        """Return its sessions; None if Redis cannot be asked just now."""
        redis = self._redis(decode_responses=True)
        try:
            owners = {str(key): str(redis.hget(key, "owner")) for key in redis.scan_iter("asr:session:*")}
        except blocking_redis.RedisError:
            return None
        finally:
            redis.close()
        mine = [key for key, owner in owners.items() if f"-{worker.pid}-" in owner]
        return frozenset(int(key.rpartition(":")[2]) for key in mine)

    # Web processes.

    async def _kill_web(self) -> Fault:
        return await self._take_web_down("kill web", KILL)

    async def _stop_web(self) -> Fault:
        return await self._take_web_down("stop web", STOP)

    async def _starve_web(self) -> Fault:
        assert self._there.memory
        return await self._take_web_down("starve web", self._there.memory.starve)

    async def _take_web_down(self, kind: str, end: End) -> Fault:
        web, began_at = self._rng.choice(self._there.webs), time.monotonic()
        await self._restart(web, end)
        await self._wait_for_answer(web)
        # One process has its sessions in its memory, and nobody else takes its place.
        is_all = self._there.redis is None
        over_at = time.monotonic() if is_all else began_at
        return Fault(kind, began_at, over_at, is_loss=is_all)

    async def _freeze_web(self) -> Fault:
        return await self._freeze_a_web("freeze web", (1.0, 5.0))

    async def _freeze_web_long(self) -> Fault:
        return await self._freeze_a_web("freeze web long", FREEZE_S)

    async def _freeze_a_web(self, kind: str, range_s: tuple[float, float]) -> Fault:
        began_at = time.monotonic()
        await self._freeze(self._rng.choice(self._there.webs), range_s)
        return Fault(kind, began_at, time.monotonic(), is_hush=True)

    # The network.

    async def _cut(self) -> Fault | None:
        began_at = time.monotonic()
        cut = self._rng.choice(self._proxies).cut(self._rng.randint(1, 5))
        return Fault("cut sockets", began_at, began_at) if cut else None

    async def _lose_network(self) -> Fault:
        """Nothing comes through to one server, or to none, and nobody is told."""
        began_at = time.monotonic()
        lost = self._proxies if self._rng.random() < 0.5 else [self._rng.choice(self._proxies)]
        for proxy in lost:
            proxy.go_away()
        try:
            await asyncio.sleep(self._long_s(AWAY_S))
        finally:
            for proxy in lost:
                proxy.come_back()
        return Fault("lose network", began_at, time.monotonic(), is_hush=True)

    async def _swallow(self) -> Fault:
        """Connections lead nowhere from now on, until both ends notice: two keepalives later at most."""
        began_at = time.monotonic()
        for proxy in self._proxies:
            proxy.swallow()
        await asyncio.sleep(min(KEEPALIVE_S, self._longest_s))
        return Fault("swallow connections", began_at, time.monotonic(), is_hush=True)

    # Redis and PostgreSQL.

    async def _restart_redis(self) -> Fault:
        assert self._there.redis
        began_at = time.monotonic()
        await self._restart(self._there.redis, KILL)
        return Fault("restart redis", began_at, time.monotonic(), is_hush=True)

    async def _freeze_redis(self) -> Fault:
        assert self._there.redis
        began_at = time.monotonic()
        await self._freeze(self._there.redis, (0.5, 2.0))
        return Fault("freeze redis", began_at, time.monotonic(), is_hush=True)

    async def _fill_redis(self) -> Fault:
        """It takes nothing more, as at its limit of memory."""
        return await self._configure_redis("fill redis", {"maxmemory": "1"}, {"maxmemory": "0"})

    async def _evict_redis(self) -> Fault:
        """It forgets what it likes, as one that was set up for a cache."""
        cache = {"maxmemory-policy": "allkeys-random", "maxmemory": "1mb"}
        fault = await self._configure_redis(
            "evict redis", cache, {"maxmemory": "0", "maxmemory-policy": "noeviction"}
        )
        return Fault(fault.kind, fault.began_at, fault.over_at, is_loss=True)

    async def _lock_redis(self) -> Fault:
        """It asks for a password that nobody knows, and everybody has to log in again."""
        return await self._configure_redis(
            "lock redis", {"requirepass": "unknown"}, {"requirepass": ""}, hangs_up=True
        )

    async def _configure_redis(
        self, kind: str, wrong: dict[str, str], right: dict[str, str], *, hangs_up: bool = False
    ) -> Fault:
        redis, began_at = self._redis(single_connection_client=True), time.monotonic()
        try:
            for name, value in wrong.items():
                await asyncio.to_thread(redis.config_set, name, value)
            if hangs_up:
                for kind_of_client in ("normal", "pubsub"):
                    await asyncio.to_thread(redis.client_kill_filter, _type=kind_of_client, skipme=True)
            await asyncio.sleep(self._rng.uniform(1.0, 4.0))
        finally:
            for name, value in right.items():
                await asyncio.to_thread(redis.config_set, name, value)
            redis.close()
        return Fault(kind, began_at, time.monotonic(), is_hush=True)

    def _redis(self, **options: Any) -> blocking_redis.Redis:
        assert self._there.redis
        return blocking_redis.Redis.from_url(self._there.redis.url, **options)

    async def _restart_database(self) -> Fault:
        assert self._there.database
        began_at = time.monotonic()
        await self._restart(self._there.database, KILL)
        return Fault("restart database", began_at, time.monotonic())

    async def _freeze_database(self) -> Fault:
        assert self._there.database
        began_at = time.monotonic()
        await self._freeze(self._there.database, (1.0, 5.0))
        return Fault("freeze database", began_at, time.monotonic())

    async def _kill_backend(self) -> Fault | None:
        """The kernel kills a connection's process for its memory: PostgreSQL then restarts all of them."""
        assert self._there.database
        began_at, backends = time.monotonic(), self._there.database.children()
        if not backends:
            return None
        os.kill(self._rng.choice(backends), signal.SIGKILL)
        await self._wait_for_answer(self._there.database)
        return Fault("kill database backend", began_at, time.monotonic())

    async def _kill_primary(self) -> Fault:
        """The standby is promoted in its place, and it comes back as the standby."""
        pair, began_at = self._there.pair, time.monotonic()
        assert pair
        await asyncio.to_thread(pair.kill_primary)
        fault = Fault("kill primary of postgresql", began_at, time.monotonic())
        await asyncio.sleep(self._rng.uniform(0.2, 2.0))
        await asyncio.to_thread(pair.bring_back)
        return fault

    # Disk and clock.

    async def _fill_disk(self) -> Fault:
        assert self._there.disk
        began_at = time.monotonic()
        self._there.disk.fill()
        try:
            await asyncio.sleep(min(self._rng.uniform(*FULL_S), self._longest_s))
        finally:
            self._there.disk.free()
        return Fault("fill disk", began_at, time.monotonic())

    async def _jump(self) -> Fault:
        """The clock by which leases are kept goes wrong by an hour, and is put right a little later."""
        assert self._there.clock
        began_at = time.monotonic()
        self._there.clock.jump(self._rng.choice((-JUMP_S, JUMP_S)))
        try:
            await asyncio.sleep(self._rng.uniform(1.0, 5.0))
        finally:
            self._there.clock.jump(0)
        return Fault("jump clock", began_at, time.monotonic())

    # How.

    async def _restart(self, process: LocalProcess, end: End) -> None:
        await asyncio.to_thread(end, process)
        await asyncio.sleep(self._rng.uniform(0.2, 2.0))
        await asyncio.to_thread(process.start)

    async def _wait_for_answer(self, server: Any) -> None:
        """Wait for a server that starts; one that is slow is no reason to spare the others."""
        try:
            await asyncio.to_thread(
                wait_until, server.answers, f"{server.name} does not answer", timeout_s=60
            )
        except RuntimeError as error:
            self.troubles.append(str(error))

    async def _freeze(self, process: LocalProcess, range_s: tuple[float, float]) -> None:
        process.freeze()
        try:
            await asyncio.sleep(self._long_s(range_s))
        finally:
            process.thaw()

    def _long_s(self, range_s: tuple[float, float]) -> float:
        """Return a length, short ones as often as long ones."""
        least, most = (math.log(bound) for bound in range_s)
        return min(math.exp(self._rng.uniform(least, most)), self._longest_s)


class Killer(Nemesis):
    """Kills the one server that all rely on so many times, at equal distances, and nothing else.

    It has a twin that takes its place; each dead one comes back as the twin of the other.
    """

    def __init__(self, *arguments: Any, kills: int, every_s: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kills = kills
        self._every_s = every_s

    async def rage(self) -> None:
        begun = time.monotonic()
        for number in range(1, self._kills + 1):
            await asyncio.sleep(max(0.0, begun + number * self._every_s - time.monotonic()))
            await self._to_its_end(self._kill_master if self._there.watched else self._kill_primary)
        await asyncio.Event().wait()

    async def _kill_master(self) -> Fault:
        watched, began_at = self._there.watched, time.monotonic()
        assert watched
        dead = await asyncio.to_thread(watched.kill_master)
        fault = Fault("kill master of redis", began_at, time.monotonic())
        await asyncio.sleep(self._rng.uniform(0.2, 2.0))
        await asyncio.to_thread(watched.bring_back, dead)
        return fault


UNDONE_S = 20.0
"""After so long at the end of a run even a fault is over that was to last longer."""

KEEPALIVE_S = 50.0
"""After so long at the latest the Python library `websockets` gives up a connection that does not answer."""
