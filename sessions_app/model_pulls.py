"""Pulls of model sets as jobs: asked for and stopped on a page, done by a worker that tells how far it is."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognition.exceptions import ModelError
from recognition.model_sets.reading import ModelSet, read_model_set
from speakers import jobs
from speakers.exceptions import JobFailed
from speakers.jobs import RunningJob
from speakers.models import Job

PULL = "pull"
"""The job; its subject is the set's name or file, its steps are kilobytes."""

REPORT_S = 1.0

KB = 1000
"""A column of steps holds two thousand millions: too few for bytes."""

_AT_WORK = [Job.State.QUEUED, Job.State.RUNNING]


class _Stopped(Exception):
    """Nobody wants the rest any more."""


class _Transfer:
    """Bytes that have arrived, told by the thread that fetches and read by the job."""

    def __init__(self, model_set: ModelSet) -> None:
        self._is_stopped = Event()
        self._done: dict[str, int] = {}
        self._total = {s.role: s.size for s in model_set.sources.values() if s.is_fetched}

    def arrived(self, progress: Any) -> None:
        """Take note; ends the thread's work where the job is over."""
        if self._is_stopped.is_set():
            raise _Stopped
        self._done[progress.source.role] = progress.done
        self._total[progress.source.role] = progress.total

    def stop(self) -> None:
        self._is_stopped.set()

    @property
    def kilobytes(self) -> tuple[int, int]:
        """Return how many are here, and of how many."""
        return sum(self._done.values()) // KB, sum(self._total.values()) // KB


def ask_for(model_set: ModelSet, *, by: User) -> Job:
    """Ask the workers for the missing files; what came of an earlier pull is gone on with."""
    running = Job.objects.filter(kind=PULL, subject=model_set.reference, state__in=_AT_WORK).first()
    return running or jobs.ask_for(PULL, model_set.reference, by=by)


def stop(model_set: ModelSet) -> None:
    """End the pull of a set; the worker notices within a second, and what has come stays."""
    at_work = Job.objects.filter(kind=PULL, subject=model_set.reference, state__in=_AT_WORK)
    at_work.update(state=Job.State.FAILED, error=_("Stopped."), finished_at=timezone.now(), lease_until=None)


def latest() -> dict[str, Job]:
    """Return the last pull of each set, by the set's reference."""
    return {job.subject: job for job in Job.objects.filter(kind=PULL).order_by("created_at", "pk")}


def is_at_work(job: Job | None) -> bool:
    """Tell whether a pull waits for a worker or has one."""
    return job is not None and job.state in _AT_WORK


@jobs.does(PULL, label=gettext_lazy("download models"), is_long=True)
async def pull(task: RunningJob) -> dict[str, Any] | None:
    """Fetch what is missing of a set, in a thread, and say how far it is."""
    model_set = read_model_set(task.job.subject)
    transfer = _Transfer(model_set)
    fetching = asyncio.ensure_future(asyncio.to_thread(_fetch, model_set, transfer))
    try:
        while not (await asyncio.wait([fetching], timeout=REPORT_S))[0]:
            await task.report(*transfer.kilobytes)
        await fetching
    except ModelError as error:
        raise JobFailed(str(error)) from error
    finally:
        transfer.stop()
        with contextlib.suppress(_Stopped, ModelError):
            await fetching
    await task.report(*transfer.kilobytes)
    return {"kilobytes": transfer.kilobytes[0]}


def _fetch(model_set: ModelSet, transfer: _Transfer) -> None:
    from recognition.model_sets import download  # a service that fetches nothing imports nothing of it

    download.pull(model_set, Path(settings.MODELS_DIR), report=transfer.arrived)
