"""Tokens by the API: bound to a session and a role, told once, and no stronger than who makes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import Action, Entry
from sessions_app.models import AccessToken, Session, Share
from tests.sessions_app.meetings import make_lines, make_session, make_user

from .clients import Program, by_password

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("owner", "transcriber")


@pytest.fixture
def program(owner: User) -> Program:
    return by_password(owner)


@pytest.fixture
def session(owner: User) -> Session:
    session = make_session(owner=owner)
    make_lines(session)
    return session


def make(program: Program, **wanted: Any) -> Any:
    return program.ask("post", "sessions/周会/tokens", {"role": "receiver"} | wanted)


def test_a_token_is_for_one_session_and_its_secret_is_told_once(program: Program, session: Session) -> None:
    told = make(program, name="n8n").json()
    token = AccessToken.find(told["secret"])
    assert token
    assert (token.name, token.role, token.session_key, token.may_export) == ("n8n", "receiver", "周会", False)
    [listed] = program.get("sessions/周会/tokens")
    assert listed == {name: value for name, value in told.items() if name != "secret"}


def test_a_token_opens_what_it_is_for(program: Program, session: Session) -> None:
    reader = Program(f"Bearer {make(program).json()['secret']}")
    assert len(reader.get("sessions/周会/lines")["lines"]) == 4
    assert reader.ask("get", "sessions/周会/export/txt").status_code == 403
    taker = Program(f"Bearer {make(program, takes_files=True).json()['secret']}")
    assert taker.ask("get", "sessions/周会/export/txt").status_code == 200


def test_a_token_for_sending_ends_its_session_and_reads_nothing(program: Program, session: Session) -> None:
    microphone = Program(f"Bearer {make(program, role='sender', takes_files=True).json()['secret']}")
    assert microphone.ask("post", "sessions/周会/end").status_code == 202
    assert microphone.ask("get", "sessions/周会/lines").status_code == 404
    assert AccessToken.objects.get().may_export is False


@pytest.mark.parametrize(("days", "lasts"), [(1, timedelta(days=1)), (None, None)])
def test_a_token_lasts_as_long_as_is_asked_for(
    days: int | None, lasts: timedelta | None, program: Program, session: Session
) -> None:
    make(program, days=days)
    [token] = AccessToken.objects.all()
    if lasts is None:
        assert token.expires_at is None
    else:
        assert token.expires_at
        assert abs(token.expires_at - timezone.now() - lasts) < timedelta(minutes=1)


def test_a_token_lasts_a_month_unless_it_is_asked_otherwise(program: Program, session: Session) -> None:
    make(program)
    expires_at = AccessToken.objects.get().expires_at
    assert expires_at
    assert (expires_at - timezone.now()).days == 29


@pytest.mark.parametrize(
    "wanted",
    [{"days": 0}, {"days": 366}, {"role": "admin"}, {"role": None}, {"name": "x" * 101}, {"name": "\0"}],
    ids=str,
)
def test_what_makes_no_sense_is_refused(wanted: dict[str, Any], program: Program, session: Session) -> None:
    assert make(program, **wanted).status_code == 422
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("lost", "wanted"), [("send", {"role": "sender"}), ("export", {"takes_files": True})]
)
def test_nobody_gives_away_what_they_may_not_do(
    lost: str, wanted: dict[str, Any], owner: User, program: Program, session: Session
) -> None:
    [group] = owner.groups.all()
    group.permissions.remove(group.permissions.get(codename=f"{lost}_session"))
    assert make(program).status_code == 201
    assert make(program, **wanted).status_code == 403


def test_who_only_edits_gives_no_tokens(session: Session) -> None:
    friend = make_user("friend", "transcriber")
    Share.objects.create(session=session, user=friend, level="edit")
    assert make(by_password(friend)).status_code == 403


def test_a_revoked_token_opens_nothing_and_is_listed_no_longer(program: Program, session: Session) -> None:
    told = make(program).json()
    assert program.ask("delete", f"sessions/周会/tokens/{told['id']}").status_code == 204
    assert program.get("sessions/周会/tokens") == []
    assert Program(f"Bearer {told['secret']}").ask("get", "sessions/周会").status_code == 401
    assert program.ask("delete", f"sessions/周会/tokens/{told['id']}").status_code == 404


def test_no_token_of_another_session_is_listed_or_revoked(program: Program, session: Session) -> None:
    foreign, _ = AccessToken.issue(name="foreign", role="receiver", session_key="another")
    for_all, _ = AccessToken.issue(name="for all", role="receiver")
    assert program.get("sessions/周会/tokens") == []
    for token in (foreign, for_all):
        assert program.ask("delete", f"sessions/周会/tokens/{token.pk}").status_code == 404
    assert not AccessToken.objects.filter(is_revoked=True).exists()


def test_tokens_are_on_record(program: Program, session: Session, owner: User) -> None:
    token = make(program, days=7).json()["id"]
    program.ask("delete", f"sessions/周会/tokens/{token}")
    made, revoked = Entry.objects.filter(meeting="周会").order_by("pk")
    assert (made.action, made.actor, made.detail) == (
        Action.LINK_MADE, owner, {"link": token, "days": 7, "role": "receiver"},
    )  # fmt: skip
    assert (revoked.action, revoked.detail) == (Action.LINK_REVOKED, {"link": token})
