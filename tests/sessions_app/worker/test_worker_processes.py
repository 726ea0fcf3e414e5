"""Real forks, in a process of their own: pytest's has threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local_servers import wait_until

PROGRAM = """
    import os, select, signal, sys
    from pathlib import Path
    from sessions_app.worker.worker_processes import WorkerProcesses, WorkersFailed

    stop_reading, stop_writing = os.pipe()

    def work(number, lifeline):
        signal.signal(signal.SIGTERM, lambda *_: os.write(stop_writing, b"!"))
        Path(sys.argv[1], str(os.getpid())).write_text(str(number))
        if {fails}:
            raise OSError("no Redis")
        select.select([lifeline, stop_reading], [], [])
        Path(sys.argv[1], str(os.getpid())).unlink()

    try:
        WorkerProcesses({count}, work, start_s={start_s}).run()
    except WorkersFailed as error:
        print(error)
        sys.exit(3)
"""


class Parent:
    """A process with workers, each of which keeps a file named by its pid while it lives."""

    def __init__(self, folder: Path, *, count: int = 3, start_s: float = 0, fails: bool = False) -> None:
        self.folder = folder
        program = textwrap.dedent(PROGRAM.format(count=count, start_s=start_s, fails=fails))
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @property
    def workers(self) -> set[int]:
        return {int(path.name) for path in self.folder.iterdir()}

    def wait_for(self, count: int) -> set[int]:
        wait_until(lambda: len(self.workers) == count, f"there are never {count} workers", timeout_s=30)
        return self.workers


@pytest.fixture
def parents(tmp_path: Path) -> Iterator[list[Parent]]:
    found: list[Parent] = []
    yield found
    for parent in found:
        parent.process.kill()
        parent.process.communicate()


def start(parents: list[Parent], folder: Path, **options: Any) -> Parent:
    parents.append(Parent(folder, **options))
    return parents[-1]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_its_workers_and_ends_well(
    parents: list[Parent], tmp_path: Path, signal_number: int
) -> None:
    parent = start(parents, tmp_path)
    assert parent.process.pid not in parent.wait_for(3)

    parent.process.send_signal(signal_number)

    assert parent.process.wait(10) == 0
    assert not parent.workers


def test_a_worker_that_dies_is_replaced(parents: list[Parent], tmp_path: Path) -> None:
    parent = start(parents, tmp_path)
    victim = min(parent.wait_for(3))

    os.kill(victim, signal.SIGKILL)
    (tmp_path / str(victim)).unlink()
    wait_until(lambda: len(parent.workers) == 3, "nobody takes its place", timeout_s=10)

    assert victim not in parent.workers
    assert {(tmp_path / str(pid)).read_text() for pid in parent.workers} == {"0", "1", "2"}
    parent.process.terminate()
    assert parent.process.wait(10) == 0


def test_when_a_worker_cannot_start_all_end_and_the_error_says_how(
    parents: list[Parent], tmp_path: Path
) -> None:
    parent = start(parents, tmp_path, count=2, start_s=60, fails=True)

    said, _ = parent.process.communicate(timeout=30)

    assert parent.process.returncode == 3
    assert "ended with status 1 after 0 s" in said


def test_workers_do_not_outlive_a_parent_that_is_killed(parents: list[Parent], tmp_path: Path) -> None:
    parent = start(parents, tmp_path)
    parent.wait_for(3)

    parent.process.kill()

    parent.wait_for(0)
