"""Overviews of meetings that are over."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from sessions_app.catalogue import overviews
from sessions_app.models import Session
from sessions_app.transcripts import editing
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

SAID = ["大家好。", "我们讲一下数据库迁移的方案。", "数据库迁移要停机。"]


@pytest.fixture
def session() -> Session:
    session = make_session("20261130-0114-bfa0")
    make_lines(session, SAID[:2], make_voice(session))
    make_lines(session, SAID[2:], make_voice(session, "Alice"))
    return session


def test_it_has_a_title_and_a_picture_in_the_speakers_colours(session: Session) -> None:
    assert overviews.refresh_stale() == 1
    session.refresh_from_db()
    assert str(session) == "数据库迁移的方案"
    assert session.talk_picture == "19" * 40 + "29" * 20


def test_it_is_drawn_once_for_the_same_lines(
    session: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    overviews.refresh_stale()
    with django_assert_num_queries(1):
        assert overviews.refresh_stale() == 0


def test_a_correction_draws_it_anew(session: Session) -> None:
    overviews.refresh_stale()
    for line in session.utterances.filter(text__contains="数据库"):
        text = line.text.replace("数据库", "服务器")
        edit = ChangeText(seen=Seen(line=line.pk, revision=line.revision), text=text)
        editing.apply(
            session, edit, by=User.objects.filter(username="anna").first() or make_user("anna", "editor")
        )

    assert overviews.refresh_stale() == 1
    session.refresh_from_db()
    assert session.drawn_title == "服务器迁移的方案"


def test_of_a_meeting_that_goes_on_none_is_drawn() -> None:
    make_lines(make_session("live", is_live=True))
    assert overviews.refresh_stale() == 0


def test_one_in_which_nobody_spoke_has_an_empty_one() -> None:
    session = make_session("20261130-0114-bfa0")
    assert overviews.refresh_stale() == 1
    assert overviews.refresh_stale() == 0
    session.refresh_from_db()
    assert (session.drawn_title, session.talk_picture) == ("", "")


def test_many_are_drawn_in_handfuls_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overviews, "AT_ONCE", 2)
    for number in range(3):
        make_lines(make_session(str(number)))
    assert overviews.refresh_stale() == 2
    assert list(Session.objects.filter(overview_seq=-1).values_list("key", flat=True)) == ["0"]
    assert [overviews.refresh_stale(), overviews.refresh_stale()] == [1, 0]


def test_one_that_cannot_be_drawn_keeps_no_other_from_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = make_session("odd")
    make_lines(odd)
    refresh = overviews.refresh

    def refresh_or_fail(meeting: Session) -> None:
        if meeting == odd:
            raise ValueError("odd")
        refresh(meeting)

    monkeypatch.setattr(overviews, "refresh", refresh_or_fail)
    failed: set[int] = set()
    assert [overviews.refresh_stale(failed), overviews.refresh_stale(failed)] == [2, 0]
    session.refresh_from_db()
    assert session.drawn_title == "数据库迁移的方案"
    assert failed == {odd.pk}
