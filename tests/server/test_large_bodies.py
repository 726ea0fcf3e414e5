"""A request's body that is far too large: it is refused, and costs nobody anything."""

from __future__ import annotations

import contextlib
import socket
import urllib.request

import psutil
import pytest

from tests.support.server import Server

pytestmark = pytest.mark.slow

MIB = 2**20
MAX_GROWTH = 8 * MIB

GIBIBYTE = "POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n"
CHUNKED = "POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"100000\r\n" + bytes(MIB) + b"\r\n"


def memory(server: Server) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


@pytest.mark.parametrize(("head", "part"), [(GIBIBYTE, bytes(MIB)), (CHUNKED, CHUNK)])
def test_a_gibibyte_is_refused_and_takes_no_memory(server: Server, head: str, part: bytes) -> None:
    with urllib.request.urlopen(f"{server.http}/login/") as page:  # noqa: S310 - what a first page loads is there
        page.read()
    before = most = memory(server)
    with socket.create_connection(("127.0.0.1", server.port), 20) as client:
        client.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            for count in range(1024):
                client.sendall(part)
                most = max(most, memory(server)) if count % 16 == 0 else most
        with contextlib.suppress(ConnectionError):
            assert b" 413 " in client.recv(100)
    assert max(most, memory(server)) - before < MAX_GROWTH
