"""`manage.py recognize` with several processes, beside a real Redis."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from deploy.local_servers import LocalProcess, RedisServer, free_port, wait_until
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path, redis_server: RedisServer) -> Iterator[dict[str, str]]:
    installation = Server(tmp_path, REDIS_URL=redis_server.url)
    installation.migrate()
    yield installation.environment
    redis.Redis.from_url(redis_server.url).flushall()


def recognize(environment: dict[str, str], tmp_path: Path, *arguments: str) -> LocalProcess:
    command = [sys.executable, "manage.py", "recognize", *arguments]
    return LocalProcess(
        "recognize", command, log=tmp_path / "recognize.log", environment=environment, folder=ROOT
    )


def test_each_process_is_a_worker_and_stops_with_the_command(
    environment: dict[str, str], tmp_path: Path
) -> None:
    workers = redis.Redis.from_url(environment["REDIS_URL"])
    with recognize(environment, tmp_path, "--processes", "3") as process:
        wait_until(lambda: workers.hlen("asr:workers") == 3, "three workers do not come", timeout_s=60)
        log = process.log.read_text()
        assert log.count("Recognising in process") == 3
        assert process.stop() == 0
    assert workers.hlen("asr:workers") == 0


def test_each_process_has_figures_of_its_own(environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    with recognize(environment, tmp_path, "--processes", "2", "--metrics-port", str(port)):
        for number in range(2):
            wait_until(partial(_is_idle, port + number), "no figures", timeout_s=60)
            capacity = _figure(port + number, "asr_capacity_sessions")
            assert capacity
            assert capacity > 100  # a script costs next to nothing


def _is_idle(port: int) -> bool:
    return _figure(port, "asr_sessions") == 0


def _figure(port: int, name: str) -> float | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} ")), None)


def test_no_process_at_all_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    with recognize(environment, tmp_path, "--processes", "0") as process:
        wait_until(lambda: not process.is_running, "it does not end", timeout_s=30)
        assert process.stop() == 1
        assert "there must be at least one" in process.log.read_text()
