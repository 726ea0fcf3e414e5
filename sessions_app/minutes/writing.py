"""Minutes by a language model, as a job: asked for by a person, for one meeting; off unless a server is set.

Nothing waits for it: a server that is away delays these minutes alone.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from minutes.llm import prompts
from minutes.llm import writing as llm
from minutes.statements import Statement
from sessions_app.models import MinutesItem, Session, Utterance
from speakers import jobs
from speakers.exceptions import JobFailed
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import keeping, language_model, live, templates
from .language_model import AT_WORK

WRITE = "write-minutes"
"""The job; its subject is the session's key in the database."""


def ask_for(session: Session, *, by: User) -> Job:
    """Ask for the minutes of a meeting; once, however often it is asked."""
    language_model.refuse(session)
    return _jobs(session).filter(state__in=AT_WORK).first() or jobs.ask_for(WRITE, str(session.pk), by=by)


def stop(session: Session) -> None:
    """End the work on a meeting; the worker notices within seconds."""
    _jobs(session).filter(state__in=AT_WORK).update(
        state=Job.State.FAILED, error=_("Stopped."), finished_at=timezone.now(), lease_until=None
    )


def take_away(session: Session) -> None:
    """Delete what the model wrote, but for what a person has changed."""
    written = MinutesItem.objects.filter(session=session, source=MinutesItem.Source.MODEL)
    written.filter(is_edited=False, is_done=False).delete()


def state(session: Session) -> dict[str, Any] | None:
    """Return the model and how far it is, as pages get it; None where none is set up."""
    if not language_model.is_set_up():
        return None
    job = _jobs(session).order_by("-pk").first()
    written = MinutesItem.objects.filter(session=session, source=MinutesItem.Source.MODEL)
    follows = live.is_followed(session)
    return {
        **language_model.named(),
        "has_written": written.exists(),
        "is_along": follows or not session.has_ended,
        "templates": templates.choices(session),
        "is_forbidden": language_model.is_forbidden(session),
        "job": live.progress(session) if follows else _progress(job) if job else None,
    }


def _progress(job: Job) -> dict[str, Any]:
    is_at_work = job.state in AT_WORK
    return {"is_at_work": is_at_work, "done": job.steps_done, "steps": job.steps, "error": job.error}


def shown(session: Session, wish: prompts.Wish) -> dict[str, Any]:
    """Return all that would be sent, and where to."""
    lines = [keeping.as_line(row) for row in keeping.lines_of(session)]
    parts = prompts.parts(lines, settings.LLM_CONTEXT_TOKENS, wish)
    requests = [prompts.for_part(lines, part, wish) for part in parts]
    return language_model.shown(requests)


@jobs.does(WRITE, label=gettext_lazy("write minutes by a language model"), is_long=True, is_remote=True)
async def write(task: RunningJob) -> dict[str, Any] | None:
    """Send the lines of a meeting part by part, and keep what the answers say that lines carry."""
    session, rows, wish = await in_database(_read, task.job)
    lines = [keeping.as_line(row) for row in rows]
    async with language_model.at_work(task.job, session.key) as model:
        found = await llm.write(
            lines,
            keeping.day_of(session),
            model,
            context_tokens=settings.LLM_CONTEXT_TOKENS,
            report=task.report,
            wish=wish,
        )
    await in_database(_keep, session, rows, found)
    return {"statements": len(found)}


def _read(job: Job) -> tuple[Session, list[Utterance], prompts.Wish]:
    session = Session.objects.filter(pk=int(job.subject), trashed_at=None).first()
    if session is None:
        raise JobFailed(_("There is no such meeting any more."))
    language_model.fail_without(session)
    return session, keeping.lines_of(session), templates.wish(session)


def _keep(session: Session, rows: list[Utterance], found: list[Statement]) -> None:
    if not keeping.has_minutes(session):
        keeping.make(session)
    keeping.keep_written(session, rows, found)


def _jobs(session: Session) -> Any:
    return Job.objects.filter(kind=WRITE, subject=str(session.pk))
