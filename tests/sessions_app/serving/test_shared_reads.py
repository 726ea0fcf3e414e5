"""Sockets that are read together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from sessions_app.serving.shared_reads import BatchedReader


class Peer:
    """Two ends of a connection, and what was read from one of them, by single reads."""

    def __init__(self, most: int = 65_536) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.most = most
        self.reads: list[bytes] = []
        self.has_read = asyncio.Event()

    def read(self) -> None:
        self.reads.append(self.near.recv(self.most))
        self.has_read.set()

    async def next_read(self) -> bytes:
        await asyncio.wait_for(self.has_read.wait(), 10)
        self.has_read.clear()
        return self.reads[-1]


@pytest.fixture
def new_peer() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def new(most: int = 65_536) -> Peer:
        peers.append(Peer(most))
        return peers[-1]

    yield new
    for peer in peers:
        peer.near.close()
        peer.far.close()


async def test_all_that_comes_is_read_in_order(new_peer: Callable[..., Peer]) -> None:
    reading, peer = BatchedReader(), new_peer()
    reading.add(peer.near.fileno(), peer.read)
    for number in range(20):
        peer.far.send(b"%d" % number)
        assert await peer.next_read() == b"%d" % number


async def test_what_comes_after_a_pause_is_read_again(new_peer: Callable[..., Peer]) -> None:
    reading, peer = BatchedReader(), new_peer()
    reading.add(peer.near.fileno(), peer.read)
    for _ in range(2):
        peer.far.send(b"audio")
        assert await peer.next_read() == b"audio"
        while reading._next:  # until it has found nothing
            await asyncio.sleep(0.01)


async def test_sockets_that_have_something_are_read_together(new_peer: Callable[..., Peer]) -> None:
    reading, peers = BatchedReader(), [new_peer() for _ in range(5)]
    for peer in peers:
        reading.add(peer.near.fileno(), peer.read)
        peer.far.send(b"audio")
    await peers[0].next_read()
    assert [peer.reads for peer in peers] == [[b"audio"]] * 5


async def test_a_sender_in_a_hurry_does_not_wait_for_the_pace(
    new_peer: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.pacing.SOCKET_READ_INTERVAL_S", 3600.0)
    reading, peer = BatchedReader(), new_peer(most=10)
    reading.add(peer.near.fileno(), peer.read)
    peer.far.send(b"x" * 1000)
    while sum(map(len, peer.reads)) < 1000:
        await peer.next_read()


async def test_a_socket_that_is_removed_is_not_read(new_peer: Callable[..., Peer]) -> None:
    reading, removed, other = BatchedReader(), new_peer(), new_peer()
    for peer in (removed, other):
        reading.add(peer.near.fileno(), peer.read)
        peer.far.send(b"audio")
    reading.remove(removed.near.fileno())
    reading.remove(removed.near.fileno())
    await other.next_read()
    assert removed.reads == []
    reading.add(removed.near.fileno(), removed.read)
    assert await removed.next_read() == b"audio"


async def test_reading_one_socket_may_remove_another(new_peer: Callable[..., Peer]) -> None:
    reading, peers = BatchedReader(), [new_peer(), new_peer()]

    def read(own: Peer, other: Peer) -> None:
        own.read()
        reading.remove(other.near.fileno())

    first, second = peers
    reading.add(first.near.fileno(), lambda: read(first, second))
    reading.add(second.near.fileno(), lambda: read(second, first))
    first.far.send(b"audio")
    second.far.send(b"audio")
    await asyncio.wait(
        [asyncio.create_task(peer.next_read()) for peer in peers], return_when=asyncio.FIRST_COMPLETED
    )
    assert len(first.reads) + len(second.reads) == 1


async def test_the_end_of_a_connection_is_read_too(new_peer: Callable[..., Peer]) -> None:
    reading, peer = BatchedReader(), new_peer()
    reading.add(peer.near.fileno(), peer.read)
    peer.far.close()
    assert await peer.next_read() == b""
    reading.remove(peer.near.fileno())
