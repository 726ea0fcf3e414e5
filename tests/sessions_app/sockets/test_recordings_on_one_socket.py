"""A socket for several recordings, each a session: what becomes of the audio, the socket and the sessions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from sessions_app.models import AccessToken, Session, Utterance
from sessions_app.sockets import consumers, fanout
from sessions_app.sockets.consumers import SessionConsumer
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire import funasr
from sessions_app.wire.funasr import FunAsr
from sessions_app.wire.openai_realtime import OpenAiRealtime
from sessions_app.wire.protocol import ClosedBy, Line, SessionEnd, SpeakerRef
from tests.sessions_app.sockets.reaching import reaching
from tests.support.communicator import Communicator

pytestmark = pytest.mark.django_db(transaction=True)

SOUND = np.full(1600, 8192, "<i2").tobytes()


@pytest.fixture
async def transport(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryTransport]:
    async with reaching(MemoryTransport(), settings, monkeypatch) as transport:
        yield transport


async def connect(dialect: Any = FunAsr, **more: Any) -> Communicator:
    scope = {
        "type": "websocket",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "client": ["127.0.0.1", 1],
        "url_route": {"args": (), "kwargs": {}},
        **more,
    }
    application: Any = SessionConsumer.as_asgi(dialect=dialect)
    socket = Communicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    return socket


async def disconnect(socket: Communicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(10)


async def say(socket: Communicator, said: dict[str, Any] | bytes) -> None:
    content = {"bytes": said} if isinstance(said, bytes) else {"text": json.dumps(said)}
    await socket.send_input({"type": "websocket.receive", **content})


async def told(socket: Communicator) -> Any:
    return json.loads((await socket.receive_output(10))["text"])


def sessions() -> list[Session]:
    return list(Session.objects.order_by("pk"))


async def end(session: Session, *, by: ClosedBy = ClosedBy.SENDER) -> None:
    """Let a session end, as its worker does."""
    followed = fanout.get_fanout()._followed[session.key]
    followed.feed.receive_end(SessionEnd(followed.feed.last_seq, 1600, 1600, closed_by=by))
    followed.tell()


async def begun(transport: MemoryTransport, socket: Communicator, **hello: Any) -> Session:
    """The session of a recording whose first audio has come."""
    before = len(await asyncio.to_thread(sessions))
    await say(socket, {"mode": "2pass", "is_speaking": True, **hello})
    await say(socket, SOUND)
    async with asyncio.timeout(10):
        while len(known := await asyncio.to_thread(sessions)) == before:
            await asyncio.sleep(0.01)
        while known[-1].key not in fanout.get_fanout()._followed:
            await asyncio.sleep(0.01)
        await transport.take()
    return known[-1]


async def finish(transport: MemoryTransport, socket: Communicator, session: Session, **more: Any) -> None:
    """Say that a recording is over, until that is known."""
    await say(socket, {"is_speaking": False, **more})
    async with asyncio.timeout(10):
        while not (await transport.read(session.pk, 1600, timeout_s=1)).is_end:
            await asyncio.sleep(0.01)


class TestOneAfterTheOther:
    async def test_each_is_a_session_with_its_own_audio_and_name(self, transport: MemoryTransport) -> None:
        socket = await connect()
        for name in ("一", "二", "三"):
            session = await begun(transport, socket, wav_name=name)
            await finish(transport, socket, session)
            chunk = await transport.read(session.pk, 0, timeout_s=5)
            assert len(chunk.audio) == 4 * 1600
            assert session.title == name
            await end(session)
            last = await told(socket)
            assert (last["wav_name"], last["is_final"]) == (name, True)
        assert len({session.key for session in await asyncio.to_thread(sessions)}) == 3
        await disconnect(socket)

    async def test_the_next_one_waits_until_the_last_is_answered_and_loses_nothing(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        first = await begun(transport, socket, wav_name="first")
        await finish(transport, socket, first)
        await say(socket, {"mode": "2pass", "wav_name": "second", "is_speaking": True})
        await say(socket, SOUND)
        await say(socket, SOUND)
        assert await socket.receive_nothing(0.2)
        assert len(await asyncio.to_thread(sessions)) == 1
        await end(first)
        assert (await told(socket))["wav_name"] == "first"
        session_pk = await transport.take()
        async with asyncio.timeout(5):
            while len((await transport.read(session_pk, 0, timeout_s=1)).audio) < 4 * 3200:
                await asyncio.sleep(0.01)
        await disconnect(socket)

    async def test_nothing_is_followed_when_all_is_told(self, transport: MemoryTransport) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        await finish(transport, socket, session)
        await end(session)
        await told(socket)
        async with asyncio.timeout(5):
            while fanout.get_fanout()._followed:
                await asyncio.sleep(0.01)
        await disconnect(socket)

    async def test_one_that_a_person_ended_is_told_and_its_rest_begins_no_other(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        await end(session, by=ClosedBy.PERSON)
        assert (await told(socket))["is_final"] is True
        await say(socket, SOUND)
        assert await socket.receive_nothing(0.2)
        assert len(await asyncio.to_thread(sessions)) == 1
        assert (await begun(transport, socket)).key != session.key
        await disconnect(socket)

    async def test_recognition_that_failed_ends_the_socket_with_a_reason(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        await finish(transport, socket, session, is_end=True)
        await end(session, by=ClosedBy.FAILURE)
        last = await told(socket)
        assert (last["code"], last["is_final"], last["is_end"]) == ("recognition_failed", False, True)
        assert (await socket.receive_output(10))["code"] == 4501
        await disconnect(socket)


class TestPatience:
    async def test_who_has_had_an_answer_and_says_nothing_more_is_let_go_without_an_error(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(funasr, "LINGER_S", 0.2)
        socket = await connect()
        session = await begun(transport, socket)
        await finish(transport, socket, session)
        await end(session)
        assert "error" not in await told(socket)
        assert await socket.receive_output(10) == {"type": "websocket.close", "code": 1000}
        await disconnect(socket)

    async def test_a_word_of_another_recording_is_reason_to_wait_longer(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(funasr, "LINGER_S", 0.3)
        socket = await connect()
        session = await begun(transport, socket)
        await finish(transport, socket, session)
        await end(session)
        await told(socket)
        await say(socket, {"is_speaking": True, "wav_name": "later"})
        assert await socket.receive_nothing(0.6)
        assert (await begun(transport, socket)).title == "later"
        await disconnect(socket)

    async def test_a_client_may_connect_long_before_it_records(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "FIRST_MESSAGE_S", 0.1)
        socket = await connect()
        assert await socket.receive_nothing(0.4)
        await begun(transport, socket)
        await disconnect(socket)

    async def test_but_not_for_ever(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FunAsr, "first_message_s", 0.2)
        socket = await connect()
        assert (await told(socket))["code"] == "idle_timeout"
        assert (await socket.receive_output(10))["code"] == 4408
        await disconnect(socket)

    async def test_what_comes_before_a_session_is_bounded(self, transport: MemoryTransport) -> None:
        socket = await connect()
        for _ in range(3):
            await say(socket, {"wav_name": "x" * 500_000})
        assert (await told(socket))["error"].endswith("bytes came before a session was asked for")
        assert (await socket.receive_output(10))["code"] == 4413
        await disconnect(socket)


class TestLeaving:
    async def test_a_session_whose_client_has_no_way_back_ends_with_its_socket(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        await disconnect(socket)
        async with asyncio.timeout(5):
            position, chunk = 0, await transport.read(session.pk, 0, timeout_s=1)
            while not chunk.is_end:
                position = chunk.end
                chunk = await transport.read(session.pk, position, timeout_s=1)
        assert chunk.end == 1600


class TestSize:
    @pytest.mark.parametrize("said", [bytes(1024 * 1024 + 1), {"x": "y" * 1024 * 1024}])
    async def test_a_message_is_too_large_on_servers_without_a_limit_as_well(
        self, transport: MemoryTransport, said: Any
    ) -> None:
        socket = await connect()
        await say(socket, said)
        assert "is too large: send at most 1048576" in (await told(socket))["error"]
        assert (await socket.receive_output(10))["code"] == 4413
        await disconnect(socket)

    async def test_one_that_the_server_did_not_take_is_refused_with_its_size(
        self, transport: MemoryTransport
    ) -> None:
        socket = await connect()
        await socket.send_input({"type": "websocket.oversized", "length": 9_000_000, "limit": 1_048_576})
        assert "a message of 9000000 bytes is too large" in (await told(socket))["error"]
        assert (await socket.receive_output(10))["code"] == 4413
        await disconnect(socket)


class TestWords:
    async def test_lines_come_with_the_times_that_the_database_has(self, transport: MemoryTransport) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        columns: dict[str, Any] = {"seq": 1, "start": 1600, "end": 8000, "text": "好的。"}
        columns["tokens"] = [["好", 1600, 4800], ["的", 4800, 8000]]
        row = await asyncio.to_thread(Utterance.objects.create, session=session, **columns)
        followed = fanout.get_fanout()._followed[session.key]
        followed.feed.receive_line(Line(row.pk, 1, 100, 500, "好的。", SpeakerRef()))
        followed.tell()
        assert (await told(socket))["timestamp"] == "[[100,300],[300,500]]"
        await disconnect(socket)

    async def test_a_line_that_is_gone_by_now_has_none(self, transport: MemoryTransport) -> None:
        socket = await connect()
        session = await begun(transport, socket)
        followed = fanout.get_fanout()._followed[session.key]
        followed.feed.receive_line(Line(999, 1, 100, 500, "好的。", SpeakerRef()))
        followed.tell()
        assert "timestamp" not in await told(socket)
        await disconnect(socket)


class TestAskingAhead:
    """A client whose opening shows a token hears at once whether it is good, though nothing begins yet."""

    async def opened(self, secret: str, query: bytes = b"") -> Communicator:
        headers = [(b"authorization", f"Bearer {secret}".encode())]
        return await connect(OpenAiRealtime, headers=headers, query_string=query)

    async def test_a_good_one_is_welcome_and_no_session_begins(
        self, transport: MemoryTransport, settings: Any
    ) -> None:
        settings.ACCESS = "token"
        _, secret = await asyncio.to_thread(AccessToken.issue, name="robot", role="sender")
        socket = await self.opened(secret)
        assert (await told(socket))["type"] == "session.created"
        assert not await asyncio.to_thread(Session.objects.exists)
        await disconnect(socket)

    @pytest.mark.parametrize("role", [None, "receiver"])
    async def test_another_is_refused_before_anything_else_is_said(
        self, transport: MemoryTransport, settings: Any, role: str | None
    ) -> None:
        settings.ACCESS = "token"
        secret = "wrong"
        if role:
            _, secret = await asyncio.to_thread(AccessToken.issue, name="robot", role=role)
        socket = await self.opened(secret)
        refused = await told(socket)
        assert (refused["type"], refused["error"]["code"]) == ("error", "forbidden")
        assert (await socket.receive_output(10))["code"] == 4403
        await disconnect(socket)

    @pytest.mark.parametrize(
        ("model", "code"), [("whisper-1", ""), ("gpt-4o-transcribe", ""), ("mine", "bad_parameter")]
    )
    async def test_another_service_s_model_means_ours_and_an_unknown_one_is_refused(
        self, transport: MemoryTransport, model: str, code: str
    ) -> None:
        socket = await self.opened("", b"model=" + model.encode())
        heard = await told(socket)
        assert heard.get("error", {}).get("code", "") == code
        if code:
            assert "'mine' is not served: use one of embedded" in heard["error"]["message"]
        await disconnect(socket)
