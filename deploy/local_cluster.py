"""A whole installation on this machine: Redis, PostgreSQL, web and worker processes. See `scale_demo`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from .local_sentinels import WatchedRedis
from .local_servers import LocalProcess, PostgresServer, RedisServer, free_port, wait_until
from .local_standby import PostgresPair

ROOT = Path(__file__).resolve().parent.parent


class WebProcess(LocalProcess):
    def __init__(self, name: str, environment: dict[str, str], *, log: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        super().__init__(name, command, log=log, environment=environment, folder=ROOT)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, session: str, query: str) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/asr/{session}?{query}"

    def answers(self, page: str = "healthz") -> bool:
        try:
            with urllib.request.urlopen(f"{self.http}/{page}", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


class LocalCluster:
    """`with LocalCluster(...)`: everything is started, and a session could be recognised.

    Args:
        models: Name of a model set, or the path of a set's file.
        data_dir: Recordings and logs; a folder of its own, which goes at the end, if None.
        redis, postgres: One server, if None.
        settings: More environment variables.
    """

    def __init__(
        self,
        *,
        webs: int,
        workers: int,
        models: str,
        data_dir: Path | None = None,
        redis: RedisServer | WatchedRedis | None = None,
        postgres: PostgresServer | PostgresPair | None = None,
        **settings: str,
    ) -> None:
        self.redis = redis or RedisServer()
        self.postgres = postgres or PostgresServer()
        self._is_folder_ours = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="asrsite-cluster-"))
        self.environment = {
            **os.environ,
            "ASR_DATA_DIR": str(self.data_dir),
            "ASR_MODELS": models,
            "REDIS_URL": self.redis.url,
            "DATABASE_URL": self.postgres.url,
            "DJANGO_SETTINGS_MODULE": "asrsite.settings",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            **settings,
        }
        self.webs = [self._web(f"web-{number}") for number in range(1, webs + 1)]
        self.workers = [self._worker(f"worker-{number}") for number in range(1, workers + 1)]
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            if self._is_folder_ours:
                starting.callback(shutil.rmtree, self.data_dir, ignore_errors=True)
            starting.enter_context(self.redis)
            starting.enter_context(self.postgres)
            self.manage("migrate", "--verbosity", "0")
            for process in [*self.workers, *self.webs]:
                starting.enter_context(process)
            for web in self.webs:
                self.wait_for(web)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def add_cell(self, name: str, *, workers: int = 1) -> RedisServer:
        """Start a Redis with workers of its own, and let sessions live there from now on."""
        redis = self._running.enter_context(RedisServer(name))
        self.manage("cells", "add", name, redis.url)
        for number in range(1, workers + 1):
            worker = self._worker(f"{name}-worker-{number}", ASR_CELL=name)
            self.workers.append(self._running.enter_context(worker))
        return redis

    @property
    def processes(self) -> list[LocalProcess]:
        return [*self.webs, *self.workers]

    def manage(self, *arguments: str, **settings: str) -> str:
        """Run a management command on this installation, with other settings; what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def wait_for(self, web: WebProcess) -> None:
        """Until a session that begins there would be recognised."""
        wait_until(lambda: web.answers("readyz"), f"{web.name} is not ready", timeout_s=3000)

    def wait_for_answer(self, web: WebProcess) -> None:
        wait_until(web.answers, f"{web.name} does not answer", timeout_s=60)

    def log(self, process: LocalProcess) -> str:
        return process.log.read_text(errors="replace")

    def _web(self, name: str) -> WebProcess:
        return WebProcess(name, self.environment, log=self.data_dir / f"{name}.log")

    def _worker(self, name: str, **settings: str) -> LocalProcess:
        command = [sys.executable, "manage.py", "recognize", "--processes", "1"]
        return LocalProcess(
            name,
            command,
            log=self.data_dir / f"{name}.log",
            environment={**self.environment, **settings},
            folder=ROOT,
        )
