"""Questions to one meeting, or to all that one may see: lines that match, and a language model's answers.

Lines are found without a model. One is sent the best of them, after whoever asks was shown which, and its
answers are kept as far as these lines carry them: for a day, for whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from minutes import matching
from minutes.lines import Line
from minutes.llm import prompts, reading
from minutes.llm.answers import Answers
from minutes.people import People
from minutes.statements import Statement
from recognition.audio import milliseconds
from sessions_app.models import Question, Session, Utterance
from speakers import jobs
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import keeping, language_model
from .language_model import AT_WORK
from .requests import MinutesError

ANSWER = "answer-question"
"""The job; its subject is the question's key in the database."""

SHOWN = 8
"""Lines that are shown."""

SENT = 40
"""Lines of many meetings that are sent at most, with those beside them."""

BESIDE = 1
"""Lines before and after one that matches: a question's answer is in the next."""

MAX_QUESTION = 300
"""Characters."""

PATIENCE = timedelta(minutes=2)
KEPT = timedelta(days=1)


class NotAsked(MinutesError):
    """A question that is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """Lines on a question."""

    best: Sequence[Utterance]
    """To be shown, the best first."""

    sent: Sequence[Utterance]
    """For a language model, in order."""


def in_meeting(question: str, session: Session) -> Found:
    """Find lines of one meeting; a model is sent all of them where it has room."""
    rows = keeping.lines_of(session)
    best = _best(question, rows, SENT)
    lines = [keeping.as_line(row) for row in rows]
    is_room = prompts.with_room(lines, settings.LLM_CONTEXT_TOKENS) == len(lines)
    return Found(best[:SHOWN], rows if is_room else _with_neighbours(best, rows))


def in_candidates(question: str, candidates: Iterable[int], sessions: QuerySet[Session]) -> Found:
    """Find lines of many meetings.

    Args:
        candidates: Keys of lines that have something of the question.
        sessions: Those that whoever asks may see.
    """
    rows = list(
        Utterance.objects.filter(pk__in=list(candidates), session__in=sessions, is_removed=False)
        .select_related("session", "voice__speaker")
        .defer("tokens", "machine_text")
        .order_by("-pk")
    )
    best = _best(question, rows, SENT)
    allowed = set(sessions.filter(language_model.may_be_sent()).values_list("pk", flat=True))
    return Found(best[:SHOWN], [row for row in best if row.session_id in allowed])


def _best(question: str, rows: Sequence[Utterance], count: int) -> list[Utterance]:
    by_key = {row.pk: row for row in rows}
    found = matching.best(question, [keeping.as_line(row) for row in rows], count)
    return [by_key[line.key] for line in found]


def _with_neighbours(best: Sequence[Utterance], rows: Sequence[Utterance]) -> list[Utterance]:
    """Return lines with those beside them, as many as there is room for, in order."""
    places = {row.pk: place for place, row in enumerate(rows)}
    wanted: dict[int, None] = {}
    for row in best:
        at = places[row.pk]
        wanted |= dict.fromkeys(range(max(0, at - BESIDE), min(len(rows), at + BESIDE + 1)))
    chosen = [rows[place] for place in wanted]
    room = prompts.with_room([keeping.as_line(row) for row in chosen], settings.LLM_CONTEXT_TOKENS)
    return [rows[place] for place in sorted(list(wanted)[:room])]


def keep(text: str, found: Found, *, session: Session | None, by: User) -> Question | None:
    """Keep a question for a model to answer; None where there is no model, or nothing that it may be sent."""
    is_allowed = language_model.is_set_up() and (session is None or not language_model.is_forbidden(session))
    if not is_allowed or not found.sent:
        return None
    room = prompts.with_room(_as_lines(found.sent), settings.LLM_CONTEXT_TOKENS)
    keys = [row.pk for row in found.sent[:room]]
    return Question.objects.create(session=session, asked_by=by, text=text, lines=keys)


def shown(question: Question) -> dict[str, Any]:
    """Return all that would be sent, and where to."""
    return language_model.shown([prompts.for_question(question.text, _as_lines(_lines(question)))])


def ask(question: Question) -> None:
    """Send it; once, however often it is asked. Raises `NoModel` where that must not be."""
    language_model.refuse(question.session)
    if not _jobs(question).filter(state__in=AT_WORK).exists() and question.answers is None:
        jobs.ask_for(ANSWER, str(question.pk), by=question.asked_by)


def state(question: Question) -> dict[str, Any]:
    """Return the answers, and how far they are, as pages get them."""
    job = _jobs(question).order_by("-pk").first()
    return {
        "is_at_work": job is not None and job.state in AT_WORK,
        "error": job.error if job else "",
        "answers": None if question.answers is None else _answers(question),
    }


def _answers(question: Question) -> list[dict[str, Any]]:
    """Return the answers of which lines are still there."""
    rows = {row.pk: row for row in _lines(question)}
    cited = [
        {"text": answer["text"], "lines": [as_object(rows[key]) for key in answer["lines"] if key in rows]}
        for answer in question.answers or ()
    ]
    return [answer for answer in cited if answer["lines"]]


def as_object(row: Utterance) -> dict[str, Any]:
    """Return a line as pages get it."""
    return {
        "line_id": row.pk,
        "start_ms": milliseconds(row.start),
        "speaker_name": row.voice.name if row.voice else "",
        "text": row.text,
        "session": str(row.session),
        "url": f"{reverse('session', args=[row.session.key])}#line-{row.pk}",
    }


def forget_old() -> int:
    """Delete questions that are older than a day; return of how many."""
    count, _by_model = Question.objects.filter(asked_at__lt=timezone.now() - KEPT).delete()
    return count


@jobs.does(ANSWER, label=gettext_lazy("answer a question by a language model"), is_remote=True)
async def answer(task: RunningJob) -> dict[str, Any] | None:
    """Send a question with its lines, and keep the answers that they carry."""
    question, lines = await in_database(_read, task.job)
    if question is None:
        return None
    key = question.session.key if question.session else ""
    async with language_model.at_work(task.job, key, patience=PATIENCE) as model:
        messages = prompts.for_question(question.text, lines)
        found, _used = await model.ask(messages, Answers)
    meeting = reading.Meeting(lines, People(lines), timezone.localdate())
    await in_database(_keep, question, reading.of_answers(found, meeting))
    return None


def _read(job: Job) -> tuple[Question | None, list[Line]]:
    question = Question.objects.filter(pk=int(job.subject)).select_related("session").first()
    if question is None:
        return None, []
    language_model.fail_without(question.session)
    return question, _as_lines(_lines(question))


def _lines(question: Question) -> list[Utterance]:
    """Return the lines that go with a question, of those that may be sent by now."""
    allowed = Session.objects.filter(language_model.may_be_sent(), trashed_at=None)
    rows = (
        Utterance.objects.filter(pk__in=question.lines, is_removed=False, session__in=allowed)
        .select_related("session", "voice__speaker")
        .defer("tokens", "machine_text")
    )
    places = {key: place for place, key in enumerate(question.lines)}
    return sorted(rows, key=lambda row: places[row.pk])


def _as_lines(rows: Iterable[Utterance]) -> list[Line]:
    """Return lines as a model is sent them; somebody is the same person in every meeting."""
    return [replace(keeping.as_line(row), speaker=row.voice.public_id if row.voice else "") for row in rows]


def _keep(question: Question, found: Sequence[Statement]) -> None:
    answers = [{"text": each.text, "lines": list(each.lines)} for each in found]
    Question.objects.filter(pk=question.pk).update(answers=answers)


def _jobs(question: Question) -> Any:
    return Job.objects.filter(kind=ANSWER, subject=str(question.pk))


def question_of(text: object) -> str:
    """Return a question as it is kept. Raises `NotAsked` where there is none."""
    asked = " ".join(str(text).split()) if isinstance(text, str) else ""
    if not asked or len(asked) > MAX_QUESTION:
        raise NotAsked(_("A question has 1 to %(count)d characters.") % {"count": MAX_QUESTION})
    return asked
