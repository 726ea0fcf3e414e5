"""Rights of open sockets: whoever loses theirs hears nothing more, and is told so at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from sessions_app import teams
from sessions_app.access.decision import Level
from sessions_app.catalogue import trash
from sessions_app.models import AccessToken, Session, Share, Team
from sessions_app.sockets import rights_watch
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire import layer_messages
from sessions_app.wire.protocol import Line, PartialLine, SpeakerRef
from speakers import notify
from tests.sessions_app.meetings import make_lines, make_session, make_user
from tests.sessions_app.sockets.reaching import reaching
from tests.sessions_app.sockets.test_consumers import FRAME, connect, disconnect, message, refused, send
from tests.support.communicator import Communicator

SOON_S = 2.0
in_thread = database_sync_to_async


@pytest.fixture(autouse=True)
async def transport(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MemoryTransport]:
    async with reaching(MemoryTransport(), settings, monkeypatch) as transport:
        settings.ACCESS = "token"
        yield transport


def cookies_of(client: Client) -> dict[str, Any]:
    """What a browser with this login sends along."""
    headers = {
        "host": "localhost",
        "origin": "http://localhost",
        "cookie": f"sessionid={client.cookies['sessionid'].value}",
    }
    return {"headers": [(name.encode(), value.encode()) for name, value in headers.items()]}


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


async def open_as(user: User, query: str = "mode=receiver&v=2&stay=1") -> Communicator:
    return await opened(query, **cookies_of(await in_thread(browser_of)(user)))


async def opened(query: str, **more: Any) -> Communicator:
    socket = await connect(query, **more)
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    assert (await message(socket))["event"]["type"] == "hello"
    return socket


async def end_of(socket: Communicator) -> tuple[str, int]:
    """How it ends, soon, whatever states it is told before."""
    async with asyncio.timeout(SOON_S):
        while True:
            told = await message(socket)
            if "error" in told:
                return told["error"]["code"], (await socket.receive_output(10))["code"]


async def say(text: str) -> None:
    def announce() -> None:
        group = layer_messages.session_group("meeting")
        line = Line(1, 1, 0, 500, text, SpeakerRef())
        notify.send(group, layer_messages.partial_message("meeting", PartialLine(0, text)))
        notify.send(group, layer_messages.commit_message("meeting", [line], received=8000, durable=8000))

    await in_thread(announce)()


class TestWaitingAtAnUnusedId:
    """Ids can be guessed: a weekly meeting has the same each week."""

    async def begin(self, owner: User) -> Session:
        session, _ = await in_thread(commits.get_or_create_session)("meeting", owner=owner.pk)
        return session

    async def test_who_may_see_only_their_own_hears_nothing_of_what_another_begins_there(self) -> None:
        alice, ben = [await in_thread(make_user)(name, "transcriber") for name in ("alice", "ben")]
        socket = await open_as(ben)
        await self.begin(alice)
        await say("这是秘密。")
        assert await refused(socket) == ("forbidden", 4403)
        await disconnect(socket)

    async def test_nor_though_a_message_comes_before_the_database_is_asked(self) -> None:
        ben = await in_thread(make_user)("ben", "transcriber")
        socket = await open_as(ben)
        await say("这是秘密。")
        assert await socket.receive_nothing(0.3)
        await disconnect(socket)

    async def test_its_owner_hears_it(self) -> None:
        alice = await in_thread(make_user)("alice", "transcriber")
        socket = await open_as(alice)
        session = await self.begin(alice)
        await in_thread(make_lines)(session, ["大家好。"])
        await say("大家好。")
        while (told := await message(socket))["asr"] != "大家好。":
            assert "error" not in told
        await disconnect(socket)

    async def test_who_sees_everything_hears_it_without_being_asked_again(self) -> None:
        viewer = await in_thread(make_user)("viewer", "viewer")
        socket = await open_as(viewer)
        await say("大家好。")
        assert (await message(socket))["asr"] == "大家好。"
        await disconnect(socket)

    async def test_a_sender_who_comes_second_is_not_let_into_the_session_of_the_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice, ben = [await in_thread(make_user)(name, "transcriber") for name in ("alice", "ben")]

        def second(*arguments: Any, ask: Any = commits.get_or_create_session, **options: Any) -> Any:
            ask("meeting", owner=alice.pk)  # after his right was asked for, before his session is made
            return ask(*arguments, **options)

        monkeypatch.setattr(commits, "get_or_create_session", second)
        socket = await connect("mode=sender&v=2", **cookies_of(await in_thread(browser_of)(ben)))
        assert (await socket.receive_output(10))["type"] == "websocket.accept"
        assert await refused(socket) == ("forbidden", 4403)
        await disconnect(socket)


def close_account(user: User) -> None:
    user.is_active = False
    user.save()


def take_role(user: User) -> None:
    user.groups.clear()


def change_role(user: User) -> None:
    Group.objects.get(name="viewer").permissions.clear()


def change_password(user: User) -> None:
    user.set_password("another")
    user.save()


def delete_account(user: User) -> None:
    User.objects.get(pk=user.pk).delete()


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (close_account, ("unauthorized", 4401)),
        (take_role, ("forbidden", 4403)),
        (change_role, ("forbidden", 4403)),
        (change_password, ("unauthorized", 4401)),
        (delete_account, ("unauthorized", 4401)),
    ],
)
async def test_an_account_that_loses_its_rights_loses_its_socket(
    change: Callable[[User], None], end: tuple[str, int]
) -> None:
    viewer = await in_thread(make_user)("viewer", "viewer")
    socket = await open_as(viewer)
    await in_thread(change)(viewer)
    assert await end_of(socket) == end
    await disconnect(socket)


async def test_who_logs_out_reads_no_further_and_their_other_browsers_do() -> None:
    viewer = await in_thread(make_user)("viewer", "viewer")
    browser = await in_thread(browser_of)(viewer)
    socket, other = await opened("mode=receiver&v=2", **cookies_of(browser)), await open_as(viewer)
    await in_thread(browser.post)("/logout/")
    assert await end_of(socket) == ("unauthorized", 4401)
    assert await other.receive_nothing(0.2)
    for each in (socket, other):
        await disconnect(each)


def revoke_by_page(token: AccessToken, owner: User) -> None:
    browser_of(owner).post(f"/sessions/meeting/links/{token.pk}/revoke")


def revoke_in_admin(token: AccessToken, owner: User) -> None:
    admin = User.objects.create_superuser("root")
    chosen = {"action": "revoke", "_selected_action": [token.pk]}
    browser_of(admin).post("/admin/sessions_app/accesstoken/", chosen)


def delete_token(token: AccessToken, owner: User) -> None:
    token.delete()


@pytest.mark.parametrize("revoke", [revoke_by_page, revoke_in_admin, delete_token])
async def test_a_link_that_is_revoked_closes_what_was_opened_by_it(
    revoke: Callable[[AccessToken, User], None],
) -> None:
    alice = await in_thread(make_user)("alice", "transcriber")
    await in_thread(make_session)("meeting", owner=alice, is_live=True)
    token, secret = await in_thread(AccessToken.issue)(name="x", role="receiver", session_key="meeting")
    socket = await opened(f"mode=receiver&v=2&stay=1&token={secret}")
    await in_thread(revoke)(token, alice)
    assert await end_of(socket) == ("forbidden", 4403)
    await disconnect(socket)


async def test_a_sender_whose_token_is_revoked_is_let_go_and_what_it_sent_is_kept(
    transport: MemoryTransport,
) -> None:
    token, secret = await in_thread(AccessToken.issue)(name="x", role="sender")
    socket = await opened(f"mode=sender&v=2&token={secret}")
    await send(socket, FRAME)
    await in_thread(token.delete)()
    assert await end_of(socket) == ("forbidden", 4403)
    (log,) = transport._logs.values()
    assert log.end == len(FRAME) // 4
    await disconnect(socket)


def unshare(session: Session, user: User, team: Team) -> None:
    teams.unshare(session, user)
    teams.unshare(session, team)


def leave_team(session: Session, user: User, team: Team) -> None:
    Share.objects.filter(team=None).delete()
    team.memberships.filter(user=user).delete()


def delete_team(session: Session, user: User, team: Team) -> None:
    Share.objects.filter(team=None).delete()
    team.delete()


@pytest.mark.parametrize("change", [unshare, leave_team, delete_team])
async def test_who_a_session_is_no_longer_shared_with_reads_no_further(
    change: Callable[[Session, User, Team], None],
) -> None:
    alice, ben = [await in_thread(make_user)(name, "transcriber") for name in ("alice", "ben")]
    session = await in_thread(make_session)("meeting", owner=alice, is_live=True)

    def share() -> Team:
        team = Team.objects.create(name="team")
        team.memberships.create(user=ben)
        teams.share(session, ben, Level.READ)
        teams.share(session, team, Level.READ)
        return team

    team = await in_thread(share)()
    socket = await open_as(ben)
    await in_thread(change)(session, ben, team)
    assert await end_of(socket) == ("forbidden", 4403)
    await disconnect(socket)


@pytest.mark.parametrize("change", [trash.put, lambda session: session.delete()])
async def test_a_meeting_that_is_moved_to_the_trash_or_deleted_is_read_no_further(
    change: Callable[[Session], None],
) -> None:
    alice, ben = [await in_thread(make_user)(name, "transcriber") for name in ("alice", "ben")]
    session = await in_thread(make_session)("meeting", owner=alice)
    await in_thread(teams.share)(session, ben, Level.READ)
    socket = await open_as(ben)
    await in_thread(change)(session)
    if change is trash.put:
        assert await end_of(socket) == ("forbidden", 4403)
    await disconnect(socket)


async def test_what_is_announced_to_nobody_is_noticed_in_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights_watch, "EVERY_S", 0.1)
    token, secret = await in_thread(AccessToken.issue)(name="x", role="receiver")
    socket = await opened(f"mode=receiver&v=2&token={secret}")
    assert await socket.receive_nothing(0.3)
    await AccessToken.objects.filter(pk=token.pk).aupdate(expires_at=timezone.now())
    assert await end_of(socket) == ("forbidden", 4403)
    await disconnect(socket)


async def test_everybody_stays_while_the_database_is_away_and_is_judged_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([OperationalError("no"), OperationalError("no")])

    async def admit_all(asked: Any, ask: Any = rights_watch.admit_all) -> Any:
        if failure := next(answers, None):
            raise failure
        return await ask(asked)

    token, secret = await in_thread(AccessToken.issue)(name="x", role="receiver")
    socket = await opened(f"mode=receiver&v=2&token={secret}")
    monkeypatch.setattr(rights_watch, "admit_all", admit_all)
    monkeypatch.setattr(rights_watch, "RETRY_S", 0.05)
    await in_thread(token.delete)()
    assert await end_of(socket) == ("forbidden", 4403)
    assert next(answers, None) is None
    await disconnect(socket)


async def test_those_who_showed_the_same_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def admit_all(some: Any, ask: Any = rights_watch.admit_all) -> Any:
        asked.append(len(some))
        return await ask(some)

    _, secret = await in_thread(AccessToken.issue)(name="x", role="receiver")
    sockets = [await opened(f"mode=receiver&v=2&token={secret}") for _ in range(3)]
    monkeypatch.setattr(rights_watch, "admit_all", admit_all)
    await in_thread(lambda: notify.send(layer_messages.RIGHTS, layer_messages.rights_message("", None)))()
    async with asyncio.timeout(SOON_S):
        while not asked:
            await asyncio.sleep(0.01)
    assert asked == [1]
    for socket in sockets:
        await disconnect(socket)


class TestQuota:
    async def refusal_of(self, user: User, query: str) -> tuple[str, int]:
        socket = await connect(query, **cookies_of(await in_thread(browser_of)(user)))
        assert (await socket.receive_output(10))["type"] == "websocket.accept"
        refusal = await refused(socket)
        await disconnect(socket)
        return refusal

    async def test_one_login_has_so_many_sockets_and_may_open_another_when_one_is_closed(
        self, settings: Any
    ) -> None:
        settings.QUOTA_SOCKETS = 2
        viewer = await in_thread(make_user)("viewer", "viewer")
        sockets = [await open_as(viewer) for _ in range(2)]
        assert await self.refusal_of(viewer, "mode=receiver") == ("too_many_connections", 4429)
        other = await in_thread(make_user)("other", "viewer")
        await disconnect(await open_as(other))
        await disconnect(sockets.pop())
        sockets.append(await open_as(viewer))
        for socket in sockets:
            await disconnect(socket)

    async def test_who_has_enough_sessions_begins_no_other_and_goes_on_with_those_there_are(
        self, settings: Any
    ) -> None:
        settings.QUOTA_SESSIONS = 1
        alice = await in_thread(make_user)("alice", "transcriber")
        await in_thread(make_session)("another", owner=alice, is_live=True)
        assert await self.refusal_of(alice, "mode=sender&v=2") == ("quota_exceeded", 4402)
        await Session.objects.aupdate(key="meeting")
        await disconnect(await open_as(alice, "mode=sender&v=2"))
