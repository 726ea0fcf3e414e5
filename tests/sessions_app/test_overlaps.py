"""Speech during the lines of others is carried once, from the recogniser to whoever reads it.

It follows its line wherever that goes, and its voice whoever that turns out to be.
"""

from __future__ import annotations

import uuid
from dataclasses import fields, replace

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from recognition.audio import samples
from recognition.core.events import OverlappingSpeech
from sessions_app.catalogue import overviews
from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.store import commits, queries
from sessions_app.store.commits import Lease, NewLine
from sessions_app.store.voices import VoiceChanges
from sessions_app.transcripts import attribution, editing, transcript
from sessions_app.transcripts.edit_requests import Edit, GiveLine, MergeLines, NameVoice, Seen, SplitLine, Who
from sessions_app.transcripts.parts import join, split
from sessions_app.transcripts.retention import delete_session
from sessions_app.wire.protocol import Line, OverlapRef
from sessions_app.wire.protocol import Revision as Changed
from speakers import lifecycle
from speakers.voiceprints.tracking import Decision, Revision, VoiceIdentified, VoicesMerged, VoiceState
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice, new_line
from tests.speakers.people import make_speaker

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = (uuid.UUID(int=number) for number in (1, 2, 3))

NOT_STORED = {"embedding", "speech"}
"""Fields of overlapping speech that serve recognition alone."""


def overlapped(line: NewLine, *spans: tuple[uuid.UUID, int, int]) -> NewLine:
    """Let others speak during a line."""
    speech = tuple(OverlappingSpeech(start, end) for _, start, end in spans)
    decisions = tuple(Decision(voice, speaker=None, score=None) for voice, _, _ in spans)
    return replace(line, final=replace(line.final, overlaps=speech), overlaps=decisions)


def told(session: Session) -> list[Line]:
    """The lines as readers get them who come now."""
    lines = session.utterances.filter(is_removed=False).order_by("start", "id")
    return [queries.as_line(line) for line in queries.with_voices(lines)]


def named(session: Session) -> list[list[str]]:
    """Who speaks during each line, as readers are told."""
    return [[overlap.speaker_name for overlap in line.overlaps] for line in told(session)]


class TestFromTheRecogniser:
    @pytest.fixture
    def session(self) -> Session:
        return commits.get_or_create_session("m")[0]

    @pytest.fixture
    def lease(self, session: Session) -> Lease:
        lease = commits.acquire(session.pk)
        assert lease
        return lease

    def commit(
        self,
        lease: Lease,
        *lines: NewLine,
        voices: tuple[uuid.UUID, ...],
        revisions: tuple[Revision, ...] = (),
    ) -> tuple[Lease, list[Utterance]]:
        changes = VoiceChanges("model-1", [VoiceState(voice) for voice in voices], revisions)
        durable = max([lease.durable, *(line.final.end for line in lines)])
        return commits.commit(lease, durable=durable, lines=lines, changes=changes)

    def test_every_field_is_a_column_or_named_as_none(self) -> None:
        columns = {column.name for column in Overlap._meta.concrete_fields}
        heard = {field.name for field in fields(OverlappingSpeech)}

        assert heard - NOT_STORED <= columns
        assert not NOT_STORED & columns
        assert columns == (heard - NOT_STORED) | {"id", "utterance", "voice"}

    def test_a_commit_keeps_whose_it_is_and_when(self, session: Session, lease: Lease) -> None:
        line = overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000), (THREE, 16_000, 40_000))

        self.commit(lease, line, voices=(ONE, TWO, THREE))

        rows = Overlap.objects.values_list("utterance__seq", "voice__uuid", "start", "end")
        assert [*rows] == [(1, TWO, 8_000, 12_000), (1, THREE, 16_000, 40_000)]

    def test_it_is_told_with_the_line_at_once_and_to_whoever_comes_later(
        self, session: Session, lease: Lease
    ) -> None:
        line = overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000))

        _, kept = self.commit(lease, line, voices=(ONE, TWO))

        assert [queries.as_line(row) for row in kept] == queries.lines_after(session.pk, 0, limit=9)
        [overlap] = queries.as_line(kept[0]).overlaps
        assert overlap == OverlapRef(str(TWO), "Speaker 2", 500, 750, 2)

    def test_asked_again_a_commit_answers_the_same(self, session: Session, lease: Lease) -> None:
        line = overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000))
        _, kept = self.commit(lease, line, voices=(ONE, TWO))

        _, again = self.commit(lease, line, voices=(ONE, TWO))

        assert [*map(queries.as_line, again)] == [*map(queries.as_line, kept)]
        assert Overlap.objects.count() == 1

    def test_a_voice_that_was_never_stored_gets_a_row(self, session: Session, lease: Lease) -> None:
        line = overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000))

        self.commit(lease, line, voices=(ONE,))

        assert named(session) == [["Speaker 2"]]

    def test_its_voice_may_have_been_merged_before_it_is_stored(self, session: Session, lease: Lease) -> None:
        lease, _ = self.commit(lease, new_line(0, 100, voice=THREE), voices=(THREE,))
        line = overlapped(new_line(100, 32_000, voice=ONE), (TWO, 8_000, 12_000))

        self.commit(lease, line, voices=(ONE,), revisions=(VoicesMerged(THREE, TWO),))

        assert [overlap.speaker_id for overlap in told(session)[1].overlaps] == [str(THREE)]

    def test_a_line_whose_other_speaker_is_identified_is_told_anew(
        self, session: Session, lease: Lease
    ) -> None:
        lines = [
            overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000)),
            new_line(32_000, 48_000, voice=ONE),
        ]
        lease, _ = self.commit(lease, *lines, voices=(ONE, TWO))
        alice = make_speaker("Alice")
        changes = VoiceChanges("model-1", [VoiceState(TWO, alice.pk)], [VoiceIdentified(TWO, alice.pk)])

        commits.commit(lease, durable=lease.durable, lines=[], changes=changes)

        assert [(change.line.seq, change.line.overlaps[0].speaker_name) for change in changed(session)] == [
            (1, "Alice")
        ]

    def test_it_follows_a_voice_that_turns_out_to_be_another(self, session: Session, lease: Lease) -> None:
        lines = [
            overlapped(new_line(0, 32_000, voice=ONE), (TWO, 8_000, 12_000)),
            new_line(32_000, 48_000, voice=THREE),
        ]
        lease, _ = self.commit(lease, *lines, voices=(ONE, TWO, THREE))

        self.commit(lease, voices=(), revisions=(VoicesMerged(THREE, TWO),))

        assert [overlap.speaker_id for overlap in told(session)[0].overlaps] == [str(THREE)]
        assert [change.line.seq for change in changed(session)] == [1]


def changed(session: Session) -> list[Changed]:
    return queries.revisions_after(session.pk, 0, limit=9)


@pytest.fixture
def editor() -> User:
    return make_user("Anna", "editor")


@pytest.fixture
def meeting(editor: User) -> Session:
    """Alice, Bob, Alice, each for two seconds; a stranger speaks too in the first and the last line."""
    session = make_session(owner=editor)
    alice, bob, stranger = (make_voice(session, name) for name in ("Alice", "Bob", ""))
    for text, voice in [("一，二。", alice), ("三。", bob), ("四。", alice)]:
        make_lines(session, [text], voice)
    first, _, last = session.utterances.order_by("seq")
    during(first, stranger, 0.25, 0.75)
    during(last, stranger, 5.25, 5.75)
    return session


def during(line: Utterance, voice: Voice, start_s: float, end_s: float) -> Overlap:
    return Overlap.objects.create(utterance=line, voice=voice, start=samples(start_s), end=samples(end_s))


def line_of(session: Session, seq: int) -> Utterance:
    return session.utterances.get(seq=seq)


def voice_of(session: Session, name: str = "") -> Voice:
    if name:
        return Voice.objects.get(session=session, speaker__name=name)
    return Voice.objects.get(session=session, speaker=None)


def seen(line: Utterance) -> Seen:
    return Seen(line=line.pk, revision=line.revision)


def apply(session: Session, edit: Edit, editor: User) -> editing.Outcome:
    return editing.apply(session, edit, by=editor)


class TestToWhoeverReads:
    def test_in_the_order_of_their_start(self, meeting: Session) -> None:
        line, bob = line_of(meeting, 1), voice_of(meeting, "Bob")
        during(line, bob, 0.1, 0.2)

        assert named(meeting) == [["Bob", "Speaker 1"], [], ["Speaker 1"]]

    def test_an_enrolled_one_has_no_number(self, meeting: Session) -> None:
        during(line_of(meeting, 2), voice_of(meeting, "Alice"), 2.5, 3)

        [overlap] = told(meeting)[1].overlaps
        assert (overlap.speaker_name, overlap.number) == ("Alice", None)
        assert overlap.speaker_id == told(meeting)[0].spoken.speaker_id

    @pytest.mark.parametrize(
        ("start_s", "end_s", "is_told"),
        [(1, 2, False), (1, 2.5, True), (3.5, 9, True), (4, 9, False), (0, 9, True)],
    )
    def test_only_what_is_in_the_time_of_its_line(
        self, meeting: Session, start_s: float, end_s: float, is_told: bool
    ) -> None:
        during(line_of(meeting, 2), voice_of(meeting, "Alice"), start_s, end_s)

        assert bool(named(meeting)[1]) == is_told

    def test_of_a_line_that_is_theirs_by_now_nothing_is_said(self, meeting: Session, editor: User) -> None:
        stranger = voice_of(meeting).public_id

        apply(meeting, GiveLine(seen=seen(line_of(meeting, 1)), who=Who(speaker_id=stranger)), editor)

        assert named(meeting) == [[], [], ["Speaker 1"]]

    def test_a_page_has_them_and_asks_as_often_for_many_as_for_few(
        self, meeting: Session, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for seq in (1, 2, 3):
            during(line_of(meeting, seq), voice_of(meeting, "Bob"), seq * 2 - 1.9, seq * 2 - 1)
        with django_assert_max_num_queries(4):
            lines = transcript.read(meeting).as_json()["lines"]

        assert [[overlap["speaker_name"] for overlap in line["overlaps"]] for line in lines] == [
            ["Bob", "Speaker 1"], [], ["Bob", "Speaker 1"],
        ]  # fmt: skip


class TestNames:
    def test_a_person_names_the_voice_and_readers_are_told(self, meeting: Session, editor: User) -> None:
        edit = NameVoice(voice=voice_of(meeting).public_id, who=Who(name="Carol"))

        outcome = apply(meeting, edit, editor)

        assert named(meeting) == [["Carol"], [], ["Carol"]]
        assert [line.seq for line in outcome.lines] == [1, 3]
        assert [change.line.seq for change in changed(meeting)] == [1, 3]

    def test_a_merge_takes_them_along_and_its_undo_gives_them_back(
        self, meeting: Session, editor: User
    ) -> None:
        during(line_of(meeting, 1), voice_of(meeting, "Bob"), 1, 1.5)  # this one stays Bob's
        before = named(meeting)
        edit = NameVoice(
            voice=voice_of(meeting).public_id, who=Who(speaker_id=voice_of(meeting, "Bob").public_id)
        )

        outcome = apply(meeting, edit, editor)

        assert named(meeting) == [["Bob", "Bob"], [], ["Bob"]]
        assert [line.seq for line in outcome.lines] == [1, 3]
        assert outcome.undo
        back = apply(meeting, outcome.undo, editor)
        assert named(meeting) == before
        assert [line.seq for line in back.lines] == [1, 3]
        assert {line.pk for line in back.lines} == {*back.was}

    def test_an_undo_takes_nothing_that_is_another_s_by_now(self, meeting: Session, editor: User) -> None:
        edit = NameVoice(
            voice=voice_of(meeting).public_id, who=Who(speaker_id=voice_of(meeting, "Bob").public_id)
        )
        undo = apply(meeting, edit, editor).undo
        assert undo
        Overlap.objects.filter(utterance__seq=1).update(voice=voice_of(meeting, "Alice"))

        apply(meeting, undo, editor)

        assert {row.voice.name for row in Overlap.objects.filter(utterance__seq=1)} == {"Alice"}

    def test_a_new_name_is_told(self, meeting: Session) -> None:
        during(line_of(meeting, 2), voice_of(meeting, "Alice"), 2.5, 3)
        alice = voice_of(meeting, "Alice").speaker
        assert alice

        lifecycle.rename(alice, name="Alicia", note="", by=None)

        assert named(meeting)[1] == ["Alicia"]
        assert 2 in [change.line.seq for change in changed(meeting)]

    def test_merged_people_are_one(self, meeting: Session) -> None:
        during(line_of(meeting, 2), voice_of(meeting, "Alice"), 2.5, 3)
        carol, alice = make_speaker("Carol"), voice_of(meeting, "Alice").speaker
        assert alice

        lifecycle.merge(carol, alice, by=None)

        assert named(meeting)[1] == ["Carol"]

    def test_a_forgotten_person_is_nowhere_named(self, meeting: Session) -> None:
        during(line_of(meeting, 2), voice_of(meeting, "Alice"), 2.5, 3)
        alice = voice_of(meeting, "Alice").speaker
        assert alice

        lifecycle.forget(alice, by=None)

        assert named(meeting)[1] == ["Speaker 2"]
        assert 2 in [change.line.seq for change in changed(meeting)]

    def test_it_goes_with_its_voice(self, meeting: Session) -> None:
        voice_of(meeting).delete()

        assert not Overlap.objects.exists()
        assert named(meeting) == [[], [], []]

    def test_two_merged_voices_are_one_in_all_lines(self, meeting: Session) -> None:
        attribution.merge_voices(voice_of(meeting, "Bob"), voice_of(meeting))

        assert {row.voice.name for row in Overlap.objects.all()} == {"Bob"}


class TestCutLines:
    def cut(self, meeting: Session, editor: User) -> editing.Outcome:
        during(line_of(meeting, 1), voice_of(meeting, "Bob"), 1.5, 1.8)
        return apply(meeting, SplitLine(seen=seen(line_of(meeting, 1)), first="一，", second="二。"), editor)

    def test_each_half_has_what_is_in_its_time(self, meeting: Session, editor: User) -> None:
        self.cut(meeting, editor)

        assert named(meeting) == [["Speaker 1"], ["Bob"], [], ["Speaker 1"]]

    def test_taken_back_the_line_has_all_of_it_once(self, meeting: Session, editor: User) -> None:
        undo = self.cut(meeting, editor).undo
        assert undo

        apply(meeting, undo, editor)

        assert named(meeting) == [["Speaker 1", "Bob"], [], ["Speaker 1"]]

    def test_what_sounds_in_both_halves_is_told_with_both(self, meeting: Session, editor: User) -> None:
        during(line_of(meeting, 1), voice_of(meeting, "Bob"), 0.5, 1.9)

        apply(meeting, SplitLine(seen=seen(line_of(meeting, 1)), first="一，", second="二。"), editor)

        assert named(meeting)[:2] == [["Speaker 1", "Bob"], ["Bob"]]

    def test_two_lines_that_become_one_have_all_of_it(self, meeting: Session, editor: User) -> None:
        merge = MergeLines(seen=seen(line_of(meeting, 2)), following=seen(line_of(meeting, 3)))

        outcome = apply(meeting, merge, editor)

        assert named(meeting) == [["Speaker 1"], ["Speaker 1"]]
        assert outcome.undo
        apply(meeting, outcome.undo, editor)
        assert named(meeting) == [["Speaker 1"], [], ["Speaker 1"]]

    def test_done_again_nothing_is_there_twice(self, meeting: Session, editor: User) -> None:
        for _ in range(2):
            merge = MergeLines(seen=seen(line_of(meeting, 2)), following=seen(line_of(meeting, 3)))
            undo = apply(meeting, merge, editor).undo
            assert undo
            assert named(meeting) == [["Speaker 1"], ["Speaker 1"]]
            apply(meeting, undo, editor)


class TestParts:
    def test_a_meeting_that_is_split_takes_it_along(self, meeting: Session, editor: User) -> None:
        rest = split(meeting, line_of(meeting, 3).pk, by=editor)

        assert (named(meeting), named(rest)) == ([["Speaker 1"], []], [["Speaker 1"]])
        [overlap] = told(rest)[0].overlaps
        assert (overlap.start_ms, overlap.end_ms) == (1250, 1750)
        assert Voice.objects.get(uuid=overlap.speaker_id).session == rest

    def test_a_part_knows_whoever_speaks_only_during_others(self, meeting: Session, editor: User) -> None:
        during(line_of(meeting, 3), make_voice(meeting, "Carol"), 4.1, 4.2)

        rest = split(meeting, line_of(meeting, 3).pk, by=editor)

        assert named(rest) == [["Carol", "Speaker 1"]]

    def test_what_goes_over_the_cut_ends_and_begins_there(self, meeting: Session, editor: User) -> None:
        bob = voice_of(meeting, "Bob")
        during(line_of(meeting, 1), bob, 1.5, 3)
        during(line_of(meeting, 1), bob, 2, 3)  # only of what comes later
        Utterance.objects.filter(session=meeting, seq=2).update(voice=voice_of(meeting, "Alice"))
        during(line_of(meeting, 2), bob, 1.5, 3)

        rest = split(meeting, line_of(meeting, 2).pk, by=editor)

        spans = [[(each.start_ms, each.end_ms) for each in line.overlaps] for line in told(rest)]
        assert [(each.start_ms, each.end_ms) for each in told(meeting)[0].overlaps] == [
            (250, 750),
            (1500, 2000),
        ]
        assert spans[0] == [(0, 1000)]

    def test_joined_meetings_have_all_of_it(self, meeting: Session, editor: User) -> None:
        later = make_session("later", owner=editor)
        make_lines(later, ["五。"], make_voice(later, "Carol"))
        during(line_of(later, 1), make_voice(later, "Alice"), 1, 1.5)
        during(line_of(later, 1), make_voice(later), 0, 0.5)

        join(meeting, later, by=editor)

        assert named(meeting) == [["Speaker 1"], [], ["Speaker 1"], ["Speaker 2", "Alice"]]
        assert [(each.start_ms, each.end_ms) for each in told(meeting)[3].overlaps] == [
            (6000, 6500),
            (7000, 7500),
        ]


class TestTheWhole:
    def test_the_picture_of_the_talk_shows_them(self, meeting: Session) -> None:
        line_of(meeting, 2).delete()
        during(line_of(meeting, 1), voice_of(meeting, "Bob"), 2, 4)

        overviews.refresh(meeting)

        meeting.refresh_from_db()
        columns = [meeting.talk_picture[2 * at : 2 * at + 2] for at in range(60)]
        assert columns[20:40] == ["29"] * 20

    def test_of_a_line_in_two_halves_they_are_counted_once(self, meeting: Session, editor: User) -> None:
        overviews.refresh(meeting)
        before = Session.objects.get(pk=meeting.pk).talk_picture
        apply(meeting, SplitLine(seen=seen(line_of(meeting, 1)), first="一，", second="二。"), editor)

        overviews.refresh(Session.objects.get(pk=meeting.pk))

        assert Session.objects.get(pk=meeting.pk).talk_picture == before

    def test_a_deleted_meeting_leaves_none(self, meeting: Session) -> None:
        delete_session(meeting)

        assert not Overlap.objects.exists()
