"""What a socket is told and when, without a server."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from audit.later import get_later
from audit.models import Entry
from recognition.audio import samples
from recognition.funasr.spelling import Spelling
from sessions_app import hotword_spelling
from sessions_app.models import MAX_FAILURES, AccessToken, Session, TranslatedLine, Translation
from sessions_app.serving.frames import PUSH
from sessions_app.sockets import consumers, fanout, rights_watch, routing, sender
from sessions_app.sockets.consumers import SessionConsumer
from sessions_app.store import commits, translations
from sessions_app.transport.interface import SAMPLE_BYTES, Overloaded, SenderConflict, Unreachable
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.dialects import DIALECTS
from sessions_app.wire.protocol import JoinRequest, Line, Mode, SessionEnd, SpeakerRef
from tests.sessions_app.meetings import LINES, make_lines, make_session
from tests.sessions_app.sockets.reaching import reaching
from tests.speakers.people import make_speaker
from tests.support.communicator import Communicator

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
async def transport(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SlowTransport]:
    async with reaching(SlowTransport(), settings, monkeypatch) as transport:
        yield transport


async def connect(query: str, **more: Any) -> Communicator:
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
    socket = Communicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    return socket


async def disconnect(socket: Communicator) -> None:
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(10)


async def message(socket: Communicator) -> dict[str, Any]:
    return dict(json.loads((await socket.receive_output(10))["text"]))


@pytest.mark.parametrize("version", [1, 2])
async def test_a_sender_is_let_in_only_when_it_is_the_sender(transport: SlowTransport, version: int) -> None:
    socket = await connect(f"mode=sender&v={version}")
    assert await socket.receive_nothing(0.5)
    transport.may_open.set()
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    await disconnect(socket)


@pytest.mark.parametrize("mode", ["sender", "receiver"])
async def test_who_comes_while_the_database_is_away_is_asked_to_come_again(
    transport: SlowTransport, monkeypatch: pytest.MonkeyPatch, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(asked: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr(rights_watch, "admit_all", refuse)
    socket = await connect(f"mode={mode}")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    error = (await message(socket))["error"]
    assert (error["code"], error["retryable"], error["retry_after"]) == ("overloaded", True, 2.0)
    assert (await socket.receive_output(10))["code"] == 4503
    assert not any(record.exc_info for record in caplog.records)


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


async def opened(transport: SlowTransport, query: str, **more: Any) -> Communicator:
    """A socket that was let in."""
    transport.may_open.set()
    socket = await connect(query, **more)
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    return socket


async def refused(socket: Communicator) -> tuple[str, int]:
    """The code of the error that a socket is told, and that of the close behind it."""
    error = (await message(socket))["error"]
    close = (await socket.receive_output(10))["code"]
    assert error["close"] == close
    return error["code"], close


def translate_lines(session: Session) -> None:
    """Keep a translation of each line, in which it says what the one at the other end says."""
    translations.ask_for(session, "en", by=None)
    for number, (line, text) in enumerate(zip(session.utterances.order_by("seq"), LINES[::-1], strict=True)):
        TranslatedLine.objects.create(
            utterance=line, language="en", source=line.text, text=text, number=number + 2
        )
    Session.objects.filter(pk=session.pk).update(last_translation=len(LINES) + 1)


async def say(socket: Communicator, text: str) -> None:
    await socket.send_input({"type": "websocket.receive", "text": text})


async def send(socket: Communicator, data: bytes) -> None:
    await socket.send_input({"type": "websocket.receive", "bytes": data})


def from_elsewhere(**headers: str) -> dict[str, Any]:
    """A request that came through a proxy."""
    known = {"x-forwarded-for": "203.0.113.9"} | headers
    return {"headers": [(name.encode(), value.encode()) for name, value in known.items()]}


class TestAccess:
    @pytest.fixture(autouse=True)
    def local(self, transport: SlowTransport, settings: Any) -> None:
        settings.ACCESS = "local"

    async def test_a_stranger_is_told_what_to_bring_and_no_session_begins(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender", **from_elsewhere())
        assert await refused(socket) == ("unauthorized", 4401)
        await disconnect(socket)
        assert not await asyncio.to_thread(Session.objects.exists)

    async def test_what_comes_behind_a_refusal_is_of_no_interest(self, transport: SlowTransport) -> None:
        socket = await opened(transport, "mode=receiver", **from_elsewhere())
        assert await refused(socket) == ("unauthorized", 4401)
        await send(socket, FRAME)
        await say(socket, "nonsense")
        assert await socket.receive_nothing(0.1)
        await disconnect(socket)

    @pytest.mark.parametrize("mode", ["sender", "receiver"])
    async def test_a_token_lets_in_by_its_role(self, transport: SlowTransport, mode: str) -> None:
        _, secret = await asyncio.to_thread(AccessToken.issue, name="x", role=mode)
        socket = await opened(transport, f"mode={mode}&v=2&token={secret}", **from_elsewhere())
        assert (await message(socket))["event"]["mode"] == mode
        await disconnect(socket)

    @pytest.mark.parametrize(("mode", "action"), [("sender", "meeting-send"), ("receiver", "meeting-read")])
    async def test_who_was_let_in_is_on_record_with_address_and_token(
        self, transport: SlowTransport, mode: str, action: str
    ) -> None:
        token, secret = await asyncio.to_thread(AccessToken.issue, name="x", role=mode)
        for query in (f"mode={mode}&token={secret}", f"mode={mode}&token=guessed"):
            await disconnect(await opened(transport, query, **from_elsewhere()))
        await get_later().aclose()
        entry = await Entry.objects.aget()
        assert (entry.action, entry.address, entry.detail) == (action, "203.0.113.9", {"token": token.pk})

    @pytest.mark.parametrize("mode", ["sender", "receiver"])
    async def test_and_by_no_other(self, transport: SlowTransport, mode: str) -> None:
        other = "receiver" if mode == "sender" else "sender"
        _, secret = await asyncio.to_thread(AccessToken.issue, name="x", role=other)
        socket = await opened(transport, f"mode={mode}&token={secret}", **from_elsewhere())
        assert await refused(socket) == ("forbidden", 4403)
        await disconnect(socket)

    async def test_it_may_stand_in_a_header(self, transport: SlowTransport) -> None:
        _, secret = await asyncio.to_thread(AccessToken.issue, name="x", role="sender")
        scope = from_elsewhere(authorization=f"Bearer {secret}")
        socket = await opened(transport, "mode=sender&v=2", **scope)
        assert (await message(socket))["event"]["type"] == "hello"
        await disconnect(socket)

    async def test_a_wrong_one_does_not_become_right_by_coming_from_here(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender&token=wrong")
        assert await refused(socket) == ("forbidden", 4403)
        await disconnect(socket)

    async def test_a_page_of_somebody_else_gets_no_socket_at_all(self, transport: SlowTransport) -> None:
        socket = await connect("mode=receiver", headers=[(b"origin", b"https://evil.example")])
        assert await socket.receive_output(10) == {"type": "websocket.close"}
        await disconnect(socket)

    async def test_an_address_that_makes_no_sense_is_told_so(self, transport: SlowTransport) -> None:
        socket = await opened(transport, "mode=listener")
        assert await refused(socket) == ("bad_mode", 4400)
        await disconnect(socket)


class TestHello:
    async def test_a_sender_is_told_where_to_go_on_and_its_right_to_return(
        self, transport: SlowTransport
    ) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await Session.objects.aupdate(durable=4800, epoch=3)
        socket = await opened(transport, "mode=sender&v=2")
        event = (await message(socket))["event"]
        assert (event["type"], event["resume_from"], event["epoch"]) == ("hello", 4800, 3)
        assert sender.may_resume(JoinRequest("meeting", Mode.SENDER, resume=event["resume"]))
        assert event["limits"] == {"frame_bytes": 262144}
        await disconnect(socket)

    async def test_a_sender_is_told_who_of_those_it_expects_there_is(self, transport: SlowTransport) -> None:
        alice = await asyncio.to_thread(make_speaker, "Alice")
        nobody = uuid.UUID(int=1)
        socket = await opened(transport, f"mode=sender&v=2&expected={alice.uuid},{nobody}")
        assert (await message(socket))["event"]["expected"] == [str(alice.uuid)]
        await disconnect(socket)

    async def test_hotwords_of_a_new_session_are_kept(self, transport: SlowTransport) -> None:
        socket = await opened(transport, "mode=sender&v=2&hotwords=%E7%8E%8B%E7%A3%8A,%E9%A2%84%E7%AE%97:50")
        await message(socket)
        assert (await Session.objects.aget()).hotwords == [["王磊", 20.0], ["预算", 50.0]]
        await disconnect(socket)

    async def test_hotwords_that_the_models_cannot_write_are_refused_by_name(
        self, transport: SlowTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hotword_spelling, "_spelling", lambda *_: Spelling(["王", "磊"]))
        socket = await opened(transport, "mode=sender&v=2&hotwords=%E7%8E%8B%E7%87%8A")
        error = (await message(socket))["error"]
        assert (error["code"], error["param"]) == ("bad_parameter", "hotwords")
        assert "王燊 (燊)" in error["message"]
        assert not await Session.objects.aexists()

    async def test_a_language_to_translate_into_is_kept_where_there_is_a_language_model(
        self, transport: SlowTransport, settings: Any
    ) -> None:
        settings.LLM_URL = "http://127.0.0.1:1/v1"
        socket = await opened(transport, "mode=sender&v=2&translate=en")
        await message(socket)
        assert [each.language async for each in Translation.objects.all()] == ["en"]
        await disconnect(socket)

    @pytest.mark.parametrize(("language", "url"), [("en", ""), ("tlh", "http://127.0.0.1:1/v1")])
    async def test_and_refused_where_there_is_none_or_no_such_language(
        self, transport: SlowTransport, settings: Any, language: str, url: str
    ) -> None:
        settings.LLM_URL = url
        socket = await opened(transport, f"mode=sender&v=2&translate={language}")
        error = (await message(socket))["error"]
        assert (error["code"], error["param"]) == ("bad_parameter", "translate")
        assert not await Session.objects.aexists()

    async def test_script_and_language_of_a_new_session_are_kept_and_told(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender&v=2&language=zh-TW")
        told = (await message(socket))["event"]
        session = await Session.objects.aget()
        assert (session.script, session.language) == ("traditional", "zh")
        assert (told["script"], told["language"]) == ("traditional", "zh")
        await disconnect(socket)

    async def test_a_language_that_the_models_do_not_know_is_refused_by_name(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender&v=2&language=fr")
        error = (await message(socket))["error"]
        assert (error["code"], error["param"]) == ("bad_parameter", "language")
        assert "language fr. They know: zh" in error["message"]
        assert not await Session.objects.aexists()

    async def test_a_receiver_is_told_how_much_there_is_and_given_no_right(
        self, transport: SlowTransport
    ) -> None:
        session = await asyncio.to_thread(make_session, "meeting", is_live=True)
        await asyncio.to_thread(make_lines, session)
        socket = await opened(transport, "mode=receiver&v=2&since=4")
        event = (await message(socket))["event"]
        assert (event["type"], event["seq"], event["state"]) == ("hello", len(LINES), "live")
        assert "resume" not in event
        await disconnect(socket)

    async def test_the_first_version_has_none(self, transport: SlowTransport) -> None:
        socket = await opened(transport, "mode=sender")
        assert await socket.receive_nothing(0.2)
        await disconnect(socket)


class TestHistory:
    @pytest.fixture
    async def ended(self, transport: SlowTransport) -> Session:
        session = await asyncio.to_thread(make_session, "meeting")
        await asyncio.to_thread(make_lines, session)
        return session

    async def test_who_comes_after_the_end_reads_all_lines_and_is_let_go(
        self, transport: SlowTransport, ended: Session
    ) -> None:
        socket = await opened(transport, "mode=receiver")
        assert [(await message(socket))["asr"] for _ in LINES] == LINES
        assert (await socket.receive_output(10))["code"] == 1000
        await disconnect(socket)

    async def test_who_knows_some_gets_the_rest(self, transport: SlowTransport, ended: Session) -> None:
        socket = await opened(transport, "mode=receiver&since=2")
        assert await seqs(socket, 2) == [3, 4]
        assert (await socket.receive_output(10))["code"] == 1000
        await disconnect(socket)

    async def test_who_asks_for_translations_is_told_them_piece_by_piece(
        self, transport: SlowTransport, ended: Session
    ) -> None:
        await asyncio.to_thread(translate_lines, ended)
        socket = await opened(transport, "mode=receiver&v=2&stay=1&since=4&translation=0")
        events = [(await message(socket))["event"] for _ in range(4)]
        [told] = [event for event in events if event["type"] == "translations"]
        assert (told["language"], [line["text"] for line in told["lines"]]) == ("en", LINES[::-1])
        await disconnect(socket)

    async def test_one_who_stays_is_told_the_end_and_stays(
        self, transport: SlowTransport, ended: Session
    ) -> None:
        socket = await opened(transport, "mode=receiver&v=2&stay=1&since=4")
        events = [(await message(socket))["event"]["type"] for _ in range(3)]
        assert events == ["hello", "session", "session_end"]
        assert await socket.receive_nothing(0.2)
        await disconnect(socket)

    async def test_numbers_of_lines_that_were_removed_hold_nobody_up(
        self, transport: SlowTransport, ended: Session
    ) -> None:
        await ended.utterances.all().aupdate(is_removed=True)
        socket = await opened(transport, "mode=receiver")
        assert (await socket.receive_output(10))["code"] == 1000
        await disconnect(socket)

    async def test_a_session_that_failed_says_so_in_place_of_its_end(
        self, transport: SlowTransport, ended: Session
    ) -> None:
        await Session.objects.aupdate(failures=MAX_FAILURES)
        socket = await opened(transport, "mode=receiver&since=4")
        assert await refused(socket) == ("recognition_failed", 4501)
        await disconnect(socket)


class TestIntrusion:
    async def test_a_receiver_that_sends_is_warned_twice_and_then_let_go(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=receiver")
        for _ in range(2):
            await send(socket, FRAME)
            assert (await message(socket))["error"]["code"] == "not_sender"
        await say(socket, "close")
        assert await refused(socket) == ("still_not_sender", 4403)
        await disconnect(socket)
        assert not await asyncio.to_thread(Session.objects.exists)

    async def test_a_word_that_is_no_command_leaves_a_sender_where_it_is(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender")
        await say(socket, "nonsense")
        assert (await message(socket))["error"]["code"] == "bad_command"
        await send(socket, FRAME)
        await disconnect(socket)
        assert transport.kept == len(FRAME) // SAMPLE_BYTES

    async def test_bad_audio_ends_the_socket_and_keeps_what_came_before(
        self, transport: SlowTransport
    ) -> None:
        socket = await opened(transport, "mode=sender")
        await send(socket, FRAME)
        await send(socket, FRAME[:-1])
        assert await refused(socket) == ("misaligned_audio", 4422)
        await send(socket, FRAME)
        await disconnect(socket)
        assert transport.kept == len(FRAME) // SAMPLE_BYTES


async def test_a_fault_of_ours_is_told_and_is_in_the_log(
    transport: SlowTransport, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*arguments: Any) -> int:
        raise ZeroDivisionError("ours")

    socket = await opened(transport, "mode=sender")
    monkeypatch.setattr(transport, "append", broken)
    await send(socket, FRAME)
    assert await refused(socket) == ("internal", 4500)
    await disconnect(socket)
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError


async def test_a_server_that_can_is_told_that_audio_comes(transport: SlowTransport) -> None:
    sending, reading = Pushed(), Pushed()
    sockets = [
        await opened(transport, "mode=sender", extensions={PUSH: sending}),
        await opened(transport, "mode=receiver", extensions={PUSH: reading}),
    ]
    assert await sockets[1].receive_nothing(0.1)
    assert sending.audio == {"is_binary": True, "max_message_bytes": None}
    assert reading.audio is None
    for socket in sockets:
        await disconnect(socket)


async def test_an_unknown_path_is_refused_without_a_word(transport: SlowTransport) -> None:
    application: Any = consumers.UnknownPathConsumer.as_asgi()
    socket = Communicator(application, {"type": "websocket", "path": "/x", "headers": []})
    await socket.send_input({"type": "websocket.connect"})
    assert await socket.receive_output(10) == {"type": "websocket.close"}


@pytest.mark.parametrize(
    ("wanted", "left_out"),
    [
        (["funasr", "openai", "deepgram", "dashscope"], []),
        (["openai"], ["FunAsr", "Deepgram", "DashScope"]),
        ([], ["FunAsr", "Deepgram", "OpenAiRealtime", "DashScope"]),
    ],
)
def test_dialects_are_left_out_one_by_one_but_ours_never(
    settings: Any, wanted: list[str], left_out: list[str]
) -> None:
    settings.SPOKEN_DIALECTS = wanted
    spoken = [dialect.__name__ for _, dialect in routing.spoken(DIALECTS)]
    assert spoken == [name for name in spoken if name not in left_out]
    assert "OwnProtocol" in spoken
    assert len(spoken) == len(DIALECTS) - len(left_out)


def test_every_dialect_can_be_left_out_by_its_name(settings: Any) -> None:
    names = {dialect.name for _, dialect in routing.spoken(DIALECTS)}
    assert names == {"", *settings.SPOKEN_DIALECTS}


def test_every_dialect_has_its_address_and_all_else_is_refused() -> None:
    patterns = [pattern.pattern.regex.pattern for pattern in routing.websocket_urlpatterns]
    assert patterns == [*DIALECTS, ""]
    assert [pattern.callback.consumer_class for pattern in routing.websocket_urlpatterns] == [
        *[SessionConsumer for _ in DIALECTS],
        consumers.UnknownPathConsumer,
    ]


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


async def seqs(socket: Communicator, count: int) -> list[int]:
    return [(await message(socket))["seq"] for _ in range(count)]


class TestPushing:
    @pytest.fixture
    async def receiver(self, transport: SlowTransport) -> AsyncIterator[tuple[Communicator, Pushed]]:
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
        feed.receive_end(SessionEnd(1, 16_000, 16_000))
        self.say(line(1))
        assert pushed.seqs == [1]
        assert (await socket.receive_output(10))["code"] == 1000
