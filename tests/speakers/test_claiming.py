"""Which job a worker takes, and what it may still write once another one has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from speakers import jobs
from speakers.exceptions import JobLost
from speakers.jobs import LEASE, ask_for, claim
from speakers.models import Job

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 1, 12, tzinfo=timezone.get_fixed_timezone(0))
SECOND = timedelta(seconds=1)
KINDS = ["a", "b"]


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock."""

    def set_clock(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)

    set_clock(NOW)
    return set_clock


def taken(kinds: list[str] = KINDS, worker: str = "worker-1") -> Job:
    job = claim(worker, kinds)
    assert job is not None
    return job


class TestClaim:
    def test_where_nothing_waits_there_is_nothing_to_do(self) -> None:
        assert claim("worker-1", KINDS) is None

    def test_the_oldest_comes_first(self, at: Any) -> None:
        first, second = ask_for("a", "1"), ask_for("a", "2")
        Job.objects.filter(pk=first.pk).update(created_at=NOW)
        Job.objects.filter(pk=second.pk).update(created_at=NOW - SECOND)

        assert [taken().pk, taken().pk] == [second.pk, first.pk]

    def test_of_one_moment_the_first_that_was_asked_for(self) -> None:
        asked = [ask_for("a", str(n)).pk for n in range(3)]

        assert [taken().pk for _ in range(3)] == asked

    def test_only_what_this_worker_does(self) -> None:
        ask_for("b")

        assert claim("worker-1", ["a"]) is None
        assert claim("worker-1", []) is None
        assert taken(["b"]).kind == "b"

    def test_it_is_marked_as_taken_for_a_while(self) -> None:
        ask_for("a")

        job = taken()

        assert (job.state, job.worker, job.attempts) == ("running", "worker-1", 1)
        assert job.lease_until == NOW + LEASE

    @pytest.mark.parametrize(
        ("later", "is_free"), [(LEASE - SECOND, False), (LEASE, False), (LEASE + SECOND, True)]
    )
    def test_when_its_worker_says_nothing_more_another_takes_it(
        self, at: Any, later: timedelta, is_free: bool
    ) -> None:
        ask_for("a")
        taken()
        at(NOW + later)

        job = claim("worker-2", KINDS)

        assert (job is not None) == is_free
        if job:
            assert (job.worker, job.attempts) == ("worker-2", 2)

    @pytest.mark.parametrize("state", ["done", "failed"])
    def test_what_is_over_is_taken_by_nobody(self, at: Any, state: str) -> None:
        ask_for("a")
        Job.objects.update(state=state)
        at(NOW + timedelta(days=1))

        assert claim("worker-1", KINDS) is None

    def test_what_must_wait_is_taken_no_earlier(self, at: Any) -> None:
        ask_for("a")
        jobs._give_back(taken(), not_before=NOW + 10 * SECOND, error="Somebody is in the way.")

        assert claim("worker-1", KINDS) is None
        at(NOW + 11 * SECOND)
        job = taken()
        assert (job.attempts, job.error) == (1, "")

    def test_behind_many_that_wait_the_next_is_found(self, at: Any) -> None:
        for number in range(30):
            ask_for("a", str(number))
        for _ in range(29):
            taken()

        assert taken().subject == "29"


class TestAskFor:
    def test_what_runs_already_is_asked_for_again(self) -> None:
        """It may have begun before what it is asked for was there."""
        first = ask_for("a", "1")
        taken()

        assert ask_for("a", "1").pk != first.pk

    def test_what_is_over_is_asked_for_again(self) -> None:
        first = ask_for("a", "1")
        Job.objects.update(state="done")

        assert ask_for("a", "1").pk != first.pk

    def test_kinds_and_subjects_are_told_apart(self) -> None:
        keys = {ask_for(kind, subject).pk for kind in KINDS for subject in ("", "1")}

        assert len(keys) == 4

    def test_what_must_wait_is_not_asked_for_twice(self) -> None:
        first = ask_for("a")
        jobs._give_back(taken(), not_before=NOW + LEASE)

        assert ask_for("a").pk == first.pk


class TestOwnership:
    """A worker that was slow finds out, and overwrites nothing."""

    def test_the_owner_goes_on(self, at: Any) -> None:
        ask_for("a")
        job = taken()
        at(NOW + 20 * SECOND)

        jobs._prolong(job, steps_done=1, steps=3)

        job.refresh_from_db()
        assert (job.lease_until, job.steps_done, job.steps) == (NOW + 20 * SECOND + LEASE, 1, 3)

    def test_who_lost_it_writes_nothing_more(self, at: Any) -> None:
        ask_for("a")
        lost = taken()
        at(NOW + 2 * LEASE)
        taken(worker="worker-2")

        with pytest.raises(JobLost):
            jobs._prolong(lost, steps_done=9)
        jobs._finish(lost, state="failed", error="too late")
        jobs._give_back(lost)

        job = Job.objects.get()
        assert (job.state, job.worker, job.error, job.steps_done) == ("running", "worker-2", "", 0)

    def test_a_worker_that_lost_it_to_itself_is_another_attempt(self, at: Any) -> None:
        """It stopped, started again under the same name, and took the job over from itself."""
        ask_for("a")
        before = taken()
        at(NOW + 2 * LEASE)
        taken()

        jobs._finish(before, state="done")

        assert Job.objects.get().state == "running"

    def test_what_is_given_back_counts_as_no_attempt(self) -> None:
        ask_for("a")

        jobs._give_back(taken())

        job = Job.objects.get()
        assert (job.state, job.attempts, job.lease_until) == ("queued", 0, None)

    def test_the_end_is_dated_and_frees_it(self) -> None:
        ask_for("a")

        jobs._finish(taken(), state="done", result={"voices": 3})

        job = Job.objects.get()
        assert (job.finished_at, job.lease_until, job.result) == (NOW, None, {"voices": 3})


def test_each_kind_has_a_name_for_people() -> None:
    labels = jobs.labels()

    for kind in ("assess", "reembed", "wipe", "reidentify"):
        assert labels[kind] != kind
        assert " " in labels[kind]
