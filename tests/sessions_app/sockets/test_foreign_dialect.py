"""A dialect that is not ours: its first message configures, its audio is 16-bit, its words are its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from asgiref.testing import ApplicationCommunicator

from sessions_app.sockets import consumers, fanout, sender
from sessions_app.sockets.consumers import SessionConsumer
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.dialects import Audio, Capabilities, Command, Handshake, Join, Refusal
from sessions_app.wire.protocol import (
    Close,
    ErrorCode,
    Flush,
    Flushed,
    JoinRequest,
    Line,
    Message,
    Mode,
    ProtocolError,
    SpeakerRef,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Foreign:
    subprotocol: str | None = None

    def open(self, handshake: Handshake) -> Sequence[Command]:
        self.subprotocol = "binary" if "binary" in handshake.subprotocols else None
        return []

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return [Audio((np.frombuffer(data, "<i2") / np.float32(32768)).tobytes())]
        message = json.loads(text or "{}")
        match message.get("type"):
            case "begin":
                request = JoinRequest(message["name"], Mode.SENDER)
                return [Join(request, Capabilities(wants_end=True))]
            case "Finalize":
                return [Flush()]
            case "CloseStream":
                return [Close()]
        raise ProtocolError(ErrorCode.BAD_COMMAND, f"what is {message}?")

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Line(text=text):
                return [json.dumps({"transcript": text})]
            case Flushed(position):
                return [json.dumps({"from_finalize": position})]
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        return Refusal([json.dumps({"Error": error.code.code})], 1011 if error.code.close else None)


@pytest.fixture
async def transport(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryTransport]:
    settings.ACCESS = "open"
    transport = MemoryTransport()
    for module in (consumers, sender):
        monkeypatch.setattr(module, "get_transport", lambda: transport)
    yield transport
    await fanout.get_fanout().aclose()


async def connect() -> ApplicationCommunicator:
    scope = {
        "type": "websocket",
        "path": "/foreign",
        "query_string": b"",
        "headers": [],
        "subprotocols": ["binary"],
        "client": ["127.0.0.1", 1],
        "url_route": {"args": (), "kwargs": {}},
    }
    application: Any = SessionConsumer.as_asgi(dialect=Foreign)
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    accepted = await socket.receive_output(10)
    assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", "binary")
    return socket


async def disconnect(socket: ApplicationCommunicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(10)


async def say(socket: ApplicationCommunicator, kind: str, **more: Any) -> None:
    text = json.dumps({"type": kind, **more})
    await socket.send_input({"type": "websocket.receive", "text": text})


async def told(socket: ApplicationCommunicator) -> Any:
    return json.loads((await socket.receive_output(10))["text"])


async def test_its_audio_and_its_commands_reach_the_log_and_it_hears_in_its_words(transport: MemoryTransport):
    socket = await connect()
    await say(socket, "begin", name="foreign-1")
    await socket.send_input({"type": "websocket.receive", "bytes": np.full(1600, 8192, "<i2").tobytes()})
    await say(socket, "Finalize")
    session = await transport.take()
    chunk = await transport.read(session, 0, timeout_s=5)
    while not chunk.is_flush:
        chunk = await transport.read(session, 0, timeout_s=5)
    np.testing.assert_array_equal(np.frombuffer(chunk.audio, "<f4"), np.full(1600, 0.25, np.float32))

    followed = fanout.get_fanout()._followed["foreign-1"]
    followed.feed.receive_line(Line(1, 1, 0, 100, "你好。", SpeakerRef()))
    followed.feed.receive_progress(received=1600, durable=1600, last_seq=1)
    followed.tell()
    assert await told(socket) == {"transcript": "你好。"}
    assert await told(socket) == {"from_finalize": 1600}

    await say(socket, "CloseStream")
    async with asyncio.timeout(5):
        while not (await transport.read(session, 1600, timeout_s=1, after_flush=True)).is_end:
            pass
    await disconnect(socket)


async def test_an_error_is_in_its_words_and_a_wrong_first_message_leaves_it_open(transport: MemoryTransport):
    socket = await connect()
    await say(socket, "nonsense")
    assert await told(socket) == {"Error": "bad_command"}
    await say(socket, "begin", name="foreign-1")
    await say(socket, "nonsense")
    assert await told(socket) == {"Error": "bad_command"}
    await disconnect(socket)


async def test_who_says_nothing_for_long_is_disconnected(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(consumers, "FIRST_MESSAGE_S", 0.2)
    socket = await connect()
    assert await told(socket) == {"Error": "idle_timeout"}
    assert (await socket.receive_output(10))["code"] == 1011
    await disconnect(socket)


async def test_who_sends_much_before_it_says_what_it_wants_is_too(transport: MemoryTransport):
    socket = await connect()
    for _ in range(3):
        await socket.send_input({"type": "websocket.receive", "bytes": bytes(30_000)})
    assert await told(socket) == {"Error": "frame_too_large"}
    assert (await socket.receive_output(10))["code"] == 1011
    await disconnect(socket)
