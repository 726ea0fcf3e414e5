"""Sockets are judged by what holds now: logins, tokens, sessions that come and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as Login
from django.test import Client
from django.utils import timezone

from sessions_app.access.admission import Admission, Credentials, admit
from sessions_app.access.decision import AccessDecision
from sessions_app.models import LAST_USE_S, AccessToken
from sessions_app.wire.protocol import ErrorCode, Mode, ProtocolError

from ..meetings import make_session, make_user

pytestmark = pytest.mark.django_db

ADMITTED, UNKNOWN, FORBIDDEN = AccessDecision


@pytest.fixture(autouse=True)
def _access(settings: Any) -> None:
    settings.ACCESS = "local"


def login_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def reading(user: User | None = None, key: str = "meeting", *, token: str = "") -> Credentials:
    login = login_of(user) if user else ""
    return Credentials(Mode.RECEIVER, key, is_local=False, token=token, login=login)


def sending(user: User, key: str = "meeting") -> Credentials:
    return replace(reading(user, key), mode=Mode.SENDER)


class TestLogin:
    def test_a_key_of_nothing_is_a_session_to_be_made(self) -> None:
        assert admit(sending(make_user("transcriber", "transcriber"))).decision is ADMITTED

    def test_a_key_that_somebody_else_has_is_theirs(self) -> None:
        owner = make_user("owner", "transcriber")
        make_session("meeting", owner=owner)
        assert admit(sending(make_user("other", "transcriber"))).decision is FORBIDDEN
        assert admit(sending(owner)).decision is ADMITTED

    def test_keys_differ_by_case(self) -> None:
        make_session("Meeting", owner=make_user("owner", "transcriber"))
        assert admit(sending(make_user("other", "transcriber"))).decision is ADMITTED

    def test_one_that_is_over_is_nobodys(self) -> None:
        asked = reading(make_user("viewer", "viewer"))
        assert admit(asked).decision is ADMITTED
        Login.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert admit(asked).decision is UNKNOWN

    def test_a_closed_account_has_none(self) -> None:
        asked = reading(make_user("viewer", "viewer"))
        User.objects.update(is_active=False)
        assert admit(asked).decision is UNKNOWN

    def test_another_password_ends_it(self) -> None:
        user = make_user("viewer", "viewer")
        asked = reading(user)
        user.set_password("another")
        user.save()
        assert admit(asked).decision is UNKNOWN

    def test_a_key_that_was_made_up_is_nobodys(self) -> None:
        assert admit(replace(reading(), login="x" * 32)).decision is UNKNOWN


class TestToken:
    def test_one_that_expires_is_good_for_nothing_from_then_on(self) -> None:
        token, secret = AccessToken.issue(name="x", role="receiver")
        asked = reading(token=secret)
        assert admit(asked).decision is ADMITTED
        token.expires_at = timezone.now() - timedelta(seconds=1)
        token.save()
        assert admit(asked).decision is FORBIDDEN

    def test_one_that_is_revoked_too(self) -> None:
        token, secret = AccessToken.issue(name="x", role="receiver")
        token.is_revoked = True
        token.save()
        assert admit(reading(token=secret)).decision is FORBIDDEN


class TestLastUse:
    def test_is_noted_by_sockets_and_not_at_each_question(self) -> None:
        token, secret = AccessToken.issue(name="x", role="receiver")
        asked = reading(token=secret)
        admit(asked)
        token.refresh_from_db()
        first = token.last_used_at
        assert first and timezone.now() - first < timedelta(minutes=1)
        admit(asked)
        token.refresh_from_db()
        assert token.last_used_at == first
        AccessToken.objects.update(last_used_at=first - timedelta(seconds=LAST_USE_S))
        admit(asked)
        token.refresh_from_db()
        assert token.last_used_at > first

    def test_is_not_noted_where_it_was_good_for_nothing(self) -> None:
        token, secret = AccessToken.issue(name="x", role="receiver", session_key="another")
        admit(reading(token=secret))
        token.refresh_from_db()
        assert token.last_used_at is None


class TestWhatItCovers:
    def test_who_sees_only_their_own_is_admitted_to_no_session_that_begins_later(self) -> None:
        waiting = admit(reading(make_user("ben", "transcriber")))
        assert waiting.decision is ADMITTED
        assert not waiting.covers(None) and not waiting.covers(7)

    def test_a_token_for_one_session_is_good_for_the_next_of_its_sender_alone(self) -> None:
        _, secret = AccessToken.issue(name="x", role="sender", session_key="meeting")
        asked = Credentials(Mode.SENDER, "meeting-2", is_local=False, token=secret)
        assert admit(asked).decision is FORBIDDEN
        assert admit(replace(asked, continues="meeting")).decision is ADMITTED
        assert admit(replace(asked, continues="other")).decision is FORBIDDEN

    def test_who_sees_all_and_a_token_are_admitted_to_any(self) -> None:
        _, secret = AccessToken.issue(name="x", role="receiver")
        for asked in (reading(make_user("viewer", "viewer")), reading(token=secret)):
            assert admit(asked).covers(7)

    def test_this_machine_is_trusted_with_any(self) -> None:
        assert admit(replace(reading(), is_local=True)).covers(7)

    def test_the_owner_is_admitted_to_this_one_and_to_no_other_of_the_same_key(self) -> None:
        owner = make_user("owner", "transcriber")
        session = make_session("meeting", owner=owner)
        admission = admit(reading(owner))
        assert admission.covers(session.pk) and not admission.covers(session.pk + 1)


class TestTrash:
    def test_what_lies_there_is_read_by_nobody(self) -> None:
        session = make_session("meeting")
        everybody = [replace(reading(), is_local=True), reading(make_user("viewer", "viewer"))]
        assert {admit(asked).decision for asked in everybody} == {ADMITTED}
        session.trashed_at = timezone.now()
        session.save()
        assert {admit(asked).decision for asked in everybody} == {FORBIDDEN}


@pytest.mark.parametrize(
    ("decision", "code"), [(UNKNOWN, ErrorCode.UNAUTHORIZED), (FORBIDDEN, ErrorCode.FORBIDDEN)]
)
def test_who_is_not_admitted_is_told_why(decision: AccessDecision, code: ErrorCode) -> None:
    with pytest.raises(ProtocolError) as refused:
        Admission(decision).check(Mode.RECEIVER)
    assert refused.value.code is code


def test_no_log_shows_a_secret() -> None:
    shown = repr(Credentials(Mode.SENDER, "meeting", is_local=True, token="secret", login="cookie"))
    assert "secret" not in shown and "cookie" not in shown
