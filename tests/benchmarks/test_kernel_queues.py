"""What the kernel holds for a connection, as the benchmarks see it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from benchmarks.kernel_queues import unacknowledged, unread


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()) as client:
            server, _ = listening.accept()
            with server:
                yield client, server


def test_what_was_not_read_is_counted_at_the_end_that_does_not_read(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    here, there = client.getsockname()[1], server.getsockname()[1]
    assert unread(there, here) == 0
    client.sendall(bytes(1000))
    assert unread(there, here) == 1000
    assert unread(here, there) == 0
    server.recv(400)
    assert unread(there, here) == 600


def test_what_the_other_end_has_no_room_for_waits_at_this_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(bytes(65_536))
    assert unacknowledged(client.getsockname()[1], server.getsockname()[1]) > 0


def test_of_no_connection_there_is_nothing() -> None:
    assert unread(1, 2) == unacknowledged(1, 2) == 0
