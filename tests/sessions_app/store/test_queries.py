"""Reads for sockets and pages: in order, from a mark on, as lines are now."""

from __future__ import annotations

import pytest

from recognition.audio import samples
from sessions_app.models import MAX_FAILURES, Session, Utterance
from sessions_app.store import queries
from sessions_app.store.voices import number_changes
from sessions_app.transcripts import attribution
from sessions_app.wire.protocol import Line

from ..meetings import LINES, make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session = make_session("a")
    make_lines(session, voice=make_voice(session))
    return session


def change(session: Session, *seqs: int) -> None:
    """Number a change of these lines, each by itself."""
    for seq in seqs:
        number_changes(session.pk, session.utterances.filter(seq=seq).values_list("pk", flat=True))


class TestSessionNumbers:
    def test_only_those_that_there_are_have_any(self, session: Session) -> None:
        make_session("b")

        found = queries.session_numbers(["a", "b", "no such"])

        assert sorted(found) == ["a", "b"]
        assert (found["a"].pk, found["a"].last_seq, found["a"].durable) == (session.pk, 4, samples(8))

    def test_of_no_keys_there_are_none(self) -> None:
        assert queries.session_numbers([]) == {}

    @pytest.mark.parametrize("state", ["live", "paused", "draining"])
    def test_while_it_goes_on_there_is_no_end_to_confirm(self, session: Session, state: str) -> None:
        Session.objects.update(state=state)

        assert queries.session_numbers(["a"])["a"].end is None

    @pytest.mark.parametrize(("failures", "has_failed"), [(MAX_FAILURES - 1, False), (MAX_FAILURES, True)])
    def test_the_end_says_how_much_was_kept_and_if_it_failed(
        self, session: Session, failures: int, has_failed: bool
    ) -> None:
        Session.objects.update(failures=failures)

        end = queries.session_numbers(["a"])["a"].end

        assert end is not None
        assert (end.last_seq, end.has_failed) == (4, has_failed)
        assert (end.received, end.received_s) == (samples(8), 8.0)


class TestLinesAfter:
    def seqs(self, session: Session, after: int, limit: int = 10) -> list[int]:
        return [line.seq for line in queries.lines_after(session.pk, after, limit=limit)]

    def test_they_come_in_order_from_behind_the_mark(self, session: Session) -> None:
        assert self.seqs(session, 0) == [1, 2, 3, 4]
        assert self.seqs(session, 2) == [3, 4]
        assert self.seqs(session, 4) == self.seqs(session, 99) == []

    def test_no_more_than_asked_for_and_the_first_of_them(self, session: Session) -> None:
        assert self.seqs(session, 1, limit=2) == [2, 3]

    def test_they_read_as_they_do_now(self, session: Session) -> None:
        session.utterances.filter(seq=2).update(text="改过。")

        assert [line.text for line in queries.lines_after(session.pk, 1, limit=1)] == ["改过。"]

    def test_what_was_removed_is_not_told_to_newcomers(self, session: Session) -> None:
        session.utterances.filter(seq=2).update(is_removed=True)

        assert self.seqs(session, 0) == [1, 3, 4]

    def test_what_a_person_added_has_no_number_and_comes_as_a_revision(self, session: Session) -> None:
        added = Utterance.objects.create(session=session, seq=None, start=0, end=0, text="（笑）")
        number_changes(session.pk, [added.pk])

        assert self.seqs(session, 0) == [1, 2, 3, 4]
        assert [r.line.seq for r in queries.revisions_after(session.pk, 0, limit=10)] == [0]

    def test_other_sessions_are_other_sessions(self, session: Session) -> None:
        make_lines(make_session("b"), ["别的。"])

        assert len(self.seqs(session, 0)) == 4


class TestRevisionsAfter:
    def told(self, session: Session, after: int, limit: int = 10) -> list[tuple[int, int]]:
        found = queries.revisions_after(session.pk, after, limit=limit)
        return [(revision.revision, revision.line.seq) for revision in found]

    def test_they_come_in_the_order_of_the_changes(self, session: Session) -> None:
        change(session, 3, 1)

        assert self.told(session, 0) == [(1, 3), (2, 1)]
        assert self.told(session, 1) == [(2, 1)]
        assert self.told(session, 2) == []

    def test_a_line_that_changed_again_is_told_once(self, session: Session) -> None:
        change(session, 3, 1, 3)

        assert self.told(session, 0) == [(2, 1), (3, 3)]

    def test_no_more_than_asked_for_and_the_first_of_them(self, session: Session) -> None:
        change(session, 4, 3, 2)

        assert self.told(session, 0, limit=2) == [(1, 4), (2, 3)]

    def test_that_a_line_is_gone_is_told(self, session: Session) -> None:
        session.utterances.filter(seq=2).update(is_removed=True)
        change(session, 2)

        [revision] = queries.revisions_after(session.pk, 0, limit=10)

        assert revision.is_removed

    def test_lines_that_change_together_are_told_in_the_order_of_the_meeting(self, session: Session) -> None:
        keys = session.utterances.order_by("-seq").values_list("pk", flat=True)

        number_changes(session.pk, keys)

        assert self.told(session, 0) == [(1, 1), (2, 2), (3, 3), (4, 4)]


class TestAsLine:
    def line(self, session: Session, seq: int = 1) -> Line:
        return queries.lines_after(session.pk, seq - 1, limit=1)[0]

    def test_a_stranger_has_a_number_and_an_id_of_their_own(self, session: Session) -> None:
        spoken = self.line(session).spoken

        voice = session.voices.get()
        assert (spoken.speaker_id, spoken.number, spoken.is_enrolled) == (str(voice.uuid), 1, False)
        assert spoken.speaker_name == "Speaker 1"

    def test_somebody_with_a_name_has_no_number(self, session: Session) -> None:
        voice = make_voice(session, "Alice")
        attribution.give_line(session.utterances.get(seq=1), voice)

        spoken = self.line(session).spoken

        assert voice.speaker is not None
        assert (spoken.speaker_id, spoken.number, spoken.is_enrolled) == (str(voice.speaker.uuid), None, True)
        assert spoken.score is None  # a person said so

    def test_a_line_of_nobody_names_nobody(self, session: Session) -> None:
        session.utterances.update(voice=None)

        spoken = self.line(session).spoken

        assert (spoken.speaker_id or "", spoken.is_enrolled) == ("", False)

    def test_times_are_whole_milliseconds(self, session: Session) -> None:
        session.utterances.filter(seq=1).update(start=1, end=16_015)

        line = self.line(session)

        assert (line.start_ms, line.end_ms) == (0, 1000)

    def test_it_has_the_key_that_editors_ask_by(self, session: Session) -> None:
        assert self.line(session).line_id == session.utterances.get(seq=1).pk
        assert self.line(session).text == LINES[0]


def test_what_has_not_ended_is_to_be_gone_on_with(session: Session) -> None:
    live = [make_session(state) for state in ("live", "paused", "draining")]
    for row in live:
        Session.objects.filter(pk=row.pk).update(state=row.key, durable=row.pk * 10, recorded=row.pk * 5)

    assert sorted(queries.unfinished_sessions()) == [(row.pk, row.pk * 10, row.model_set) for row in live]


def test_it_goes_on_behind_what_was_recorded_of_it(session: Session) -> None:
    Session.objects.update(state="paused", durable=300, recorded=400)

    assert queries.unfinished_sessions() == [(session.pk, 400, session.model_set)]


def test_of_these_some_have_ended(session: Session) -> None:
    live = make_session("live", is_live=True)

    assert queries.ended_among([session.pk, live.pk, 12345]) == [session.pk]
    assert queries.ended_among([]) == []
