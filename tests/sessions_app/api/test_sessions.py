"""Sessions by the API: what is told of them, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from minutes.languages import LANGUAGES
from recognition.audio import SAMPLE_RATE
from recognition.funasr.spelling import Spelling
from sessions_app import hotword_spelling
from sessions_app.api.schemas import NewSession
from sessions_app.catalogue import trash
from sessions_app.models import Favourite, Folder, Overlap, Quota, Session, Tag, Utterance
from sessions_app.store import commits, voices
from sessions_app.wire import layer_messages
from speakers import notify
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice

from .clients import Program, by_password, by_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("owner", "transcriber")


@pytest.fixture
def program(owner: User) -> Program:
    return by_password(owner)


def keys(page: Any) -> list[str]:
    return [each["id"] for each in page["sessions"]]


class TestList:
    def test_tells_the_newest_first_page_after_page(self, program: Program, owner: User) -> None:
        for number in range(5):
            make_lines(make_session(f"m{number}", owner=owner))
        first = program.get("sessions", limit=2)
        second = program.get("sessions", limit=2, before=first["next"])
        third = program.get("sessions", limit=2, before=second["next"])
        assert [keys(page) for page in (first, second, third)] == [["m4", "m3"], ["m2", "m1"], ["m0"]]
        assert third["next"] is None

    def test_tells_what_the_page_shows_of_each(self, program: Program, owner: User) -> None:
        session = make_session("周会", owner=owner, title="Budget")
        session.folder = Folder.objects.create(name="2026")
        make_lines(session, voice=make_voice(session, "林静"))
        Tag.objects.create(name="money").sessions.add(session)
        [told] = program.get("sessions")["sessions"]
        assert told == {
            "id": "周会", "name": "Budget", "state": "ended", "owner": "owner", "folder": "2026",
            "started_at": told["started_at"], "ended_at": told["ended_at"], "duration_ms": 8000,
            "tags": ["money"], "speakers": ["林静"], "more_speakers": 0,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"state": "live"}, ["live"]),
            ({"state": "ended"}, ["tagged", "old"]),
            ({"tag": "money"}, ["tagged"]),
            ({"tag": "nothing"}, []),
            ({"folder": "2026"}, ["tagged"]),
            ({"folder": "nowhere"}, []),
            ({"last_day": "2020-12-31"}, ["old"]),
            ({"first_day": "2021-01-01"}, ["live", "tagged"]),
            ({"favourites": True}, ["old"]),
            ({"empty": True, "state": "ended"}, ["silent", "tagged", "old"]),
            ({"speaker": "00000000-0000-0000-0000-000000000000"}, []),
        ],
        ids=str,
    )
    def test_is_filtered(
        self, query: dict[str, Any], found: list[str], program: Program, owner: User
    ) -> None:
        old, tagged = make_session("old", owner=owner), make_session("tagged", owner=owner)
        make_session("silent", owner=owner)
        make_lines(make_session("live", owner=owner, is_live=True))
        make_lines(tagged)
        make_lines(old)
        Session.objects.filter(pk=old.pk).update(created_at="2020-05-01T00:00Z")
        Tag.objects.create(name="money").sessions.add(tagged)
        Session.objects.filter(pk=tagged.pk).update(folder=Folder.objects.create(name="2026"))
        Favourite.objects.create(user=owner, session=old)
        assert keys(program.get("sessions", **query)) == found

    def test_finds_those_in_which_an_enrolled_person_speaks(self, program: Program, owner: User) -> None:
        session = make_session("with", owner=owner)
        voice = make_voice(session, "林静")
        make_lines(session, voice=voice)
        make_lines(make_session("without", owner=owner))
        assert keys(program.get("sessions", speaker=voice.public_id)) == ["with"]

    @pytest.mark.parametrize(
        "query", ["state=x", "limit=0", "limit=201", "before=0", "first_day=x", "speaker=x", "favourites=2"]
    )
    def test_refuses_what_makes_no_sense_by_its_name(self, query: str, program: Program) -> None:
        response = program.ask("get", f"sessions?{query}")
        assert (response.status_code, query.split("=")[0] in response.json()["error"]) == (422, True)

    def test_shows_nobody_else_s_and_nothing_of_the_trash(self, program: Program, owner: User) -> None:
        make_lines(make_session("theirs", owner=make_user("other", "transcriber")))
        gone = make_session("gone", owner=owner)
        make_lines(gone)
        trash.put(gone)
        assert keys(program.get("sessions")) == []

    def test_of_a_token_for_one_session_is_that_session(self, owner: User) -> None:
        for key in ("one", "other"):
            make_lines(make_session(key, owner=owner))
        assert keys(by_token(session_key="one").get("sessions")) == ["one"]
        assert keys(by_token().get("sessions")) == ["other", "one"]

    def test_takes_as_many_queries_for_many_as_for_one(self, program: Program, owner: User) -> None:
        def count() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                program.get("sessions")
            return len(queries)

        make_lines(make_session("first", owner=owner))
        program.get("sessions")
        few = count()
        for number in range(8):
            make_lines(make_session(f"m{number}", owner=owner))
        assert count() == few


class TestSearch:
    def test_finds_lines_and_titles(self, program: Program, owner: User) -> None:
        session = make_session("周会", owner=owner, title="预算")
        lines = make_lines(session, voice=make_voice(session, "林静"))
        found = program.get("search", q="预算")
        assert keys(found) == ["周会"]
        assert found["lines"] == [
            {"session": "周会", "session_name": "预算", "line": lines[2].pk, "start_ms": 4000,
             "speaker": "林静", "text": "预算通过了吗？"}
        ]  # fmt: skip

    def test_goes_on_where_the_page_before_ended(self, program: Program, owner: User) -> None:
        make_lines(make_session(owner=owner), ["第一个预算", "第二个预算", "第三个预算"])
        first = program.get("search", q="预算", limit=2)
        second = program.get("search", q="预算", limit=2, before=first["next"])
        texts = [[line["text"] for line in page["lines"]] for page in (first, second)]
        assert texts == [["第三个预算", "第二个预算"], ["第一个预算"]]
        assert second["next"] is None

    def test_finds_nothing_that_one_may_not_see(self, program: Program) -> None:
        make_lines(make_session(title="预算", owner=make_user("other", "transcriber")))
        assert program.get("search", q="预算") == {"sessions": [], "lines": [], "next": None}

    @pytest.mark.parametrize("query", ["", "?q=", "?q=%20", "?q=%00", f"?q={'x' * 201}"])
    def test_needs_something_to_look_for(self, query: str, program: Program) -> None:
        response = program.ask("get", f"search{query}")
        assert (response.status_code, response.json()["error"].startswith("q: ")) == (422, True)


class TestOneSession:
    def test_tells_what_one_may_do_with_it(self, program: Program, owner: User) -> None:
        make_lines(make_session("周会 1".replace(" ", "-"), owner=owner))
        told = program.get("sessions/周会-1")
        assert told["rights"] == ["comment", "delete", "edit", "export", "read", "send", "share"]
        assert by_token(may_export=False).get("sessions/周会-1")["rights"] == ["read"]
        assert told["socket"] == "/ws/asr/%E5%91%A8%E4%BC%9A-1"
        assert (told["seq"], told["revision"], told["title"], told["continues"]) == (4, 0, "", None)

    def test_is_found_by_its_id_in_any_spelling(self, program: Program, owner: User) -> None:
        make_session("caf\u00e9", owner=owner)
        assert program.get("sessions/cafe\u0301")["id"] == "caf\u00e9"

    def test_names_the_one_that_it_goes_on_with(self, program: Program, owner: User) -> None:
        earlier = make_session("one", owner=owner)
        Session.objects.filter(pk=make_session("two", owner=owner).pk).update(continues=earlier)
        assert program.get("sessions/two")["continues"] == "one"

    @pytest.mark.parametrize("key", ["none", "%EF%BF%BD"])
    def test_that_is_not_there_is_told_in_one_sentence(self, key: str, program: Program) -> None:
        response = program.ask("get", f"sessions/{key}")
        assert (response.status_code, list(response.json())) == (404, ["error"])

    def test_goes_on_record_when_it_is_read(self, program: Program, owner: User) -> None:
        make_session(owner=owner)
        program.get("sessions/周会")
        program.get("sessions/周会/lines")
        [entry] = Entry.objects.filter(action=Action.MEETING_READ)
        assert (entry.meeting, entry.actor) == ("周会", owner)

    def test_goes_on_record_with_the_token_that_read_it(self, owner: User) -> None:
        make_session(owner=owner)
        by_token().get("sessions/周会")
        [entry] = Entry.objects.filter(action=Action.MEETING_READ)
        assert entry.actor is None
        assert list(entry.detail) == ["token"]


class TestLines:
    def test_are_told_with_speakers_and_overlaps(self, program: Program, owner: User) -> None:
        session = make_session(owner=owner)
        known, stranger = make_voice(session, "林静"), make_voice(session)
        [line] = make_lines(session, ["大家好。"], known)
        Overlap.objects.create(utterance=line, voice=stranger, start=0, end=SAMPLE_RATE)
        told = program.get("sessions/周会/lines")
        assert told == {
            "seq": 1, "revision": 0, "removed": [],
            "lines": [{
                "id": line.pk, "seq": 1, "revision": 0, "start_ms": 0, "end_ms": 2000, "text": "大家好。",
                "edited": False, "words": None,
                "speaker": {"speaker_id": known.public_id, "speaker_name": "林静", "score": 0.9,
                            "enrolled": True, "number": None},
                "overlaps": [{"speaker_id": stranger.public_id, "speaker_name": "Speaker 1", "start_ms": 0,
                              "end_ms": 1000, "number": 1}],
            }],
        }  # fmt: skip

    def test_have_their_words_with_times_if_asked_for(self, program: Program, owner: User) -> None:
        make_lines(make_session(owner=owner), ["好的。"])
        [line] = program.get("sessions/周会/lines", words=True)["lines"]
        assert line["words"] == [
            {"text": "好", "start_ms": 0, "end_ms": 1000},
            {"text": "的", "start_ms": 1000, "end_ms": 2000},
        ]

    def test_are_in_the_order_of_time_without_those_taken_out(self, program: Program, owner: User) -> None:
        lines = make_lines(make_session(owner=owner))
        Utterance.objects.filter(pk=lines[0].pk).update(start=9 * SAMPLE_RATE, end=9 * SAMPLE_RATE)
        Utterance.objects.filter(pk=lines[1].pk).update(is_removed=True)
        told = program.get("sessions/周会/lines")
        assert [line["text"] for line in told["lines"]] == [LINES[2], LINES[3], LINES[0]]
        assert told["removed"] == []

    def test_that_are_new_or_changed_follow_the_marks(self, program: Program, owner: User) -> None:
        session = make_session(owner=owner)
        lines = make_lines(session)
        before = program.get("sessions/周会/lines")
        voices.number_changes(session.pk, [lines[0].pk, lines[1].pk])
        Utterance.objects.filter(pk=lines[1].pk).update(is_removed=True)
        session.refresh_from_db()
        make_lines(session, ["新的一行。"])
        then = program.get("sessions/周会/lines", after=before["seq"], changed_after=before["revision"])
        assert [line["text"] for line in then["lines"]] == [LINES[0], "新的一行。"]
        assert (then["removed"], then["revision"], then["seq"]) == ([lines[1].pk], 2, 5)
        last = program.get("sessions/周会/lines", after=then["seq"], changed_after=then["revision"])
        assert (last["lines"], last["removed"]) == ([], [])

    def test_behind_a_number_are_only_those(self, program: Program, owner: User) -> None:
        make_lines(make_session(owner=owner))
        assert [line["seq"] for line in program.get("sessions/周会/lines", after=3)["lines"]] == [4]


class TestSpeakers:
    def test_are_told_with_how_much_they_said(self, program: Program, owner: User) -> None:
        session = make_session(owner=owner)
        known, stranger, merged = make_voice(session, "林静"), make_voice(session), make_voice(session)
        make_lines(session, voice=known)
        merged.merged_into = known
        merged.save()
        assert program.get("sessions/周会/speakers") == [
            {"speaker_id": known.public_id, "name": "林静", "number": None, "enrolled": True, "lines": 4,
             "speech_ms": 8000},
            {"speaker_id": stranger.public_id, "name": "Speaker 1", "number": 1, "enrolled": False,
             "lines": 0, "speech_ms": 0},
        ]  # fmt: skip


class TestBeginning:
    def test_makes_a_session_that_waits_for_its_sender(self, program: Program, owner: User) -> None:
        response = program.ask("post", "sessions", {"id": "周会", "title": " Budget\n2026 "})
        told = response.json()
        assert (response.status_code, told["title"], told["state"]) == (201, "Budget 2026", "live")
        session = Session.objects.get(key="周会")
        assert (session.owner, session.sender_resumes, session.epoch) == (owner, True, 0)

    def test_makes_an_id_if_none_is_wanted(self, program: Program) -> None:
        ids = {program.ask("post", "sessions", {}).json()["id"] for _ in range(3)}
        assert len(ids) == 3

    def test_notes_who_is_expected(self, program: Program, owner: User) -> None:
        known = make_voice(make_session("earlier", owner=owner), "林静")
        wanted = [known.public_id, "00000000-0000-0000-0000-000000000000"]
        program.ask("post", "sessions", {"id": "m", "expected": wanted})
        assert [each.name for each in Session.objects.get(key="m").expected_speakers.all()] == ["林静"]

    def test_notes_its_hotwords(self, program: Program) -> None:
        program.ask("post", "sessions", {"id": "m", "hotwords": ["王磊", "实时字幕:40"]})
        assert Session.objects.get(key="m").hotwords == [["王磊", 20.0], ["实时字幕", 40.0]]

    def test_notes_the_language_to_translate_into_where_there_is_a_model(
        self, program: Program, settings: Settings
    ) -> None:
        asked = {"id": "m", "translate": "en"}
        assert program.ask("post", "sessions", asked).status_code == 422
        settings.LLM_URL = "http://127.0.0.1:1/v1"
        assert program.ask("post", "sessions", asked).status_code == 201
        told = program.ask("get", "sessions/m/translations").json()
        assert told == {"language": "en", "number": 1, "lines": []}

    def test_languages_are_those_that_the_model_is_asked_for(self) -> None:
        assert get_args(NewSession.model_fields["translate"].annotation) == ("", *LANGUAGES)

    def test_names_hotwords_that_are_none_or_cannot_be_written(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hotword_spelling, "_spelling", lambda *_: Spelling(["王", "磊"]))
        for words, named in ((["王"], "'王'"), (["王磊", "王燊"], "王燊 (燊)")):
            response = program.ask("post", "sessions", {"id": "m", "hotwords": words})
            assert (response.status_code, named in response.json()["error"]) == (422, True)
        assert not Session.objects.filter(key="m").exists()

    def test_notes_its_script_and_language(self, program: Program) -> None:
        program.ask("post", "sessions", {"id": "m", "script": "traditional", "language": "zh"})
        session = Session.objects.get(key="m")
        assert (session.script, session.language) == ("traditional", "zh")

    @pytest.mark.parametrize("language", ["fr", "??"])
    def test_refuses_a_language_that_its_models_do_not_know(self, program: Program, language: str) -> None:
        response = program.ask("post", "sessions", {"id": "m", "language": language})
        assert (response.status_code, language in response.json()["error"]) == (422, True)

    def test_is_refused_where_there_is_one_already(self, program: Program) -> None:
        program.ask("post", "sessions", {"id": "m", "title": "first"})
        response = program.ask("post", "sessions", {"id": "m", "title": "second"})
        assert response.status_code == 409
        assert Session.objects.get().title == "first"

    def test_tells_nothing_of_a_session_that_belongs_to_somebody_else(self, program: Program) -> None:
        make_session("m", title="secret", owner=make_user("other", "transcriber"))
        response = program.ask("post", "sessions", {"id": "m"})
        assert (response.status_code, "secret" in response.json()["error"]) == (409, False)

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({"id": "a b"}, "U+0020"),
            ({"id": "x" * 65}, "id"),
            ({"id": "a/b"}, "U+002F"),
            ({"title": "x" * 201}, "title"),
            ({"title": "a\0"}, "title"),
            ({"models": "nonsense"}, "There are:"),
            ({"expected": ["x"]}, "expected"),
            ({"titel": "Budget"}, "titel"),
        ],
        ids=str,
    )
    def test_is_refused_by_what_makes_no_sense(self, body: object, word: str, program: Program) -> None:
        response = program.ask("post", "sessions", body)
        assert (response.status_code, word in response.json()["error"]) == (422, True)
        assert not Session.objects.exists()

    def test_is_refused_when_the_quota_is_spent(self, program: Program, owner: User) -> None:
        Quota.objects.create(user=owner, sessions=1)
        assert program.ask("post", "sessions", {"id": "one"}).status_code == 201
        response = program.ask("post", "sessions", {"id": "two"})
        assert (response.status_code, "1 sessions going on" in response.json()["error"]) == (402, True)
        assert not Session.objects.filter(key="two").exists()

    def test_by_a_token_for_one_session_is_of_that_alone(self) -> None:
        microphone = by_token(role="sender", session_key="mine")
        assert microphone.ask("post", "sessions", {"id": "other"}).status_code == 403
        response = microphone.ask("post", "sessions", {"id": "mine"})
        assert (response.status_code, response.json()["rights"]) == (201, ["send"])

    def test_is_that_of_the_sender_who_comes_then(self, program: Program, owner: User) -> None:
        program.ask("post", "sessions", {"id": "m", "title": "Budget"})
        session, is_new = commits.get_or_create_session("m", owner=owner.pk, title="other")
        assert (session.title, is_new) == ("Budget", False)


class TestRenaming:
    def test_gives_another_title_and_goes_on_record(self, program: Program, owner: User) -> None:
        make_session(owner=owner, title="old")
        response = program.ask("patch", "sessions/周会", {"title": "new\ttitle"})
        assert (response.status_code, response.json()["title"]) == (200, "new title")
        assert Entry.objects.get(action=Action.MEETING_EDITED).actor == owner

    @pytest.mark.parametrize("body", [{}, {"title": 7}, {"title": "x" * 201}, {"title": None}])
    def test_needs_a_title(self, body: object, program: Program, owner: User) -> None:
        make_session(owner=owner)
        assert program.ask("patch", "sessions/周会", body).status_code == 422


class TestEnding:
    def test_asks_the_worker_of_a_session(
        self, program: Program, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = make_session(owner=owner, is_live=True)
        Session.objects.filter(pk=session.pk).update(epoch=1)
        asked: list[Any] = []
        monkeypatch.setattr(notify, "send", lambda *message: asked.append(message))
        response = program.ask("post", "sessions/周会/end")
        assert (response.status_code, response.json()) == (202, {"state": "live"})
        assert asked == [(layer_messages.WORKERS, {"type": "session.stop", "key": "周会"})]
        assert Entry.objects.get(action=Action.MEETING_ENDED).meeting == "周会"

    def test_ends_at_once_what_nobody_has_sent_to(self, program: Program) -> None:
        program.ask("post", "sessions", {"id": "m"})
        assert program.ask("post", "sessions/m/end").json() == {"state": "ended"}
        session = Session.objects.get()
        assert session.closed_by == "person"
        assert session.ended_at
        assert session.ended_at > timezone.now() - timedelta(minutes=1)

    def test_of_what_is_over_changes_nothing(self, program: Program, owner: User) -> None:
        session = make_session(owner=owner)
        assert program.ask("post", "sessions/周会/end").json() == {"state": "ended"}
        assert Session.objects.get().ended_at == session.ended_at


class TestDeleting:
    def test_puts_it_into_the_trash(self, program: Program, owner: User) -> None:
        make_session(owner=owner)
        response = program.ask("delete", "sessions/周会")
        assert (response.status_code, response.content) == (204, b"")
        assert Session.objects.get().trashed_at
        assert program.ask("get", "sessions/周会").status_code == 404
        assert Entry.objects.filter(action=Action.MEETING_TRASHED).exists()

    def test_waits_for_its_end(self, program: Program, owner: User) -> None:
        make_session(owner=owner, is_live=True)
        response = program.ask("delete", "sessions/周会")
        assert (response.status_code, "End it first" in response.json()["error"]) == (409, True)
        assert not Session.objects.get().trashed_at


def test_errors_are_in_the_language_that_is_asked_for(settings: Settings) -> None:
    response = Program(**{"accept-language": "zh-hans"}).ask("get", "sessions")
    assert (response.status_code, response.json()) == (401, {"error": "请先登录。"})
