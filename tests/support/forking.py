"""The process behind `warm_python`: `python -m tests.support.forking DESCRIPTOR LIBRARY...`."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType


class Parent:
    """Fork at each connection to a socket, and tell there of the child: its id, and its status at the end."""

    def __init__(self, listener: socket.socket, libraries: Sequence[str]) -> None:
        self._listener = listener
        self._libraries = libraries
        self._children: dict[int, socket.socket] = {}

    def serve(self) -> list[str]:
        """Return, in a child, its arguments; in the parent none, when nobody is left to ask."""
        ended, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        watched: list[int | socket.socket] = [0, ended, self._listener]
        while True:
            ready, _, _ = select.select(watched, [], [])
            if 0 in ready:
                return []
            if ended in ready:
                os.read(ended, 4096)
                self._tell_of_ends()
            if self._listener in ready and (arguments := self._fork(self._listener.accept()[0])):
                os.close(ended)
                os.close(wakeup)
                return arguments

    def _fork(self, asker: socket.socket) -> list[str]:
        for library in self._libraries:
            import_module(library)
        gc.freeze()  # or a child's collector would go over all of it, and copy it
        size, files, _, _ = socket.recv_fds(asker, 8, 2)
        arguments, environment = json.loads(asker.recv(int.from_bytes(size), socket.MSG_WAITALL))
        if pid := os.fork():
            self._children[pid] = asker
            asker.sendall(pid.to_bytes(8))
            for file in files:
                os.close(file)
            return []
        for opened in (self._listener, asker, *self._children.values()):
            opened.close()
        _start_anew(files, environment)
        return list(arguments)

    def _tell_of_ends(self) -> None:
        for pid, asker in list(self._children.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                with asker, contextlib.suppress(BrokenPipeError):  # of one who does not want to know
                    asker.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, signed=True))
                del self._children[pid]


def _start_anew(files: Sequence[int], environment: dict[str, str]) -> None:
    """Leave nothing of the parent but what it has imported."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
        os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    if "PYTHONPATH" in environment:
        sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
        sys.modules.pop("sitecustomize", None)
        with contextlib.suppress(ModuleNotFoundError):
            import_module("sitecustomize")


def _become(arguments: Sequence[str]) -> None:
    """Do what the interpreter does with these arguments."""
    sys.modules["__main__"] = main = ModuleType("__main__")
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), vars(main))  # noqa: S102
        case [script, *rest]:
            sys.argv = [script, *rest]
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    if given := Parent(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]).serve():
        _become(given)
