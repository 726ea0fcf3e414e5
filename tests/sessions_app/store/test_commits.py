from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from sessions_app import model_sets, teams
from sessions_app.access.decision import Level
from sessions_app.models import MAX_FAILURES, Folder, Session, Tag, Utterance
from sessions_app.store import commits, queries
from sessions_app.store.commits import Lease, NotContinued
from sessions_app.transport.interface import Fenced
from sessions_app.wire.protocol import ClosedBy
from speakers import lifecycle
from speakers.models import Speaker
from tests.sessions_app.meetings import new_line
from tests.speakers.people import make_speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session, _ = commits.get_or_create_session("周会")
    return session


def acquire(session: Session) -> Lease:
    lease = commits.acquire(session.pk)
    assert lease
    return lease


@pytest.fixture
def lease(session: Session) -> Lease:
    return acquire(session)


def texts(session: Session) -> list[tuple[int | None, str]]:
    return list(session.utterances.values_list("seq", "text"))


class TestWithdraw:
    def test_leaves_nothing_of_a_session_that_nobody_has_worked_on(self, session: Session) -> None:
        commits.withdraw(session.pk)
        assert not Session.objects.exists()
        assert queries.unfinished_sessions() == []

    def test_leaves_one_alone_that_a_worker_has_had(self, session: Session, lease: Lease) -> None:
        commits.withdraw(session.pk)
        assert Session.objects.get() == session


class TestNumbersInDigits:
    def test_are_wanted_unless_the_sender_says_otherwise(self) -> None:
        wishes = {"a": None, "b": True, "c": False}
        made = {key: commits.get_or_create_session(key, itn=itn)[0].itn for key, itn in wishes.items()}
        assert made == {"a": True, "b": True, "c": False}

    def test_are_what_the_next_worker_writes_as_well(self) -> None:
        session, _ = commits.get_or_create_session("m", itn=False)
        assert not acquire(session).itn
        assert acquire(commits.get_or_create_session("n")[0]).itn

    def test_stay_as_they_were_whoever_connects_again(self) -> None:
        commits.get_or_create_session("m", itn=False)
        assert not commits.get_or_create_session("m", itn=True)[0].itn

    def test_are_as_in_the_session_that_is_continued(self) -> None:
        earlier, _ = commits.get_or_create_session("m", itn=False)
        commits.end(acquire(earlier), ClosedBy.SENDER)
        assert not commits.get_or_create_session("m-2", continues="m")[0].itn


class TestScriptAndLanguage:
    def test_are_those_of_the_settings_unless_the_sender_says_otherwise(self, settings: Any) -> None:
        settings.SCRIPT = "traditional"
        usual, _ = commits.get_or_create_session("a")
        other, _ = commits.get_or_create_session("b", script="simplified", language="en")
        assert [(each.script, each.language) for each in (usual, other)] == [
            ("traditional", ""),
            ("simplified", "en"),
        ]

    def test_are_what_the_next_worker_has_as_well(self) -> None:
        session, _ = commits.get_or_create_session("m", script="traditional", language="zh")
        lease = acquire(session)
        assert (lease.script, lease.language) == ("traditional", "zh")

    def test_are_as_in_the_session_that_is_continued(self) -> None:
        earlier, _ = commits.get_or_create_session("m", script="traditional", language="zh")
        commits.end(acquire(earlier), ClosedBy.SENDER)
        next_one, _ = commits.get_or_create_session("m-2", continues="m")
        assert (next_one.script, next_one.language) == ("traditional", "zh")


class TestAcquire:
    def test_counts_the_owners(self, session: Session) -> None:
        first, second = acquire(session), acquire(session)
        assert (first.epoch, second.epoch) == (1, 2)

    def test_goes_on_where_the_last_owner_committed(self, session: Session, lease: Lease) -> None:
        commits.commit(lease, durable=16_000, lines=[new_line(0, 16_000)])
        again = acquire(session)
        assert (again.durable, again.last_seq) == (16_000, 1)

    def test_an_ended_session_has_no_owner(self, session: Session, lease: Lease) -> None:
        commits.end(lease, ClosedBy.SENDER)
        assert commits.acquire(session.pk) is None

    def test_a_paused_session_lives_again(self, session: Session, lease: Lease) -> None:
        commits.set_state(lease, Session.State.PAUSED)
        commits.acquire(session.pk)
        session.refresh_from_db()
        assert session.state == Session.State.LIVE


class TestFailures:
    def test_are_counted_until_recognition_gets_further(self, session: Session) -> None:
        for count in range(3):
            lease = acquire(session)
            assert lease.failures == count
            commits.count_failure(session.pk)
        commits.commit(acquire(session), durable=100, lines=[new_line(0, 100)])
        assert acquire(session).failures == 0

    def test_a_correction_gets_nobody_further(self, session: Session, lease: Lease) -> None:
        commits.count_failure(session.pk)
        commits.commit(lease, durable=lease.durable, lines=[])
        assert acquire(session).failures == 1

    def test_to_be_taken_over_is_none(self, session: Session) -> None:
        for _ in range(MAX_FAILURES):
            lease = acquire(session)
        assert lease.failures == 0

    def test_too_many_and_the_session_has_failed_once_it_has_ended(
        self, session: Session, lease: Lease
    ) -> None:
        for _ in range(MAX_FAILURES):
            commits.count_failure(session.pk)
        session.refresh_from_db()
        assert not session.has_failed
        commits.end(lease, ClosedBy.FAILURE)
        session.refresh_from_db()
        assert session.has_failed
        assert queries.session_numbers([session.key])[session.key].end.has_failed


class TestCommit:
    def test_lines_are_numbered_in_order(self, session: Session, lease: Lease) -> None:
        lease, kept = commits.commit(
            lease, durable=300, lines=[new_line(0, 100, "一。"), new_line(100, 200, "二。")]
        )
        commits.commit(lease, durable=400, lines=[new_line(300, 400, "三。")])
        assert texts(session) == [(1, "一。"), (2, "二。"), (3, "三。")]
        assert [line.pk for line in kept] == list(session.utterances.values_list("pk", flat=True)[:2])

    def test_what_the_machine_said_stays_beside_what_people_make_of_it(
        self, session: Session, lease: Lease
    ) -> None:
        commits.commit(lease, durable=100, lines=[new_line(0, 100)])
        line = session.utterances.get()
        line.text = "您好。"
        line.save()
        line.refresh_from_db()
        assert (line.text, line.machine_text, line.tokens) == ("您好。", "好。", [["好", 0, 100]])

    def test_progress_without_lines_is_kept_too(self, session: Session, lease: Lease) -> None:
        commits.commit(lease, durable=80_000, lines=[])
        session.refresh_from_db()
        assert (session.durable, session.last_seq) == (80_000, 0)

    def test_a_worker_that_lost_the_session_writes_nothing(self, session: Session, lease: Lease) -> None:
        commits.acquire(session.pk)
        with pytest.raises(Fenced):
            commits.commit(lease, durable=100, lines=[new_line(0, 100)])
        assert texts(session) == []

    def test_asked_again_because_the_answer_got_lost_it_commits_once(
        self, session: Session, lease: Lease
    ) -> None:
        first = commits.commit(lease, durable=100, lines=[new_line(0, 100)])
        again = commits.commit(lease, durable=100, lines=[new_line(0, 100)])
        assert again == first
        assert texts(session) == [(1, "好。")]

    def test_nothing_is_committed_twice_from_the_same_place(self, session: Session, lease: Lease) -> None:
        commits.commit(lease, durable=100, lines=[new_line(0, 100)])
        with pytest.raises(Fenced):
            commits.commit(lease, durable=200, lines=[new_line(0, 200)])
        assert texts(session) == [(1, "好。")]

    def test_all_or_nothing(self, session: Session, lease: Lease) -> None:
        with pytest.raises(IntegrityError):
            commits.commit(lease, durable=300, lines=[new_line(0, 100), new_line(300, 200)])
        session.refresh_from_db()
        assert (session.durable, session.last_seq, texts(session)) == (0, 0, [])


class TestState:
    def test_the_end_is_dated(self, session: Session, lease: Lease) -> None:
        commits.end(lease, ClosedBy.SENDER)
        session.refresh_from_db()
        assert session.has_ended
        assert session.ended_at is not None

    @pytest.mark.parametrize("cause", ClosedBy)
    def test_its_cause_is_kept_and_told(self, session: Session, lease: Lease, cause: ClosedBy) -> None:
        assert cause in Session.ClosedBy.values
        commits.end(lease, cause)
        told = queries.session_numbers([session.key])[session.key].end
        assert told
        assert told.closed_by is cause

    def test_one_that_ended_before_causes_were_noted_has_the_likeliest(self, session: Session) -> None:
        Session.objects.update(state=Session.State.ENDED, failures=MAX_FAILURES)
        told = queries.session_numbers([session.key])[session.key].end
        assert told
        assert told.closed_by is ClosedBy.FAILURE

    def test_a_pause_says_for_how_long_the_sender_is_waited_for_until_it_is_over(
        self, session: Session, lease: Lease
    ) -> None:
        until = datetime(2026, 11, 30, 6, 35, tzinfo=UTC)
        commits.set_state(lease, Session.State.PAUSED, awaited_until=until)
        assert queries.session_numbers([session.key])[session.key].until == "2026-11-30T06:35:00+00:00"
        commits.set_state(lease, Session.State.LIVE)
        assert queries.session_numbers([session.key])[session.key].until == ""

    def test_only_the_owner_sets_it(self, session: Session, lease: Lease) -> None:
        commits.acquire(session.pk)
        with pytest.raises(Fenced):
            commits.end(lease, ClosedBy.SENDER)


def test_two_lines_of_a_session_never_share_a_number(session: Session, lease: Lease) -> None:
    commits.commit(lease, durable=100, lines=[new_line(0, 100)])
    with pytest.raises(IntegrityError):
        Utterance.objects.create(session=session, seq=1, start=0, end=1, text="")


class TestContinuing:
    """A session goes on with one that ended while its sender was away."""

    @pytest.fixture
    def earlier(self, session: Session) -> Session:
        session.title, session.owner = "Weekly", User.objects.create_user("alice")
        session.folder, session.is_kept = Folder.objects.create(name="Board"), True
        session.state = Session.State.ENDED
        session.save()
        session.tags.add(Tag.objects.create(name="budget"))
        teams.share(session, User.objects.create_user("bob"), Level.EDIT)
        return session

    def test_it_is_called_owned_and_shared_like_that_one(self, earlier: Session) -> None:
        later, is_new = commits.get_or_create_session("周会-2", continues="周会")
        assert is_new
        assert later.continues == earlier
        assert (later.title, later.owner, later.folder, later.is_kept) == (
            "Weekly", earlier.owner, earlier.folder, True,
        )  # fmt: skip
        assert [tag.name for tag in later.tags.all()] == ["budget"]
        assert [(share.user.username, share.level) for share in later.shares.all() if share.user] == [
            ("bob", "edit")
        ]

    def test_what_its_sender_says_goes_first(self, earlier: Session) -> None:
        carol = User.objects.create_user("carol")
        later, _ = commits.get_or_create_session("周会-2", continues="周会", title="Rest", owner=carol.pk)
        assert (later.title, later.owner) == ("Rest", carol)

    def test_asked_for_again_it_is_the_same(self, earlier: Session) -> None:
        first, _ = commits.get_or_create_session("周会-2", continues="周会")
        again, is_new = commits.get_or_create_session("周会-2", continues="周会")
        assert (again, is_new) == (first, False)

    def test_nobody_gets_into_a_session_of_others_by_it(self, earlier: Session) -> None:
        commits.get_or_create_session("周会-2")
        with pytest.raises(NotContinued, match="'周会-2' does not continue '周会': take another id"):
            commits.get_or_create_session("周会-2", continues="周会")

    def test_one_that_goes_on_itself_is_not_continued(self, session: Session) -> None:
        with pytest.raises(NotContinued, match="'周会' goes on: resume there"):
            commits.get_or_create_session("周会-2", continues="周会")
        assert not Session.objects.filter(key="周会-2").exists()

    @pytest.mark.parametrize("change", [{"delete": True}, {"trashed_at": datetime(2026, 1, 1, tzinfo=UTC)}])
    def test_after_one_that_was_deleted_there_is_a_session_all_the_same(
        self, earlier: Session, change: dict[str, Any]
    ) -> None:
        if change.pop("delete", False):
            earlier.delete()
        else:
            Session.objects.update(**change)
        later, is_new = commits.get_or_create_session("周会-2", continues="周会")
        assert is_new
        assert (later.continues, later.title) == (None, "")

    def test_models_that_are_served_no_more_are_not_asked_for(self, earlier: Session) -> None:
        Session.objects.update(model_set="gone")
        later, _ = commits.get_or_create_session("周会-2", continues="周会")
        assert later.model_set in model_sets.names()


class TestLease:
    def test_who_has_the_session_may_go_on(self, lease: Lease) -> None:
        assert commits.sender_resumes(lease) is False
        commits.note_sender(lease.session_pk, resumes=True)
        assert commits.sender_resumes(lease) is True

    def test_who_lost_it_is_stopped(self, lease: Lease) -> None:
        commits.acquire(lease.session_pk)

        with pytest.raises(Fenced):
            commits.sender_resumes(lease)

    def test_of_a_session_that_was_deleted_nobody_has_a_lease(self, session: Session, lease: Lease) -> None:
        session.delete()

        with pytest.raises(Fenced):
            commits.sender_resumes(lease)
        assert commits.acquire(lease.session_pk) is None


class TestExpectedSpeakers:
    """Of whom it is known before that they may speak: kept with the session, for whichever worker has it."""

    def begin(self, key: str, *speakers: Speaker, continues: str = "") -> Session:
        ids = [str(speaker.uuid) for speaker in speakers]
        return commits.get_or_create_session(key, expected=ids, continues=continues)[0]

    def test_every_owner_knows_them(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")
        session = self.begin("a", alice, bob)

        assert acquire(session).expected == acquire(session).expected == {alice.pk, bob.pk}
        assert queries.expected_in(session.pk) == [str(alice.uuid), str(bob.uuid)]

    def test_a_session_keeps_those_that_it_began_with(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")
        session = self.begin("a", alice)

        self.begin("a", bob)

        assert acquire(session).expected == {alice.pk}

    def test_who_is_not_enrolled_is_left_out(self) -> None:
        alice, gone = make_speaker("Alice"), make_speaker("Bob")
        Speaker.objects.filter(pk=gone.pk).delete()

        assert acquire(self.begin("a", alice, gone)).expected == {alice.pk}

    def test_who_is_forgotten_is_expected_no_more(self) -> None:
        alice = make_speaker("Alice")
        session = self.begin("a", alice)

        lifecycle.forget(alice, by=None)

        assert acquire(session).expected == frozenset()

    def test_who_turns_out_to_be_somebody_is_expected_as_that(self) -> None:
        alice, ally = make_speaker("Alice"), make_speaker("Ally")
        session = self.begin("a", ally)

        lifecycle.merge(alice, ally, by=None)

        assert acquire(session).expected == {alice.pk}

    def test_a_session_that_goes_on_with_another_expects_the_same(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")
        commits.end(acquire(self.begin("a", alice)), ClosedBy.ABSENCE)

        assert acquire(self.begin("a-2", continues="a")).expected == {alice.pk}
        assert acquire(self.begin("a-3", bob, continues="a")).expected == {bob.pk}

    def test_of_others_nothing_is_asked(self, lease: Lease) -> None:
        assert lease.expected == frozenset()
