"""A TCP proxy on loopback that loses connections in the ways of networks: with a word, and without one."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(eq=False)
class _Connection:
    """Both sides of a connection."""

    to_client: asyncio.StreamWriter
    to_server: asyncio.StreamWriter
    is_swallowed: bool = False

    def abort(self) -> None:
        self.to_client.transport.abort()
        self.to_server.transport.abort()


class CuttingProxy:
    """Stands in front of a server on this machine.

    Args:
        port: The server's.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._connections: list[_Connection] = []
        self._is_there = asyncio.Event()
        self._is_there.set()
        self.port = 0
        self.cuts = 0
        self.is_down = False
        """While true, nobody gets through."""

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self.come_back()
        self.cut()

    def cut(self, most: int | None = None) -> int:
        """End some connections, or all, without a word to either side; how many."""
        count = len(self._connections) if most is None else min(most, len(self._connections))
        for _ in range(count):
            chosen = random.randrange(len(self._connections))  # noqa: S311 - no secret
            self._connections.pop(chosen).abort()
        self.cuts += count
        return count

    def go_away(self) -> None:
        """Let nothing through until `come_back`: what both sides send waits, and so does who connects."""
        self._is_there.clear()

    def come_back(self) -> None:
        self._is_there.set()

    def swallow(self) -> int:
        """Let what comes on the present connections vanish for good, and tell neither side; how many.

        So does a router that has forgotten them. New connections are as they should be.
        """
        for connection in self._connections:
            connection.is_swallowed = True
        return len(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._is_there.wait()
        if self.is_down:
            writer.transport.abort()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, to_writer)
        self._connections.append(connection)
        # Python tells of a handler that is cancelled, as these are at the end, as if it had failed.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pass_on(reader, to_writer, connection), self._pass_on(to_reader, writer, connection)
            )
        if connection in self._connections:
            self._connections.remove(connection)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        try:
            while data := await reader.read(65_536):
                await self._is_there.wait()
                if not connection.is_swallowed:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        await self._is_there.wait()
        if not connection.is_swallowed:
            writer.close()
