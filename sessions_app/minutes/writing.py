"""Minutes by a language model, as a job: asked for by a person, for one meeting; off unless a server is set.

Nothing waits for it: a server that is away delays these minutes alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import log
from audit.models import Action
from minutes.llm import prompts
from minutes.llm.exceptions import ModelFailed, ServerAway
from minutes.statements import Statement
from sessions_app.models import LanguageModelUse, MinutesItem, Session, Utterance
from speakers import jobs
from speakers.exceptions import JobFailed, JobMustWait
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import keeping
from .requests import MinutesError

WRITE = "write-minutes"
"""The job; its subject is the session's key in the database."""

PATIENCE = timedelta(days=1)
"""For so long a server that is away is waited for."""

_AT_WORK = [Job.State.QUEUED, Job.State.RUNNING]


class NoModel(MinutesError):
    """A language model that is not set up."""


def is_set_up() -> bool:
    """Tell whether there is a language model."""
    return bool(settings.LLM_URL)


def ask_for(session: Session, *, by: User) -> Job:
    """Ask for the minutes of a meeting; once, however often it is asked."""
    if not is_set_up():
        raise NoModel(_("No language model is set up here."))
    return _jobs(session).filter(state__in=_AT_WORK).first() or jobs.ask_for(WRITE, str(session.pk), by=by)


def stop(session: Session) -> None:
    """End the work on a meeting; the worker notices within seconds."""
    _jobs(session).filter(state__in=_AT_WORK).update(
        state=Job.State.FAILED, error=_("Stopped."), finished_at=timezone.now(), lease_until=None
    )


def take_away(session: Session) -> None:
    """Delete what the model wrote, but for what a person has changed."""
    written = MinutesItem.objects.filter(session=session, source=MinutesItem.Source.MODEL)
    written.filter(is_edited=False, is_done=False).delete()


def state(session: Session) -> dict[str, Any] | None:
    """Return the model and how far it is, as pages get it; None where none is set up."""
    if not is_set_up():
        return None
    job = _jobs(session).order_by("-pk").first()
    written = MinutesItem.objects.filter(session=session, source=MinutesItem.Source.MODEL)
    return {
        "model": settings.LLM_MODEL,
        "server": _host(),
        "has_written": written.exists(),
        "job": {
            "is_at_work": job.state in _AT_WORK,
            "done": job.steps_done,
            "steps": job.steps,
            "error": job.error,
        }
        if job
        else None,
    }


def shown(session: Session) -> dict[str, Any]:
    """Return all that would be sent, and where to."""
    lines = [keeping.as_line(row) for row in keeping.lines_of(session)]
    requests = [prompts.for_part(lines, part) for part in prompts.parts(lines, settings.LLM_CONTEXT_TOKENS)]
    return {
        "model": settings.LLM_MODEL,
        "server": _host(),
        "tokens": sum(map(prompts.size, requests)),
        "requests": [[message["content"] for message in messages] for messages in requests],
    }


@jobs.does(WRITE, label=gettext_lazy("write minutes by a language model"), is_long=True, is_remote=True)
async def write(task: RunningJob) -> dict[str, Any] | None:
    """Send the lines of a meeting part by part, and keep what the answers say that lines carry."""
    from minutes.llm import writing  # a service without a model imports nothing of its client
    from minutes.llm.client import Client, Server

    session, rows = await in_database(_read, task.job)
    lines = [keeping.as_line(row) for row in rows]
    today = timezone.localtime(session.created_at).date()
    client = Client(Server(settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY, settings.LLM_EXTERNAL))

    async def may_send(tokens: int) -> None:
        await in_database(_spend_or_fail, session, task.job, tokens)

    async def report(done: int, steps: int, tokens: int) -> None:
        await in_database(_count, tokens)
        await task.report(done, steps)

    try:
        found = await writing.write(
            lines,
            today,
            client,
            context_tokens=settings.LLM_CONTEXT_TOKENS,
            may_send=may_send,
            report=report,
        )
    except ServerAway as error:
        raise _later_or_never(task.job, error) from error
    except ModelFailed as error:
        raise JobFailed(str(error)) from error
    finally:
        await client.close()
    await in_database(_keep, session, rows, found)
    return {"statements": len(found)}


def _later_or_never(job: Job, error: ServerAway) -> Exception:
    if timezone.now() - job.created_at > PATIENCE:
        return JobFailed(str(error))
    return JobMustWait(str(error))


def _read(job: Job) -> tuple[Session, list[Utterance]]:
    if not is_set_up():
        raise JobFailed(_("No language model is set up here."))
    session = Session.objects.filter(pk=int(job.subject), trashed_at=None).first()
    if session is None:
        raise JobFailed(_("There is no such meeting any more."))
    return session, keeping.lines_of(session)


def _spend_or_fail(session: Session, job: Job, tokens: int) -> None:
    """Put a request on record before it is sent; fail where it would take more than the day allows."""
    use, _made = LanguageModelUse.objects.get_or_create(day=timezone.localdate())
    limit = settings.LLM_TOKENS_PER_DAY
    if limit and use.tokens + tokens > limit:
        raise JobFailed(
            _("The language model has taken its %(limit)d tokens of today (LLM_TOKENS_PER_DAY).")
            % {"limit": limit}
        )
    log.record(
        Action.MINUTES_SENT,
        by=job.created_by,
        meeting=session.key,
        model=settings.LLM_MODEL,
        server=_host(),
        tokens=tokens,
    )


def _count(tokens: int) -> None:
    today = LanguageModelUse.objects.filter(day=timezone.localdate())
    today.update(tokens=F("tokens") + tokens, requests=F("requests") + 1)


def _keep(session: Session, rows: list[Utterance], found: list[Statement]) -> None:
    if not keeping.has_minutes(session):
        keeping.make(session)
    keeping.keep_written(session, rows, found)


def _jobs(session: Session) -> Any:
    return Job.objects.filter(kind=WRITE, subject=str(session.pk))


def _host() -> str:
    """Return where the server is; never a key that an address may have."""
    return urlsplit(settings.LLM_URL).hostname or ""
