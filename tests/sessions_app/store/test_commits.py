from __future__ import annotations

import pytest
from django.db import IntegrityError

from sessions_app.models import MAX_FAILURES, Session, Utterance
from sessions_app.store import commits, queries
from sessions_app.store.commits import Lease
from sessions_app.transport.interface import Fenced
from tests.sessions_app.meetings import new_line

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


class TestAcquire:
    def test_counts_the_owners(self, session: Session) -> None:
        first, second = acquire(session), acquire(session)
        assert (first.epoch, second.epoch) == (1, 2)

    def test_goes_on_where_the_last_owner_committed(self, session: Session, lease: Lease) -> None:
        commits.commit(lease, durable=16_000, lines=[new_line(0, 16_000)])
        again = acquire(session)
        assert (again.durable, again.last_seq) == (16_000, 1)

    def test_an_ended_session_has_no_owner(self, session: Session, lease: Lease) -> None:
        commits.set_state(lease, Session.State.ENDED)
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
        commits.set_state(lease, Session.State.ENDED)
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
        commits.set_state(lease, Session.State.ENDED)
        session.refresh_from_db()
        assert session.has_ended
        assert session.ended_at is not None

    def test_only_the_owner_sets_it(self, session: Session, lease: Lease) -> None:
        commits.acquire(session.pk)
        with pytest.raises(Fenced):
            commits.set_state(lease, Session.State.ENDED)


def test_two_lines_of_a_session_never_share_a_number(session: Session, lease: Lease) -> None:
    commits.commit(lease, durable=100, lines=[new_line(0, 100)])
    with pytest.raises(IntegrityError):
        Utterance.objects.create(session=session, seq=1, start=0, end=1, text="")


class TestLease:
    def test_who_has_the_session_may_go_on(self, lease: Lease) -> None:
        commits.check_lease(lease)

    def test_who_lost_it_is_stopped(self, lease: Lease) -> None:
        commits.acquire(lease.session_pk)

        with pytest.raises(Fenced):
            commits.check_lease(lease)

    def test_of_a_session_that_was_deleted_nobody_has_a_lease(self, session: Session, lease: Lease) -> None:
        session.delete()

        with pytest.raises(Fenced):
            commits.check_lease(lease)
        assert commits.acquire(lease.session_pk) is None
