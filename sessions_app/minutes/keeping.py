"""Minutes of meetings: made from their lines by a worker, kept, and known to be out of date.

While a meeting goes on they are made every few minutes; once at its end, and then again only when somebody
asks. What a person changed, took out or added stays; of the rest the new statements take the place.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from minutes import extraction
from minutes.key_words import Archive
from minutes.lines import Line
from minutes.statements import Statement
from recognition.audio import milliseconds
from sessions_app.models import Minutes, MinutesItem, Session, Utterance
from sessions_app.store import outbox
from sessions_app.store.outbox import Event
from sessions_app.store.passing_over import or_pass_over

MAX_ARCHIVE = 300
"""Newest meetings by which it is told how usual a word is."""

AT_ONCE = 1
"""Meetings that one look takes on: three hours of meeting are two seconds of work."""

MAX_UNTIL = 100


def make_missing(failed: set[int] | None = None) -> int:
    """Make the minutes of a meeting that has ended and has none; return of how many that was tried.

    Args:
        failed: Keys of meetings whose minutes cannot be made, which are passed over; this one is added if so.
    """
    is_made = Q(minutes__isnull=False, minutes__seq_so_far=None)
    without = (
        Session.objects.filter(state=Session.State.ENDED, last_seq__gt=0, trashed_at=None)
        .exclude(is_made)
        .exclude(pk__in=failed or ())
        .order_by("-pk")[:AT_ONCE]
    )
    count = 0
    for session in without:
        or_pass_over(make, session, failed, name="minutes")
        count += 1
    return count


def make(session: Session) -> Minutes:
    """Make the minutes of a meeting, anew if it has some."""
    # The numbers first: whatever changes meanwhile makes them out of date, and is not missed.
    session.refresh_from_db(fields=["last_revision", "last_seq", "state"])
    rows = lines_of(session)
    found = extraction.extract([as_line(row) for row in rows], day_of(session), _archive(session))
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)
        replace_items(session, rows, found.statements, MinutesItem.Source.PATTERNS)
        kept, _made = Minutes.objects.update_or_create(
            session=session,
            defaults={
                "made_at": timezone.now(),
                "revision": session.last_revision,
                "seq_so_far": None if session.has_ended else session.last_seq,
                "digest": digest(rows),
                "talk": [
                    {
                        "voice": int(own.speaker) if own.speaker else None,
                        "spoken_ms": own.spoken_ms,
                        "turns": own.turns,
                        "questions": own.questions,
                        "longest_ms": own.longest_ms,
                    }
                    for own in found.talk
                ],
                "key_words": [
                    {"word": word.word, "count": word.count, "lines": list(word.lines)}
                    for word in found.key_words
                ],
                "terms": list(found.terms),
            },
        )
        if session.has_ended:
            outbox.tell(Event.MINUTES_READY, session.pk)
    return kept


def day_of(session: Session) -> date:
    """Return the day of a meeting, where it was held."""
    return timezone.localtime(session.created_at).date()


def has_minutes(session: Session) -> bool:
    """Tell whether a meeting has any."""
    return Minutes.objects.filter(session=session).exists()


def keep_written(session: Session, rows: Sequence[Utterance], statements: Iterable[Statement]) -> None:
    """Keep what a language model wrote, in the place of what it wrote before."""
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)
        replace_items(session, rows, statements, MinutesItem.Source.MODEL)
        outbox.tell(Event.MINUTES_READY, session.pk)


def add_written(session: Session, rows: Sequence[Utterance], statements: Iterable[Statement]) -> None:
    """Keep what a language model wrote of some lines, after what it wrote before."""
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)
        _add_items(session, rows, statements, MinutesItem.Source.MODEL)


def lines_of(session: Session) -> list[Utterance]:
    """Read the lines of a meeting, in order, with their voices."""
    lines = Utterance.objects.filter(session=session, is_removed=False).select_related("voice__speaker")
    return list(lines.defer("tokens", "machine_text").order_by("start", "id"))


def as_line(row: Utterance) -> Line:
    """Return a line as minutes are made from."""
    voice = row.voice
    return Line(
        key=row.pk,
        start_ms=milliseconds(row.start),
        end_ms=milliseconds(row.end),
        speaker=str(voice.pk) if voice else "",
        name=voice.speaker.name if voice and voice.speaker else "",
        text=row.text,
    )


def digest(rows: Iterable[Utterance]) -> str:
    """Return a digest of all that minutes are made from."""
    content = [(row.pk, row.text, row.voice_id) for row in rows]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def is_out_of_date(session: Session, kept: Minutes) -> bool:
    """Tell whether lines have changed since; a voice that was given a name has changed none."""
    if kept.revision == session.last_revision or kept.seq_so_far is not None:
        return False
    if kept.digest == digest(lines_of(session)):
        Minutes.objects.filter(pk=kept.pk).update(revision=session.last_revision)
        return False
    return True


def replace_items(
    session: Session, rows: Sequence[Utterance], statements: Iterable[Statement], source: MinutesItem.Source
) -> None:
    """Put a machine's new statements in the place of its earlier ones, but for those a person changed."""
    own = MinutesItem.objects.filter(session=session, source=source)
    own.filter(is_edited=False, is_removed=False, is_done=False).delete()
    _add_items(session, rows, statements, source)


def _add_items(
    session: Session, rows: Sequence[Utterance], statements: Iterable[Statement], source: MinutesItem.Source
) -> None:
    """Add a machine's statements, but for those that a person has dealt with."""
    positions = {row.pk: row.start for row in rows}
    own = MinutesItem.objects.filter(session=session, source=source).exclude(
        is_edited=False, is_removed=False, is_done=False
    )
    kept = [(item.section, item.machine_text, item.lines[:1]) for item in own]
    MinutesItem.objects.bulk_create(
        MinutesItem(
            session=session,
            section=statement.kind.value,
            text=statement.text,
            machine_text=statement.text,
            lines=list(statement.lines),
            position=positions.get(statement.lines[0], 0),
            voice_id=int(statement.speaker) if statement.speaker else None,
            until=statement.until[:MAX_UNTIL],
            due=statement.due,
            source=source,
        )
        for statement in statements
        if not _is_kept(statement, kept)
    )


def _is_kept(statement: Statement, kept: Iterable[tuple[str, str, list[Any]]]) -> bool:
    """Tell whether a person has dealt with this already: with the same words, or the same place."""
    return any(
        section == statement.kind and (text == statement.text or place == [statement.lines[0]])
        for section, text, place in kept
    )


def _archive(session: Session) -> Archive:
    others = Minutes.objects.filter(~Q(session=session), session__trashed_at=None).order_by("-pk")
    terms = list(others.values_list("terms", flat=True)[:MAX_ARCHIVE])
    return Archive(len(terms), Counter(term for own in terms for term in set(own)))
