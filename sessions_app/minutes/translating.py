"""Translation of finished lines by a language model: live, and of what was said before; where somebody asked.

A few lines go at a time, with those before them. A line that is corrected goes again. A server that is away
delays translations and nothing else: what is left goes when it is back, a handful of requests at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from minutes.languages import LANGUAGES
from minutes.lines import Line
from minutes.llm import translation as llm
from minutes.llm.answers import Translations
from minutes.llm.exceptions import NoUsableAnswer
from sessions_app.models import Session, TranslatedLine, Translation, Utterance
from sessions_app.store import hotwords, translations
from sessions_app.wire import layer_messages
from speakers import jobs, notify
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import keeping, language_model
from .language_model import AT_WORK

TRANSLATE = "translate-lines"
"""The job; its subject is the session's key in the database."""

REQUESTS = 4
"""Of one job: then it is another meeting's turn, or somebody's question."""

MAX_ATTEMPTS = 3
"""So often a line is sent whose translation cannot be used; from the second time on, alone."""

REST = timedelta(minutes=5)
"""After a refusal, or when the tokens of the day are used up."""

SEEN = 500
"""Lines that one look takes on."""


def ask_for(session: Session, language: str, *, by: User) -> None:
    """Have the lines of a meeting translated from now on, and those that are there. Raises `NoModel`."""
    language_model.refuse(session)
    translations.ask_for(session, language, by=by.pk)
    _tell(session)


def stop(session: Session) -> None:
    """Send nothing more; what is translated stays."""
    Translation.objects.filter(session=session).update(is_on=False)
    _jobs(session).filter(state__in=AT_WORK).update(
        state=Job.State.DONE, finished_at=timezone.now(), lease_until=None
    )


def state(session: Session) -> dict[str, Any]:
    """Return how it stands with that, as pages get it."""
    own = Translation.objects.filter(session=session).first()
    job = _jobs(session).order_by("-pk").first()
    is_on = own is not None and own.is_on
    return {
        **language_model.named(),
        "language": own.language if own else "",
        "is_on": is_on,
        "is_forbidden": language_model.is_forbidden(session),
        "left": _due(own).count() if own and is_on else 0,
        "error": job.error if job and is_on else "",
    }


def choices() -> list[tuple[str, str]]:
    """Return code and name of each language, by which those who speak it call it."""
    return [(code, name) for code, (_english, name) in LANGUAGES.items()]


def send_due() -> int:
    """Ask for the jobs that translate what is new; return how many."""
    if not language_model.is_set_up():
        return 0
    is_done = Q(done_seq=F("session__last_seq"), done_revision=F("session__last_revision"))
    wanted = Translation.objects.filter(is_on=True, session__trashed_at=None).exclude(is_done)
    allowed = Session.objects.filter(language_model.may_be_sent())
    wanted = wanted.filter(session__in=allowed).select_related("session", "asked_by")
    return sum(map(_send, wanted))


def _send(own: Translation) -> bool:
    session = own.session
    last = _jobs(session).order_by("-pk").first()
    if last and (last.state in AT_WORK or _rests(last)):
        return False
    if not _due(own).exists():
        Translation.objects.filter(pk=own.pk).update(
            done_seq=session.last_seq, done_revision=session.last_revision
        )
        return False
    _jobs(session).filter(state=Job.State.DONE).delete()  # there are hundreds in a long meeting
    jobs.ask_for(TRANSLATE, str(session.pk), by=own.asked_by)
    return True


def _rests(job: Job) -> bool:
    return job.state == Job.State.FAILED and timezone.now() - (job.finished_at or job.created_at) < REST


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one request."""

    session: Session
    language: str
    lines: Sequence[Line]
    before: Sequence[Line]
    terms: Sequence[str]


@jobs.does(TRANSLATE, label=gettext_lazy("translate lines by a language model"), is_remote=True)
async def translate(task: RunningJob) -> dict[str, Any] | None:
    """Send lines a few at a time, and keep what can be a translation of them."""
    for _number in range(REQUESTS):
        batch = await in_database(_next, task.job)
        if batch is None:
            break
        messages = llm.request(batch.lines, batch.before, batch.terms, batch.language)
        async with language_model.at_work(task.job, batch.session.key) as model:
            try:
                answer, _used = await model.ask(messages, Translations)
            except NoUsableAnswer:
                answer = Translations(translations=[])
        taken = llm.taken(answer, batch.lines, batch.terms, batch.language)
        await in_database(_keep, batch, taken)
        await task.report(0, 0)  # somebody may have stopped it
    return None


def _next(job: Job) -> Batch | None:
    """Return the lines that are next, in the order of the meeting; None where nothing is left to be sent."""
    own = Translation.objects.filter(session=int(job.subject), is_on=True).select_related("session").first()
    if own is None or own.session.trashed_at:
        return None
    language_model.fail_without(own.session)
    rows = _without_those_in(own, list(_due(own).order_by("start", "pk")[:SEEN]))
    if not rows:
        return None
    tried = _tried(own, rows)
    fresh = [row for row in rows if row.pk not in tried]
    first = (fresh or rows)[0]
    chosen = llm.batch([keeping.as_line(row) for row in fresh or rows[:1]])
    words = hotwords.of_session(own.session_id)
    terms = [word.text for word in words.words] if words else []
    return Batch(own.session, own.language, chosen, _before(own, first), terms)


def _without_those_in(own: Translation, rows: Sequence[Utterance]) -> list[Utterance]:
    """Leave out lines that are in the language already, and note that nothing is to be done with them."""
    is_in = {row.pk: llm.is_in(row.text, row.language, own.language) for row in rows}
    _note(own.language, {row.pk: row.text for row in rows if is_in[row.pk]}, attempts=MAX_ATTEMPTS)
    return [row for row in rows if not is_in[row.pk]]


def _tried(own: Translation, rows: Sequence[Utterance]) -> set[int]:
    """Return the lines that were sent before, as they are, without success."""
    of_them = TranslatedLine.objects.filter(utterance__in=rows, language=own.language)
    return set(of_them.filter(source=F("utterance__text")).values_list("utterance", flat=True))


def _before(own: Translation, first: Utterance) -> list[Line]:
    rows = Utterance.objects.filter(session=own.session_id, is_removed=False, start__lt=first.start)
    latest = rows.select_related("voice__speaker").order_by("-start", "-pk")[: llm.BEFORE]
    return [keeping.as_line(row) for row in reversed(latest)]


def _due(own: Translation) -> QuerySet[Utterance]:
    """Return the lines without a translation of what they say now."""
    of_it = TranslatedLine.objects.filter(
        utterance=OuterRef("pk"), language=own.language, source=OuterRef("text")
    )
    settled = of_it.filter(~Q(text="") | Q(attempts__gte=MAX_ATTEMPTS))
    rows = Utterance.objects.filter(~Exists(settled), session=own.session_id, is_removed=False)
    return rows.exclude(text="").select_related("voice__speaker")


def _keep(batch: Batch, taken: Mapping[int, str]) -> None:
    """Keep translations of lines, and count an attempt where there is none."""
    sources = {line.key: line.text for line in batch.lines}
    attempts = _attempts(batch)
    with transaction.atomic():
        if not Translation.objects.filter(
            session=batch.session, language=batch.language, is_on=True
        ).exists():
            return  # stopped meanwhile, or another language was chosen
        Session.objects.select_for_update().get(pk=batch.session.pk)
        there = set(Utterance.objects.filter(pk__in=sources).values_list("pk", flat=True))
        number = translations.next_number(batch.session.pk)
        for key in sources.keys() & there:
            TranslatedLine.objects.update_or_create(
                utterance_id=key,
                language=batch.language,
                defaults={
                    "source": sources[key],
                    "text": taken.get(key, ""),
                    "attempts": 0 if key in taken else attempts.get(key, 0) + 1,
                    "number": number,
                },
            )
        transaction.on_commit(lambda: _tell(batch.session))


def _note(language: str, sources: Mapping[int, str], *, attempts: int) -> None:
    for key, source in sources.items():
        TranslatedLine.objects.update_or_create(
            utterance_id=key, language=language, defaults={"source": source, "text": "", "attempts": attempts}
        )


def _attempts(batch: Batch) -> dict[int, int]:
    """Return how often lines were sent before as they are, by their keys."""
    keys = [line.key for line in batch.lines]
    kept = TranslatedLine.objects.filter(utterance__in=keys, language=batch.language)
    tried = {row.utterance_id: row for row in kept}
    return {
        line.key: tried[line.key].attempts
        for line in batch.lines
        if line.key in tried and tried[line.key].source == line.text
    }


def _tell(session: Session) -> None:
    notify.send(layer_messages.session_group(session.key), layer_messages.changed_message(session.key))


def _jobs(session: Session) -> QuerySet[Job]:
    return Job.objects.filter(kind=TRANSLATE, subject=str(session.pk))
