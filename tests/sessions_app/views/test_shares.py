"""A meeting is shared from its own page, by those who may, with people and teams that exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.access import permissions
from sessions_app.access.decision import SHARED_RIGHTS, Level
from sessions_app.models import Session, Team

from ..meetings import make_session, make_user

pytestmark = pytest.mark.django_db

ADDRESS = "/sessions/a/shares"


@pytest.fixture
def session() -> Session:
    return make_session("a", owner=make_user("anna", "transcriber"))


@pytest.fixture
def ben() -> User:
    return make_user("ben")


def client_of(name: str) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(User.objects.get(username=name))
    return client


def share(client: Client, **wanted: object) -> Any:
    return client.post(ADDRESS, wanted, content_type="application/json")


def test_a_person_is_given_a_right_another_and_none(session: Session, ben: User) -> None:
    anna = client_of("anna")

    told = share(anna, kind="user", id=ben.pk, level="comment").json()
    assert told["shares"] == [{"kind": "user", "id": ben.pk, "name": "ben", "level": "comment"}]
    assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.COMMENT]

    share(anna, kind="user", id=ben.pk, level="edit")
    assert permissions.granted(ben, session) == SHARED_RIGHTS[Level.EDIT]

    assert share(anna, kind="user", id=ben.pk, level=None).json()["shares"] == []
    assert permissions.granted(ben, session) == set()


def test_a_team_is_no_person_of_the_same_number(session: Session, ben: User) -> None:
    team = Team.objects.create(pk=ben.pk, name="Design")

    told = share(client_of("anna"), kind="team", id=team.pk, level="read").json()

    assert told["shares"] == [{"kind": "team", "id": team.pk, "name": "Design", "level": "read"}]
    assert permissions.granted(ben, session) == set()


def test_those_with_whom_it_is_not_shared_yet_are_found_by_name(session: Session, ben: User) -> None:
    Team.objects.create(name="Benchmarks")
    make_user("bernd")
    User.objects.create_user("bene", is_active=False)
    anna = client_of("anna")

    found = anna.get(ADDRESS, {"q": "BEn"}).json()["found"]
    assert [party["name"] for party in found] == ["Benchmarks", "ben"]

    share(anna, kind="user", id=ben.pk, level="read")
    found = anna.get(ADDRESS, {"q": "ben\0"}).json()["found"]
    assert found == []
    assert [party["name"] for party in anna.get(ADDRESS, {"q": "ben"}).json()["found"]] == ["Benchmarks"]
    assert anna.get(ADDRESS, {"q": "anna"}).json()["found"] == [], "it is the owner's already"
    assert anna.get(ADDRESS).json()["found"] == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "user", "id": 999_999, "level": "read"},
        {"kind": "team", "id": 999_999, "level": "read"},
        {"kind": "user", "id": 1, "level": "own"},
        {"kind": "user", "id": "1", "level": "read"},
        {"kind": "user", "id": 10**30, "level": "read"},
        {"kind": "user", "level": "read"},
        {},
    ],
)
def test_nonsense_shares_nothing(session: Session, wanted: dict[str, object]) -> None:
    answer = share(client_of("anna"), **wanted)

    assert (answer.status_code, answer.json()) == (400, {"error": "There is no such person or team."})
    assert not session.shares.exists()


@pytest.mark.parametrize("level", Level)
def test_with_whom_it_is_shared_shares_it_no_further(session: Session, ben: User, level: Level) -> None:
    share(client_of("anna"), kind="user", id=ben.pk, level=level)

    answer = share(client_of("ben"), kind="user", id=make_user("cleo").pk, level="read")

    assert answer.status_code == 403
    assert session.shares.count() == 1
