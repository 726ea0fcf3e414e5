"""Processes of Python that need not import the large libraries first: a process that has them forks.

It has nothing of the product, and its children read settings and options as any other process does. What is
tested about imports or a start from nothing is tested in a process that really starts from nothing.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from deploy.local_servers import LocalProcess, Running

ROOT = Path(__file__).resolve().parents[2]

FOLDER = "ASRSITE_WARM_PYTHON"
"""Environment variable with the folder of sockets that another process has opened for this one."""

PAGES = (
    *("numpy", "soundfile", "soxr", "statistics", "redis.asyncio", "jinja2", "docx", "lxml.etree", "environ"),
    *("pydantic.main", "pydantic.json_schema", "cryptography.fernet", "prometheus_client", "channels.layers"),
    *("asyncio", "uvicorn.main", "websockets.sync.client", "django.test", "django.core.management"),
    *("django.contrib.admin.utils", "django.views.generic", "django.db.backends.sqlite3._functions"),
    *("django.db.migrations.operations", "django.core.management.commands.makemigrations"),
    *("requests", "cryptography.x509", "OpenSSL.SSL", "service_identity", "twisted.web.http"),
    *("twisted.internet.asyncioreactor", "twisted.internet.endpoints", "autobahn.websocket.protocol"),
)
NETWORKS = (*PAGES, "torch", "numba")
LIBRARIES = {"pages": PAGES, "networks": NETWORKS, "peer": (*NETWORKS, "funasr")}
"""By what a process does; none of them needs Django's settings, or starts a thread or an event loop."""


class Process:
    """A process that was started; as `subprocess.Popen` has it."""

    def __init__(self, pid: int, parent: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._parent], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._parent], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self.returncode = _number(self._parent)
            self._parent.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdout: IO[bytes],
    stderr: IO[bytes],
    does: str = "pages",
) -> Process:
    """Start what `python ARGUMENTS` starts in the project's folder.

    Args:
        does: A key of `LIBRARIES`.
    """
    parent = socket.socket(socket.AF_UNIX)
    parent.connect(str(_folder() / does))
    asked = json.dumps([list(arguments), dict(environment)]).encode()
    socket.send_fds(parent, [len(asked).to_bytes(8)], [stdout.fileno(), stderr.fileno()])
    parent.sendall(asked)
    return Process(_number(parent), parent)


def launch(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None,
    stdout: IO[bytes],
    stderr: IO[bytes],
    **options: Any,
) -> Running:
    """Start a command as `subprocess.Popen` does; if it is a program of the project, by `start`."""
    if command[0] != sys.executable:
        return subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr, **options)
    does = "peer" if "benchmarks.peer" in command else "pages"
    return start(command[1:], environment=env or os.environ, stdout=stdout, stderr=stderr, does=does)


def run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    does: str = "pages",
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run what `python ARGUMENTS` runs in the project's folder, to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(arguments, environment=environment, stdout=out, stderr=err, does=does)
        try:
            status = process.wait(timeout_s)
        finally:
            process.kill()
        return subprocess.CompletedProcess(list(arguments), status, _text(out), _text(err))


def open_for_all() -> None:
    """Begin what this needs, for this process and for those that it starts."""
    LocalProcess.launch = staticmethod(launch)
    os.environ[FOLDER] = str(_folder())


def is_open() -> bool:
    return FOLDER in os.environ


@functools.cache
def _folder() -> Path:
    """Return where the sockets are; the processes behind them import nothing until they are asked."""
    if FOLDER in os.environ:
        return Path(os.environ[FOLDER])
    folder = tempfile.TemporaryDirectory(prefix="asrsite-tests-")
    _kept.append(folder)
    _kept.extend(_parent(Path(folder.name) / name, libraries) for name, libraries in LIBRARIES.items())
    return Path(folder.name)


def _parent(path: Path, libraries: Sequence[str]) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forking", str(listener.fileno()), *libraries],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
    atexit.register(parent.communicate, timeout=10)  # which ends its standard input, and waits
    return parent


_kept: list[object] = []
"""As long as this process lives."""


def _number(parent: socket.socket) -> int:
    told = parent.recv(8, socket.MSG_WAITALL)
    if not told:
        raise RuntimeError("the process that forks has ended")
    return int.from_bytes(told, signed=True)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
