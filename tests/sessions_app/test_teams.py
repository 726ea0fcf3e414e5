"""Sessions that are shared: with whom, for what, and from when on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client, RequestFactory

from sessions_app import teams
from sessions_app.access import permissions
from sessions_app.access.decision import SHARED_RIGHTS, Level
from sessions_app.models import Share, ShareLevel, Team
from sessions_app.store.commits import get_or_create_session
from sessions_app.transcripts import retention

from .meetings import make_lines, make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


@pytest.fixture
def ben() -> User:
    """Somebody without any role."""
    return make_user("ben")


def make_team(*members: User, name: str = "Design", level: str = ShareLevel.COMMENT) -> Team:
    team = Team.objects.create(name=name, level=level)
    team.members.set(members)
    return team


def seen_by(user: User | AnonymousUser) -> list[str]:
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    request.user = user
    return sorted(permissions.visible_sessions(request).values_list("key", flat=True))


def test_every_level_of_the_database_has_its_rights() -> None:
    assert {Level(level) for level in ShareLevel.values} == SHARED_RIGHTS.keys()


class TestShared:
    @pytest.mark.parametrize("level", Level)
    def test_with_a_person(self, anna: User, ben: User, level: Level) -> None:
        session = make_session("a", owner=anna)

        teams.share(session, ben, level)

        assert permissions.granted(ben, session) == SHARED_RIGHTS[level]
        assert seen_by(ben) == ["a"]

    def test_with_a_team(self, anna: User, ben: User) -> None:
        session = make_session("a", owner=anna)

        teams.share(session, make_team(ben), Level.EDIT)

        assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.EDIT]
        assert seen_by(ben) == ["a"]

    def test_with_somebody_else_is_not_with_me(self, anna: User, ben: User) -> None:
        make_team(ben, name="Sales")
        session = make_session("a", owner=anna)
        teams.share(session, make_team(make_user("cleo")), Level.EDIT)
        teams.share(session, make_user("dora"), Level.EDIT)

        assert permissions.granted(ben, session) == set()
        assert seen_by(ben) == []
        assert seen_by(AnonymousUser()) == []

    def test_twice_it_is_listed_once_and_the_higher_level_counts(self, anna: User, ben: User) -> None:
        session = make_session("a", owner=anna)
        teams.share(session, ben, Level.READ)
        teams.share(session, make_team(ben), Level.COMMENT)

        assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.COMMENT]
        assert seen_by(ben) == ["a"]

    def test_again_it_has_the_new_level(self, anna: User, ben: User) -> None:
        session = make_session("a", owner=anna)
        teams.share(session, ben, Level.EDIT)

        teams.share(session, ben, Level.READ)

        assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.READ]

    def test_with_a_closed_account_it_is_with_nobody(self, anna: User, ben: User) -> None:
        session = make_session("a", owner=anna)
        teams.share(session, ben, Level.EDIT)
        ben.is_active = False

        assert permissions.granted(ben, session) == set()

    def test_own_sessions_are_seen_beside_those_of_others(self, anna: User, ben: User) -> None:
        make_session("own", owner=anna)
        teams.share(make_session("shared", owner=ben), anna, Level.READ)
        make_session("ben's", owner=ben)

        assert seen_by(anna) == ["own", "shared"]

    def test_it_goes_with_the_session(self, anna: User, ben: User) -> None:
        session = make_session("a", owner=anna)
        make_lines(session)
        teams.share(session, make_team(ben), Level.EDIT)

        retention.delete_session(session)

        assert not Share.objects.exists()


class TestNewSession:
    def test_is_shared_with_the_teams_of_its_owner(self, anna: User, ben: User) -> None:
        make_team(anna, ben, level=ShareLevel.EDIT)
        make_team(ben, name="Sales")

        session, _ = get_or_create_session("a", owner=anna.pk)

        assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.EDIT]
        assert Share.objects.count() == 1

    def test_is_the_owners_alone_if_they_want_it(self, anna: User, ben: User) -> None:
        make_team(anna, ben).memberships.filter(user=anna).update(shares_recordings=False)

        session, _ = get_or_create_session("a", owner=anna.pk)

        assert permissions.granted(ben, session) == set()

    def test_without_an_owner_is_shared_with_nobody(self, ben: User) -> None:
        make_team(ben)

        get_or_create_session("a")

        assert not Share.objects.exists()

    def test_that_is_found_again_is_not_shared_again(self, anna: User, ben: User) -> None:
        make_team(anna, ben)
        session, _ = get_or_create_session("a", owner=anna.pk)
        session.shares.all().delete()

        get_or_create_session("a", owner=anna.pk)

        assert not Share.objects.exists()


def test_pages_and_search_know_what_is_shared(anna: User, ben: User) -> None:
    session = make_session("a", owner=anna, title="Budget")
    make_lines(session, ["预算通过了吗？"])
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(ben)
    assert client.get("/sessions/a/").status_code == 404

    teams.share(session, ben, Level.READ)

    assert client.get("/sessions/a/").status_code == 200
    assert "Budget" in client.get("/").text
    assert "预算" in client.get("/", {"q": "预算"}).text
    assert client.get("/sessions/a/links").status_code == 403
    assert client.post("/sessions/a/edits", {}).status_code == 403
