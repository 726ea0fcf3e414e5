"""What is broken: a whole cluster, or one process that does everything; and what is to be known of either."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import soundfile

from benchmarks.transport.service import MODELS, embedded_process
from deploy.local_cluster import LocalCluster, WebProcess
from deploy.local_sentinels import WatchedRedis
from deploy.local_servers import LocalProcess, PostgresServer, RedisServer, wait_until
from deploy.local_standby import PostgresPair

from .checks import KeptLine
from .jumping_clock import JumpingClock, build_library
from .memory_limit import MemoryLimit, memory_limit
from .small_disk import SmallDisk, small_disk

WEBS, WORKERS = 2, 3

PATIENCE_S = "45"
"""For how long senders that resume are waited for: not as long as some faults, so some go on elsewhere."""

ENDED_SESSION = "SELECT id, durable, closed_by FROM sessions_app_session WHERE key = {} AND state = 'ended'"
LINES = 'SELECT seq, start, "end", text FROM sessions_app_utterance WHERE session_id = {} ORDER BY seq'

Ask = Callable[[str, object], list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session as it is in the database."""

    pk: int
    durable: int
    closed_by: str
    lines: list[KeptLine]


@dataclass
class Installation:
    """Processes that serve, and what can befall their surroundings."""

    data_dir: Path
    webs: Sequence[WebProcess]
    ask: Ask
    workers: Sequence[LocalProcess] = ()
    redis: RedisServer | None = None
    watched: WatchedRedis | None = None
    """In place of one Redis: a master with a replica and sentinels."""

    pair: PostgresPair | None = None
    """PostgreSQL: a primary and its standby."""

    memory: MemoryLimit | None = None
    disk: SmallDisk | None = None
    clock: JumpingClock | None = None

    @property
    def database(self) -> PostgresServer | None:
        """Return the PostgreSQL that takes changes."""
        return self.pair.primary if self.pair else None

    @property
    def processes(self) -> list[LocalProcess]:
        return [*self.webs, *self.workers]

    def never_back(self) -> list[str]:
        """Return the names of the processes that do not answer, though nothing befalls them any more."""
        waiting = [process for process in self.processes if not self._is_back(process)]
        return [process.name for process in waiting]

    def _is_back(self, process: LocalProcess) -> bool:
        process.thaw()
        if not isinstance(process, WebProcess):
            return process.is_running
        try:
            wait_until(lambda: process.answers("readyz"), process.name, timeout_s=60)
        except RuntimeError:
            return False
        return True

    def read_session(self, key: str) -> KeptSession:
        """Read a session that has ended.

        Raises:
            AssertionError: If it has not.
        """
        found = self.ask(ENDED_SESSION, key)
        assert found, f"{key} has not ended in the database"
        [(pk, durable, closed_by)] = found
        assert isinstance(pk, int)
        assert isinstance(durable, int)
        rows: list[tuple[int, int, int, str]] = self.ask(LINES, pk)  # type: ignore[assignment]
        return KeptSession(pk, durable, str(closed_by), [KeptLine(*row) for row in rows])

    def take_recording(self, pk: int) -> np.ndarray:
        """Read a recording, and make room for others; int16. A journal, if no worker lived to encode it."""
        folder = self.data_dir / "media" / "recordings"
        flac, journal = folder / f"{pk}.flac", folder / f"{pk}.pcm"
        for _ in range(50):
            if flac.exists():
                break
            time.sleep(0.1)
        if flac.exists():
            kept = soundfile.read(flac, dtype="int16")[0]
            flac.unlink()
            return np.asarray(kept)
        return np.fromfile(journal, "<i2") if journal.exists() else np.zeros(0, np.int16)


@contextmanager
def cluster() -> Iterator[Installation]:
    """Run web and worker processes with Redis and PostgreSQL."""
    with _surroundings() as (data_dir, disk, clock), memory_limit() as memory:
        redis = RedisServer()
        if clock:
            redis.environment = {**os.environ, **clock.environment}
        pair = PostgresPair()
        with _processes(data_dir, redis, pair) as running:
            yield Installation(
                data_dir,
                running.webs,
                _in_postgres(pair.url),
                running.workers,
                redis=redis,
                pair=pair,
                memory=memory,
                disk=disk,
                clock=clock,
            )


@contextmanager
def cluster_with_two_redis() -> Iterator[Installation]:
    """Run the same with a master and its replica, and three sentinels."""
    with tempfile.TemporaryDirectory(prefix="asrsite-failover-") as folder:
        # As deployment.md has it: on a machine that is busy, shorter silences are no death.
        data_dir, watched, postgres = Path(folder), WatchedRedis(down_after_ms=2000), PostgresServer()
        with _processes(data_dir, watched, postgres) as running:
            ask = _in_postgres(postgres.url)
            yield Installation(data_dir, running.webs, ask, running.workers, watched=watched)


@contextmanager
def cluster_with_two_postgres() -> Iterator[Installation]:
    """Run the same with a primary and its standby."""
    with tempfile.TemporaryDirectory(prefix="asrsite-failover-") as folder:
        data_dir, pair = Path(folder), PostgresPair()
        with _processes(data_dir, RedisServer(), pair) as running:
            yield Installation(data_dir, running.webs, _in_postgres(pair.url), running.workers, pair=pair)


def _processes(
    data_dir: Path, redis: RedisServer | WatchedRedis, postgres: PostgresServer | PostgresPair
) -> LocalCluster:
    return LocalCluster(
        webs=WEBS,
        workers=WORKERS,
        models=str(MODELS),
        data_dir=data_dir,
        redis=redis,
        postgres=postgres,
        ASR_SENDER_RESUME_S=PATIENCE_S,
    )


@contextmanager
def one_process() -> Iterator[Installation]:
    """Run one process that does everything, with SQLite."""
    with _surroundings() as (data_dir, disk, clock), memory_limit() as memory:
        settings = {"ASR_CAPACITY": "40", "ASR_SENDER_RESUME_S": PATIENCE_S}
        settings |= clock.environment if clock else {}
        with embedded_process(data_dir, models=str(MODELS), **settings) as web:
            yield Installation(data_dir, [web], _in_sqlite(data_dir), memory=memory, disk=disk, clock=clock)


@contextmanager
def _surroundings() -> Iterator[tuple[Path, SmallDisk | None, JumpingClock | None]]:
    """Make a folder, a disk for its recordings, and a clock: the latter two where that is possible."""
    with tempfile.TemporaryDirectory(prefix="asrsite-chaos-") as folder:
        data_dir = Path(folder)
        with small_disk(data_dir / "media") as disk:
            library = build_library(data_dir)
            clock = JumpingClock(library, data_dir / "clock") if library else None
            yield data_dir, disk, clock


def _in_postgres(url: str) -> Ask:
    def ask(statement: str, value: object) -> list[tuple[object, ...]]:
        deadline = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(
                    url, connect_timeout=10, target_session_attrs="read-write"
                ) as connection:
                    return connection.execute(statement.format("%s").encode(), [value]).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    return ask


def _in_sqlite(data_dir: Path) -> Ask:
    def ask(statement: str, value: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(data_dir / "asrsite.sqlite3", timeout=60)) as connection:
            return connection.execute(statement.format("?"), [value]).fetchall()

    return ask


def keep_logs(installation: Installation, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for process in installation.processes:
        shutil.copy(process.log, folder)
