"""A sender's connection, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from django.core import signing

from recognition.audio import samples
from sessions_app.access.resuming import token_for
from sessions_app.cells import directory
from sessions_app.cells.placement import HOME
from sessions_app.models import Session
from sessions_app.sockets import sender as sender_module
from sessions_app.sockets.feed import Cursor, SessionFeed
from sessions_app.sockets.sender import (
    MAX_BAD_MESSAGES,
    SenderConnection,
    may_resume,
)
from sessions_app.store import commits
from sessions_app.transport.interface import (
    CREDIT,
    LogLost,
    Overloaded,
    Superseded,
    TransportError,
    Unreachable,
)
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.dialects import Capabilities
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.protocol import ErrorCode, JoinRequest, Mode, ProtocolError, SessionEnd

FRAME = np.full(samples(1), 0.1, "<f4").tobytes()


@dataclass
class Client:
    """One connection, with what is told by it."""

    join: JoinRequest
    feed: SessionFeed = field(default_factory=SessionFeed)
    cursor: Cursor = field(default_factory=Cursor)
    faults: list[ProtocolError] = field(default_factory=list)
    changes: int = 0
    capabilities: Capabilities = field(default_factory=Capabilities)

    def __post_init__(self) -> None:
        dialect = OwnProtocol()
        dialect._version = self.join.version
        self.connection = SenderConnection(
            self.join,
            self.feed,
            self.cursor,
            dialect=dialect,
            capabilities=self.capabilities,
            on_change=self._note_change,
            on_error=self.faults.append,
        )

    def _note_change(self) -> None:
        self.changes += 1

    @property
    def fault_codes(self) -> list[ErrorCode]:
        return [fault.code for fault in self.faults]


@pytest.fixture
def transport(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> MemoryTransport:
    transport = MemoryTransport()
    monkeypatch.setattr(sender_module, "get_transport", lambda: transport)
    monkeypatch.setattr(sender_module, "OPEN_ATTEMPT_PAUSES_S", (0.0, 0.0))
    return transport


def plain(key: str = "meeting", **more: Any) -> Client:
    return Client(JoinRequest(key, Mode.SENDER, **more))


def resuming(key: str = "meeting", *, resume: str = "", attempt: int = 0) -> Client:
    join = JoinRequest(key, Mode.SENDER, 2, resume=resume, attempt=attempt)
    return Client(join, capabilities=Capabilities(resumes=True))


async def take(sender: SenderConnection, text: str | None, frame: bytes | None) -> None:
    """Let it take a message, as its socket does."""
    for command in sender.understand(text, frame):
        await sender.obey(command)


async def refusal(attempt: Any) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        await attempt
    return refused.value


async def test_one_that_is_held_back_is_not_idle_and_one_that_says_nothing_is(
    transport: MemoryTransport, settings: Any
) -> None:
    settings.SENDER_IDLE_S = 0.3
    client = plain("held")
    sender, faults = client.connection, client.faults
    await sender.begin(owner=None)
    for _ in range(CREDIT // samples(1)):
        await take(sender, None, FRAME)
    held = asyncio.create_task(take(sender, None, FRAME))
    await asyncio.sleep(1.0)
    assert not held.done()
    assert not faults
    session = await transport.take()
    await transport.report(session, processed=CREDIT, durable=0)
    await held
    await asyncio.sleep(1.0)
    assert [fault.code for fault in faults] == [ErrorCode.IDLE]
    await sender.leave()


class TestRightToResume:
    def test_is_shown_by_what_the_server_said(self) -> None:
        token = token_for("周会")
        assert may_resume(JoinRequest("周会", Mode.SENDER, resume=token))

    @pytest.mark.parametrize("token", ["", "周会", "周会:signature", "x" * 500])
    def test_is_shown_by_nothing_else(self, token: str) -> None:
        assert not may_resume(JoinRequest("周会", Mode.SENDER, resume=token))

    def test_is_for_one_session(self) -> None:
        assert not may_resume(JoinRequest("other", Mode.SENDER, resume=token_for("周会")))

    def test_nothing_else_that_we_signed_will_do(self) -> None:
        signed = signing.Signer(salt="something else").sign("周会")
        assert not may_resume(JoinRequest("周会", Mode.SENDER, resume=signed))


class TestBecoming:
    async def test_a_new_session_has_the_title_that_its_sender_gave(self, transport: MemoryTransport) -> None:
        client = plain(title="Weekly planning")
        assert await client.connection.begin(owner=None) == 0
        session = await Session.objects.aget(key="meeting")
        assert (session.title, session.durable) == ("Weekly planning", 0)
        await client.connection.leave()

    async def test_it_goes_on_where_the_session_is(self, transport: MemoryTransport) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await Session.objects.aupdate(durable=4800)
        client = plain()
        assert await client.connection.begin(owner=None) == 4800
        assert client.cursor.received == 4800
        await client.connection.leave()

    async def test_a_session_that_has_ended_takes_none(self, transport: MemoryTransport) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await Session.objects.aupdate(state=Session.State.ENDED)
        error = await refusal(plain().connection.begin(owner=None))
        assert (error.code, error.param) == (ErrorCode.SESSION_ENDED, "session_id")
        assert "take another id" in error.message

    async def test_but_one_that_missed_its_end_is_told_where_that_was(
        self, transport: MemoryTransport
    ) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await Session.objects.aupdate(state=Session.State.ENDED, durable=9600)
        client = resuming(resume=token_for("meeting"))
        assert await client.connection.begin(owner=None) == 9600
        await take(client.connection, None, FRAME)  # and whatever it still says is of no interest
        await take(client.connection, "nonsense", None)

    @pytest.mark.parametrize("resumes", [True, False])
    async def test_whether_it_can_come_again_is_known_while_it_is_away(
        self, transport: MemoryTransport, resumes: bool
    ) -> None:
        for client in (plain(), resuming()) if resumes else (resuming(), plain()):
            await client.connection.begin(owner=None)
            await client.connection.leave()
        assert (await Session.objects.aget()).sender_resumes is resumes

    async def test_a_second_one_is_refused_and_says_when_to_ask_again(
        self, transport: MemoryTransport
    ) -> None:
        first = plain()
        await first.connection.begin(owner=None)
        error = await refusal(plain().connection.begin(owner=None))
        assert (error.code, error.retry_after) == (ErrorCode.SENDER_CONFLICT, 10)
        await first.connection.leave()
        await plain().connection.begin(owner=None)

    async def test_the_same_one_from_elsewhere_takes_its_place(self, transport: MemoryTransport) -> None:
        first, second = resuming(), resuming(resume=token_for("meeting"))
        await first.connection.begin(owner=None)
        await take(first.connection, None, FRAME)
        assert await second.connection.begin(owner=None) == samples(1)
        assert first.fault_codes == [ErrorCode.SUPERSEDED]
        await take(first.connection, None, FRAME)
        assert await transport.take()
        await second.connection.leave()

    async def test_one_of_its_attempts_that_comes_late_does_not(self, transport: MemoryTransport) -> None:
        resume = token_for("meeting")
        first, late, last = (resuming(resume=resume, attempt=number) for number in (1, 2, 3))
        await first.connection.begin(owner=None)
        await last.connection.begin(owner=None)
        error = await refusal(late.connection.begin(owner=None))
        assert error.code is ErrorCode.SUPERSEDED
        await late.connection.leave()
        await take(last.connection, None, FRAME)
        assert last.faults == []
        await last.connection.leave()

    async def test_without_room_a_new_session_is_withdrawn(self, transport: MemoryTransport) -> None:
        await transport.leave_workers()
        error = await refusal(plain().connection.begin(owner=None))
        assert error.code is ErrorCode.OVERLOADED
        assert error.retry_after
        assert not await Session.objects.aexists()

    async def test_a_database_that_does_not_answer_is_not_waited_for_long(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender_module, "DATABASE_S", 0.05)

        async def never(*arguments: Any, **options: Any) -> Any:
            await asyncio.sleep(60)

        monkeypatch.setattr(sender_module, "in_database", never)
        error = await refusal(plain().connection.begin(owner=None))
        assert (error.code, error.message) == (ErrorCode.OVERLOADED, "the database does not answer")


class Cells(MemoryTransport):
    """Keeps all in one place, and knows which cells would not have let in whom."""

    def __init__(self, **refusals: TransportError) -> None:
        super().__init__()
        self.refusals = refusals
        self.asked: list[str] = []

    async def open(self, session_pk: int, sender: str, *, cell: str = HOME, **options: Any) -> int:
        self.asked.append(cell)
        if cell in self.refusals:
            raise self.refusals[cell]
        return await super().open(session_pk, sender, cell=cell, **options)


class TestCells:
    @pytest.fixture(autouse=True)
    def ranking(self, transactional_db: None, settings: Any) -> list[str]:
        """The cells as this meeting prefers them."""
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        for name in ("east", "west", "north"):
            directory.add(name, "redis://127.0.0.1:2/0")
        return directory.ranked_for("meeting")

    async def begin(self, cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sender_module, "get_transport", lambda: cells)
        client = plain()
        await client.connection.begin(owner=None)
        await client.connection.leave()

    async def where(self) -> str:
        return (await Session.objects.aget()).cell

    async def test_a_new_session_lives_where_its_id_says(
        self, ranking: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cells = Cells()
        await self.begin(cells, monkeypatch)
        assert cells.asked == ranking[:1] == [await self.where()]

    @pytest.mark.parametrize(
        "why", [Overloaded("no room", retry_after_s=10), Unreachable("Redis does not answer")]
    )
    async def test_or_in_the_next_that_lets_it_in(
        self, ranking: list[str], why: TransportError, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cells = Cells(**dict.fromkeys(ranking[:2], why))
        await self.begin(cells, monkeypatch)
        assert cells.asked == ranking[:3]
        assert await self.where() == ranking[2]

    async def test_three_are_asked_and_then_it_is_refused(
        self, ranking: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cells = Cells(**dict.fromkeys(ranking[:3], Overloaded("no room", retry_after_s=10)))
        error = await refusal(self.begin(cells, monkeypatch))
        assert error.code is ErrorCode.OVERLOADED
        assert cells.asked == ranking[:3]
        assert not await Session.objects.aexists()

    async def test_one_that_was_announced_moves_only_out_of_a_cell_that_is_drained(
        self, ranking: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting")
        first, second, *_ = ranking
        full = Overloaded("no room", retry_after_s=10)
        assert (await refusal(self.begin(Cells(**{first: full}), monkeypatch))).code is ErrorCode.OVERLOADED
        assert await self.where() == first

        await asyncio.to_thread(directory.set_takes_new, first, False)
        await self.begin(Cells(), monkeypatch)
        assert await self.where() == second

    async def test_one_that_has_begun_stays(
        self, ranking: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session, _ = await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await asyncio.to_thread(commits.acquire, session.pk)
        await asyncio.to_thread(directory.set_takes_new, ranking[0], False)
        cells = Cells()
        await self.begin(cells, monkeypatch)
        assert cells.asked == ranking[:1]


class TestContinuing:
    """Who was away for too long goes on in another session."""

    @pytest.fixture(autouse=True)
    async def earlier(self, transport: MemoryTransport) -> Session:
        earlier, _ = await asyncio.to_thread(commits.get_or_create_session, "meeting")
        await Session.objects.aupdate(state=Session.State.ENDED, durable=9600)
        return earlier

    def going_on(self, continues: str, **more: Any) -> Client:
        return Client(JoinRequest("meeting-2", Mode.SENDER, 2, continues=continues, **more))

    async def test_the_right_to_resume_the_one_is_the_right_to_go_on_in_another(
        self, earlier: Session
    ) -> None:
        client = self.going_on(token_for("meeting"))
        assert await client.connection.begin(owner=None) == 0
        assert await Session.objects.filter(key="meeting-2", continues=earlier).aexists()
        await client.connection.leave()

    @pytest.mark.parametrize("continues", ["meeting", "meeting:signature", "x" * 500])
    async def test_nothing_else_is(self, continues: str) -> None:
        error = await refusal(self.going_on(continues).connection.begin(owner=None))
        assert (error.code, error.param) == (ErrorCode.BAD_PARAMETER, "continues")
        assert not await Session.objects.filter(key="meeting-2").aexists()

    async def test_a_session_of_others_is_not_taken(self) -> None:
        await asyncio.to_thread(commits.get_or_create_session, "meeting-2")
        error = await refusal(self.going_on(token_for("meeting")).connection.begin(owner=None))
        assert (error.code, error.param) == (ErrorCode.BAD_PARAMETER, "continues")
        assert "take another id" in error.message

    async def test_once_there_it_is_resumed_like_any_other(self) -> None:
        first = self.going_on(token_for("meeting"))
        await first.connection.begin(owner=None)
        await Session.objects.filter(key="meeting").adelete()
        again = self.going_on(token_for("meeting"), resume=token_for("meeting-2"))
        assert await again.connection.begin(owner=None) == 0
        await again.connection.leave()


class TestSending:
    @pytest.fixture
    async def client(self, transport: MemoryTransport) -> AsyncIterator[Client]:
        client = Client(JoinRequest("meeting", Mode.SENDER, 2))
        await client.connection.begin(owner=None)
        yield client
        await client.connection.leave()

    async def test_it_is_told_how_much_is_kept(self, client: Client) -> None:
        for count in (1, 2):
            await take(client.connection, None, FRAME)
            assert client.cursor.received == count * samples(1)
        assert client.changes == 2

    async def test_an_empty_frame_is_a_sign_of_life_and_no_audio(self, client: Client) -> None:
        await take(client.connection, None, b"")
        assert client.cursor.received == 0
        assert client.changes == 0

    async def test_a_word_that_is_no_command_is_answered_until_there_are_too_many(
        self, client: Client
    ) -> None:
        codes = [
            (await refusal(take(client.connection, "nonsense", None))).code for _ in range(MAX_BAD_MESSAGES)
        ]
        assert codes == [ErrorCode.BAD_COMMAND] * (MAX_BAD_MESSAGES - 1) + [ErrorCode.TOO_MANY_BAD_COMMANDS]

    async def test_audio_in_between_forgives_none_of_them(self, client: Client) -> None:
        for _ in range(MAX_BAD_MESSAGES - 1):
            await refusal(take(client.connection, "nonsense", None))
            await take(client.connection, None, FRAME[:400])
        error = await refusal(take(client.connection, "nonsense", None))
        assert error.code is ErrorCode.TOO_MANY_BAD_COMMANDS
        assert error.message == f"{MAX_BAD_MESSAGES} messages were no commands"

    async def test_bad_audio_is_told_as_it_is(self, client: Client) -> None:
        error = await refusal(take(client.connection, None, bytes(5)))
        assert (error.code, error.param) == (ErrorCode.MISALIGNED, "frame 1")

    async def test_a_flush_waits_in_the_cursor_until_its_place_is_durable(
        self, transport: MemoryTransport, client: Client
    ) -> None:
        await take(client.connection, None, FRAME)
        await take(client.connection, '{"command": "flush"}', None)
        assert client.cursor.flushes == [samples(1)]
        session_pk = await transport.take()
        assert (await transport.read(session_pk, 0, timeout_s=1)).is_flush

    async def test_after_close_whatever_comes_is_ignored_and_the_cursor_takes_all(
        self, transport: MemoryTransport, client: Client
    ) -> None:
        client.cursor.max_untaken = 0
        await take(client.connection, None, FRAME)
        await take(client.connection, "close", None)
        assert client.cursor.max_untaken is None
        await take(client.connection, None, FRAME)
        await take(client.connection, "nonsense", None)
        session_pk = await transport.take()
        chunk = await transport.read(session_pk, 0, timeout_s=1)
        assert (chunk.end, chunk.is_end) == (samples(1), True)

    async def test_a_session_that_is_too_long_ends_with_what_it_has(
        self, transport: MemoryTransport, client: Client, settings: Any
    ) -> None:
        settings.MAX_SESSION_S = 2
        await take(client.connection, None, FRAME)
        error = await refusal(take(client.connection, None, FRAME))
        assert error.code is ErrorCode.TOO_LONG
        session_pk = await transport.take()
        chunk = await transport.read(session_pk, samples(1), timeout_s=1)
        assert (chunk.end, chunk.is_end) == (samples(2), True)


class TestLosing:
    async def lost(self, transport: MemoryTransport, client: Client) -> None:
        """A client whose log is gone, as after a restart of what held it."""
        await client.connection.begin(owner=None)
        await take(client.connection, None, FRAME)
        transport._logs.clear()

    async def test_a_plain_sender_goes_on_where_the_database_is(self, transport: MemoryTransport) -> None:
        client = plain()
        await self.lost(transport, client)
        await take(client.connection, None, FRAME)
        assert client.faults == []
        assert client.cursor.received == samples(1)
        session_pk = (await Session.objects.aget()).pk
        assert transport._logs[session_pk].end == samples(1)
        await client.connection.leave()

    async def test_one_that_has_its_audio_still_is_asked_to_come_again(
        self, transport: MemoryTransport
    ) -> None:
        client = resuming()
        await self.lost(transport, client)
        error = await refusal(take(client.connection, None, FRAME))
        assert (error.code, error.message) == (
            ErrorCode.GOING_AWAY,
            "the audio must be sent again in part: connect again",
        )
        await client.connection.leave()

    @pytest.mark.parametrize("command", ["close", '{"command": "flush"}'])
    async def test_so_it_is_with_its_commands(self, transport: MemoryTransport, command: str) -> None:
        client = resuming()
        await self.lost(transport, client)
        assert (await refusal(take(client.connection, command, None))).code is ErrorCode.GOING_AWAY
        await client.connection.leave()

    async def test_if_the_session_has_ended_meanwhile_the_rest_is_of_no_interest(
        self, transport: MemoryTransport
    ) -> None:
        client = plain()
        await self.lost(transport, client)
        await Session.objects.aupdate(state=Session.State.ENDED)
        await take(client.connection, None, FRAME)
        assert client.faults == []
        assert transport._logs == {}

    async def test_unless_it_ended_because_its_sender_was_away(self, transport: MemoryTransport) -> None:
        client = plain()
        await self.lost(transport, client)
        await Session.objects.aupdate(state=Session.State.ENDED, closed_by="absence", durable=samples(1))
        error = await refusal(take(client.connection, None, FRAME))
        assert error.code is ErrorCode.SESSION_ENDED
        assert "ended at 1.0 s, while its sender was away" in error.message

    async def test_what_the_transport_tells_reaches_only_those_whom_it_concerns(
        self, transport: MemoryTransport
    ) -> None:
        plainly, again, ended = plain(), resuming(), resuming()
        ended.feed.receive_end(SessionEnd(0, 16_000, 16_000))
        for client in (plainly, again, ended):
            client.connection.sender_lost(LogLost())
        assert plainly.faults == []
        assert again.fault_codes == [ErrorCode.GOING_AWAY]
        assert ended.faults == []
        plainly.connection.sender_lost(Superseded())
        plainly.connection.sender_lost(Superseded())
        assert plainly.fault_codes == [ErrorCode.SUPERSEDED]

    async def test_whose_end_is_lost_with_the_log_says_it_anew(
        self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender_module, "END_PATIENCE_S", 0.0)
        plainly, again, ended = plain("a"), resuming("b"), resuming("c")
        for client in (plainly, again, ended):
            await client.connection.begin(owner=None)
            await take(client.connection, "close", None)
        transport._logs.clear()
        ended.feed.receive_end(SessionEnd(0, 16_000, 16_000))

        for client in (plainly, again, ended):
            client.connection.sender_lost(LogLost())
        async with asyncio.timeout(5):
            while not again.faults or not transport._logs:
                await asyncio.sleep(0.01)

        assert again.fault_codes == [ErrorCode.GOING_AWAY]
        session_pk = (await Session.objects.aget(key="a")).pk
        assert [(pk, log.is_finished) for pk, log in transport._logs.items()] == [(session_pk, True)]
        assert plainly.faults == ended.faults == []
        for client in (plainly, again, ended):
            await client.connection.leave()

    async def test_leaving_twice_is_leaving_once(self, transport: MemoryTransport) -> None:
        client = plain()
        await client.connection.begin(owner=None)
        await client.connection.leave()
        await client.connection.leave()
        await take(client.connection, None, FRAME)
        assert next(iter(transport._logs.values())).end == 0
