"""Notes on moments of a session: what becomes of them, who may change them, and that every change is told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from recognition.audio import SAMPLE_RATE
from sessions_app.models import Note, Session
from sessions_app.transcripts import notes
from sessions_app.transcripts.note_requests import (
    MAX_NOTE_LENGTH,
    AddNote,
    AnswerNote,
    BadNote,
    ChangeNote,
    RemoveNote,
    parse_note,
)
from sessions_app.transcripts.retention import delete_session
from tests.sessions_app.meetings import make_lines, make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    made = make_session()
    make_lines(made)
    return made


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", first_name="Anna", last_name="Li")


@pytest.fixture
def boris() -> User:
    return User.objects.create_user("boris")


def add(session: Session, by: User, at_ms: int = 1000, text: str = "核对数字") -> int:
    return notes.apply(session, AddNote(at_ms=at_ms, text=text), by=by)


def texts(session: Session) -> list[str]:
    return [note.text for note in notes.read(session)]


class TestReading:
    def test_notes_stand_in_the_order_of_their_moments_each_with_its_answers(
        self, session: Session, anna: User, boris: User
    ) -> None:
        late = add(session, anna, 5000, "late")
        early = add(session, anna, 1000, "early")
        notes.apply(session, AnswerNote(note=late, text="to late"), by=boris)
        notes.apply(session, AnswerNote(note=early, text="to early"), by=boris)
        assert texts(session) == ["early", "to early", "late", "to late"]
        assert [note.at_ms for note in notes.read(session)] == [1000, 1000, 5000, 5000]

    def test_says_who_wrote_it_also_when_they_have_left(self, session: Session, anna: User) -> None:
        add(session, anna)
        assert [note.author for note in notes.read(session)] == ["Anna Li"]
        anna.delete()
        assert [note.author for note in notes.read(session)] == ["someone who has left"]

    def test_takes_one_query(
        self, session: Session, anna: User, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        for at_ms in (0, 1000, 2000):
            add(session, anna, at_ms)
        with django_assert_num_queries(1):  # type: ignore[operator]
            notes.read(session)


class TestAdding:
    def test_stores_the_moment_as_a_sample(self, session: Session, anna: User) -> None:
        add(session, anna, 1500)
        assert Note.objects.get().position == 1500 * SAMPLE_RATE // 1000

    def test_a_moment_behind_the_end_is_the_end_but_not_while_the_meeting_goes_on(
        self, session: Session, anna: User
    ) -> None:
        add(session, anna, 60_000)
        live = make_session("live", is_live=True)
        add(live, anna, 60_000)
        assert [note.at_ms for note in notes.read(session)] == [8000]
        assert [note.at_ms for note in notes.read(live)] == [60_000]

    def test_an_answer_to_an_answer_is_one_to_the_note(self, session: Session, anna: User) -> None:
        first = add(session, anna)
        second = notes.apply(session, AnswerNote(note=first, text="a"), by=anna)
        notes.apply(session, AnswerNote(note=second, text="b"), by=anna)
        assert [note.answers for note in notes.read(session)] == [None, first, first]

    def test_a_session_has_only_so_many(
        self, session: Session, anna: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notes, "MAX_NOTES", 1)
        add(session, anna)
        with pytest.raises(notes.TooManyNotes, match="at most 1 notes"):
            add(session, anna)

    def test_a_note_of_another_session_cannot_be_answered(self, session: Session, anna: User) -> None:
        foreign = add(make_session("other"), anna)
        with pytest.raises(notes.NoSuchNote):
            notes.apply(session, AnswerNote(note=foreign, text="?"), by=anna)


class TestChanging:
    def test_makes_a_note_of_a_bookmark_and_says_that_it_was_changed(
        self, session: Session, anna: User
    ) -> None:
        note = add(session, anna, text="")
        notes.apply(session, ChangeNote(note=note, text="预算"), by=anna)
        assert [(note.text, note.is_changed) for note in notes.read(session)] == [("预算", True)]

    def test_is_for_who_wrote_it_alone(self, session: Session, anna: User, boris: User) -> None:
        note = add(session, anna)
        with pytest.raises(notes.NotYours):
            notes.apply(session, ChangeNote(note=note, text="mine"), by=boris, may_tidy=True)
        assert texts(session) == ["核对数字"]

    def test_leaves_no_empty_comment(self, session: Session, anna: User) -> None:
        answer = notes.apply(session, AnswerNote(note=add(session, anna), text="a"), by=anna)
        with pytest.raises(notes.NotYours, match="remove it"):
            notes.apply(session, ChangeNote(note=answer, text=""), by=anna)


class TestRemoving:
    def test_takes_the_answers_along_and_brings_them_back(
        self, session: Session, anna: User, boris: User
    ) -> None:
        note = add(session, anna)
        notes.apply(session, AnswerNote(note=note, text="ja"), by=boris)
        notes.apply(session, RemoveNote(note=note), by=anna)
        assert texts(session) == []
        notes.apply(session, RemoveNote(kind="restore", note=note), by=anna)
        assert texts(session) == ["核对数字", "ja"]

    def test_is_for_who_wrote_it_and_for_who_may_edit(
        self, session: Session, anna: User, boris: User
    ) -> None:
        note = add(session, anna)
        with pytest.raises(notes.NotYours):
            notes.apply(session, RemoveNote(note=note), by=boris)
        notes.apply(session, RemoveNote(note=note), by=boris, may_tidy=True)
        assert texts(session) == []

    def test_twice_is_said_to_be_once_too_often(self, session: Session, anna: User) -> None:
        note = add(session, anna)
        notes.apply(session, RemoveNote(note=note), by=anna)
        with pytest.raises(notes.NoSuchNote):
            notes.apply(session, RemoveNote(note=note), by=anna)

    def test_leaves_no_answer_to_be_answered_or_changed(self, session: Session, anna: User) -> None:
        note = add(session, anna)
        answer = notes.apply(session, AnswerNote(note=note, text="ja"), by=anna)
        notes.apply(session, RemoveNote(note=note), by=anna)
        for request in (AnswerNote(note=answer, text="?"), ChangeNote(note=answer, text="nein")):
            with pytest.raises(notes.NoSuchNote):
                notes.apply(session, request, by=anna)


class TestEveryChange:
    def test_has_a_number_of_its_own(self, session: Session, anna: User) -> None:
        note = add(session, anna)
        notes.apply(session, ChangeNote(note=note, text="x"), by=anna)
        notes.apply(session, RemoveNote(note=note), by=anna)
        session.refresh_from_db()
        assert session.last_note == 3

    def test_that_is_refused_has_none(self, session: Session, anna: User) -> None:
        with pytest.raises(notes.NoSuchNote):
            notes.apply(session, RemoveNote(note=1), by=anna)
        session.refresh_from_db()
        assert session.last_note == 0


def test_a_deleted_session_leaves_no_notes(session: Session, anna: User) -> None:
    note = add(session, anna)
    notes.apply(session, AnswerNote(note=note, text="ja"), by=anna)
    delete_session(session)
    assert not Note.objects.exists()


class TestSearch:
    def test_finds_notes_of_the_sessions_that_may_be_seen_but_none_that_were_removed(
        self, session: Session, anna: User
    ) -> None:
        found, removed = add(session, anna, text="Budget 2027"), add(session, anna, text="budget")
        add(make_session("hidden"), anna, text="budget")
        notes.apply(session, RemoveNote(note=removed), by=anna)
        seen = Session.objects.filter(pk=session.pk)
        assert [note.pk for note in notes.containing(seen, "BUDGET", limit=5)] == [found]

    def test_finds_no_answer_to_a_note_that_was_removed(self, session: Session, anna: User) -> None:
        note = add(session, anna)
        answer = notes.apply(session, AnswerNote(note=note, text="Budget"), by=anna)
        seen = Session.objects.filter(pk=session.pk)
        assert [found.pk for found in notes.containing(seen, "budget", limit=5)] == [answer]
        notes.apply(session, RemoveNote(note=note), by=anna)
        assert notes.containing(seen, "budget", limit=5) == []


class TestRequests:
    def test_are_tidied(self) -> None:
        request = parse_note(b'{"kind": "add", "at_ms": 5, "text": " a \\n\\u0000 b\\n"}')
        assert request == AddNote(at_ms=5, text="a\n  b")

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            (b"{", "Invalid JSON"),
            (b'{"kind": "shout"}', "does not match any of the expected tags"),
            (b'{"kind": "add", "at_ms": -1}', "at_ms: Input should be greater"),
            (b'{"kind": "add", "at_ms": 1e300}', "at_ms: Input should be a valid integer"),
            (b'{"kind": "answer", "note": 1, "text": " \\n"}', "text: Value error, there is no text"),
            (b'{"kind": "remove", "note": 9223372036854775808}', "note: Input should be less"),
            (
                b'{"kind": "add", "at_ms": 0, "text": "%s"}' % (b"x" * (MAX_NOTE_LENGTH + 1)),
                "text: String should have at most",
            ),
        ],
    )
    def test_that_make_no_sense_are_told_why(self, body: bytes, fault: str) -> None:
        with pytest.raises(BadNote, match=fault):
            parse_note(body)
