"""Redis that outlives its machine, on this one: a master, a replica, and three sentinels that watch them."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import redis as blocking_redis

from .local_servers import RedisServer, wait_until

SERVICE = "meetings"

SENTINELS, QUORUM = 3, 2

FAILOVER_TIMEOUT_MS = 3000


class Sentinel(RedisServer):
    """One sentinel; it keeps what it learns in the file it was started with."""

    def __init__(self, number: int, master: RedisServer, *, down_after_ms: int, program: str) -> None:
        super().__init__(f"sentinel-{number}", program=program)
        self._lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self.folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} {QUORUM}",
            f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}",
            f"sentinel failover-timeout {SERVICE} {FAILOVER_TIMEOUT_MS}",
        ]

    def start(self) -> None:
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text("\n".join([*self._lines, ""]))
        self._start([self._program, str(file), "--sentinel"])

    def ask(self, *words: str) -> Any:
        with blocking_redis.Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command("SENTINEL", *words)


class WatchedRedis:
    """`with WatchedRedis() as redis`: all five run, and know each other.

    Args:
        down_after_ms: Silence after which a sentinel takes the master for dead.
        program: As for `RedisServer`, of all of them.
    """

    def __init__(self, *, down_after_ms: int = 500, program: str = "") -> None:
        self.servers = [RedisServer(f"redis-{number}", program=program) for number in (1, 2)]
        for server in self.servers:
            server.options |= {"repl-diskless-sync-delay": "0"}
        self.sentinels = [
            Sentinel(number, self.servers[0], down_after_ms=down_after_ms, program=program)
            for number in range(1, SENTINELS + 1)
        ]
        self._running = ExitStack()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}?db=0"

    def __enter__(self) -> Self:
        master, replica = self.servers
        with ExitStack() as starting:
            starting.enter_context(master)
            replica.options["replicaof"] = f"127.0.0.1 {master.port}"
            starting.enter_context(replica)
            self.wait_for_copy(replica)
            for sentinel in self.sentinels:
                starting.enter_context(sentinel)
            wait_until(self._know_each_other, "the sentinels do not find each other")
            del replica.options["replicaof"]  # from now on it is the sentinels that say whose it is
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    @property
    def pid(self) -> int:
        return self.master().pid

    def master(self) -> RedisServer:
        """Return the server that most sentinels take for the master."""
        ports = [int(sentinel.ask("get-master-addr-by-name", SERVICE)[1]) for sentinel in self.sentinels]
        return next(server for server in self.servers if ports.count(server.port) >= QUORUM)

    def kill_master(self) -> RedisServer:
        """Kill the master, and return it when another server has taken its place."""
        dead = self.master()
        dead.kill()
        wait_until(lambda: self._is_promoted(dead), "no other server became the master", timeout_s=60)
        return dead

    def bring_back(self, dead: RedisServer) -> None:
        """Start a server that died, and wait until it is a copy of the master."""
        dead.start()
        self.wait_for_copy(dead)

    def wait_for_copy(self, replica: RedisServer) -> None:
        wait_until(lambda: _is_copy(replica), f"{replica.name} is no copy of the master", timeout_s=60)

    def _is_promoted(self, dead: RedisServer) -> bool:
        with contextlib.suppress(StopIteration):
            master = self.master()
            return master is not dead and _replication(master)["role"] == "master"
        return False

    def _know_each_other(self) -> bool:
        told = [sentinel.ask("master", SERVICE) for sentinel in self.sentinels]
        known = {(int(each["num-other-sentinels"]), int(each["num-slaves"])) for each in told}
        return known == {(SENTINELS - 1, 1)}


def _is_copy(server: RedisServer) -> bool:
    told = _replication(server)
    return (told["role"], told.get("master_link_status")) == ("slave", "up")


def _replication(server: RedisServer) -> dict[str, Any]:
    with blocking_redis.Redis(port=server.port) as client:
        return dict(client.info("replication"))
