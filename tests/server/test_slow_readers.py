"""A receiver that does not read is disconnected, and told why when it reads again."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from benchmarks.kernel_queues import unacknowledged
from tests.support.clients import Told, listen, new_id, open_socket
from tests.support.server import Server

pytestmark = pytest.mark.slow

SMALL_BUFFER = 32 * 1024
"""Bytes that the kernel of a client keeps; the rest is the server's to hold."""

LINES = 3000

PATIENCE_S = 1.0

HISTORY = f"""
session = Session.objects.create(key=%r, state="live", last_seq={LINES})
Utterance.objects.bulk_create(
    Utterance(session=session, seq=seq, start=seq, end=seq + 1, text="字" * 100)
    for seq in range(1, {LINES} + 1)
)
"""
"""Two megabytes on the wire: more than kernels take for a client."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Long enough that the session, which has no sender, is not ended meanwhile.
    folder = tmp_path_factory.mktemp("slow")
    with Server(folder, ASR_SLOW_READER_S=str(PATIENCE_S), ASR_SENDER_RETURN_S="600") as running:
        yield running


@pytest.fixture(scope="module")
def session(server: Server) -> str:
    """One with a long history."""
    key = new_id()
    server.shell(HISTORY % key)
    return key


async def connect(server: Server, session: str, query: str) -> ClientConnection:
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL_BUFFER)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", server.port))
    return await open_socket(server, session, query, sock=raw, max_queue=1, ping_interval=None)


async def stops_reading(socket: ClientConnection, server: Server) -> None:
    """Until the server has long given it up: nothing moves, and what it waits for has passed."""
    socket.transport.pause_reading()
    port = socket.transport.get_extra_info("sockname")[1]
    before, now = -1, 0
    while before != now or not now:
        await asyncio.sleep(PATIENCE_S)
        before, now = now, unacknowledged(server.port, port)
    await asyncio.sleep(3 * PATIENCE_S)


async def reads_again(socket: ClientConnection) -> Told:
    socket.transport.resume_reading()
    return await asyncio.wait_for(listen(socket), 60)


@pytest.mark.parametrize("query", ["mode=receiver", "mode=receiver&v=2"])
async def test_it_finds_out_why_and_can_go_on_where_it_was(server: Server, session: str, query: str) -> None:
    async with await connect(server, session, query) as socket:
        await stops_reading(socket, server)
        told = await reads_again(socket)
    assert told.errors == ["slow_consumer"]
    assert told.close_code == 4430
    assert told.seqs == list(range(1, len(told.seqs) + 1))
    assert len(told.seqs) < LINES

    since = f"{query}&since={len(told.seqs)}"
    async with await open_socket(server, session, since, ping_interval=None) as socket:
        rest: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not rest or rest[-1].get("seq") != LINES:
                message = json.loads(await socket.recv())
                rest += [message] if "seq" in message else []
    assert [message["seq"] for message in rest] == list(range(len(told.seqs) + 1, LINES + 1))


async def test_one_that_reads_slowly_is_not_disconnected(server: Server, session: str) -> None:
    async with await connect(server, session, "mode=receiver") as socket:
        seqs = []
        for number in range(300):
            seqs.append(json.loads(await socket.recv())["seq"])
            if number % 100 == 0:
                await asyncio.sleep(PATIENCE_S / 4)
        assert seqs == list(range(1, 301))
        assert socket.close_code is None
