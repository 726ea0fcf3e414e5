"""Receivers that connect and never read: what they cost the server, and how it gets rid of them."""

from __future__ import annotations

import asyncio
import socket as sockets

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.kernel_queues import unacknowledged

from .processes import PeakMemory
from .service import Service

SMALL_BUFFER = 32 * 1024
"""Bytes that the kernel of a client keeps; the rest is the server's to hold."""

LINES = 3000
"""Enough that the results of a session are more than the kernel takes for a client: 0.5 MB."""

FULL = 100_000
"""Bytes that the server's kernel holds at the least when it takes no more for a reader."""

STILL_S = 3.0
"""So long nothing moves when it is full."""

READS_AGAIN_S = 15.0
"""After its connection is full: the server waits for 10 s, and keeps the reason for another 30."""

SLOW_CONSUMER = 4430

CUT_OFF = 1006
"""What one hears who does not read the close for 30 s either."""

_rng = np.random.default_rng(2)
SECOND = np.concatenate([_rng.uniform(-0.3, 0.3, 3200), np.zeros(12_800)]).astype("<f4").tobytes()
"""A word and a pause, which make a line."""


async def never_read(service: Service, *, readers: int) -> dict[str, float]:
    """Growth of the web process in MiB for each of them, how many were told 4430, and how many cut off."""
    key = "never-read"
    async with connect(service.web.socket(key, "mode=sender"), proxy=None, ping_interval=None) as sender:
        draining = asyncio.create_task(_drain(sender))
        for _ in range(30):
            await sender.send(SECOND)
        await asyncio.sleep(3)
        async with PeakMemory(service.pids["web"]) as memory:
            silent = [await _connect(service, key) for _ in range(readers)]
            reading = [asyncio.create_task(_read_too_late(service, socket)) for socket in silent]
            for _ in range(LINES):
                await sender.send(SECOND)
            codes = await asyncio.gather(*reading)
        await sender.send("close")
        await draining
    return {
        "rss_mib": round(memory.growth_mib / readers, 2),
        "told": codes.count(SLOW_CONSUMER),
        "cut_off": codes.count(CUT_OFF),
    }


async def _connect(service: Service, key: str) -> ClientConnection:
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL_BUFFER)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", service.web.port))
    socket = await connect(
        service.web.socket(key, "mode=receiver&v=2"), proxy=None, sock=raw, max_queue=1, ping_interval=None
    )
    socket.transport.pause_reading()
    return socket


async def _read_too_late(service: Service, socket: ClientConnection) -> int | None:
    """Begin to read when the server has given up; the code that the socket was closed with."""
    port = socket.transport.get_extra_info("sockname")[1]
    before, now = -1, 0
    while before != now or now < FULL:
        await asyncio.sleep(STILL_S)
        before, now = now, unacknowledged(service.web.port, port)
    await asyncio.sleep(READS_AGAIN_S - STILL_S)
    return await _drain(socket)


async def _drain(socket: ClientConnection) -> int | None:
    """Read to the end; the code that the socket was closed with."""
    socket.transport.resume_reading()
    try:
        async for _ in socket:
            pass
    except ConnectionClosed:
        pass
    return socket.close_code
