"""Networks that lose connections: with a word, and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.cutting_proxy import CuttingProxy


@pytest.fixture
async def proxy() -> AsyncIterator[CuttingProxy]:
    """In front of a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with CuttingProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


class Client:
    async def connect(self, proxy: CuttingProxy) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        return self

    async def hears(self, text: bytes, *, within_s: float = 5.0) -> bool:
        try:
            async with asyncio.timeout(within_s):
                return await self.reader.readexactly(len(text)) == text
        except TimeoutError:
            return False


async def test_a_network_that_is_away_delivers_everything_when_it_is_back(proxy: CuttingProxy) -> None:
    client = await Client().connect(proxy)
    client.writer.write(b"one")
    assert await client.hears(b"one")
    proxy.go_away()
    client.writer.write(b"two")
    late = await Client().connect(proxy)
    late.writer.write(b"late")
    assert not await client.hears(b"two", within_s=0.1)
    assert not await late.hears(b"late", within_s=0.1)
    proxy.come_back()
    assert await client.hears(b"two")
    assert await late.hears(b"late")


async def test_what_is_swallowed_never_comes_and_neither_side_is_told(proxy: CuttingProxy) -> None:
    client = await Client().connect(proxy)
    client.writer.write(b"one")
    assert await client.hears(b"one")
    assert proxy.swallow() == 1
    client.writer.write(b"two")
    assert not await client.hears(b"two", within_s=0.1)
    assert not client.reader.at_eof()
    other = await Client().connect(proxy)
    other.writer.write(b"other")
    assert await other.hears(b"other")


async def test_a_cut_is_noticed_at_once(proxy: CuttingProxy) -> None:
    client = await Client().connect(proxy)
    client.writer.write(b"one")
    assert await client.hears(b"one")
    assert proxy.cut() == 1
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.hears(b"x")
