"""The rows of a session: what they are called, what they refuse, and what a token is good for."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import resolve
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.models import MAX_FAILURES, AccessToken, Session, Utterance, Voice
from speakers.models import Speaker

from .meetings import make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class TestSession:
    def test_it_is_called_by_its_title_or_else_by_its_key(self) -> None:
        assert str(Session(key="a", title="周会")) == "周会"
        assert str(Session(key="a")) == "a"

    @pytest.mark.parametrize("key", ["a", "周会", "a b", "a%2Fb", "100%", "a.b", "🎤", "..", "é", "a;b=c"])
    def test_its_address_leads_to_it_whatever_its_key(self, key: str) -> None:
        address = Session(key=key).get_absolute_url()

        found = resolve(unquote(address))
        assert (found.url_name, found.kwargs) == ("session", {"key": key})
        assert address.isascii()

    def test_a_key_is_taken_once(self) -> None:
        make_session("a")

        with pytest.raises(IntegrityError), transaction.atomic():
            make_session("a")

    def test_its_owner_may_go_and_it_stays(self) -> None:
        owner = User.objects.create_user("owner")
        session = make_session(owner=owner)

        owner.delete()

        session.refresh_from_db()
        assert session.owner is None

    @pytest.mark.parametrize(
        ("state", "failures", "has_ended", "has_failed"),
        [
            ("live", MAX_FAILURES, False, False),
            ("ended", MAX_FAILURES, True, True),
            ("ended", MAX_FAILURES - 1, True, False),
            ("draining", 0, False, False),
        ],
    )
    def test_only_what_has_ended_can_have_failed(
        self, state: str, failures: int, has_ended: bool, has_failed: bool
    ) -> None:
        session = Session(state=state, failures=failures)

        assert (session.has_ended, session.has_failed) == (has_ended, has_failed)

    def test_the_newest_comes_first(self) -> None:
        for day, key in enumerate("abc"):
            session = make_session(key)
            Session.objects.filter(pk=session.pk).update(created_at=NOW - timedelta(days=day))

        assert [session.key for session in Session.objects.all()] == ["a", "b", "c"]


class TestVoice:
    def test_a_stranger_is_called_by_number_in_the_readers_language(self) -> None:
        voice = Voice(number=3)

        with translation.override("en"):
            assert voice.name == "Speaker 3"
        with translation.override("zh-hans"):
            assert voice.name == "发言人 3"

    def test_somebody_known_is_called_by_name(self) -> None:
        voice = Voice(number=3, speaker=Speaker(name="Alice"))

        assert voice.name == str(voice) == "Alice"
        assert voice.speaker is not None
        assert voice.public_id == str(voice.speaker.uuid)

    def test_without_name_and_number_it_is_somebody_unknown(self) -> None:
        voice = Voice()

        with translation.override("en"):
            assert voice.name == "Unknown speaker"
        assert voice.public_id == str(voice.uuid)

    def test_a_session_has_each_number_once_and_any_number_of_names(self) -> None:
        session = make_session()
        Voice.objects.create(session=session, number=1)
        for _ in range(2):
            Voice.objects.create(session=session, number=None)

        with pytest.raises(IntegrityError), transaction.atomic():
            Voice.objects.create(session=session, number=1)
        Voice.objects.create(session=make_session("another"), number=1)


class TestUtterance:
    def test_none_ends_before_it_starts(self) -> None:
        session = make_session()
        Utterance.objects.create(session=session, start=5, end=5, text="（笑）")

        with pytest.raises(IntegrityError), transaction.atomic():
            Utterance.objects.create(session=session, start=5, end=4, text="x")

    def test_a_session_has_each_number_once_and_any_number_of_added_ones(self) -> None:
        session = make_session()
        (line,) = make_lines(session, ["a"])
        for _ in range(2):
            Utterance.objects.create(session=session, seq=None, start=0, end=0, text="（笑）")

        with pytest.raises(IntegrityError), transaction.atomic():
            Utterance.objects.create(session=session, seq=line.seq, start=0, end=0, text="x")

    def test_its_place_is_in_seconds_for_people(self) -> None:
        assert Utterance(start=24_000).start_s == 1.5

    def test_its_voice_may_go_and_it_stays(self) -> None:
        session = make_session()
        (line,) = make_lines(session, ["a"], make_voice(session))

        session.voices.all().delete()

        line.refresh_from_db()
        assert line.voice is None

    def test_of_its_versions_none_keeps_what_the_machine_heard(self) -> None:
        """They would make each correction as large as the line."""
        columns = {field.name for field in Utterance.history.model._meta.fields}

        assert not {"tokens", "machine_text"} & columns
        assert {"text", "voice", "start", "end", "is_removed"} <= columns


class TestToken:
    def test_its_secret_is_nowhere_in_the_database(self) -> None:
        token, secret = AccessToken.issue(name="link", role="receiver")

        kept = AccessToken.objects.values().get(pk=token.pk)
        assert secret not in str(kept)
        assert kept["digest"] == hashlib.sha256(secret.encode()).hexdigest()
        assert AccessToken.find(secret) == token

    def test_no_two_have_one_secret(self) -> None:
        secrets = {AccessToken.issue(name="link", role="receiver")[1] for _ in range(20)}

        assert len(secrets) == 20
        assert min(map(len, secrets)) >= 32

    @pytest.mark.parametrize("secret", ["", "wrong", "\x00", "🎤", "x" * 10_000])
    def test_any_other_secret_is_nobodys(self, secret: str) -> None:
        AccessToken.issue(name="link", role="receiver")

        assert AccessToken.find(secret) is None

    def test_with_another_secret_the_old_one_is_good_for_nothing(self) -> None:
        token, old = AccessToken.issue(name="link", role="receiver")
        new = token.renew_secret()
        token.save()

        assert (AccessToken.find(old), AccessToken.find(new)) == (None, token)

    @given(
        st.sampled_from(["sender", "receiver"]),
        st.sampled_from(["", "a", "b"]),
        st.none() | st.integers(-2, 2),
        st.booleans(),
        st.sampled_from(["sender", "receiver"]),
        st.sampled_from(["a", "b", "A"]),
    )
    @settings(max_examples=100)
    def test_it_admits_exactly_to_what_it_was_made_for(
        self, role: str, key: str, left_s: int | None, is_revoked: bool, asked_role: str, asked_key: str
    ) -> None:
        token = AccessToken(
            role=role,
            session_key=key,
            is_revoked=is_revoked,
            expires_at=None if left_s is None else NOW + timedelta(seconds=left_s),
        )

        is_good = not is_revoked and (left_s is None or left_s > 0)
        expected = is_good and role == asked_role and key in ("", asked_key)
        assert token.admits(asked_role, asked_key, NOW) == expected

    def test_who_made_it_may_go_and_it_goes_on(self) -> None:
        user = User.objects.create_user("owner")
        token, secret = AccessToken.issue(name="link", role="receiver", created_by=user)

        user.delete()

        assert AccessToken.find(secret) == token
