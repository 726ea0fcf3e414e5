"""The trash: what is in it is nowhere else, and comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sessions_app.catalogue import trash
from sessions_app.models import Session, Utterance
from sessions_app.store import queries
from sessions_app.transcripts.retention import StillLive
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session = make_session("budget", title="预算", owner=make_user("anna", "transcriber"))
    make_lines(session, voice=make_voice(session))
    return session


@pytest.fixture
def anna(session: Session) -> Client:
    return logged_in(User.objects.get(username="anna"))


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.9")
    client.force_login(user)
    return client


def trashed_for(days: float, key: str) -> Session:
    session = make_session(key)
    Session.objects.filter(pk=session.pk).update(trashed_at=timezone.now() - timedelta(days=days))
    return session


class TestWhatIsInIt:
    def test_is_in_no_list_search_or_page(self, session: Session, anna: Client) -> None:
        trash.put(session)

        assert "预算" not in anna.get("/").content.decode()
        assert LINES[0] not in anna.get("/", {"q": LINES[0][:4]}).content.decode()
        for name in ("session", "captions", "lines", "audio", "peaks", "links"):
            assert anna.get(reverse(name, args=["budget"])).status_code == 404, name
        assert anna.get(reverse("export", args=["budget", "txt"])).status_code == 404

    def test_is_told_to_no_socket(self, session: Session) -> None:
        assert "budget" in queries.session_numbers(["budget"])
        trash.put(session)
        assert queries.session_numbers(["budget"]) == {}

    def test_comes_back_with_all_that_it_was(self, session: Session, anna: Client) -> None:
        trash.put(session)
        trash.restore([session])

        assert "预算" in anna.get("/").content.decode()
        assert len(anna.get(reverse("lines", args=["budget"])).json()["lines"]) == len(LINES)

    def test_is_shown_to_those_who_could_put_it_there_and_to_nobody_else(
        self, session: Session, anna: Client
    ) -> None:
        trash.put(session)

        assert "预算" in anna.get(reverse("trash")).content.decode()
        for other in (make_user("viewer", "viewer"), make_user("other", "transcriber")):
            assert "预算" not in logged_in(other).get(reverse("trash")).content.decode()
        assert "预算" in logged_in(make_user("editor", "editor")).get(reverse("trash")).content.decode()


def test_what_goes_on_cannot_be_put_there() -> None:
    session = make_session("live", is_live=True)
    with pytest.raises(StillLive):
        trash.put(session)
    session.refresh_from_db()
    assert session.trashed_at is None


def test_the_page_of_a_meeting_puts_it_there(session: Session, anna: Client) -> None:
    anna.post(reverse("delete", args=["budget"]))
    session.refresh_from_db()
    assert session.trashed_at
    assert Utterance.objects.filter(session=session).exists()


def test_it_is_emptied_of_what_has_been_there_for_its_time() -> None:
    trashed_for(30.01, "old")
    trashed_for(29.99, "young")
    make_session("kept")

    assert trash.empty() == 1
    assert set(Session.objects.values_list("key", flat=True)) == {"young", "kept"}
    assert trash.empty() == 0


@pytest.mark.parametrize(("days", "emptied"), [(0, 2), (1, 1), (1e9, 0)])
def test_its_time_is_a_setting(days: float, emptied: int, settings: Settings) -> None:
    settings.TRASH_DAYS = days
    trashed_for(2, "old")
    trashed_for(0.1, "young")
    assert trash.empty() == emptied


def test_a_time_without_end_is_a_century_on_its_page(
    anna: Client, session: Session, settings: Settings
) -> None:
    settings.TRASH_DAYS = 1e9
    trash.put(session)
    assert "36525 days left" in anna.get(reverse("trash")).content.decode()


@pytest.mark.parametrize(
    ("hours", "left"), [(0, 30), (1, 30), (24, 29), (25, 29), (29 * 24 + 1, 1), (30 * 24, 0), (9999, 0)]
)
def test_begun_days_count_as_left(hours: float, left: int) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    assert trash.days_left(at, at + timedelta(hours=hours), 30) == left
