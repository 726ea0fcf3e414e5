"""A dialect that is not ours, at a socket: its audio reaches the log as ours, and it hears in its words."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from sessions_app.models import AccessToken, Session
from sessions_app.serving.frames import PUSH
from sessions_app.sockets import consumers, fanout, rights_watch
from sessions_app.sockets.consumers import SessionConsumer
from sessions_app.transport.interface import SAMPLE_BYTES
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.audio_frames import MAX_FRAME_BYTES
from sessions_app.wire.protocol import Line, SpeakerRef
from tests.sessions_app.sockets.reaching import reaching
from tests.support.communicator import Communicator
from tests.support.foreign_dialect import Foreign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def transport(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryTransport]:
    async with reaching(MemoryTransport(), settings, monkeypatch) as transport:
        yield transport


async def connect(**more: Any) -> Communicator:
    scope = {
        "type": "websocket",
        "path": "/foreign",
        "query_string": b"",
        "headers": [],
        "subprotocols": ["binary"],
        "client": ["127.0.0.1", 1],
        "url_route": {"args": (), "kwargs": {}},
        **more,
    }
    application: Any = SessionConsumer.as_asgi(dialect=Foreign)
    socket = Communicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    accepted = await socket.receive_output(10)
    assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", "binary")
    return socket


async def disconnect(socket: Communicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(10)


async def say(socket: Communicator, kind: str, **more: Any) -> None:
    text = json.dumps({"type": kind, **more})
    await socket.send_input({"type": "websocket.receive", "text": text})


async def told(socket: Communicator) -> Any:
    return json.loads((await socket.receive_output(10))["text"])


async def test_its_audio_and_its_commands_reach_the_log_and_it_hears_in_its_words(
    transport: MemoryTransport,
) -> None:
    socket = await connect()
    await say(socket, "begin", name="foreign-1")
    await socket.send_input({"type": "websocket.receive", "bytes": np.full(1600, 8192, "<i2").tobytes()})
    await say(socket, "Finalize")
    assert await told(socket) == {"request_id": "foreign-1"}
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


async def test_an_error_is_in_its_words_and_a_wrong_first_message_leaves_it_open(
    transport: MemoryTransport,
) -> None:
    socket = await connect()
    await say(socket, "nonsense")
    assert await told(socket) == {"Error": "bad_command"}
    await say(socket, "begin", name="foreign-1")
    assert await told(socket) == {"request_id": "foreign-1"}
    await say(socket, "nonsense")
    assert await told(socket) == {"Error": "bad_command"}
    await disconnect(socket)


async def test_who_says_nothing_for_long_is_disconnected(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "FIRST_MESSAGE_S", 0.2)
    socket = await connect()
    assert await told(socket) == {"Error": "idle_timeout"}
    assert (await socket.receive_output(10))["code"] == 1011
    await disconnect(socket)


async def test_who_sends_much_before_it_says_what_it_wants_is_too(transport: MemoryTransport) -> None:
    socket = await connect()
    for _ in range(3):
        await socket.send_input({"type": "websocket.receive", "bytes": bytes(30_000)})
    assert await told(socket) == {"Error": "frame_too_large"}
    assert (await socket.receive_output(10))["code"] == 1011
    await disconnect(socket)


async def begun(transport: MemoryTransport, **wishes: Any) -> tuple[Communicator, int]:
    """A sender that has been let in, and its session."""
    socket = await connect()
    await say(socket, "begin", name="foreign-1", **wishes)
    assert await told(socket) == {"request_id": "foreign-1"}
    return socket, await transport.take()


async def heard(transport: MemoryTransport, session_pk: int, length: int = 0) -> np.ndarray:
    """The audio in the log up to the first flush, or when it has this length; a worker frees the sender."""
    parts: list[np.ndarray] = []
    position = 0
    async with asyncio.timeout(10):
        while True:
            chunk = await transport.read(session_pk, position, timeout_s=1)
            parts.append(np.frombuffer(chunk.audio, "<f4"))
            position = chunk.end
            await transport.report(session_pk, processed=position, durable=position)
            if chunk.is_flush or (length and position >= length):
                return np.concatenate(parts)


def tone(rate: int, seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


class TestAudio:
    async def test_telephone_audio_in_odd_pieces_is_in_the_log_at_our_rate_before_a_flush(
        self, transport: MemoryTransport
    ) -> None:
        socket, session_pk = await begun(transport, rate=8_000)
        data = np.rint(tone(8_000, 0.5) * 32767).astype("<i2").tobytes()
        for start in range(0, len(data), 1601):
            await socket.send_input({"type": "websocket.receive", "bytes": data[start : start + 1601]})
        await say(socket, "Finalize")
        audio = await heard(transport, session_pk)
        assert abs(len(audio) - 8_000) <= 1
        np.testing.assert_allclose(audio[800:7200], tone(16_000, 0.5)[800:7200], atol=2e-3)
        await disconnect(socket)

    async def test_what_resampling_holds_back_is_in_the_log_before_the_end(
        self, transport: MemoryTransport
    ) -> None:
        socket, session_pk = await begun(transport, rate=48_000, encoding="s24be")
        data = b"".join(int(value * 2**23).to_bytes(3, "big", signed=True) for value in tone(48_000, 0.25))
        await socket.send_input({"type": "websocket.receive", "bytes": data})
        await say(socket, "CloseStream")
        assert abs(len(await heard(transport, session_pk, 3_999)) - 4_000) <= 1
        await disconnect(socket)

    async def test_neither_is_it_lost_with_the_connection(self, transport: MemoryTransport) -> None:
        socket, session_pk = await begun(transport, rate=8_000)
        data = np.rint(tone(8_000, 0.25) * 32767).astype("<i2").tobytes()
        await socket.send_input({"type": "websocket.receive", "bytes": data})
        await disconnect(socket)
        assert abs(len(await heard(transport, session_pk, 3_999)) - 4_000) <= 1

    async def test_audio_may_be_base64_in_texts(self, transport: MemoryTransport) -> None:
        socket, session_pk = await begun(transport, text=True)
        audio = np.arange(-800, 800, dtype="<i2")
        await say(socket, "audio", data=base64.b64encode(audio.tobytes()).decode())
        await say(socket, "Finalize")
        np.testing.assert_array_equal(await heard(transport, session_pk), audio / np.float32(32768))
        await disconnect(socket)

    async def test_a_large_message_is_cut_for_the_log_and_nothing_is_missing(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lengths: list[int] = []
        append = transport.append

        async def noted(session_pk: int, sender: str, audio: bytes) -> int:
            lengths.append(len(audio))
            return await append(session_pk, sender, audio)

        monkeypatch.setattr(transport, "append", noted)
        socket, session_pk = await begun(transport)
        audio = np.random.default_rng(0).integers(-30_000, 30_000, 400_000).astype("<i2")
        await socket.send_input({"type": "websocket.receive", "bytes": audio.tobytes()})
        found = await heard(transport, session_pk, len(audio))
        np.testing.assert_array_equal(found, audio / np.float32(32768))
        assert max(lengths) == MAX_FRAME_BYTES
        assert sum(lengths) == SAMPLE_BYTES * len(audio)
        await disconnect(socket)

    async def test_a_format_that_is_none_is_refused(self, transport: MemoryTransport) -> None:
        socket = await connect()
        await say(socket, "begin", name="foreign-1", encoding="opus")
        assert await told(socket) == {"Error": "bad_parameter"}
        assert not await asyncio.to_thread(Session.objects.exists)
        await disconnect(socket)


class TestFirstMessage:
    async def test_a_sender_that_names_no_session_is_given_one_of_its_own(
        self, transport: MemoryTransport
    ) -> None:
        sockets = [await connect(), await connect()]
        for socket in sockets:
            await say(socket, "begin")
        keys = [(await told(socket))["request_id"] for socket in sockets]
        known = await asyncio.to_thread(lambda: set(Session.objects.values_list("key", flat=True)))
        assert known == {*keys}
        assert [len(key) for key in keys] == [32, 32]
        for socket in sockets:
            await disconnect(socket)

    async def test_a_receiver_must_name_one(self, transport: MemoryTransport) -> None:
        socket = await connect()
        await say(socket, "begin", mode="receiver")
        assert await told(socket) == {"Error": "bad_session_id"}
        assert (await socket.receive_output(10))["code"] == 1011
        await disconnect(socket)

    @pytest.mark.parametrize("name", ["a b", "x" * 65, ".."])
    async def test_a_name_that_can_be_none_is_refused(self, transport: MemoryTransport, name: str) -> None:
        socket = await connect()
        await say(socket, "begin", name=name)
        assert await told(socket) == {"Error": "bad_session_id"}
        assert not await asyncio.to_thread(Session.objects.exists)
        await disconnect(socket)

    async def test_it_brings_the_token(self, transport: MemoryTransport, settings: Any) -> None:
        settings.ACCESS = "token"
        _, secret = await asyncio.to_thread(AccessToken.issue, name="robot", role="sender")
        socket = await connect()
        await say(socket, "begin", name="foreign-1", token=secret)
        assert await told(socket) == {"request_id": "foreign-1"}
        await disconnect(socket)

    async def test_without_one_nobody_is_let_in_and_no_session_begins(
        self, transport: MemoryTransport, settings: Any
    ) -> None:
        settings.ACCESS = "token"
        socket = await connect()
        await say(socket, "begin", name="foreign-1")
        assert await told(socket) == {"Error": "unauthorized"}
        assert (await socket.receive_output(10))["code"] == 1011
        await socket.send_input({"type": "websocket.receive", "bytes": bytes(3200)})
        assert await socket.receive_nothing(0.1)
        assert not await asyncio.to_thread(Session.objects.exists)
        await disconnect(socket)

    async def test_a_token_for_another_session_does_not_begin_a_new_one(
        self, transport: MemoryTransport, settings: Any
    ) -> None:
        settings.ACCESS = "token"
        _, secret = await asyncio.to_thread(
            AccessToken.issue, name="robot", role="sender", session_key="foreign-2"
        )
        socket = await connect()
        await say(socket, "begin", token=secret)
        assert await told(socket) == {"Error": "forbidden"}
        assert not await asyncio.to_thread(Session.objects.exists)
        await disconnect(socket)

    async def test_a_dialect_may_let_its_client_try_another_token_for_a_while(
        self, transport: MemoryTransport, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ACCESS = "token"
        monkeypatch.setattr(consumers, "FIRST_MESSAGE_S", 1.5)
        _, secret = await asyncio.to_thread(AccessToken.issue, name="robot", role="sender")
        patient, wrong = await connect(), await connect()
        for socket in (patient, wrong):
            await say(socket, "begin", name="foreign-1", token="wrong")
            assert await told(socket) == {"Error": "forbidden"}
        await say(patient, "begin", name="foreign-1", token=secret)
        assert await told(patient) == {"request_id": "foreign-1"}
        assert await told(wrong) == {"Error": "idle_timeout"}
        assert await patient.receive_nothing(0.1)
        for socket in (patient, wrong):
            await disconnect(socket)

    async def test_who_has_asked_in_time_is_not_late_because_the_database_is(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "FIRST_MESSAGE_S", 0.5)
        _, secret = await asyncio.to_thread(AccessToken.issue, name="robot", role="sender")
        admit_all, is_back = rights_watch.admit_all, asyncio.Event()

        async def admit_late(asked: Any) -> Any:
            await is_back.wait()
            return await admit_all(asked)

        monkeypatch.setattr(rights_watch, "admit_all", admit_late)
        socket = await connect()
        await say(socket, "begin", name="foreign-1", token=secret)
        late = await connect()
        assert await told(late) == {"Error": "idle_timeout"}
        is_back.set()
        assert await told(socket) == {"request_id": "foreign-1"}
        assert await socket.receive_nothing(0.1)
        for each in (socket, late):
            await disconnect(each)

    async def test_a_ping_that_is_not_answered_before_it_ends_the_socket_with_a_reason(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        await socket.send_input({"type": "websocket.unanswered"})
        assert await told(socket) == {"Error": "idle_timeout"}
        assert (await socket.receive_output(10))["code"] == 1011
        await disconnect(socket)

    async def test_who_has_not_begun_when_the_server_stops_is_told(self, transport: MemoryTransport) -> None:
        socket = await connect()
        await socket.send_input({"type": "websocket.going_away"})
        assert await told(socket) == {"Error": "going_away"}
        assert (await socket.receive_output(10))["code"] == 1011
        await disconnect(socket)


async def test_its_server_is_told_what_its_audio_is(transport: MemoryTransport) -> None:
    class Server:
        can_push = False
        audio: dict[str, Any] | None = None

        def expect_audio(self, **audio: Any) -> None:
            self.audio = audio

    server = Server()
    socket = await connect(extensions={PUSH: server})
    assert server.audio is None
    await say(socket, "begin", name="foreign-1", text=True)
    assert await told(socket) == {"request_id": "foreign-1"}
    assert server.audio == {"is_binary": False, "max_message_bytes": 4 * 1024 * 1024}
    await disconnect(socket)


@pytest.mark.parametrize("count", [5, 8])
async def test_who_ends_utterances_faster_than_they_can_be_recognised_is_told_and_loses_nothing(
    transport: MemoryTransport, count: int
) -> None:
    socket, session_pk = await begun(transport)
    frame = np.full(160, 8192, "<i2").tobytes()
    for _ in range(count):
        await socket.send_input({"type": "websocket.receive", "bytes": frame})
        await say(socket, "Finalize")
    assert [await told(socket) for _ in range(count - 5)] == [{"Error": "too_many_flushes"}] * (count - 5)
    position, flushes = 0, 0
    while position < 160 * count:
        chunk = await transport.read(session_pk, position, timeout_s=2, after_flush=flushes > 0)
        assert chunk.audio
        position, flushes = chunk.end, flushes + chunk.is_flush
    assert (position, flushes) == (160 * count, 5)
    await disconnect(socket)
