"""The cells of an installation: which take new sessions, and what may be done with one when."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from deploy.local_servers import RedisServer
from sessions_app.cells import directory
from sessions_app.cells.directory import CellError, CellNote
from sessions_app.cells.placement import HOME, ranked
from sessions_app.models import Cell, Session
from sessions_app.store import commits, queries

pytestmark = pytest.mark.django_db

HERE, THERE = "redis://127.0.0.1:1/0", "redis://:secret@127.0.0.1:2/0"


@pytest.fixture(autouse=True)
def _with_redis(settings: Any) -> None:
    settings.REDIS_URL = HERE


@pytest.fixture
def east() -> str:
    directory.add("east", THERE)
    return "east"


def key_in(cell: str, *among: str) -> str:
    """Return an id that prefers a cell."""
    return next(key for key in map(str, range(1000)) if ranked(key, among)[0] == cell)


class TestNewSessions:
    def test_are_at_home_where_there_are_no_other_cells(self) -> None:
        session, _ = commits.get_or_create_session("a")
        assert session.cell == HOME

    def test_are_spread_and_stay_where_they_began(self, east: str) -> None:
        keys = [f"meeting-{number}" for number in range(40)]
        begun = {key: commits.get_or_create_session(key)[0].cell for key in keys}

        assert set(begun.values()) == {HOME, east}
        directory.add("west", "redis://127.0.0.1:3/0")
        directory.set_takes_new(east, False)
        assert {key: commits.get_or_create_session(key)[0].cell for key in keys} == begun

    def test_go_where_new_ones_are_taken(self, east: str) -> None:
        directory.set_takes_new(HOME, False)
        assert commits.get_or_create_session(key_in(HOME, HOME, east))[0].cell == east

    def test_are_all_here_without_redis_whatever_the_database_knows(self, east: str, settings: Any) -> None:
        """As in a backup of a cluster that is looked at on a laptop."""
        settings.REDIS_URL = ""
        assert commits.get_or_create_session(key_in(east, HOME, east))[0].cell == HOME


class TestUnbegunSessions:
    def test_may_move(self, east: str) -> None:
        session, _ = commits.get_or_create_session(key_in(HOME, HOME, east))

        assert commits.move_unbegun(session, east)
        assert session.cell == east
        assert Session.objects.get().cell == east

    def test_stay_when_a_worker_has_them(self, east: str) -> None:
        session, _ = commits.get_or_create_session(key_in(HOME, HOME, east))
        commits.acquire(session.pk)

        assert not commits.move_unbegun(session, east)
        assert Session.objects.get().cell == session.cell == HOME

    def test_are_no_business_of_workers_of_another_cell(self, east: str) -> None:
        session, _ = commits.get_or_create_session(key_in(east, HOME, east))

        assert commits.acquire(session.pk, cell=HOME) is None
        lease = commits.acquire(session.pk, cell=east)
        assert lease is not None
        assert lease.cell == east

    def test_are_offered_in_their_cell_alone(self, east: str) -> None:
        here, _ = commits.get_or_create_session(key_in(HOME, HOME, east))
        there, _ = commits.get_or_create_session(key_in(east, HOME, east))

        assert [pk for pk, _, _ in queries.unfinished_sessions(HOME)] == [here.pk]
        assert [pk for pk, _, _ in queries.unfinished_sessions(east)] == [there.pk]
        assert len(queries.unfinished_sessions()) == 2


class TestChanges:
    def test_an_address_is_sealed(self, east: str) -> None:
        row = Cell.objects.get()
        assert b"secret" not in bytes(row.sealed_address or b"")
        assert directory.address_of(east) == THERE
        assert directory.address_of(HOME) == HERE

    def test_a_cell_may_be_elsewhere_one_day(self, east: str) -> None:
        directory.set_takes_new(east, False)
        directory.add(east, "redis://127.0.0.1:9/0")
        assert directory.address_of(east) == "redis://127.0.0.1:9/0"
        assert directory.takers() == [HOME]  # nobody asked for more

    def test_a_drained_one_can_be_filled_again(self, east: str) -> None:
        directory.set_takes_new(east, False)
        directory.set_takes_new(east, True)
        assert directory.takers() == [HOME, east]

    def test_notes_tell_what_lives_where(self, east: str) -> None:
        commits.get_or_create_session(key_in(east, HOME, east))
        directory.set_takes_new(east, False)
        assert directory.notes() == [CellNote(HOME, True, 0), CellNote(east, False, 1)]

    def test_an_empty_one_is_removed(self, east: str) -> None:
        session, _ = commits.get_or_create_session(key_in(east, HOME, east))
        directory.set_takes_new(east, False)
        with pytest.raises(CellError, match="1 sessions in 'east' have not ended"):
            directory.remove(east)
        commits.end_unbegun(session.pk)
        directory.remove(east)
        assert directory.names() == [HOME]

    def test_not_while_it_takes_new_ones(self, east: str) -> None:
        with pytest.raises(CellError, match="drain it first"):
            directory.remove(east)

    def test_home_stays(self) -> None:
        with pytest.raises(CellError, match="REDIS_URL"):
            directory.remove(HOME)

    def test_the_last_one_takes_new_sessions(self, east: str) -> None:
        directory.set_takes_new(HOME, False)
        with pytest.raises(CellError, match="no other cell than 'east'"):
            directory.set_takes_new(east, False)

    @pytest.mark.parametrize("act", [directory.address_of, directory.remove])
    def test_one_that_is_not_there_is_named(self, act: Any) -> None:
        with pytest.raises(CellError, match="there is no cell 'nowhere'"):
            act("nowhere")

    @pytest.mark.parametrize("name", ["", "East", "a b", "-a", "x" * 41, HOME, "东"])
    def test_names_are_plain(self, name: str) -> None:
        with pytest.raises(CellError, match="names no cell"):
            directory.add(name, THERE)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _at_a_real_one(self, redis_server: RedisServer, settings: Any) -> None:
        settings.REDIS_URL = redis_server.url

    def test_adds_and_lists(self, redis_server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("cells", "add", "east", redis_server.url.replace("/0", "/5"))

        assert capsys.readouterr().out.splitlines() == [
            "home: takes new sessions, 0 sessions, 0 workers for 0",
            "east: takes new sessions, 0 sessions, 0 workers for 0",
        ]

    def test_drains_fills_and_removes(
        self, redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("cells", "add", "east", redis_server.url.replace("/0", "/5"))
        call_command("cells", "drain", "east")
        assert "east: drained" in capsys.readouterr().out
        call_command("cells", "fill", "east")
        assert "east: takes new sessions" in capsys.readouterr().out
        call_command("cells", "drain", "east")
        call_command("cells", "remove", "east")
        assert capsys.readouterr().out.splitlines()[-1].startswith("home: ")

    def test_tells_of_one_that_does_not_answer(self, east: str, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("cells")
        assert "east: takes new sessions, 0 sessions, does not answer: " in capsys.readouterr().out

    def test_refuses_two_cells_in_one_redis(self, redis_server: RedisServer) -> None:
        with pytest.raises(CommandError, match="'home' is in this Redis already"):
            call_command("cells", "add", "east", redis_server.url.replace("127.0.0.1", "localhost"))

    @pytest.mark.parametrize(
        ("address", "complaint"),
        [("localhost:6379", "is not understood: use redis://"), (HERE, "the new cell does not answer")],
    )
    def test_refuses_what_is_no_redis(self, address: str, complaint: str) -> None:
        with pytest.raises(CommandError, match=complaint):
            call_command("cells", "add", "east", address)

    def test_wants_the_first_redis_first(self, settings: Any) -> None:
        settings.REDIS_URL = ""
        with pytest.raises(CommandError, match="set it first"):
            call_command("cells")

    def test_says_why_something_is_not_done(self) -> None:
        with pytest.raises(CommandError, match="there is no cell 'nowhere'"):
            call_command("cells", "drain", "nowhere")
