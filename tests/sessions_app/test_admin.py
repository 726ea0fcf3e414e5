"""What staff do with sessions in the admin: with the rights it needs, and as it is done in the editor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_app.models import Session, Utterance, Voice
from sessions_app.recordings import files
from sessions_app.wire import layer_messages
from speakers.models import Speaker

from .meetings import make_lines, make_recording, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

SESSIONS = "/admin/sessions_app/session/"
LINES = "/admin/sessions_app/utterance/"
VOICES = "/admin/sessions_app/voice/"


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def editor() -> User:
    return make_user("editor", "editor", is_staff=True)


@pytest.fixture
def client(editor: User) -> Client:
    return login(editor)


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *sessions: Session, sure: bool = False) -> str:
    """Do an action on these sessions; the page that answers."""
    form = {"action": action, "_selected_action": [session.pk for session in sessions]}
    answer = client.post(SESSIONS, form | ({"post": "yes"} if sure else {}), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("as_flac", [True, False])
def test_a_session_leads_to_its_recording(client: Client, as_flac: bool) -> None:
    session = make_session()
    page = f"{SESSIONS}{session.pk}/change/"
    assert "export/recording" not in client.get(page).content.decode()

    make_recording(session, np.zeros(46 * 16_000, np.float32), as_flac=as_flac)

    link = f'<a href="{reverse("export-recording", args=[session.key])}">0:46</a>'
    assert link in client.get(page).content.decode()


class TestEveryPage:
    def test_opens_with_few_queries_however_long_the_meeting(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        session = make_session(title="长会")
        voice = make_voice(session, "张三")
        lines = make_lines(session, ["好的。"] * 300, voice)
        for address in (
            SESSIONS,
            f"{SESSIONS}{session.pk}/change/",
            f"{LINES}?session__id__exact={session.pk}",
            LINES,
            f"{LINES}{lines[0].pk}/change/",
            f"{LINES}{lines[0].pk}/history/",
            VOICES,
            f"{VOICES}{voice.pk}/change/",
            f"{SESSIONS}{session.pk}/delete/",
        ):
            with django_assert_max_num_queries(25):
                answer = client.get(address)
            assert answer.status_code == 200, address
            assert len(answer.content) < 200_000, address

    def test_shows_transcribers_their_own_sessions_alone(self) -> None:
        me = make_user("me", "transcriber", is_staff=True)
        own, other = make_session("own", owner=me), make_session("other", title="Not yours")
        make_lines(other, ["秘密"])
        client = login(me)
        assert "own" in client.get(SESSIONS).content.decode()
        for address in (SESSIONS, LINES, VOICES):
            page = client.get(address).content.decode()
            assert "Not yours" not in page and "秘密" not in page
        assert client.get(f"{SESSIONS}{other.pk}/change/").status_code == 302
        assert client.get(f"{SESSIONS}{own.pk}/change/").status_code == 200


class TestSessions:
    def test_links_to_the_page_of_the_session(self, client: Client) -> None:
        session = make_session("weekly 会")
        page = client.get(f"{SESSIONS}{session.pk}/change/", follow=True).content.decode()
        assert "View on site" in page
        assert session.get_absolute_url() == reverse("session", args=["weekly 会"])

    def test_cannot_be_made_by_hand(self, client: Client) -> None:
        assert client.get(f"{SESSIONS}add/").status_code == 403

    @pytest.mark.django_db(transaction=True)
    def test_deleting_one_deletes_its_recording_and_what_the_log_says(self, client: Client) -> None:
        session = make_session(title="Secret plans")
        lines = make_lines(session)
        make_recording(session, np.full(3200, 0.1, np.float32), as_flac=True)
        confirmation = client.get(f"{SESSIONS}{session.pk}/delete/").content.decode()
        assert f"Utterances: {len(lines)}" in confirmation
        assert lines[0].text not in confirmation
        client.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"})
        assert not Session.objects.exists() and not Utterance.history.exists()
        assert files.length(session.pk) == 0
        assert not LogEntry.objects.filter(object_repr__contains="Secret").exists()

    @pytest.mark.django_db(transaction=True)
    def test_several_are_deleted_as_thoroughly(self, client: Client) -> None:
        sessions = [make_session("a"), make_session("b")]
        for session in sessions:
            make_recording(session, np.full(3200, 0.1, np.float32), as_flac=True)
        act(client, "delete_selected", *sessions, sure=True)
        assert not Session.objects.exists()
        assert [files.length(session.pk) for session in sessions] == [0, 0]

    def test_a_live_one_is_not_deleted(self, client: Client) -> None:
        session = make_session(title="Now", is_live=True)
        assert "“Now” is still in progress" in client.get(f"{SESSIONS}{session.pk}/delete/").content.decode()
        client.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"})
        act(client, "delete_selected", session, sure=True)
        assert Session.objects.filter(pk=session.pk).exists()

    def test_only_a_recording_is_deleted_where_that_is_asked(self, client: Client) -> None:
        session = make_session()
        make_lines(session)
        make_recording(session, np.full(3200, 0.1, np.float32), as_flac=True)
        assert "The recording of 1 meeting was deleted." in act(client, "delete_recordings", session)
        assert files.length(session.pk) == 0
        assert session.utterances.exists()

    def test_keeping_and_releasing(self, client: Client) -> None:
        session = make_session()
        act(client, "keep", session)
        assert Session.objects.get().is_kept
        act(client, "release", session)
        assert not Session.objects.get().is_kept

    def test_ending_tells_the_workers_of_those_that_are_live(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[Any] = []
        monkeypatch.setattr("sessions_app.admin.notify.send", lambda *message: told.append(message))
        page = act(client, "end", make_session("live", is_live=True), make_session("over"))
        assert told == [(layer_messages.WORKERS, {"type": "session.stop", "key": "live"})]
        assert "1 meeting is ending." in page

    def test_viewers_have_no_actions(self) -> None:
        session = make_session()
        client = login(make_user("viewer", "viewer", is_staff=True))
        page = client.get(SESSIONS).content.decode()
        for action in ("keep", "release", "end", "delete_recordings", "delete_selected"):
            assert f'value="{action}"' not in page
        client.post(SESSIONS, {"action": "keep", "_selected_action": [session.pk]})
        assert not Session.objects.get().is_kept


class TestLiveSessions:
    def test_are_listed_with_what_was_said_last(self, client: Client) -> None:
        make_session("over")
        session = make_session("now", title="现在", is_live=True)
        make_lines(session, ["早。", "开始吧。"])
        [found] = client.get(f"{SESSIONS}live/data/").json()["sessions"]
        assert (found["title"], found["last_line"], found["lines"]) == ("现在", "开始吧。", 2)
        assert client.get(found["admin_url"]).status_code == 200
        page = client.get(f"{SESSIONS}live/").content.decode()
        assert "js/pages/live-sessions.js" in page
        assert f"{SESSIONS}live/" in client.get(SESSIONS).content.decode()

    def test_others_sessions_are_for_those_who_may_see_all(self) -> None:
        make_session("now", is_live=True)
        client = login(make_user("me", "transcriber", is_staff=True))
        assert client.get(f"{SESSIONS}live/data/").json()["sessions"] == []
        stranger = login(make_user("stranger", is_staff=True))
        assert stranger.get(f"{SESSIONS}live/").status_code == 403
        assert stranger.get(f"{SESSIONS}live/data/").status_code == 403


class TestLines:
    @pytest.fixture
    def line(self) -> Utterance:
        return make_lines(make_session(), ["预算通过了。"])[0]

    def change(self, client: Client, line: Utterance, text: str, *, seen: int) -> Any:
        return client.post(f"{LINES}{line.pk}/change/", {"text": text, "seen": seen}, follow=True)

    def test_a_changed_text_is_locked_and_has_a_version_with_its_author(
        self, client: Client, editor: User, line: Utterance
    ) -> None:
        self.change(client, line, "预算没有通过。", seen=0)
        line.refresh_from_db()
        assert (line.text, line.is_edited, line.machine_text) == ("预算没有通过。", True, "预算通过了。")
        assert line.revision == Session.objects.get().last_revision == 1
        assert line.history.latest().history_user == editor
        page = client.get(f"{LINES}{line.pk}/history/").content.decode()
        assert "editor" in page

    def test_whoever_was_faster_is_not_overwritten(self, client: Client, line: Utterance) -> None:
        self.change(client, line, "甲。", seen=0)
        answer = self.change(client, line, "乙。", seen=0)
        assert "It now reads: “甲。”" in answer.content.decode()
        line.refresh_from_db()
        assert line.text == "甲。"

    def test_are_the_newest_first_and_sorted_by_nothing_that_would_read_them_all(
        self, client: Client
    ) -> None:
        lines = make_lines(make_session(), ["一。", "二。", "三。"])
        for query in ({}, {"o": "1"}, {"o": "3"}):
            page = client.get(LINES, query)
            assert [line.pk for line in page.context["cl"].result_list] == [line.pk for line in lines[::-1]]
            assert 'class="sortable' not in page.content.decode()

    def test_those_that_people_changed_are_marked(self, client: Client, line: Utterance) -> None:
        assert "✎" not in client.get(LINES).content.decode()
        self.change(client, line, "预算没有通过。", seen=0)
        assert "✎" in client.get(LINES).content.decode()

    @pytest.mark.parametrize(
        ("changed", "index"),
        [({"is_edited": True}, "utterances_edited"), ({"is_voice_locked": True}, "utterances_voice_locked")],
    )
    def test_what_people_changed_is_found_without_reading_all_lines(
        self, changed: dict[str, bool], index: str
    ) -> None:
        lines = Utterance.objects.filter(is_removed=False, **changed).order_by("-id")[:100]
        assert index in lines.explain()

    def test_are_found_by_two_characters(self, client: Client, line: Utterance) -> None:
        make_lines(make_session("other"), ["别的话。"])
        page = client.get(LINES, {"q": "预算"}).content.decode()
        assert "预算通过了。" in page
        assert "别的话。" not in page


class TestVoices:
    def test_naming_one_is_as_in_the_editor(self, client: Client) -> None:
        session = make_session()
        voice = make_voice(session)
        [line] = make_lines(session, ["好。"], voice)
        speaker = Speaker.objects.create(name="李四")
        client.post(f"{VOICES}{voice.pk}/change/", {"speaker": speaker.pk})
        voice.refresh_from_db()
        line.refresh_from_db()
        assert (voice.name, voice.is_named_by_person) == ("李四", True)
        assert line.revision == 1

    def test_giving_two_the_same_speaker_makes_them_one(self, client: Client) -> None:
        session = make_session()
        known, unknown = make_voice(session, "李四"), make_voice(session)
        [line] = make_lines(session, ["好。"], unknown)
        client.post(f"{VOICES}{unknown.pk}/change/", {"speaker": known.speaker_id})
        line.refresh_from_db()
        assert line.voice == known
        assert Voice.objects.get(pk=unknown.pk).merged_into == known

    def test_speakers_are_chosen_by_typing_their_name(self, client: Client) -> None:
        Speaker.objects.create(name="李四")
        query = {"app_label": "sessions_app", "model_name": "voice", "field_name": "speaker", "term": "李"}
        answer = client.get("/admin/autocomplete/", query)
        assert [found["text"] for found in answer.json()["results"]] == ["李四"]


class TestWords:
    @pytest.fixture
    def client(self) -> Client:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        return client

    def test_the_groups_are_named_in_the_reader_s_language(self, client: Client) -> None:
        page = client.get("/admin/auth/group/", HTTP_ACCEPT_LANGUAGE="zh-CN").content.decode()
        assert "记录员 (transcriber)" in page
        page = client.get("/admin/auth/user/add/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "Earshot" in page

    def test_a_line_s_score_is_a_share_and_no_row_of_digits(self, client: Client) -> None:
        session = make_session()
        (line,) = make_lines(session, ["Hello."], make_voice(session, "Alice"))
        Utterance.objects.filter(pk=line.pk).update(score=0.9999999999903617)
        page = client.get(f"/admin/sessions_app/utterance/{line.pk}/change/").content.decode()
        assert "100.0 %" in page
        assert "0.99999" not in page

    def test_day_and_time_have_a_name_each(self, client: Client) -> None:
        page = client.get("/admin/sessions_app/accesstoken/add/").content.decode()
        assert 'aria-label="Day"' in page
        assert 'aria-label="Time"' in page

    @pytest.mark.parametrize(("language", "title"), [("en", "Sample meeting"), ("zh-CN", "示例会议")])
    def test_the_sample_meeting_has_its_title_in_the_reader_s_language(
        self, client: Client, language: str, title: str
    ) -> None:
        make_session(title="Sample meeting")
        page = client.get("/admin/sessions_app/session/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
        assert title in page
