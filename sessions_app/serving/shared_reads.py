"""Many sockets read together: it is waking that costs, not reading.

As network cards moderate their interrupts: what comes after a pause is read at once, and from then on all
sockets are read together, a dozen times a second, until nothing more comes.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

from sessions_app import pacing


class BatchedReader:
    """Reads sockets for one event loop. Each is known by its file descriptor, as long as that is open."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._reads: dict[int, Callable[[], object]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.Handle | None = None  # None while it waits for whatever comes first

    def add(self, socket: int, read: Callable[[], object]) -> None:
        """Call this whenever there is something to read, until `remove`; once is enough."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._epoll.fileno(), self._read_all)
        if socket not in self._reads:
            self._reads[socket] = read
            self._epoll.register(socket, select.EPOLLIN)

    def remove(self, socket: int) -> None:
        """Forget a socket, before its descriptor is closed. Idempotent."""
        if self._reads.pop(socket, None):
            self._epoll.unregister(socket)

    def _read_all(self) -> None:
        assert self._loop
        loop, epoll = self._loop, self._epoll
        was_waiting = self._next is None
        ready = epoll.poll(0)
        for socket, _ in ready:
            if read := self._reads.get(socket):  # one that was read before may have removed it
                read()
        if not ready:
            self._next = None
            loop.add_reader(epoll.fileno(), self._read_all)
            return
        if was_waiting:
            loop.remove_reader(epoll.fileno())
        # More than one read can take is there: a sender in a hurry is not slowed down.
        is_more = bool(epoll.poll(0, 1))
        self._next = (
            loop.call_soon(self._read_all)
            if is_more
            else loop.call_later(pacing.SOCKET_READ_INTERVAL_S, self._read_all)
        )
