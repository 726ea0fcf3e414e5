"""The language model that the settings name, and the rules under which anything is sent to it.

Each request is put on record before it is sent, and counts against the tokens of the day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import BaseModel

from audit import log
from audit.models import Action
from minutes.llm import prompts
from minutes.llm.exceptions import ModelFailed, ServerAway
from minutes.llm.prompts import Message
from sessions_app.models import LanguageModelUse, Session, Share
from speakers.exceptions import JobFailed, JobMustWait
from speakers.jobs import in_database
from speakers.models import Job

from .requests import MinutesError

if TYPE_CHECKING:
    from minutes.llm.client import Client, Used

Answer = TypeVar("Answer", bound=BaseModel)

PATIENCE = timedelta(days=1)
"""For so long a server that is away is waited for."""

AT_WORK = [Job.State.QUEUED, Job.State.RUNNING]


class NoModel(MinutesError):
    """A language model that is not set up, or must not have a meeting."""


def is_set_up() -> bool:
    """Tell whether there is a language model."""
    return bool(settings.LLM_URL)


def refuse(session: Session | None = None) -> None:
    """Raise `NoModel` where there is none, or this meeting must not be sent to one."""
    if not is_set_up():
        raise NoModel(_("No language model is set up here."))
    if session and is_forbidden(session):
        raise NoModel(_("This meeting is never sent to a language model."))


def may_be_sent() -> Q:
    """Return a condition on sessions: neither they nor a team that has them forbids it."""
    forbidding = Share.objects.filter(team__no_language_model=True)
    return Q(no_language_model=False) & ~Q(pk__in=forbidding.values("session"))


def is_forbidden(session: Session) -> bool:
    """Tell whether a meeting must not be sent."""
    return not Session.objects.filter(may_be_sent(), pk=session.pk).exists()


def forbid(session: Session, is_forbidden: bool) -> None:
    """Say whether this meeting must not be sent."""
    Session.objects.filter(pk=session.pk).update(no_language_model=is_forbidden)


def host() -> str:
    """Return where the server is; never a key that an address may have."""
    return urlsplit(settings.LLM_URL).hostname or ""


def named() -> dict[str, Any]:
    """Return the model and its server, as pages name them."""
    return {"model": settings.LLM_MODEL, "server": host()}


def shown(requests: Sequence[Sequence[Message]]) -> dict[str, Any]:
    """Return requests as people are shown them before anything is sent."""
    return named() | {
        "tokens": sum(map(prompts.size, requests)),
        "requests": [[message["content"] for message in messages] for messages in requests],
    }


class Supervised:
    """A client whose requests are on record and within the tokens of the day.

    Args:
        meeting: The key of the meeting whose lines are sent; empty if they are of several.
    """

    def __init__(self, client: Client, job: Job, meeting: str) -> None:
        self._client = client
        self._job = job
        self._meeting = meeting

    async def ask(self, messages: Sequence[Message], form: type[Answer]) -> tuple[Answer, Used]:
        """Return an answer, as `Client.ask`. Raises `JobFailed` where the day allows no more."""
        tokens = prompts.size(messages) + prompts.ANSWER_TOKENS
        await in_database(_put_on_record, self._job, self._meeting, tokens)
        answer, used = await self._client.ask(messages, form)
        await in_database(_count, used.tokens)
        return answer, used


@asynccontextmanager
async def at_work(
    job: Job, meeting: str = "", *, patience: timedelta = PATIENCE
) -> AsyncIterator[Supervised]:
    """Ask the model for a job.

    Args:
        patience: For so long after the job was asked for a server that is away is waited for.

    Raises:
        JobMustWait, JobFailed: If it does not answer now, or not in a way that is of use.
    """
    from minutes.llm.client import Client, Server  # a service without a model imports nothing of its client

    client = Client(Server(settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY, settings.LLM_EXTERNAL))
    try:
        yield Supervised(client, job, meeting)
    except ServerAway as error:
        if timezone.now() - job.created_at > patience:
            raise JobFailed(str(error)) from error
        raise JobMustWait(str(error)) from error
    except ModelFailed as error:
        raise JobFailed(str(error)) from error
    finally:
        await client.close()


def fail_without(session: Session | None = None) -> None:
    """Let a job fail where there is no model any more, or it must not have this meeting."""
    try:
        refuse(session)
    except NoModel as error:
        raise JobFailed(str(error)) from error


def _put_on_record(job: Job, meeting: str, tokens: int) -> None:
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
        meeting=meeting,
        model=settings.LLM_MODEL,
        server=host(),
        tokens=tokens,
    )


def _count(tokens: int) -> None:
    today = LanguageModelUse.objects.filter(day=timezone.localdate())
    today.update(tokens=F("tokens") + tokens, requests=F("requests") + 1)
