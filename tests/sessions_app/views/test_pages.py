"""The pages that people read: whatever is in their address, and whatever was said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.access import resuming
from sessions_app.catalogue import listing
from sessions_app.catalogue.first_start import FIRST_START
from sessions_app.models import Session

from ..meetings import LINES, make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session = make_session("周会", title="<b>周会</b>")
    make_lines(session, voice=make_voice(session))
    return session


def page(name: str, session: Session | None = None, **query: str) -> Any:
    return Client().get(reverse(name, args=[session.key] if session else []), query)


def changed(session: Session, **columns: Any) -> Session:
    Session.objects.filter(pk=session.pk).update(**columns)
    session.refresh_from_db()
    return session


class TestList:
    @pytest.mark.parametrize(
        "query",
        [
            {"first_day": "9999-12-31"},
            {"last_day": "9999-12-31"},
            {"first_day": "0001-01-01"},
            {"last_day": "0001-01-01"},
            {"speaker": "9" * 30},
            {"before": "9" * 30},
            {"before": "²"},
            {"before": "-1"},
            {"q": "\x00"},
            {"q": "x" * 5000},
            {"q": '"', "before": "0"},
            {"state": "\x00"},
        ],
    )
    def test_any_address_has_a_page(self, session: Session, query: dict[str, str]) -> None:
        assert page("session-list", None, **query).status_code == 200

    def test_days_at_the_end_of_the_calendar_leave_nobody_out(self, session: Session) -> None:
        found = page("session-list", first_day="0001-01-01", last_day="9999-12-31")

        assert [row.session.key for row in found.context["page"].rows] == ["周会"]

    def test_a_title_is_text(self, session: Session) -> None:
        html = page("session-list").content.decode()

        assert "<b>周会</b>" not in html
        assert "&lt;b&gt;周会&lt;/b&gt;" in html

    def test_the_next_page_keeps_what_was_asked_for(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "PAGE", 1)
        newer = make_session("newer")
        make_lines(newer)

        first = page("session-list", state="ended")

        assert [row.session.key for row in first.context["page"].rows] == ["newer"]
        assert first.context["next_page_query"] == f"state=ended&before={newer.pk}"
        second = Client().get(f"/?{first.context['next_page_query']}")
        assert [row.session.key for row in second.context["page"].rows] == ["周会"]
        assert not second.context["is_first_page"]
        assert second.context["first_page_query"] == "state=ended"

    def test_an_empty_installation_has_a_list(self) -> None:
        assert page("session-list").status_code == 200

    def test_only_where_there_is_no_session_at_all_one_is_asked_to_record_the_first(
        self, session: Session
    ) -> None:
        first = "Drop a file"
        found_none = page("session-list", first_day="2030-01-01").content.decode()
        assert first not in found_none
        assert 'href="/">Show all<' in found_none
        session.delete()
        assert first in page("session-list").content.decode()


def test_before_a_file_is_sent_it_is_said_what_closing_the_page_does() -> None:
    assert "keep this page open until everything is transcribed" in page("record").content.decode()


class TestRecordingMore:
    """An ended meeting goes on in another one, for whoever may record and change it."""

    def asked_by(self, user: User, key: str) -> tuple[str, str]:
        """The meeting that the page goes on with, and the address that it links to."""
        client = Client(REMOTE_ADDR="203.0.113.9")
        client.force_login(user)
        context = client.get(reverse("record"), {"continues": key}).context
        return resuming.key_of(context["page_data"]["continues"]), str(context["earlier"] or "")

    def test_goes_on_with_the_meeting_of_the_address(self, session: Session) -> None:
        owner = make_user("owner", "transcriber")
        changed(session, owner=owner)
        assert self.asked_by(owner, "周会") == ("周会", "<b>周会</b>")

    @pytest.mark.parametrize("key", ["", "no such", "\0", "周会 "])
    def test_is_a_new_recording_where_there_is_no_such_meeting(self, session: Session, key: str) -> None:
        owner = make_user("owner", "transcriber")
        changed(session, owner=owner)
        assert self.asked_by(owner, key) == ("", "")

    def test_waits_for_the_end_of_the_meeting(self, session: Session) -> None:
        owner = make_user("owner", "transcriber")
        changed(session, owner=owner, state="live")
        assert self.asked_by(owner, "周会") == ("", "")

    @pytest.mark.parametrize("level", ["", "read", "comment"])
    def test_is_not_for_those_who_may_not_change_the_meeting(self, session: Session, level: str) -> None:
        other = make_user("other", "transcriber")
        changed(session, owner=make_user("owner", "transcriber"))
        if level:
            session.shares.create(user=other, level=level)
        assert self.asked_by(other, "周会") == ("", "")

    def test_is_for_those_with_whom_it_was_shared_to_be_changed(self, session: Session) -> None:
        other = make_user("other", "transcriber")
        changed(session, owner=make_user("owner", "transcriber"))
        session.shares.create(user=other, level="edit")
        assert self.asked_by(other, "周会")[0] == "周会"


class TestRecordingWithoutTheRight:
    """Whoever is known and may not record is told so, and is not asked to log in once more."""

    @pytest.fixture
    def viewer(self) -> Client:
        client = Client(REMOTE_ADDR="203.0.113.9")
        client.force_login(make_user("viewer", "viewer"))
        return client

    def test_the_page_says_why_and_who_can_help(self, viewer: Client) -> None:
        answer = viewer.get(reverse("record"))
        assert answer.status_code == 403
        assert "Your account may not record." in answer.content.decode()

    def test_no_page_leads_there(self, viewer: Client) -> None:
        link = f'href="{reverse("record")}"'
        assert link not in viewer.get("/").content.decode()
        assert link in page("session-list").content.decode()
        assert link in Client(REMOTE_ADDR="203.0.113.9").get(reverse("login")).content.decode()


class TestSession:
    def test_it_comes_with_its_lines(self, session: Session) -> None:
        data = page("session", session).context["page_data"]

        assert [line["asr"] for line in data["transcript"]["lines"]] == LINES
        assert (data["key"], data["state"], data["recordingMs"]) == ("周会", "ended", 8000)
        assert data["rights"] == ["export", "read", "send"]

    def test_what_was_said_cannot_end_its_script(self, session: Session) -> None:
        session.utterances.filter(seq=1).update(text="</script><script>alert(1)</script>")

        html = page("session", session).content.decode()

        assert "<script>alert(1)" not in html

    def test_one_in_which_nobody_spoke_has_a_page(self) -> None:
        for name in ("session", "captions", "lines"):
            assert page(name, make_session(name)).status_code == 200

    def test_captions_begin_with_the_latest_lines(self, session: Session) -> None:
        make_lines(session, [f"line {n}" for n in range(20)])

        told = page("captions", session).context["page_data"]["transcript"]["lines"]

        assert [line["asr"] for line in told] == [f"line {n}" for n in range(8, 20)]

    def test_a_page_that_lost_track_gets_all_of_it(self, session: Session) -> None:
        told = page("lines", session).json()

        assert [line["seq"] for line in told["lines"]] == [1, 2, 3, 4]
        assert told["seq"] == 4


class TestRecord:
    def test_each_is_offered_another_key(self) -> None:
        keys = {page("record").context["suggested_key"] for _ in range(5)}

        assert len(keys) == 5


class TestStart:
    def start(self, **query: str) -> str:
        html: str = page("session-list", None, **query).content.decode()
        return html

    def test_an_empty_installation_says_what_to_do(self) -> None:
        html = self.start()
        for step in ("Record", "Drop a file", "Enroll people"):
            assert f"<strong>{step}</strong>" in html
        assert "A sample meeting will begin" not in html

    def test_it_tells_of_the_sample_meeting_while_that_is_coming(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FIRST_START, "is_sample_coming", True)
        assert "A sample meeting will begin" in self.start()

    def test_the_sample_meeting_alone_is_no_beginning_yet(self) -> None:
        make_lines(make_session("sample-meeting", is_live=True))
        assert "Drop a file" in self.start()
        make_lines(make_session("own"))
        assert "Drop a file" not in self.start()

    def test_a_running_meeting_is_a_card_and_no_row(self) -> None:
        make_lines(make_session("live", is_live=True), ["现在说的话"])
        make_lines(make_session("over"), ["说过的话"])
        found = page("session-list").context
        assert [card.session.key for card in found["running"].cards] == ["live"]
        assert [row.session.key for row in found["page"].rows] == ["over"]

    def test_days_are_those_of_the_reader(self) -> None:
        session = make_session("late")
        make_lines(session)
        Session.objects.filter(pk=session.pk).update(created_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
        headings = {}
        for zone in ("Asia/Shanghai", "America/New_York"):
            client = Client()
            client.cookies["timezone"] = zone
            headings[zone] = client.get("/").context["days"][0][0]
        assert "23 November" in headings["Asia/Shanghai"]
        assert "22 November" in headings["America/New_York"]

    def test_without_a_login_there_is_nothing_to_select(self, session: Session) -> None:
        assert 'class="select-row"' not in self.start()

    def test_a_page_costs_the_same_number_of_queries_however_long(self) -> None:
        client = Client()
        client.force_login(make_user("anna", "editor"))
        counts = []
        for number in range(3):
            for kind in (True, False):
                made = make_session(f"{number}-{kind}", is_live=kind)
                make_lines(made, voice=make_voice(made, f"{number}"))
            with CaptureQueriesContext(connection) as queries:
                client.get("/")
            counts.append(len(queries))
        assert counts[1] == counts[2]


class TestGoingOnElsewhere:
    """A meeting whose microphone was away for too long goes on in another; each page leads to the other."""

    @pytest.fixture
    def later(self, session: Session) -> Session:
        Session.objects.update(closed_by="absence")
        return changed(make_session("周会-2"), continues=session)

    def test_each_leads_to_the_other(self, session: Session, later: Session) -> None:
        html = page("session", session).content.decode()
        assert f'Continued in <a href="{later.get_absolute_url()}">周会-2</a>' in html
        assert "its microphone was away for too long" in html
        html = page("session", later).content.decode()
        assert f'Continues <a href="{session.get_absolute_url()}">周会</a>' in html

    def test_others_lead_nowhere(self, session: Session) -> None:
        html = page("session", session).content.decode()
        assert "Continue" not in html
        assert "its microphone was away" not in html

    @pytest.mark.parametrize("change", [{"trashed_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"owner": None}])
    def test_nobody_is_led_to_what_they_may_not_see(
        self, session: Session, later: Session, change: dict[str, Any], settings: Any
    ) -> None:
        settings.ACCESS = "token"
        alice = make_user("alice", "transcriber")
        Session.objects.update(owner=alice)
        Session.objects.filter(pk=later.pk).update(**change)
        client = Client()
        client.force_login(alice)
        response = client.get(reverse("session", args=[session.key]))
        assert response.status_code == 200
        assert "Continued in" not in response.content.decode()

    def test_while_the_microphone_is_away_its_page_knows_until_when_it_is_waited_for(self) -> None:
        until = datetime(2026, 11, 30, 6, 35, tzinfo=UTC)
        waiting = changed(make_session("waiting", is_live=True), state="paused", awaited_until=until)
        assert page("session", waiting).context["page_data"]["until"] == "2026-11-30T06:35:00+00:00"
