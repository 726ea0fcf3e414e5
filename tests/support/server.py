"""A real server in a process of its own, on a free port, with a data directory of its own."""

from __future__ import annotations

import fcntl
import functools
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from deploy.local_servers import free_port

from . import warm_python

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
title = "A scripted meeting"

[[script]]
text = "大家好，我们开始开会。"
voice = 0
seconds = 2.0

[[script]]
text = "好的。"
voice = 1
seconds = 0.8

[[script]]
text = "预算通过了吗？"
voice = 0
seconds = 1.5

[[script]]
text = "通过了。"
voice = 2
"""
"""The model set of most tests: it recognises the tones of `recognition.fakes.scripted`,
and loads no network."""


START_PATIENCE_S = 240
"""How long a busy machine may take to read and measure the models of several sets."""


class Server:
    """`with Server(...)`: migrated, started and answering; stopped in an orderly way at the end.

    Args:
        kind: "daphne" (our own `manage.py serve`) or "uvicorn".
        options: Of `manage.py serve`.
        from_nothing: Start it as a user does, not from a process that has the libraries.
        environment: More settings.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kind: str = "daphne",
        options: Sequence[str] = (),
        from_nothing: bool = False,
        **environment: str,
    ) -> None:
        self.data_dir = data_dir
        self.kind = kind
        self.options = options
        self.port = free_port()
        self.log_path = data_dir / "server.log"
        script = data_dir / "script.toml"
        data_dir.mkdir(parents=True, exist_ok=True)
        script.write_text(SCRIPT)
        self.environment = {
            **os.environ,
            "ASR_DATA_DIR": str(data_dir),
            "ASR_MODELS": str(script),
            "DJANGO_SETTINGS_MODULE": "asrsite.settings",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        self._from_nothing = from_nothing or not warm_python.is_open()
        self._process: subprocess.Popen[bytes] | warm_python.Process | None = None

    def __enter__(self) -> Server:
        self.migrate()
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    @property
    def database(self) -> Path:
        return self.data_dir / "asrsite.sqlite3"

    def migrate(self) -> None:
        """Make the database, unless there is one: by a copy, since all new ones are alike."""
        if not self.database.exists():
            self.database.write_bytes(new_database())

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return rows of the database, without starting a process as `shell` does."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement, values).fetchall()

    def change(self, statement: str, *values: Any) -> None:
        """Change the database, while a server may run."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            connection.execute(statement, values)

    def session(self, key: str, columns: str) -> tuple[Any, ...]:
        """Return these columns of a session's row."""
        [row] = self.query(f"SELECT {columns} FROM sessions_app_session WHERE key = ?", key)  # noqa: S608
        return row

    def manage(self, *arguments: str) -> str:
        """Run a management command on this server's data."""
        done = self._run("manage.py", *arguments)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, code: str) -> str:
        """What this code prints, run with this server's models at hand."""
        prelude = "from sessions_app.models import *; from speakers.models import *\n"
        return self.manage("shell", "--no-imports", "-c", prelude + code).strip()

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = self._start(log)
        deadline = time.monotonic() + START_PATIENCE_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not come up:\n{self.log}")
            time.sleep(0.1)

    def stop(self, signal_number: int = signal.SIGTERM, *, timeout_s: float = 30) -> int:
        """End it and return its exit status."""
        assert self._process
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, session: str, query: str) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/asr/{session}?{query}"

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if warm_python.is_open():
            return warm_python.run(arguments, environment=self.environment)
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes] | warm_python.Process:
        if not self._from_nothing:
            does = "pages" if self.environment["ASR_MODELS"].endswith(".toml") else "networks"
            return warm_python.start(
                self._arguments(), environment=self.environment, stdout=log, stderr=log, does=does
            )
        return subprocess.Popen(
            [sys.executable, *self._arguments()],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            preexec_fn=_hear_interrupts,
        )

    def _arguments(self) -> list[str]:
        if self.kind == "daphne":
            return ["manage.py", "serve", "--port", str(self.port), *self.options]
        return [
            *("-m", "uvicorn", "asrsite.asgi:application", "--port", str(self.port)),
            *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--log-level", "warning"),
        ]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.http}/readyz", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


@functools.cache
def new_database() -> bytes:
    """Return what `manage.py migrate` makes: once for all processes that run tests."""
    if not warm_python.is_open():
        return _migrated()
    file = Path(os.environ[warm_python.FOLDER]) / "new.sqlite3"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_bytes(_migrated())
    return file.read_bytes()


def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.manage("migrate", "--verbosity", "0")
        with closing(sqlite3.connect(server.database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # a database in memory cannot begin with WAL
            return connection.serialize()


def _hear_interrupts() -> None:
    """Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
