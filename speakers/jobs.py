"""Work that needs a model or takes long: asked for in the database, done by the first worker to claim it.

Web processes have no models. They add a row and notify the workers; a notification may get lost, so workers
also look by themselves. A worker that dies stops prolonging its lease, and another one starts the job over:
whatever a job does must be harmless to do twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from recognition.engine.engine import Engine
from speakers.voiceprints.identification import Gallery

from . import notify
from .exceptions import JobFailed, JobLost, JobMustWait
from .listening import by_embedder
from .models import Job

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 3

RETRY = timedelta(seconds=10)
"""A job that must wait is tried again after this."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job at work."""

    job: Job
    engine: Engine
    """Of the worker's default models."""

    gallery: Gallery
    """As they hear the voices."""

    others: Sequence[Engine] = ()
    """Of the other models that tell voices apart."""

    async def report(self, done: int, steps: int) -> None:
        """Say how far it is. Raises `JobLost` if another worker has the job now."""
        await in_database(_prolong, self.job, steps_done=done, steps=steps)


Work = Callable[[RunningJob], Awaitable[dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job, and how it is done."""

    work: Work
    is_long: bool
    """It may take minutes, so that what somebody waits for must not stand in line behind it."""

    label: Any
    """What people call it."""

    is_remote: bool = False
    """Another machine does it, at its own pace: nothing that is done here stands in line behind it."""


_kinds: dict[str, Kind] = {}


def does(
    kind: str, *, label: Any = "", is_long: bool = False, is_remote: bool = False
) -> Callable[[Work], Work]:
    """Declare a coroutine function as what does this kind of job; it returns the job's result."""

    def declare(work: Work) -> Work:
        _kinds[kind] = Kind(work, is_long, label or kind, is_remote)
        return work

    return declare


def labels() -> dict[str, str]:
    """Return what people call the kinds of jobs that there are."""
    return {name: str(kind.label) for name, kind in _kinds.items()}


def ask_for(kind: str, subject: str = "", *, model_id: str = "", by: User | None = None) -> Job:
    """Ask the workers for a job; one that waits already is not asked for twice.

    Args:
        model_id: The model for voices that a worker must have to do it.
    """
    with transaction.atomic():
        # Locked, so that no worker begins it before what we ask it for is committed.
        queued = Job.objects.select_for_update().filter(state=Job.State.QUEUED)
        wanted = {"kind": kind, "subject": subject, "model_id": model_id}
        job = queued.filter(**wanted).first() or Job.objects.create(**wanted, created_by=by)
        transaction.on_commit(notify.notify_workers)
    return job


async def run_pending(
    engine: Engine,
    gallery: Callable[[], Gallery],
    worker: str,
    *,
    is_long: bool = False,
    is_remote: bool = False,
    others: Sequence[Engine] = (),
) -> int:
    """Do the jobs that wait, one after the other, and return how many.

    Args:
        gallery: Tells who is enrolled by now.
        worker: Names this worker among all.
        is_long: Which ones: those that may take minutes, or those that somebody waits for.
        is_remote: Those that another machine does.
        others: See `RunningJob.others`.
    """
    wanted = (is_long, is_remote)
    kinds = [name for name, kind in _kinds.items() if (kind.is_long, kind.is_remote) == wanted]
    count = 0
    model_ids = list(by_embedder([engine, *others]))
    while (job := await _claim(worker, kinds, model_ids)) is not None:
        await _run(RunningJob(job, engine, gallery(), others))
        count += 1
    return count


def claim(worker: str, kinds: list[str], model_ids: Sequence[str] = ()) -> Job | None:
    """Take the oldest job that nobody does. Any number of workers may ask at once.

    Args:
        model_ids: The worker's models for voices.
    """
    now = timezone.now()
    free = Q(state=Job.State.QUEUED, lease_until=None)
    free |= Q(state__in=[Job.State.QUEUED, Job.State.RUNNING], lease_until__lt=now)
    oldest = Job.objects.filter(free, kind__in=kinds, model_id__in=["", *model_ids])
    oldest = oldest.order_by("created_at", "pk")
    for key in oldest.values_list("pk", flat=True)[:20]:
        # Whoever changes the row first has it: for the others it is not free any more.
        is_mine = Job.objects.filter(free, pk=key).update(
            state=Job.State.RUNNING,
            worker=worker,
            lease_until=now + LEASE,
            attempts=F("attempts") + 1,
            error="",
        )
        if is_mine:
            return Job.objects.get(pk=key)
    return None


async def _claim(worker: str, kinds: list[str], model_ids: Sequence[str]) -> Job | None:
    """Claim a job or none: a worker that is stopped meanwhile leaves no job claimed."""
    claiming = asyncio.ensure_future(in_database(claim, worker, kinds, model_ids))
    try:
        job: Job | None = await asyncio.shield(claiming)
    except asyncio.CancelledError:
        if job := await claiming:
            await in_database(_give_back, job)
        raise
    return job


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run this in a thread that may use the database."""
    return await database_sync_to_async(work, thread_sensitive=False)(*args, **kwargs)


async def _run(task: RunningJob) -> None:
    job = task.job
    logger.info("job %s (%s) begins, attempt %d", job.pk, job.kind, job.attempts)
    try:
        if job.attempts > MAX_ATTEMPTS:
            raise JobFailed(_("Given up: every worker that tried this stopped unexpectedly."))
        result = await _work_while_ours(task)
        await in_database(_finish, job, state=Job.State.DONE, result=result)
    except JobLost:
        logger.warning("job %s: another worker has it now", job.pk)
    except JobMustWait as error:
        logger.info("job %s (%s) must wait: %s", job.pk, job.kind, error)
        await in_database(_give_back, job, not_before=timezone.now() + RETRY, error=str(error))
    except JobFailed as error:
        await in_database(_finish, job, state=Job.State.FAILED, error=str(error))
    except asyncio.CancelledError:
        await in_database(_give_back, job)
        raise
    except Exception:  # no job may end its worker
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        message = _("It failed unexpectedly. The server's log says why, under job %(number)d.")
        await in_database(_finish, job, state=Job.State.FAILED, error=message % {"number": job.pk})


async def _work_while_ours(task: RunningJob) -> dict[str, Any] | None:
    """Do the job; cancelled if the lease cannot be prolonged."""
    work = asyncio.ensure_future(_kinds[task.job.kind].work(task))
    prolonging = asyncio.create_task(_prolong_forever(task.job))
    try:
        await asyncio.wait([work, prolonging], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await prolonging
        return await work
    finally:
        prolonging.cancel()
        work.cancel()
        await asyncio.gather(work, prolonging, return_exceptions=True)


async def _prolong_forever(job: Job) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        await in_database(_prolong, job)


def _prolong(job: Job, **progress: int) -> None:
    if not _own_row(job).update(lease_until=timezone.now() + LEASE, **progress):
        raise JobLost


def _finish(job: Job, **outcome: Any) -> None:
    _own_row(job).update(finished_at=timezone.now(), lease_until=None, **outcome)


def _give_back(job: Job, *, not_before: datetime | None = None, error: str = "") -> None:
    """Let another worker have it: the attempt does not count."""
    _own_row(job).update(
        state=Job.State.QUEUED, lease_until=not_before, attempts=F("attempts") - 1, error=error
    )


def _own_row(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker, attempts=job.attempts)
