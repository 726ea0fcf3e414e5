"""Meetings split in two, and joined: lines with all versions, voices and notes, at once.

The recording follows as a job of a worker, for it takes seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import log
from audit.models import Action
from recognition.audio import seconds
from sessions_app.exceptions import SessionsError
from sessions_app.models import Note, Overlap, Session, Utterance, Voice
from sessions_app.recordings import parts
from sessions_app.store.continuation import columns_like, tag_and_share_like
from sessions_app.store.voices import carry_pairs, give_number
from sessions_app.wire.protocol import MAX_SESSION_ID_LENGTH
from speakers import jobs
from speakers.exceptions import JobMustWait
from speakers.jobs import RunningJob, in_database
from speakers.models import Job

from . import retention

DIVIDE, APPEND = "divide-recording", "append-recording"


class NotPossible(SessionsError):
    """A meeting that cannot be split or joined so; the message is for people."""


def split(session: Session, line: int, *, by: User) -> Session:
    """Begin a new meeting with a line of one that has ended, and return it.

    Args:
        line: Key of the first line of the new meeting.

    Raises:
        NotPossible: If there is no such line, or none before it, or the meeting goes on.
    """
    with transaction.atomic():
        session = _locked(session)
        first = session.utterances.filter(pk=line, is_removed=False).first()
        if first is None:
            raise NotPossible(_("This line is not there any more."))
        at = first.start
        if not session.utterances.filter(start__lt=at, is_removed=False).exists():
            raise NotPossible(_("This is the first line: there is nothing before it to part from."))
        rest = _rest_of(session, at)
        voices = _carried(_voices_from(session, at), partial(_copy, session=rest))
        _move_lines(session.utterances.filter(start__gte=at), rest, -at, voices)
        session.utterances.filter(end__gt=at).update(end=at)
        Overlap.objects.filter(utterance__session=session, start__gte=at).delete()
        Overlap.objects.filter(utterance__session=session, end__gt=at).update(end=at)
        Note.objects.filter(session=session, position__gte=at).update(
            session=rest, position=F("position") - at
        )
        ended_at = session.created_at + timedelta(seconds=seconds(at))
        _renew(session, durable=at, recorded=at, ended_at=ended_at, closed_by=Session.ClosedBy.PERSON)
        _renew(rest, last_revision=session.last_revision)
        log.record(Action.MEETING_EDITED, meeting=session.key, split=rest.key)
        jobs.ask_for(DIVIDE, f"{session.pk} {rest.pk} {at}", by=by)
    return rest


def join(earlier: Session, later: Session, *, by: User) -> None:
    """Put the lines of a meeting behind those of another; when its recording has followed, it is deleted.

    Raises:
        NotPossible: If one of them goes on, or both are the same.
    """
    if earlier.pk == later.pk:
        raise NotPossible(_("A meeting cannot be joined with itself."))
    with transaction.atomic():
        earlier, later = _locked(earlier), _locked(later)
        last = earlier.utterances.aggregate(last=Max("end"))["last"] or 0
        at = max(earlier.durable, last)
        voices = _carried(_voices_from(later, 0), partial(_moved, session=earlier))
        _move_lines(later.utterances.all(), earlier, at, voices)
        Note.objects.filter(session=later).update(session=earlier, position=F("position") + at)
        later.continued_in.exclude(pk=earlier.pk).update(continues=earlier)
        _renew(
            earlier,
            durable=at + later.durable,
            recorded=at + later.durable,
            ended_at=later.ended_at,
            closed_by=later.closed_by,
            last_revision=max(earlier.last_revision, later.last_revision),
            is_kept=earlier.is_kept or later.is_kept,
        )
        _renew(later, trashed_at=timezone.now())
        log.record(Action.MEETING_EDITED, meeting=earlier.key, joined=later.key)
        jobs.ask_for(APPEND, f"{earlier.pk} {later.pk} {at}", by=by)


@jobs.does(DIVIDE, label=gettext_lazy("divide the recording of a meeting"), is_long=True)
async def divide_recording(task: RunningJob) -> dict[str, Any] | None:
    """Give the recording of the second part to it."""
    session, rest, at = await _what_to_do(task)
    await asyncio.to_thread(parts.divide, session, rest, at)
    return None


@jobs.does(APPEND, label=gettext_lazy("join the recordings of meetings"), is_long=True)
async def append_recording(task: RunningJob) -> dict[str, Any] | None:
    """Put the recording of the second part behind the first; delete what is left of the meeting it was."""
    session, rest, at = await _what_to_do(task)
    await asyncio.to_thread(parts.append, session, rest, at)
    await in_database(_delete_rest, rest)
    return None


async def _what_to_do(task: RunningJob) -> tuple[int, int, int]:
    """Return the meetings of a job and a position, once it is the first that has to do with them."""
    session, rest, at = map(int, task.job.subject.split())
    if await in_database(_is_preceded, task.job, {session, rest}):
        raise JobMustWait("another part of the recording comes first")
    return session, rest, at


def _is_preceded(job: Job, sessions: set[int]) -> bool:
    earlier = Job.objects.filter(
        kind__in=[DIVIDE, APPEND], state__in=[Job.State.QUEUED, Job.State.RUNNING], pk__lt=job.pk
    )
    return any(sessions & set(map(int, other.subject.split()[:2])) for other in earlier)


def _delete_rest(session_pk: int) -> None:
    retention.delete_sessions(Session.objects.filter(pk=session_pk))


def _locked(session: Session) -> Session:
    row = Session.objects.select_for_update().get(pk=session.pk)
    if not row.has_ended or row.trashed_at:
        raise NotPossible(_("A meeting must have ended before it can be split or joined."))
    return row


def _rest_of(session: Session, at: int) -> Session:
    """Make a meeting of what is behind a position: called, owned, filed and shared like the whole."""
    rest = Session.objects.create(
        **columns_like(session),
        key=_free_key(session.key),
        state=Session.State.ENDED,
        ended_at=session.ended_at,
        closed_by=session.closed_by,
        durable=max(0, session.durable - at),
        recorded=max(0, session.durable - at),
    )
    began_at = session.created_at + timedelta(seconds=seconds(at))
    Session.objects.filter(pk=rest.pk).update(created_at=began_at)
    tag_and_share_like(session, rest)
    session.continued_in.exclude(pk=rest.pk).update(continues=rest)
    return rest


def _free_key(key: str) -> str:
    suffixes = (f"-{number}" for number in count(2))
    keys = (key[: MAX_SESSION_ID_LENGTH - len(suffix)] + suffix for suffix in suffixes)
    return next(free for free in keys if not Session.objects.filter(key=free).exists())


def _voices_from(session: Session, at: int) -> list[Voice]:
    """Return the voices that speak in the lines from a position on."""
    lines = Utterance.objects.filter(session=session, start__gte=at).order_by()
    overlaps = Overlap.objects.filter(utterance__in=lines).order_by()
    speaks = Q(pk__in=lines.values("voice")) | Q(pk__in=overlaps.values("voice"))
    return list(Voice.objects.filter(speaks, session=session).order_by("id"))


def _carried(voices: Iterable[Voice], carry: Callable[[Voice], Voice]) -> dict[int, Voice]:
    """Return what voices become in another meeting, by key; who spoke at once stays two people."""
    became = [(voice, carry(voice)) for voice in voices]
    carry_pairs(became)
    return {before.pk: after for before, after in became}


def _copy(voice: Voice, session: Session) -> Voice:
    """Return a new voice of another session: the same person, or the stranger of the same number."""
    return Voice.objects.create(
        session=session,
        number=voice.number,
        speaker_id=voice.speaker_id,
        is_named_by_person=voice.is_named_by_person,
    )


def _moved(voice: Voice, session: Session) -> Voice:
    """Return what a voice is in another session: the person who is there already, or one more stranger."""
    if voice.speaker_id is not None:
        known = Voice.objects.filter(session=session, speaker=voice.speaker_id, merged_into=None).first()
        if known:
            return known
    voice.session, voice.number, voice.merged_into = session, None, None
    give_number(voice)
    voice.save(update_fields=["session", "number", "merged_into"])
    return voice


def _move_lines(lines: Any, session: Session, by: int, voices: Mapping[int, Voice]) -> None:
    """Give lines with their versions to another session, by so many samples later; finals get new numbers."""
    rows = list(lines.order_by("seq", "start", "id"))
    keys = [row.pk for row in rows]
    order = [row for row in rows if row.seq is not None]
    last = session.utterances.aggregate(last=Max("seq"))["last"] or 0
    Utterance.objects.filter(pk__in=keys).update(seq=None)
    for seq, row in enumerate(order, last + 1):
        row.seq = seq
    for row in rows:
        row.session, row.start, row.end = session, row.start + by, row.end + by
        row.tokens = [[text, start + by, end + by] for text, start, end in row.tokens]
        row.voice = voices.get(row.voice_id) if row.voice_id else None
    columns = ["session", "start", "end", "tokens", "voice", "seq"]
    Utterance.objects.bulk_update(rows, columns, batch_size=500)
    _move_overlaps(Overlap.objects.filter(utterance__in=keys), by, voices)
    versions = Utterance.history.filter(id__in=keys)
    versions.update(
        session_id=session.pk,
        start=Greatest(F("start") + by, Value(0)),
        end=Greatest(F("end") + by, Value(0)),
    )
    for before, voice in voices.items():
        versions.filter(voice_id=before).update(voice_id=voice.pk)


def _move_overlaps(overlaps: QuerySet[Overlap], by: int, voices: Mapping[int, Voice]) -> None:
    """Let the speech during lines go with them; what was before the beginning of the session is lost."""
    overlaps.update(start=Greatest(F("start") + by, Value(0)), end=Greatest(F("end") + by, Value(0)))
    for before, voice in voices.items():
        overlaps.filter(voice_id=before).update(voice=voice)


def _renew(session: Session, **columns: Any) -> None:
    """Store what has changed of a meeting, number its finals, and have its overview drawn anew."""
    finals = list(session.utterances.filter(seq__isnull=False).order_by("seq").only("pk", "seq"))
    moved = [row for seq, row in enumerate(finals, 1) if row.seq != seq]
    Utterance.objects.filter(pk__in=[row.pk for row in moved]).update(seq=None)
    for seq, row in enumerate(finals, 1):
        row.seq = seq
    Utterance.objects.bulk_update(moved, ["seq"], batch_size=500)
    Session.objects.filter(pk=session.pk).update(
        last_seq=len(finals),
        last_note=F("last_note") + 1,
        overview_seq=-1,
        overview_revision=-1,
        **columns,
    )
