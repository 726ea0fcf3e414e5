"""Sockets that wait for their clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessions_app.server import MOST_WAITING, PatientWebSocket, WaitingMessages  # isort: skip
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.error import ConnectionLost


async def test_what_is_said_to_a_client_that_left_before_its_socket_was_open_waits_for_nobody():
    socket = PatientWebSocket()
    await asyncio.wait_for(socket.drained.wait(), 1)


class Transport:
    """Of a client that has gone: whoever writes to it hears of it."""

    def __init__(self) -> None:
        self.is_broken = False

    def writeSomeData(self, data: bytes) -> int | Exception:  # noqa: N802
        return ConnectionLost() if self.is_broken else len(data) // 2

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


class Handle:
    def setsockopt(self, *arguments: int) -> None:
        pass


@pytest.fixture
def open_socket(monkeypatch: pytest.MonkeyPatch) -> PatientWebSocket:
    monkeypatch.setattr(WebSocketProtocol, "onOpen", lambda self: None)
    socket = PatientWebSocket()
    socket.transport = Transport()
    socket.transport.getHandle = Handle
    socket.application_queue = WaitingMessages(socket)
    socket.client_addr = None
    socket.onOpen()
    return socket


async def test_a_client_that_is_gone_is_read_to_the_end_though_it_cannot_be_written_to(
    open_socket: PatientWebSocket,
):
    assert open_socket.transport.writeSomeData(b"1234") == 2
    open_socket.transport.is_broken = True
    assert open_socket.transport.writeSomeData(b"1234") == 4


async def test_what_comes_after_the_server_began_to_leave_reaches_the_application(
    open_socket: PatientWebSocket,
):
    open_socket.go_away()
    open_socket.onMessage(b"audio", True)
    first, second = await open_socket.application_queue.get(), await open_socket.application_queue.get()
    assert first["type"] == "websocket.going_away"
    assert second["bytes"] == b"audio"


async def test_a_client_that_answers_no_ping_is_left_to_the_application(open_socket: PatientWebSocket):
    open_socket.onAutoPingTimeout()
    assert (await open_socket.application_queue.get())["type"] == "websocket.unanswered"


async def test_one_that_we_do_not_read_may_have_answered(open_socket: PatientWebSocket):
    for _ in range(MOST_WAITING):
        open_socket.onMessage(b"audio", True)
    open_socket.onAutoPingTimeout()
    assert open_socket.application_queue.qsize() == MOST_WAITING


class TestPushing:
    async def test_what_the_kernel_takes_is_written_at_once_and_the_rest_waits(
        self, open_socket: PatientWebSocket
    ):
        transport = open_socket.transport
        transport.dataBuffer, transport._tempDataBuffer = b"", []
        waiting: list[bytes] = []
        transport.write = waiting.append
        open_socket.push(b"12345678")
        assert waiting == [b"5678"]

    async def test_nothing_overtakes_what_waits(self, open_socket: PatientWebSocket):
        transport = open_socket.transport
        transport.dataBuffer, transport._tempDataBuffer = b"", [b"earlier"]
        waiting: list[bytes] = []
        transport.write = waiting.append
        open_socket.push(b"12345678")
        assert waiting == [b"12345678"]

    async def test_only_a_client_that_is_there_and_not_behind_can_be_pushed_to(
        self, open_socket: PatientWebSocket
    ):
        open_socket.state = open_socket.STATE_CONNECTING
        assert not open_socket.can_push
        open_socket.state = open_socket.STATE_OPEN
        assert open_socket.can_push
        open_socket.pauseProducing()
        assert not open_socket.can_push
        open_socket.resumeProducing()
        assert open_socket.can_push
        open_socket.state = open_socket.STATE_CLOSING
        assert not open_socket.can_push
