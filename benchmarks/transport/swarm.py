"""Very many receivers in one process, as cheap as can be: they note when lines come, and little else.

    python -m benchmarks.transport.swarm PORT PATH COUNT

Reads commands from standard input, answers in JSON on standard output, one line each.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

SEQ = re.compile(rb'"seq": (\d+), "start_ms"')

AT_ONCE = 50
"""Connections that are being made; a browser's user is not alone either, but they come one by one."""

PAUSE_S = (0.25, 1.0)


class Receiver(asyncio.Protocol):
    """One socket of version 1. Server frames are not masked, so a line can be found where it stands."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._tail = b""
        self.is_open = asyncio.get_running_loop().create_future()
        self.seqs: list[int] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(REQUEST.format(path=self._swarm.path, port=self._swarm.port).encode())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if not self.is_open.done():
            self.is_open.set_result(data.startswith(b"HTTP/1.1 101"))
        data = self._tail + data
        end = 0
        for found in SEQ.finditer(data):
            seq, end = int(found[1]), found.end()
            self.seqs.append(seq)
            self._swarm.heard[seq] = now  # the last one counts
        self._tail = data[max(end, len(data) - 40) :]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_open.done():
            self.is_open.set_result(False)
        self._swarm.lose(self)


class Swarm:
    """Receivers that come back when they are disconnected."""

    def __init__(self, port: int, path: str, count: int) -> None:
        self.port, self.path = port, path
        self.heard: dict[int, float] = {}
        """When the last receiver had a line."""

        self.connected: set[Receiver] = set()
        self.first_at = self.full_at = 0.0
        """When the first came, and when all were there, after there was none."""

        self._count = count
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def gather(self) -> None:
        for _ in range(self._count):
            self._spawn_one(0.0)

    def lose(self, receiver: Receiver) -> None:
        if receiver in self.connected:
            self.connected.discard(receiver)
            self._spawn_one(random.uniform(*PAUSE_S))

    def _spawn_one(self, after_s: float) -> None:
        task = asyncio.create_task(self._connect(after_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with self._gate:
                    _, receiver = await loop.create_connection(lambda: Receiver(self), "127.0.0.1", self.port)
                    if await receiver.is_open:
                        break
            except OSError:
                pass
            await asyncio.sleep(random.uniform(*PAUSE_S))
        if not self.connected:
            self.first_at = time.monotonic()
        self.connected.add(receiver)
        if len(self.connected) == self._count:
            self.full_at = time.monotonic()

    def report(self) -> dict[str, object]:
        return {
            "connected": len(self.connected),
            "first_at": self.first_at,
            "full_at": self.full_at,
            "heard": self.heard,
            "counts": [len(receiver.seqs) for receiver in self.connected],
            "in_order": all(receiver.seqs == sorted(set(receiver.seqs)) for receiver in self.connected),
        }


async def main(port: int, path: str, count: int) -> None:
    swarm = Swarm(port, path, count)
    swarm.gather()
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(swarm.report()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
