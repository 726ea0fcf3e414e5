"""The list of people, the page of one of them, and what forgetting means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from sessions_app.models import Overlap, Session
from speakers import enrollment, lifecycle
from speakers.models import Speaker, Voiceprint

from ...speakers.people import enroll, give_consent, make_speaker
from ..meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

VOICE = np.array([0.6, 0.8, 0.0, 0.0], np.float32)
LIST = "/people/"


@pytest.fixture
def enroller() -> User:
    return make_user("enroller", "enroller")


@pytest.fixture
def client(enroller: User) -> Client:
    return logged_in(enroller)


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(user)
    return client


def page_of(speaker: Speaker) -> str:
    return reverse("person", args=[speaker.uuid])


def names(page: Any) -> list[str]:
    return [person.name for person, _meetings, _days_left in page.context["rows"]]


def meeting_with(speaker: Speaker, *texts: str, key: str = "a", owner: User | None = None) -> Session:
    session = make_session(key, title=f"Meeting {key}", owner=owner)
    make_lines(session, texts, make_voice(session, speaker.name))
    return session


class TestList:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["Alice", "Bob", "张三"]),
            ({"q": "aLi"}, ["Alice"]),
            ({"q": " 三 "}, ["张三"]),
            ({"q": "sales"}, ["Bob"]),
            ({"q": "nobody\0"}, []),
            ({"enrolled": "yes"}, ["Alice"]),
            ({"enrolled": "no"}, ["Bob", "张三"]),
            ({"enrolled": "perhaps"}, ["Alice", "Bob", "张三"]),
            ({"enrolled": "no", "q": "a"}, ["Bob"]),
        ],
    )
    def test_finds_people_by_name_note_and_voice(
        self, client: Client, query: dict[str, str], expected: list[str]
    ) -> None:
        make_speaker("Alice", VOICE)
        make_speaker("张三")
        Speaker.objects.create(name="Bob", note="Sales")

        assert names(client.get(LIST, query)) == expected

    def test_goes_on_page_after_page(self, client: Client) -> None:
        Speaker.objects.bulk_create(Speaker(name=f"P{number:03}") for number in range(51))

        first, second = client.get(LIST, {"q": "P"}), client.get(LIST, {"q": "P", "page": "2"})

        assert names(first)[-1] == "P049"
        assert names(second) == ["P050"]
        assert "?q=P&amp;page=2" in first.text, "what was looked for goes along"
        assert names(client.get(LIST, {"page": "x"})) == names(first)

    def test_counts_the_meetings_that_its_reader_may_see(self, client: Client) -> None:
        alice = make_speaker("Alice")
        me = make_user("me", "transcriber")
        meeting_with(alice, "Hello.", key="mine", owner=me)
        meeting_with(alice, "Hello.", key="yours")

        assert "2 meetings<" in client.get(LIST).text
        assert "1 meeting<" in logged_in(me).get(LIST).text

    def test_points_out_a_consent_that_ends_soon(self, client: Client) -> None:
        for name, days in (("Alice", 9.5), ("Bob", 200.0)):
            give_consent(Speaker.objects.create(name=name), timezone.now() + timedelta(days=days))
        both = Speaker.objects.create(name="Carol")
        give_consent(both, timezone.now() + timedelta(days=9))
        give_consent(both)

        page = client.get(LIST)

        assert page.text.count("consent ends in") == 1
        assert "consent ends in 9 days" in page.text

    def test_asks_the_database_as_often_for_many_as_for_few(self, client: Client) -> None:
        def queries() -> int:
            client.get(LIST)  # the first of a login writes it down
            with CaptureQueriesContext(connection) as asked:
                client.get(LIST)
            return len(asked)

        make_speaker("Alice", VOICE)
        few = queries()
        for number in range(20):
            meeting_with(make_speaker(f"P{number}", VOICE), "Hello.", key=f"m{number}")

        assert queries() == few


class TestPerson:
    def test_shows_meetings_with_the_longest_of_what_was_said(self, client: Client) -> None:
        alice = make_speaker("Alice")
        session = meeting_with(alice, "Yes.", "No.")
        line = session.utterances.last()
        assert line is not None
        line.end += 16_000
        line.save()
        make_lines(session, ["Somebody else said much more than that."], make_voice(session))

        page = client.get(page_of(alice))

        (appearance,) = page.context["appearances"]
        assert (appearance.line_count, appearance.speech_s) == (2, 5.0)
        assert appearance.excerpt == line
        assert f'href="/sessions/a/#line-{line.pk}"' in page.text
        assert 'data-start="2.00" data-end="5.00"' in page.text

    def test_counts_what_was_said_during_the_lines_of_others_once(self, client: Client) -> None:
        alice = make_speaker("Alice")
        session = meeting_with(alice, "Yes.")
        own, (line,) = session.voices.get(), make_lines(session, ["A long line."], make_voice(session))
        for _half in range(2):  # of a line that was cut in two
            Overlap.objects.create(utterance=line, voice=own, start=line.start, end=line.start + 8_000)

        (appearance,) = client.get(page_of(alice)).context["appearances"]

        assert (appearance.line_count, appearance.speech_s) == (1, 2.5)

    def test_shows_no_meeting_that_its_reader_may_not_see(self) -> None:
        alice = make_speaker("Alice")
        me = make_user("me", "transcriber")
        meeting_with(alice, "Mine.", key="mine", owner=me)
        meeting_with(alice, "The secret.", key="yours")

        page = logged_in(me).get(page_of(alice)).text

        assert "Mine." in page
        assert "The secret." not in page

    def test_of_removed_lines_nothing_is_shown(self, client: Client) -> None:
        alice = make_speaker("Alice")
        session = meeting_with(alice, "Never mind.")
        session.utterances.update(is_removed=True)

        page = client.get(page_of(alice))

        assert page.context["appearances"] == []
        assert "In no meeting that you may read." in page.text

    def test_judges_each_recording_in_words(self, client: Client) -> None:
        alice = make_speaker("Alice", VOICE, speech_s=20.0)
        enroll(alice, VOICE, speech_s=4.0)

        page = client.get(page_of(alice)).text

        assert "20 s of speech" in page
        assert page.count("could be better") == 1
        assert "A longer recording, of ten seconds or more, is recognised more reliably." in page

    def test_shows_what_waits_for_a_decision_to_the_one_who_may_decide(
        self, client: Client, enroller: User
    ) -> None:
        alice = make_speaker("Alice")
        audio = np.zeros(16_000, np.float32)
        draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=enroller, speaker=alice)

        assert reverse("enrollment", args=[draft.uuid]) in client.get(page_of(alice)).text
        other = logged_in(make_user("other", "enroller"))
        assert reverse("enrollment", args=[draft.uuid]) not in other.get(page_of(alice)).text

    def test_shows_the_consent_with_its_text_and_end(self, client: Client, enroller: User) -> None:
        alice = Speaker.objects.create(name="Alice")
        text = enrollment.current_consent_text()
        assert text is not None
        consent = enrollment.record_consent(alice, text, by=enroller)
        consent.expires_at = timezone.now() + timedelta(days=10.5)
        consent.save()

        page = client.get(page_of(alice)).text

        assert "The consent ends in 10 days" in page
        assert "recorded by enroller" in page
        assert "biometric" in page

    def test_shows_what_was_done_with_the_voice_also_of_entries_merged_into_it(
        self, client: Client, enroller: User
    ) -> None:
        alice, gone = make_speaker("Alice"), make_speaker("Alicia")
        Entry.objects.create(action="play", speaker=gone.uuid, actor_name="anna")
        lifecycle.merge(alice, gone, by=enroller)

        history = client.get(page_of(alice)).context["entries"]

        assert [entry.action for entry in history] == ["merge", "play"]

    @pytest.mark.parametrize("role", ["transcriber", "editor"])
    def test_who_may_name_people_sees_nothing_of_their_voices(self, role: str) -> None:
        alice = make_speaker("Alice", VOICE)

        page = logged_in(make_user("me", role)).get(page_of(alice))

        assert not {"voices", "consents", "entries", "drafts"} & page.context.keys()
        for address in ("voiceprints", "consents", "enroll", "export", "forget", "merge", "change"):
            assert f"/{address}" not in page.text.partition("<main")[2], address

    def test_each_permission_shows_its_own_part(self) -> None:
        alice = make_speaker("Alice", VOICE)
        reader = make_user("reader")
        for codename, part in (
            ("view_voiceprint", "voices"), ("view_consent", "consents"), ("view_entry", "entries"),
        ):  # fmt: skip
            permissions = Permission.objects.filter(codename__in=["view_speaker", codename])
            reader.user_permissions.set(permissions)
            page = logged_in(reader).get(page_of(alice))
            shown = {"voices", "consents", "entries", "drafts"} & page.context.keys()
            assert shown == {part}

    def test_asks_the_database_as_often_for_many_meetings_as_for_few(self, client: Client) -> None:
        alice = make_speaker("Alice", VOICE)

        def queries() -> int:
            client.get(page_of(alice))  # the first of a login writes it down
            with CaptureQueriesContext(connection) as asked:
                client.get(page_of(alice))
            return len(asked)

        meeting_with(alice, "Hello.", key="first")
        few = queries()
        for number in range(15):
            meeting_with(alice, "Hello.", "Again.", key=f"m{number}")
            enroll(alice, VOICE)

        assert queries() == few

    def test_nobody_has_no_page(self, client: Client) -> None:
        gone = make_speaker("Alice")
        lifecycle.forget(gone, by=None)

        assert client.get(page_of(gone)).status_code == 404


class TestForget:
    def address(self, speaker: Speaker) -> str:
        return reverse("forget-person", args=[speaker.uuid])

    def test_it_is_said_what_becomes_of_lines_and_voice(self, client: Client) -> None:
        alice = make_speaker("Alice", VOICE)
        meeting_with(alice, "One.", "Two.", "Three.")

        page = client.get(self.address(alice)).text

        assert "3 lines in transcripts stay, word for word" in page
        assert "1 recording of the voice is deleted" in page
        assert Speaker.objects.exists(), "to look is not to forget"

    def test_it_is_done_and_the_lines_are_a_strangers(self, client: Client, enroller: User) -> None:
        alice = make_speaker("Alice Unforgettable", VOICE)
        session = meeting_with(alice, "One.")

        page = client.post(self.address(alice), follow=True)

        assert page.redirect_chain == [(LIST, 302)]
        assert not Speaker.objects.exists()
        (line,) = session.utterances.select_related("voice")
        assert line.voice
        assert (line.text, line.voice.name) == ("One.", "Speaker 1")
        entry = Entry.objects.get(action="forget")
        assert (entry.actor, entry.speaker, entry.detail) == (enroller, alice.uuid, {"voiceprints": 1})
