"""Notes on meetings that go on: made every few minutes, by a language model as well where a person asks.

Patterns look at all that was said so far. The language model is sent each line once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy

from minutes.llm import writing as llm
from minutes.people import People
from recognition.audio import seconds
from sessions_app.models import LiveNotes, Session, Utterance
from sessions_app.store.passing_over import or_pass_over
from speakers import jobs
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import keeping, language_model, templates
from .language_model import AT_WORK

WRITE_ALONG = "write-along"
"""The job; its subject is the session's key in the database."""

EVERY = timedelta(minutes=2)
SHARE = 30
"""A long meeting is looked at less often: only once a thirtieth of it is new."""

ALONG_EVERY = timedelta(minutes=3)

PATIENCE = timedelta(minutes=10)
"""For so long a job waits for a server that is away; the lines go with the next one."""


def is_due(made_at: datetime, length_s: float, now: datetime) -> bool:
    """Tell whether the notes on a meeting of this length are to be made again."""
    return now - made_at >= max(EVERY, timedelta(seconds=length_s / SHARE))


def refresh(failed: set[int] | None = None) -> int:
    """Make the notes on a meeting that goes on, if some are due; return of how many that was tried.

    Args:
        failed: As of `keeping.make_missing`.
    """
    now = timezone.now()
    # Files are not waited for by anybody who reads along.
    going_on = Session.objects.exclude(state=Session.State.ENDED).filter(
        last_seq__gt=0, trashed_at=None, upload=None
    )
    going_on = going_on.exclude(minutes__seq_so_far=F("last_seq")).select_related("minutes")
    going_on = going_on.exclude(pk__in=failed or ())
    for session in going_on.order_by("minutes__made_at", "pk"):
        made_at = session.minutes.made_at if hasattr(session, "minutes") else session.created_at
        if is_due(made_at, seconds(session.durable), now):
            or_pass_over(keeping.make, session, failed, name="minutes")
            return 1
    return 0


# By a language model.


def ask_for(session: Session, *, by: User) -> None:
    """Let the model write along until the meeting is over; once, however often it is asked."""
    language_model.refuse(session)
    LiveNotes.objects.get_or_create(session=session, defaults={"asked_by": by})


def stop(session: Session) -> None:
    """Send nothing more; what is being written is not kept."""
    LiveNotes.objects.filter(session=session).delete()
    _jobs(session).filter(state__in=AT_WORK).update(
        state=Job.State.FAILED, finished_at=timezone.now(), lease_until=None
    )


def is_followed(session: Session) -> bool:
    """Tell whether the model writes along."""
    return LiveNotes.objects.filter(session=session).exists()


def progress(session: Session) -> dict[str, Any]:
    """Return how it stands with that, as pages get it."""
    last = _jobs(session).order_by("-pk").first()
    return {"is_at_work": True, "done": 0, "steps": 0, "error": last.error if last else ""}


def send_due() -> int:
    """Ask for the jobs that write the next pieces, and forget meetings that are over; return how many."""
    now = timezone.now()
    count = 0
    for notes in LiveNotes.objects.filter(next_at__lte=now).select_related("session", "asked_by"):
        session = notes.session
        if _jobs(session).filter(state__in=AT_WORK).exists():
            continue
        if session.has_ended and _is_through(notes):
            notes.delete()
            continue
        LiveNotes.objects.filter(pk=notes.pk).update(next_at=now + ALONG_EVERY)
        if _unsent(notes).exists():
            jobs.ask_for(WRITE_ALONG, str(session.pk), by=notes.asked_by)
            count += 1
    return count


def _is_through(notes: LiveNotes) -> bool:
    """Tell whether a meeting that is over has been written to its end, or that was tried."""
    ended_at = notes.session.ended_at or notes.asked_at
    return not _unsent(notes).exists() or _jobs(notes.session).filter(created_at__gte=ended_at).exists()


@jobs.does(WRITE_ALONG, label=gettext_lazy("take notes by a language model"), is_long=True, is_remote=True)
async def write_along(task: RunningJob) -> dict[str, Any] | None:
    """Send the lines of a meeting that are new, and keep what the answer says that they carry."""
    notes, rows, people = await in_database(_read, task.job)
    if notes is None or not rows:
        return None
    async with language_model.at_work(task.job, notes.session.key, patience=PATIENCE) as model:
        found = await llm.write(
            [keeping.as_line(row) for row in rows],
            keeping.day_of(notes.session),
            model,
            context_tokens=settings.LLM_CONTEXT_TOKENS,
            report=task.report,
            people=people,
            wish=await in_database(templates.wish, notes.session),
        )
    await in_database(_keep, notes, rows, found)
    return {"statements": len(found)}


def _read(job: Job) -> tuple[LiveNotes | None, list[Utterance], People]:
    """Return the lines that are new, and the people of all."""
    notes = LiveNotes.objects.filter(session=int(job.subject)).select_related("session").first()
    if notes is None:
        return None, [], People([])
    language_model.fail_without(notes.session)
    every = keeping.lines_of(notes.session)
    return (
        notes,
        [row for row in every if row.pk > notes.written_key],
        People([keeping.as_line(row) for row in every]),
    )


def _keep(notes: LiveNotes, rows: list[Utterance], found: Any) -> None:
    if not keeping.has_minutes(notes.session):
        keeping.make(notes.session)
    keeping.add_written(notes.session, rows, found)
    LiveNotes.objects.filter(pk=notes.pk).update(written_key=max(row.pk for row in rows))


def _unsent(notes: LiveNotes) -> Any:
    lines = Utterance.objects.filter(session=notes.session, is_removed=False)
    return lines.filter(pk__gt=notes.written_key)


def _jobs(session: Session) -> Any:
    return Job.objects.filter(kind=WRITE_ALONG, subject=str(session.pk))
