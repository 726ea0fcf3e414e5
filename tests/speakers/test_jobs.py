"""Jobs: asked for once, done once, by one of many workers; and again if that one dies."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from recognition.engine.engine import Engine
from speakers import jobs
from speakers.exceptions import JobFailed, JobLost, JobMustWait
from speakers.jobs import RunningJob, ask_for, claim, run_pending
from speakers.models import Job

from .voices import gallery_of

pytestmark = pytest.mark.django_db(transaction=True)


@jobs.does("count")
async def _count(task: RunningJob) -> dict[str, int]:
    for done in range(3):
        await task.report(done, 3)
    return {"counted": 3}


@jobs.does("refuse")
async def _refuse(task: RunningJob) -> None:
    raise JobFailed("This cannot be done: the recording is gone.")


@jobs.does("later")
async def _later(task: RunningJob) -> None:
    raise JobMustWait("Somebody is in the way.")


@jobs.does("crash")
async def _crash(task: RunningJob) -> None:
    raise ZeroDivisionError("secret detail")


@jobs.does("steal")
async def _steal(task: RunningJob) -> None:
    """While it works, another worker takes it."""
    await jobs.in_database(Job.objects.filter(pk=task.job.pk).update, worker="thief")
    await task.report(1, 2)


@jobs.does("wait")
async def _wait(task: RunningJob) -> None:
    await asyncio.Event().wait()


@jobs.does("long", is_long=True)
async def _long(task: RunningJob) -> None:
    pass


@jobs.does("elsewhere", is_long=True, is_remote=True)
async def _elsewhere(task: RunningJob) -> None:
    pass


async def run(engine: Engine, *, is_long: bool = False, is_remote: bool = False) -> int:
    gallery = gallery_of({})
    return await run_pending(engine, lambda: gallery, "worker-1", is_long=is_long, is_remote=is_remote)


async def ask(kind: str, subject: str = "") -> Job:
    return await jobs.in_database(ask_for, kind, subject)


async def reread(job: Job) -> Job:
    return await Job.objects.aget(pk=job.pk)


async def test_a_job_is_done_and_its_result_kept(engine: Engine) -> None:
    job = await ask("count", "a")

    assert await run(engine) == 1

    job = await reread(job)
    assert (job.state, job.result, job.steps_done, job.steps) == ("done", {"counted": 3}, 2, 3)
    assert job.finished_at is not None


async def test_a_job_that_waits_is_not_asked_for_twice(engine: Engine) -> None:
    first, second = await ask("count", "a"), await ask("count", "a")
    other = await ask("count", "b")

    assert first.pk == second.pk != other.pk
    assert await run(engine) == 2


async def test_a_job_that_cannot_be_done_says_why(engine: Engine) -> None:
    job = await ask("refuse")

    await run(engine)

    job = await reread(job)
    assert (job.state, job.error) == ("failed", "This cannot be done: the recording is gone.")


async def test_a_job_that_must_wait_holds_up_nobody_and_is_tried_again(engine: Engine) -> None:
    job, after = await ask("later"), await ask("count")

    assert await run(engine) == 2  # each once

    job = await reread(job)
    assert (job.state, job.error, job.attempts) == ("queued", "Somebody is in the way.", 0)
    assert (await reread(after)).state == "done"
    await Job.objects.filter(pk=job.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    assert await run(engine) == 1


async def test_what_nobody_foresaw_is_for_the_log_alone(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    job = await ask("crash")
    after = await ask("count")

    await run(engine)

    job = await reread(job)
    assert job.state == "failed"
    assert f"job {job.pk}" in job.error
    assert "secret" not in job.error
    assert "secret detail" in caplog.text
    assert (await reread(after)).state == "done"


async def test_what_takes_minutes_is_not_in_the_way_of_what_somebody_waits_for(engine: Engine) -> None:
    long, quick = await ask("long"), await ask("count")

    assert await run(engine) == 1
    assert ((await reread(long)).state, (await reread(quick)).state) == ("queued", "done")
    assert await run(engine, is_long=True) == 1


async def test_what_another_machine_does_is_in_nobodys_way(engine: Engine) -> None:
    elsewhere, long = await ask("elsewhere"), await ask("long")

    assert await run(engine, is_long=True) == 1
    assert ((await reread(elsewhere)).state, (await reread(long)).state) == ("queued", "done")
    assert await run(engine, is_long=True, is_remote=True) == 1


async def test_a_worker_that_lost_a_job_leaves_it_alone(engine: Engine) -> None:
    job = await ask("steal")

    await run(engine)

    job = await reread(job)
    assert (job.state, job.worker, job.error) == ("running", "thief", "")


async def test_a_worker_that_stops_gives_its_job_back(engine: Engine) -> None:
    job = await ask("wait")
    running = asyncio.create_task(run(engine))
    while (await reread(job)).state != "running":
        await asyncio.sleep(0.01)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    job = await reread(job)
    assert (job.state, job.attempts) == ("queued", 0)


async def test_a_job_whose_worker_died_is_taken_by_another(engine: Engine) -> None:
    job = await ask("count")
    await jobs.in_database(claim, "worker-2", ["count"])
    assert await run(engine) == 0

    await Job.objects.filter(pk=job.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))

    assert await run(engine) == 1
    job = await reread(job)
    assert (job.state, job.worker, job.attempts) == ("done", "worker-1", 2)


async def test_a_job_that_kills_its_workers_is_given_up(engine: Engine) -> None:
    job = await ask("count")
    await Job.objects.filter(pk=job.pk).aupdate(attempts=jobs.MAX_ATTEMPTS)

    await run(engine)

    job = await reread(job)
    assert job.state == "failed"
    assert "stopped unexpectedly" in job.error


async def test_a_report_of_a_lost_job_says_so() -> None:
    await ask("count")
    job = await jobs.in_database(claim, "worker-1", ["count"])
    assert job
    await Job.objects.filter(pk=job.pk).aupdate(worker="worker-2")

    with pytest.raises(JobLost):
        await jobs.in_database(jobs._prolong, job)


def test_of_many_workers_one_gets_each_job() -> None:
    asked = [ask_for("count", str(n)).pk for n in range(20)]
    got: list[int] = []
    start = threading.Barrier(6)

    def work(name: str) -> None:
        start.wait()
        try:
            while job := claim(name, ["count"]):
                got.append(job.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[f"worker-{n}"]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == asked


def test_who_asked_is_kept() -> None:
    user = User.objects.create_user("staff")

    assert ask_for("count", by=user).created_by == user
