"""Sockets that wait for their clients."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.protocol import CLIENT, OPEN, Protocol

from sessions_app.serving.daphne_server import (  # isort: skip
    MAX_STEPS_A_TURN,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    PatientWebSocket,
    WaitingMessages,
)
from autobahn.twisted.websocket import WebSocketServerFactory
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock

from sessions_app.serving.frame_limits import MAX_SMALL_AT_ONCE, MAX_SMALL_PER_S


async def test_what_is_said_to_a_client_that_left_before_its_socket_was_open_waits_for_nobody() -> None:
    socket = PatientWebSocket()
    await asyncio.wait_for(socket.drained.wait(), 1)


class Transport:
    """Of a client that has gone: whoever writes to it hears of it."""

    producer = None

    def __init__(self) -> None:
        self.is_broken = False

    def fileno(self) -> int:
        return 7

    def pauseProducing(self) -> None:  # noqa: N802
        self.stopReading()

    def resumeProducing(self) -> None:  # noqa: N802
        self.startReading()

    def writeSomeData(self, data: bytes) -> int | Exception:  # noqa: N802
        return ConnectionLost() if self.is_broken else len(data) // 2

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


class Senders:
    """Which sockets are read together."""

    def __init__(self) -> None:
        self.sockets: set[int] = set()

    def add(self, socket: int, read: Any) -> None:
        self.sockets.add(socket)

    def remove(self, socket: int) -> None:
        self.sockets.discard(socket)


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
    socket.server = SimpleNamespace(senders=Senders())
    socket.state = socket.STATE_OPEN
    socket.data, socket.current_frame = b"", None
    socket.expect_audio(is_binary=True, max_message_bytes=None)
    socket.onOpen()
    return socket


async def test_a_client_that_is_gone_is_read_to_the_end_though_it_cannot_be_written_to(
    open_socket: PatientWebSocket,
) -> None:
    assert open_socket.transport.writeSomeData(b"1234") == 2
    open_socket.transport.is_broken = True
    assert open_socket.transport.writeSomeData(b"1234") == 4


async def test_what_comes_after_the_server_began_to_leave_reaches_the_application(
    open_socket: PatientWebSocket,
) -> None:
    open_socket.go_away()
    open_socket.onMessage(b"audio", True)
    first, second = await open_socket.application_queue.get(), await open_socket.application_queue.get()
    assert first["type"] == "websocket.going_away"
    assert second["bytes"] == b"audio"


async def test_a_client_that_answers_no_ping_is_left_to_the_application(
    open_socket: PatientWebSocket,
) -> None:
    open_socket.onAutoPingTimeout()
    assert (await open_socket.application_queue.get())["type"] == "websocket.unanswered"


async def test_one_that_we_do_not_read_may_have_answered(open_socket: PatientWebSocket) -> None:
    for _ in range(MAX_WAITING):
        open_socket.onMessage(b"audio", True)
    open_socket.onAutoPingTimeout()
    assert open_socket.application_queue.qsize() == MAX_WAITING


class TestPushing:
    async def test_what_the_kernel_takes_is_written_at_once_and_the_rest_waits(
        self, open_socket: PatientWebSocket
    ) -> None:
        transport = open_socket.transport
        transport.dataBuffer, transport._tempDataBuffer = b"", []
        waiting: list[bytes] = []
        transport.write = waiting.append
        open_socket.push(b"12345678")
        assert waiting == [b"5678"]

    async def test_nothing_overtakes_what_waits(self, open_socket: PatientWebSocket) -> None:
        transport = open_socket.transport
        transport.dataBuffer, transport._tempDataBuffer = b"", [b"earlier"]
        waiting: list[bytes] = []
        transport.write = waiting.append
        open_socket.push(b"12345678")
        assert waiting == [b"12345678"]

    async def test_only_a_client_that_is_there_and_not_behind_can_be_pushed_to(
        self, open_socket: PatientWebSocket
    ) -> None:
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


class TestReadingSendersTogether:
    def test_who_sends_audio_is_a_sender(self, open_socket: PatientWebSocket) -> None:
        open_socket.onMessage(b"close", False)
        assert not open_socket.server.senders.sockets
        open_socket.onMessage(b"audio", True)
        assert open_socket.server.senders.sockets == {7}

    async def test_a_sender_that_is_ahead_of_the_application_is_left_out(
        self, open_socket: PatientWebSocket
    ) -> None:
        senders = open_socket.server.senders
        for _ in range(MAX_WAITING):
            open_socket.onMessage(b"audio", True)
        assert not senders.sockets
        while open_socket.is_paused:
            await open_socket.application_queue.get()
        assert senders.sockets == {7}

    def test_one_that_is_paused_before_it_sends_audio_stays_so(self, open_socket: PatientWebSocket) -> None:
        for _ in range(MAX_WAITING):
            open_socket.onMessage(b"nothing", False)
        open_socket.onMessage(b"audio", True)
        assert not open_socket.server.senders.sockets

    def test_one_that_is_leaving_is_not_read_again(self, open_socket: PatientWebSocket) -> None:
        open_socket.state = open_socket.STATE_CLOSING
        open_socket.onMessage(b"audio", True)
        assert not open_socket.server.senders.sockets


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The server's clock, which stands still but when it is told."""
    clock = Clock()
    monkeypatch.setattr("sessions_app.serving.daphne_server.reactor", clock)
    return clock


AUDIO = bytes(range(256)) * 50  # as long as a fifth of a second


def frames_of(*messages: bytes, **options: Any) -> bytes:
    """What a client sends."""
    client = Protocol(CLIENT, state=OPEN)
    for message in messages:
        client.send_binary(message, **options)
    return b"".join(client.data_to_send())


def texts_of(*messages: str) -> bytes:
    client = Protocol(CLIENT, state=OPEN)
    for message in messages:
        client.send_text(message.encode())
    return b"".join(client.data_to_send())


@pytest.fixture
def connected() -> PatientWebSocket:
    """A socket behind its handshake, whose transport takes what it says to the client."""
    untyped: Any = WebSocketServerFactory
    factory = untyped()
    factory.setProtocolOptions(openHandshakeTimeout=0)
    socket = PatientWebSocket()
    socket.factory = factory
    socket.transport = Transport()
    socket.client_addr = None
    socket.muted = False
    socket._connectionMade()
    socket.state, socket.websocket_version = socket.STATE_OPEN, 13
    socket.inside_message, socket.current_frame = False, None
    socket.server = SimpleNamespace(senders=Senders())
    socket.application_queue = WaitingMessages(socket)
    socket.expect_audio(is_binary=True, max_message_bytes=None)
    return socket


def taken(socket: PatientWebSocket) -> list[bytes | str]:
    queue = socket.application_queue
    messages = [queue.get_nowait() for _ in range(queue.qsize())]
    return [message["bytes"] if "bytes" in message else message["text"] for message in messages]


class TestFrames:
    """However TCP cuts what a client sends, the application gets its messages."""

    def test_one_at_a_time(self, connected: PatientWebSocket) -> None:
        for _ in range(3):
            connected.dataReceived(frames_of(AUDIO))
        assert taken(connected) == [AUDIO] * 3

    @given(st.lists(st.integers(1, 12_000), max_size=12))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_cut_anywhere(self, connected: PatientWebSocket, lengths: list[int]) -> None:
        data = frames_of(AUDIO, b"", AUDIO[:500], AUDIO[:127], AUDIO)
        for length in lengths:
            connected.dataReceived(data[:length])
            data = data[length:]
        connected.dataReceived(data)
        assert taken(connected) == [AUDIO, b"", AUDIO[:500], AUDIO[:127], AUDIO]

    def test_a_whole_frame_in_the_middle_of_another_is_not_taken_for_one(
        self, connected: PatientWebSocket
    ) -> None:
        inner = frames_of(AUDIO)
        client = Protocol(CLIENT, state=OPEN)
        with mock.patch("websockets.frames.secrets.token_bytes", return_value=b"\0\0\0\0"):
            client.send_binary(b"before" + inner + b"after")
        outer = b"".join(client.data_to_send())
        at = outer.index(inner)
        for part in (outer[:at], inner, outer[at + len(inner) :]):
            connected.dataReceived(part)
        assert taken(connected) == [b"before" + inner + b"after"]

    def test_a_message_in_several_frames_may_have_others_between_them(
        self, connected: PatientWebSocket
    ) -> None:
        client = Protocol(CLIENT, state=OPEN)
        client.send_binary(AUDIO[:400], fin=False)
        client.send_ping(b"still there?")
        client.send_continuation(AUDIO[400:], fin=True)
        for data in client.data_to_send():
            connected.dataReceived(data)
        assert taken(connected) == [AUDIO]

    def test_audio_answers_a_ping(self, connected: PatientWebSocket, monkeypatch: pytest.MonkeyPatch) -> None:
        timeout = mock.Mock()
        monkeypatch.setattr(connected, "autoPingTimeoutCall", timeout)
        connected.dataReceived(frames_of(AUDIO))
        assert taken(connected) == [AUDIO]
        assert connected.autoPingTimeoutCall is None
        timeout.cancel.assert_called_once()


class TestAudioOfADialect:
    """Its dialect says what is audio of a client; the rest takes the long way, and arrives as well."""

    def test_samples_need_not_have_four_bytes(self, connected: PatientWebSocket) -> None:
        connected.dataReceived(frames_of(AUDIO[:803]))
        assert taken(connected) == [AUDIO[:803]]

    def test_audio_may_be_text(self, connected: PatientWebSocket, monkeypatch: pytest.MonkeyPatch) -> None:
        connected.expect_audio(is_binary=False, max_message_bytes=None)
        monkeypatch.setattr(WebSocketProtocol, "dataReceived", lambda self, data: pytest.fail("the long way"))
        connected.dataReceived(texts_of("A" * 17_000))
        assert taken(connected) == ["A" * 17_000]
        assert connected.server.senders.sockets == {7}

    def test_binary_messages_of_such_a_client_arrive_and_are_no_audio(
        self, connected: PatientWebSocket
    ) -> None:
        connected.expect_audio(is_binary=False, max_message_bytes=None)
        connected.dataReceived(frames_of(AUDIO))
        assert taken(connected) == [AUDIO]
        assert not connected.server.senders.sockets

    @pytest.mark.parametrize("text", ["字" * 300, "x" * 300, ""])
    def test_texts_of_a_client_with_binary_audio_arrive(self, connected: PatientWebSocket, text: str) -> None:
        connected.dataReceived(texts_of(text))
        assert taken(connected) == [text]

    def test_who_is_not_known_to_send_audio_is_read_alone(self, connected: PatientWebSocket) -> None:
        connected.audio_is_binary = None
        connected.dataReceived(frames_of(AUDIO))
        assert taken(connected) == [AUDIO]
        assert not connected.server.senders.sockets

    @pytest.mark.parametrize("limit", [None, 3000])
    def test_messages_may_be_as_large_as_it_says(
        self, connected: PatientWebSocket, monkeypatch: pytest.MonkeyPatch, limit: int | None
    ) -> None:
        connected.maxMessagePayloadSize = connected.maxFramePayloadSize = 1000
        monkeypatch.setattr(connected, "dropConnection", lambda abort: pytest.fail("a close without a word"))
        connected.expect_audio(is_binary=True, max_message_bytes=limit)
        data = frames_of(AUDIO[:2000])
        connected.dataReceived(data[:900])
        connected.dataReceived(data[900:])
        queue = connected.application_queue
        [message] = [queue.get_nowait() for _ in range(queue.qsize())]
        if limit:
            assert message["bytes"] == AUDIO[:2000]
        else:
            assert message == {"type": "websocket.oversized", "length": 2000, "limit": 1000}


class TestSmallFrames:
    """Each costs as much as a large one; thousands of them come in one read."""

    async def test_of_one_read_no_more_is_taken_than_the_application_waits_for(
        self, connected: PatientWebSocket
    ) -> None:
        connected.dataReceived(texts_of(*"x" * 9000))
        assert connected.application_queue.qsize() == MAX_WAITING
        assert connected.is_paused

    async def test_the_rest_comes_in_order_as_the_application_takes_it(
        self, connected: PatientWebSocket, clock: Clock
    ) -> None:
        texts = [str(number) for number in range(900)]
        connected.dataReceived(texts_of(*texts))
        found: list[str] = []
        while len(found) < len(texts):
            found.append((await asyncio.wait_for(connected.application_queue.get(), 1))["text"])
            clock.advance(0)
        assert found == texts
        assert not connected.is_paused

    async def test_others_have_a_turn_before_many_pieces_of_a_message_are_read(
        self, connected: PatientWebSocket, clock: Clock
    ) -> None:
        client = Protocol(CLIENT, state=OPEN)
        client.send_text(b"", fin=False)
        for _ in range(500):
            client.send_continuation(b"", fin=False)
        client.send_continuation(b"x", fin=True)
        connected.dataReceived(b"".join(client.data_to_send()))
        assert connected.is_paused
        assert len(connected.data) == (502 - MAX_STEPS_A_TURN // 2) * 6 + 1
        clock.advance(0)
        assert not connected.is_paused
        assert taken(connected) == ["x"]

    async def test_more_than_anybody_speaks_in_is_read_at_a_bearable_pace(
        self, connected: PatientWebSocket, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.serving.daphne_server.time.monotonic", clock.seconds)
        connected.dataReceived(texts_of(*"x" * 4000))
        count = 0
        for _ in range(100):
            while connected.application_queue.qsize():
                await connected.application_queue.get()
                count += 1
                clock.advance(0)
            clock.advance(0.1)
        assert count == pytest.approx(MAX_SMALL_AT_ONCE + 10 * MAX_SMALL_PER_S, rel=0.1)


class TestPings:
    async def test_a_flood_of_them_is_told_to_the_application_once_and_read_no_more(
        self, connected: PatientWebSocket, clock: Clock
    ) -> None:
        client = Protocol(CLIENT, state=OPEN)
        for _ in range(3000):
            client.send_ping(b"")
        client.send_text(b"behind them")
        connected.dataReceived(b"".join(client.data_to_send()))
        for _ in range(100):
            clock.advance(0.01)
        assert connected.is_paused
        queue = connected.application_queue
        assert [queue.get_nowait()["type"] for _ in range(queue.qsize())] == ["websocket.flooding"]

    async def test_those_of_a_client_that_wants_to_know_are_answered(
        self, connected: PatientWebSocket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answered: list[bytes] = []
        monkeypatch.setattr(connected, "sendPong", answered.append)
        client = Protocol(CLIENT, state=OPEN)
        for number in range(20):
            client.send_ping(b"%d" % number)
        connected.dataReceived(b"".join(client.data_to_send()))
        assert len(answered) == 20


class TestWaiting:
    async def test_a_few_large_messages_are_as_much_as_many_small_ones(
        self, open_socket: PatientWebSocket
    ) -> None:
        for _ in range(4):
            open_socket.onMessage(bytes(MAX_WAITING_BYTES // 4 - 1), True)
        assert not open_socket.is_paused
        open_socket.onMessage(b"more", True)
        assert open_socket.is_paused
        while open_socket.application_queue.qsize() > 2:
            await open_socket.application_queue.get()
            assert open_socket.is_paused
        await open_socket.application_queue.get()
        assert not open_socket.is_paused

    async def test_texts_count_by_their_length(self, open_socket: PatientWebSocket) -> None:
        open_socket.onMessage(b"x" * MAX_WAITING_BYTES, False)
        assert open_socket.is_paused
        await open_socket.application_queue.get()
        assert not open_socket.is_paused

    async def test_what_is_told_besides_messages_weighs_nothing(self, open_socket: PatientWebSocket) -> None:
        for _ in range(MAX_WAITING - 1):
            open_socket.application_queue.put_nowait({"type": "websocket.unanswered"})
        assert not open_socket.application_queue.is_full
