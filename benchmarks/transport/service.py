"""The service to be measured: as on a laptop, in one process, or as on many machines, through Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local_cluster import ROOT, LocalCluster, WebProcess
from deploy.local_servers import wait_until

MODELS = ROOT / "benchmarks" / "checksum.toml"


@dataclass(frozen=True, slots=True)
class Service:
    web: WebProcess
    pids: dict[str, int]
    """Of everything that serves."""


@contextmanager
def embedded_service(models: str = str(MODELS)) -> Iterator[Service]:
    """One process, SQLite, nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="asrsite-bench-"))
    try:
        with embedded_process(folder, models=models, LOG_LEVEL="WARNING", ASR_CAPACITY="1000") as web:
            yield Service(web, {"web": web.pid})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def embedded_process(data_dir: Path, *, models: str, **settings: str) -> Iterator[WebProcess]:
    """Run a process that does everything, with SQLite, in a folder that is there."""
    environment = {
        **os.environ,
        "ASR_DATA_DIR": str(data_dir),
        "ASR_MODELS": models,
        "REDIS_URL": "",
        "DATABASE_URL": "",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        **settings,
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    with WebProcess("web", environment, log=data_dir / "web.log") as web:
        wait_until(lambda: web.answers("readyz"), "the server is not ready", timeout_s=600)
        yield web


@contextmanager
def scaled_out_service(models: str = str(MODELS)) -> Iterator[Service]:
    """A web and a worker process, Redis and PostgreSQL."""
    cluster = LocalCluster(webs=1, workers=1, models=models, LOG_LEVEL="WARNING", ASR_CAPACITY="1000")
    with cluster:
        pids = {
            "web": cluster.webs[0].pid,
            "worker": cluster.workers[0].pid,
            "redis": cluster.redis.pid,
            "postgres": cluster.postgres.pid,
        }
        yield Service(cluster.webs[0], pids)
