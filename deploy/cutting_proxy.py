"""A TCP proxy on loopback that can cut its connections, as networks do."""

from __future__ import annotations

import asyncio
import random
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Stands in front of a server on this machine.

    Args:
        port: The server's.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._connections: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
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
        self.cut()

    def cut(self, most: int | None = None) -> int:
        """End some connections, or all, without a word to either side; how many."""
        count = len(self._connections) if most is None else min(most, len(self._connections))
        for _ in range(count):
            chosen = random.randrange(len(self._connections))  # noqa: S311 - no secret
            for writer in self._connections.pop(chosen):
                writer.transport.abort()
        self.cuts += count
        return count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        connection = writer, to_writer
        self._connections.append(connection)
        await asyncio.gather(self._pass_on(reader, to_writer), self._pass_on(to_reader, writer))
        if connection in self._connections:
            self._connections.remove(connection)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()
