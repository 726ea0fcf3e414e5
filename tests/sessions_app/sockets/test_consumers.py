"""What a socket is told and when, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from asgiref.testing import ApplicationCommunicator

from recognition.audio import samples
from sessions_app.models import Session
from sessions_app.serving.frames import PUSH
from sessions_app.sockets import consumers, fanout, sender
from sessions_app.sockets.consumers import SessionConsumer
from sessions_app.store import commits
from sessions_app.transport.interface import SAMPLE_BYTES, Overloaded, SenderConflict, Unreachable
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.protocol import Line, SessionEnd, SpeakerRef

pytestmark = pytest.mark.django_db(transaction=True)

FRAME = np.full(samples(0.2), 0.1, "<f4").tobytes()


class SlowTransport(MemoryTransport):
    """Lets senders in when it is told to, or refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = asyncio.Event()
        self.refusal: Exception | None = None

    async def open(self, *arguments: Any, **options: Any) -> int:
        await self.may_open.wait()
        if self.refusal:
            raise self.refusal
        return await super().open(*arguments, **options)

    @property
    def kept(self) -> int:
        """Samples in the log of the only session."""
        (log,) = self._logs.values()
        return log.end


@pytest.fixture
async def transport(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowTransport]:
    settings.ACCESS = "open"
    transport = SlowTransport()
    for module in (consumers, sender):
        monkeypatch.setattr(module, "get_transport", lambda: transport)
    yield transport
    await fanout.get_fanout().aclose()


async def connect(query: str, **more: Any) -> ApplicationCommunicator:
    scope = {
        "type": "websocket",
        "path": "/ws/asr/meeting",
        "query_string": query.encode(),
        "headers": [],
        "client": ["127.0.0.1", 1],
        "url_route": {"args": (), "kwargs": {"session_id": "meeting"}},
        **more,
    }
    application: Any = SessionConsumer.as_asgi()
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    return socket


async def disconnect(socket: ApplicationCommunicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(10)


async def message(socket: ApplicationCommunicator) -> dict[str, Any]:
    return dict(json.loads((await socket.receive_output(10))["text"]))


@pytest.mark.parametrize("version", [1, 2])
async def test_a_sender_is_let_in_only_when_it_is_the_sender(transport: SlowTransport, version: int) -> None:
    socket = await connect(f"mode=sender&v={version}")
    assert await socket.receive_nothing(0.5)
    transport.may_open.set()
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    await disconnect(socket)


@pytest.mark.parametrize(
    ("refusal", "code", "close", "is_kept"),
    [
        (SenderConflict(), "sender_conflict", 4409, True),
        (Unreachable("no"), "overloaded", 4503, False),
        (Overloaded("full", retry_after_s=1), "overloaded", 4503, False),
    ],
)
async def test_one_that_is_refused_is_told_why_as_soon_as_it_is_let_in_and_leaves_no_session_behind(
    transport: SlowTransport, refusal: Exception, code: str, close: int, is_kept: bool
) -> None:
    transport.refusal = refusal
    transport.may_open.set()
    socket = await connect("mode=sender")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    assert (await message(socket))["error"]["code"] == code
    assert (await socket.receive_output(10))["code"] == close
    await disconnect(socket)
    assert await asyncio.to_thread(Session.objects.exists) == is_kept


async def test_a_session_that_was_there_before_stays_though_its_sender_is_refused(
    transport: SlowTransport,
) -> None:
    await asyncio.to_thread(commits.get_or_create_session, "meeting")
    transport.refusal = Unreachable("no")
    transport.may_open.set()
    socket = await connect("mode=sender")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    assert (await message(socket))["error"]["code"] == "overloaded"
    await disconnect(socket)
    assert await asyncio.to_thread(Session.objects.exists)


async def test_a_sender_waits_while_the_database_is_away_for_a_moment(
    transport: SlowTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    failures = iter(range(2))

    def get_or_create(*arguments: Any, ask: Any = commits.get_or_create_session, **options: Any) -> Any:
        if next(failures, None) is not None:
            raise OperationalError("the connection is lost")
        return ask(*arguments, **options)

    monkeypatch.setattr(commits, "get_or_create_session", get_or_create)
    transport.may_open.set()
    socket = await connect("mode=sender&v=2")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    assert (await message(socket))["event"]["type"] == "hello"
    await disconnect(socket)


@pytest.mark.parametrize("version", [1, 2])
async def test_what_comes_before_the_client_has_heard_that_the_server_goes_away_is_kept(
    transport: SlowTransport, version: int
) -> None:
    transport.may_open.set()
    socket = await connect(f"mode=sender&v={version}")
    await socket.send_input({"type": "websocket.receive", "bytes": FRAME})
    await socket.send_input({"type": "websocket.going_away"})
    while (await socket.receive_output(10)).get("code") != 4503:
        pass
    await socket.send_input({"type": "websocket.receive", "bytes": FRAME})
    await disconnect(socket)
    assert transport.kept == 2 * len(FRAME) // SAMPLE_BYTES


@pytest.mark.parametrize(
    ("mode", "code", "close"), [("receiver", "slow_consumer", 4430), ("sender", "idle_timeout", 4408)]
)
async def test_a_client_that_answers_no_ping_may_find_out_why_it_is_disconnected(
    transport: SlowTransport, mode: str, code: str, close: int
) -> None:
    transport.may_open.set()
    socket = await connect(f"mode={mode}")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    await socket.send_input({"type": "websocket.unanswered"})
    assert (await message(socket))["error"]["code"] == code
    assert (await socket.receive_output(10))["code"] == close
    await disconnect(socket)


class Pushed:
    """A socket of a server that takes frames."""

    def __init__(self) -> None:
        self.can_push = True
        self.frames: list[bytes] = []
        self.audio: dict[str, Any] | None = None

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)

    def expect_audio(self, **audio: Any) -> None:
        self.audio = audio

    @property
    def seqs(self) -> list[int]:
        return [json.loads(frame[frame.index(b"{") :])["seq"] for frame in self.frames]


def line(seq: int) -> Line:
    return Line(seq, seq, 1000 * seq, 1000 * seq + 500, "好的。", SpeakerRef())


async def seqs(socket: ApplicationCommunicator, count: int) -> list[int]:
    return [(await message(socket))["seq"] for _ in range(count)]


class TestPushing:
    @pytest.fixture
    async def receiver(
        self, transport: SlowTransport
    ) -> AsyncIterator[tuple[ApplicationCommunicator, Pushed]]:
        pushed = Pushed()
        socket = await connect("mode=receiver", extensions={PUSH: pushed})
        assert (await socket.receive_output(10))["type"] == "websocket.accept"
        assert await socket.receive_nothing(0.3)
        yield socket, pushed
        await disconnect(socket)

    def say(self, *lines: Line) -> None:
        followed = fanout.get_fanout()._followed["meeting"]
        for said in lines:
            followed.feed.receive_line(said)
        followed.tell()

    async def test_a_line_is_sent_at_once_to_who_is_not_behind(self, receiver: Any) -> None:
        socket, pushed = receiver
        self.say(line(1))
        assert pushed.seqs == [1]
        self.say(line(2), line(3))
        assert pushed.seqs == [1, 2, 3]
        assert await socket.receive_nothing(0.1)

    async def test_who_is_behind_gets_it_from_the_writer_and_later_ones_in_order(self, receiver: Any) -> None:
        socket, pushed = receiver
        pushed.can_push = False
        self.say(line(1))
        pushed.can_push = True
        self.say(line(2))
        told = [] if len(pushed.seqs) == 2 else await seqs(socket, 2 - len(pushed.seqs))
        assert pushed.seqs + told == [1, 2]
        assert await socket.receive_nothing(0.1)

    async def test_the_last_line_comes_before_the_end(self, receiver: Any) -> None:
        socket, pushed = receiver
        feed = fanout.get_fanout()._followed["meeting"].feed
        feed.receive_end(SessionEnd(1, 1.0, 1.0))
        self.say(line(1))
        assert pushed.seqs == [1]
        assert (await socket.receive_output(10))["code"] == 1000
