"""Splitting and joining by HTTP: who may, and what is said to those who may not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions_app.models import Session

from ..meetings import make_lines, make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


@pytest.fixture
def meetings(anna: User) -> list[Session]:
    """Two that are over, the second of which began first."""
    found = [make_session(key, owner=anna) for key in ("later", "earlier")]
    for hours, session in enumerate(found):
        make_lines(session, [f"{session.key} 1", f"{session.key} 2"])
        began = timezone.now() - timedelta(hours=hours + 1)
        Session.objects.filter(pk=session.pk).update(created_at=began)
    return found


def post(user: User | None, address: str, body: Any) -> tuple[int, dict[str, Any]]:
    client = Client(REMOTE_ADDR="203.0.113.9")
    if user:
        client.force_login(user)
    answer = client.post(address, json.dumps(body), content_type="application/json")
    is_json = answer["Content-Type"].startswith("application/json")
    return answer.status_code, answer.json() if is_json else {}


class TestSplit:
    def test_leads_to_the_new_meeting(self, meetings: list[Session], anna: User) -> None:
        line = meetings[0].utterances.order_by("start").last()
        assert line
        status, answer = post(anna, "/sessions/later/split", {"line": line.pk})
        assert (status, answer) == (201, {"url": "/sessions/later-2/"})
        assert [row.text for row in Session.objects.get(key="later-2").utterances.all()] == ["later 2"]

    @pytest.mark.parametrize(
        "body", [{}, {"line": "1"}, {"line": None}, {"line": -1}, {"line": 1 << 70}, [], 7]
    )
    def test_says_what_is_wrong_with_nonsense(self, meetings: list[Session], anna: User, body: Any) -> None:
        status, answer = post(anna, "/sessions/later/split", body)
        assert status == 422
        assert answer["error"] == "This line is not there any more."
        assert Session.objects.count() == 2

    def test_needs_the_right_to_edit(self, meetings: list[Session]) -> None:
        reader = make_user("reader", "viewer")
        meetings[0].shares.create(user=reader, level="comment")
        assert post(reader, "/sessions/later/split", {"line": 1})[0] == 403
        assert post(make_user("other", "transcriber"), "/sessions/later/split", {"line": 1})[0] == 404


class TestJoin:
    def test_leads_to_the_meeting_that_began_first(self, meetings: list[Session], anna: User) -> None:
        status, answer = post(anna, "/meetings/join", {"keys": ["later", "earlier"]})
        assert (status, answer) == (200, {"url": "/sessions/earlier/"})
        texts = [row.text for row in meetings[1].utterances.order_by("start")]
        assert texts == ["earlier 1", "earlier 2", "later 1", "later 2"]

    def test_takes_several_in_the_order_of_their_beginnings(
        self, meetings: list[Session], anna: User
    ) -> None:
        last = make_session("last", owner=anna)
        make_lines(last, ["last 1"])
        assert post(anna, "/meetings/join", {"keys": ["last", "later", "earlier"]})[0] == 200
        texts = [row.text for row in meetings[1].utterances.order_by("start")]
        assert texts == ["earlier 1", "earlier 2", "later 1", "later 2", "last 1"]

    @pytest.mark.parametrize(
        "keys",
        [None, [], ["later"], ["later", "later"], ["later", "none"], ["later", 1], ["later", "\0"], "later"],
    )
    def test_says_what_to_select_instead(self, meetings: list[Session], anna: User, keys: Any) -> None:
        status, answer = post(anna, "/meetings/join", {"keys": keys})
        assert status == 400
        assert answer["error"].startswith("Select two to 10 meetings")
        assert Session.objects.filter(trashed_at=None).count() == 2

    def test_leaves_meetings_of_others_alone(self, meetings: list[Session], anna: User) -> None:
        editor = make_user("bea", "transcriber")
        own = make_session("own", owner=editor)
        meetings[0].shares.create(user=editor, level="edit")  # which is no right to delete it
        assert post(editor, "/meetings/join", {"keys": [own.key, "later"]})[0] == 400
        assert post(editor, "/meetings/join", {"keys": [own.key, "earlier"]})[0] == 400
        assert post(None, "/meetings/join", {"keys": ["later", "earlier"]})[0] in (302, 401, 403)

    def test_waits_for_the_end_of_all(self, meetings: list[Session], anna: User) -> None:
        Session.objects.filter(key="later").update(state="live")
        status, answer = post(anna, "/meetings/join", {"keys": ["later", "earlier"]})
        assert status == 422
        assert answer["error"] == "A meeting must have ended before it can be split or joined."

    def test_joins_all_or_none(self, meetings: list[Session], anna: User) -> None:
        make_session("last", owner=anna, is_live=True)
        assert post(anna, "/meetings/join", {"keys": ["last", "later", "earlier"]})[0] == 422
        assert meetings[1].utterances.count() == 2
        assert Session.objects.filter(trashed_at=None).count() == 3
