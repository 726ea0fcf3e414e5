"""Receivers of webhooks in this process: they answer as they are told, and remember what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receiver:
    """A server on loopback.

    Attributes:
        answer: What it says to each request, whatever that is; None to say nothing and hang.
    """

    answer: Callable[[], bytes | None] = lambda: OK
    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b"

    @property
    def messages(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (row.partition(": ") for row in head[1:] if row)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((headers | {"": head[0]}, body))
            if (answer := self.answer()) is None:
                await reader.read()  # until the other end has had enough
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if self.answer() is None else writer.close()


@asynccontextmanager
async def receiving(answer: Callable[[], bytes | None] = lambda: OK) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def status(code: int, text: str = "") -> bytes:
    return f"HTTP/1.1 {code} X\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode()
