"""Meetings split in two, and joined: nothing that was said, changed or noted is lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recognition.audio import SAMPLE_RATE
from sessions_app.models import Note, Session, Tag, Utterance, Voice
from sessions_app.recordings import files
from sessions_app.store.voices import pairs_of, part
from sessions_app.transcripts import editing, parts, transcript
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from sessions_app.transcripts.parts import NotPossible, join, split
from speakers.exceptions import JobMustWait
from speakers.jobs import RunningJob
from speakers.models import Job

from ..meetings import make_lines, make_recording, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

TEXTS = ("一。", "二。", "三。", "四。")


@pytest.fixture
def user() -> User:
    return make_user("anna", "transcriber")


@pytest.fixture
def meeting(user: User) -> Session:
    """Four lines, of Alice and a stranger in turns."""
    session = make_session("周会", owner=user, title="Weekly")
    alice, stranger = make_voice(session, "Alice"), make_voice(session)
    make_lines(session, TEXTS)
    for number, line in enumerate(session.utterances.all()):
        Utterance.objects.filter(pk=line.pk).update(voice=[alice, stranger][number % 2])
    return session


def lines(session: Session) -> list[tuple[int | None, int, str, str]]:
    """Number, start, speaker and text of each line."""
    rows = session.utterances.filter(is_removed=False).select_related("voice__speaker").order_by("start")
    return [(row.seq, row.start, row.voice.name if row.voice else "", row.text) for row in rows]


def line(session: Session, text: str) -> Utterance:
    return session.utterances.get(text=text)


def fresh(session: Session) -> Session:
    return Session.objects.get(pk=session.pk)


def run(job: Job) -> None:
    task = RunningJob(job, *cast("tuple[Any, Any]", (None, None)))  # it needs no models
    work = parts.divide_recording if job.kind == parts.DIVIDE else parts.append_recording

    async def done() -> None:
        await work(task)

    asyncio.run(done())


class TestSplit:
    def test_both_meetings_read_as_if_they_had_been_two(self, meeting: Session, user: User) -> None:
        at = line(meeting, "三。").start
        starts = [row.start for row in meeting.utterances.order_by("start")]
        rest = split(meeting, line(meeting, "三。").pk, by=user)
        assert lines(meeting) == [(1, starts[0], "Alice", "一。"), (2, starts[1], "Speaker 1", "二。")]
        assert lines(rest) == [(1, 0, "Alice", "三。"), (2, starts[3] - at, "Speaker 1", "四。")]
        assert (fresh(meeting).durable, fresh(meeting).last_seq) == (at, 2)
        assert (fresh(rest).durable, fresh(rest).last_seq) == (meeting.durable - at, 2)

    def test_words_keep_their_times(self, meeting: Session, user: User) -> None:
        third = line(meeting, "三。")
        before = [[text, start - third.start, end - third.start] for text, start, end in third.tokens]
        rest = split(meeting, third.pk, by=user)
        assert line(rest, "三。").tokens == before

    def test_the_new_one_is_called_owned_filed_and_shared_like_the_whole(
        self, meeting: Session, user: User
    ) -> None:
        other = make_user("other")
        meeting.shares.create(user=other, level="comment")
        meeting.tags.add(Tag.objects.create(name="weekly"))
        rest = split(meeting, line(meeting, "二。").pk, by=user)
        assert (rest.key, rest.title, rest.owner) == ("周会-2", "Weekly", user)
        assert [(share.user, share.level) for share in rest.shares.all()] == [(other, "comment")]
        assert [tag.name for tag in rest.tags.all()] == ["weekly"]

    def test_the_parts_follow_each_other_in_time_and_by_their_links(
        self, meeting: Session, user: User
    ) -> None:
        follower = make_session("next")
        Session.objects.filter(pk=follower.pk).update(continues=meeting)
        at = line(meeting, "三。").start
        rest = fresh(split(meeting, line(meeting, "三。").pk, by=user))
        assert (rest.created_at - meeting.created_at).total_seconds() == pytest.approx(at / SAMPLE_RATE)
        assert rest.continues == meeting
        assert fresh(follower).continues == rest

    def test_versions_and_the_machines_text_go_along(self, meeting: Session, user: User) -> None:
        third = line(meeting, "三。")
        editing.apply(
            meeting,
            ChangeText(kind="text", seen=Seen(line=third.pk, revision=third.revision), text="叁。"),
            by=user,
        )
        rest = split(meeting, third.pk, by=user)
        moved = line(rest, "叁。")
        assert moved.machine_text == "三。"
        assert moved.history.count() == third.history.count() > 0
        assert {row.session_id for row in moved.history.all()} == {rest.pk}
        assert {row.start for row in moved.history.all()} == {0}

    def test_notes_stay_at_their_moments(self, meeting: Session, user: User) -> None:
        at = line(meeting, "三。").start
        Note.objects.create(session=meeting, position=at - 1, text="before", author=user)
        note = Note.objects.create(session=meeting, position=at + 5, text="behind", author=user)
        Note.objects.create(session=meeting, position=at + 5, text="so it is", author=user, answers=note)
        rest = split(meeting, line(meeting, "三。").pk, by=user)
        assert [(each.text, each.position) for each in meeting.notes.all()] == [("before", at - 1)]
        assert [(each.text, each.position) for each in rest.notes.all()] == [("behind", 5), ("so it is", 5)]

    def test_lines_that_were_removed_go_with_those_around_them(self, meeting: Session, user: User) -> None:
        Utterance.objects.filter(pk=line(meeting, "四。").pk).update(is_removed=True)
        rest = split(meeting, line(meeting, "三。").pk, by=user)
        assert [row.text for row in rest.utterances.filter(is_removed=True)] == ["四。"]

    def test_a_line_that_goes_on_beyond_the_cut_ends_there(self, meeting: Session, user: User) -> None:
        at = line(meeting, "三。").start
        Utterance.objects.filter(pk=line(meeting, "二。").pk).update(end=at + 100)
        split(meeting, line(meeting, "三。").pk, by=user)
        assert line(meeting, "二。").end == at

    def test_the_next_free_key_is_taken(self, meeting: Session, user: User) -> None:
        make_session("周会-2")
        assert split(meeting, line(meeting, "二。").pk, by=user).key == "周会-3"

    def test_a_key_is_no_longer_than_keys_may_be(self, meeting: Session, user: User) -> None:
        Session.objects.filter(pk=meeting.pk).update(key="k" * 64)
        make_session("k" * 62 + "-2")
        assert split(meeting, line(meeting, "二。").pk, by=user).key == "k" * 62 + "-3"

    @pytest.mark.parametrize("what", ["first", "none", "removed", "live", "trash"])
    def test_what_cannot_be_split_is_left_as_it_is(self, meeting: Session, user: User, what: str) -> None:
        key = {"first": line(meeting, "一。").pk, "none": 10**9}.get(what, line(meeting, "三。").pk)
        if what == "removed":
            Utterance.objects.filter(pk=key).update(is_removed=True)
        if what == "live":
            Session.objects.filter(pk=meeting.pk).update(state="live")
        if what == "trash":
            Session.objects.filter(pk=meeting.pk).update(trashed_at=timezone.now())
        with pytest.raises(NotPossible):
            split(meeting, key, by=user)
        assert Session.objects.count() == 1
        assert meeting.utterances.count() == 4


class TestHeardAtOnce:
    """Who was heard at once stays two people in every part."""

    @pytest.fixture(autouse=True)
    def heard_at_once(self, meeting: Session) -> None:
        part(*meeting.voices.order_by("id"))

    def test_in_both_meetings_that_were_one(self, meeting: Session, user: User) -> None:
        rest = split(meeting, line(meeting, "三。").pk, by=user)
        for session in (meeting, rest):
            one, other = session.voices.order_by("id")
            assert [pairs_of(one), pairs_of(other)] == [{other.uuid}, {one.uuid}]

    def test_in_the_meeting_that_they_were_joined_to(self, meeting: Session, user: User) -> None:
        earlier = make_session("earlier", owner=user)
        make_lines(earlier, ["〇。"], voice=make_voice(earlier, "Alice"))
        join(earlier, meeting, by=user)
        alice, stranger = earlier.voices.order_by("number")[::-1]
        assert {alice.name, stranger.name} == {"Alice", "Speaker 1"}
        assert [pairs_of(alice), pairs_of(stranger)] == [{stranger.uuid}, {alice.uuid}]


class TestJoin:
    @pytest.fixture
    def later(self, user: User) -> Session:
        session = make_session("周会-2", owner=user)
        make_lines(session, ["五。"], voice=make_voice(session))
        make_lines(session, ["六。"], voice=make_voice(session, "Alice"))
        return session

    def test_lines_follow_with_their_speakers(self, meeting: Session, later: Session, user: User) -> None:
        before, at = lines(meeting), meeting.durable
        starts = [row.start for row in later.utterances.order_by("start")]
        join(meeting, later, by=user)
        assert lines(meeting) == [
            *before,
            (5, at + starts[0], "Speaker 2", "五。"),
            (6, at + starts[1], "Alice", "六。"),
        ]
        assert fresh(meeting).durable == at + later.durable
        assert Voice.objects.filter(session=meeting, speaker__name="Alice").count() == 1

    def test_splitting_takes_it_back(self, meeting: Session, later: Session, user: User) -> None:
        before = lines(meeting)
        texts = [text for *_, text in lines(later)]
        join(meeting, later, by=user)
        rest = split(meeting, line(meeting, "五。").pk, by=user)
        assert lines(meeting) == before
        assert [text for *_, text in lines(rest)] == texts

    @pytest.mark.django_db(transaction=True)
    def test_the_later_one_is_gone_once_its_recording_has_followed(
        self, meeting: Session, later: Session, user: User
    ) -> None:
        make_recording(meeting, np.full(meeting.durable, 0.25, np.float32), as_flac=True)
        make_recording(later, np.full(later.durable, -0.5, np.float32), as_flac=True)
        join(meeting, later, by=user)
        assert fresh(later).trashed_at
        run(Job.objects.get(kind=parts.APPEND))
        assert not Session.objects.filter(pk=later.pk).exists()
        assert len(lines(meeting)) == 6
        heard = files.read(meeting.pk, 0, files.length(meeting.pk)) / files.FULL_SCALE
        assert len(heard) == fresh(meeting).durable
        assert [float(heard[meeting.durable - 1]), float(heard[meeting.durable])] == [0.25, -0.5]

    def test_notes_follow(self, meeting: Session, later: Session, user: User) -> None:
        Note.objects.create(session=later, position=7, text="behind", author=user)
        join(meeting, later, by=user)
        assert [note.position for note in meeting.notes.all()] == [meeting.durable + 7]

    def test_a_meeting_that_goes_on_or_is_the_same_is_refused(
        self, meeting: Session, later: Session, user: User
    ) -> None:
        Session.objects.filter(pk=later.pk).update(state="live")
        for other in (later, meeting):
            with pytest.raises(NotPossible):
                join(meeting, other, by=user)
        assert len(lines(meeting)) == 4

    def test_its_transcript_is_read_like_any_other(
        self, meeting: Session, later: Session, user: User
    ) -> None:
        join(meeting, later, by=user)
        texts = [each["asr"] for each in transcript.read(fresh(meeting)).as_json()["lines"]]
        assert texts == [*TEXTS, "五。", "六。"]


class TestRecording:
    @pytest.mark.django_db(transaction=True)
    def test_each_part_has_its_own(self, meeting: Session, user: User) -> None:
        audio = np.linspace(-0.9, 0.9, meeting.durable, dtype=np.float32)
        make_recording(meeting, audio, as_flac=True)
        whole = files.read(meeting.pk, 0, meeting.durable)
        rest = split(meeting, line(meeting, "三。").pk, by=user)
        run(Job.objects.get(kind=parts.DIVIDE))
        at = fresh(meeting).durable
        assert (files.read(meeting.pk, 0, at) == whole[:at]).all()
        assert (files.read(rest.pk, 0, len(whole)) == whole[at:]).all()
        assert files.length(meeting.pk) == at

    @pytest.mark.django_db(transaction=True)
    def test_jobs_about_one_meeting_are_done_one_after_the_other(self, meeting: Session, user: User) -> None:
        rest = split(meeting, line(meeting, "二。").pk, by=user)
        split(rest, line(rest, "四。").pk, by=user)
        first, second = Job.objects.filter(kind=parts.DIVIDE).order_by("pk")
        with pytest.raises(JobMustWait):
            run(second)
        run(first)
        Job.objects.filter(pk=first.pk).update(state=Job.State.DONE)
        run(second)
