"""Writes of a live session to the database, one transaction each."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, prefetch_related_objects
from django.utils import timezone

from recognition.core.events import Final
from recognition.hotwords import Hotword
from recognition.scripts import SIMPLIFIED
from recognition.writing.changes import Written, as_columns
from sessions_app import model_sets, teams
from sessions_app.cells import directory
from sessions_app.cells.placement import HOME
from sessions_app.exceptions import SessionsError
from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.transport.interface import Fenced
from sessions_app.wire.hotword_lists import as_column
from sessions_app.wire.protocol import ClosedBy
from speakers.models import Speaker
from speakers.voiceprints.tracking import Decision

from . import outbox, queries, translations, voices, writing_rules
from .continuation import columns_like, tag_and_share_like
from .outbox import Event
from .voices import NO_CHANGES, VoiceChanges


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to write to a session, and where to go on."""

    session_pk: int
    key: str
    epoch: int
    durable: int
    last_seq: int
    recorded: int = 0
    """See `Session.recorded`."""

    failures: int = 0
    """See `Session.failures`."""

    model_set: str = ""
    expected: frozenset[int] = frozenset()
    """Keys of `Session.expected_speakers`."""

    itn: bool = False
    """See `Session.itn`."""

    script: str = SIMPLIFIED
    language: str = ""
    """See `Session.language`."""

    cell: str = HOME
    """See `Session.cell`."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A final on its way into the database, and whose it is."""

    final: Final
    decision: Decision
    overlaps: tuple[Decision, ...] = ()
    """Whose each of `final.overlaps` is."""

    written: Written | None = None
    """As it is written, if that is otherwise than it was heard."""

    @property
    def voices(self) -> list[uuid.UUID]:
        """Return the voices that speak in it."""
        return [decision.voice for decision in (self.decision, *self.overlaps)]


NOT_STORED = ("utterance", "embedding", "speech", "overlaps")
"""Fields of a final that are no columns: they serve recognition alone, or are rows of their own. All others
have their column's name."""

_COLUMNS = [field.name for field in fields(Final) if field.name not in NOT_STORED]


class NotContinued(SessionsError):
    """A session cannot go on with another: that one goes on itself, or this one is of something else."""


def new_key() -> str:
    """Return an id for a session that nobody names: when it begins, and what tells it from others."""
    return f"{timezone.localtime():%Y%m%d-%H%M}-{secrets.token_hex(2)}"


def get_or_create_session(
    key: str,
    *,
    owner: int | None = None,
    title: str = "",
    model_set: str = "",
    resumes: bool = False,
    continues: str = "",
    expected: Sequence[str] = (),
    itn: bool | None = None,
    script: str = "",
    language: str = "",
    rules: Sequence[tuple[str, str]] = (),
    hotwords: Sequence[Hotword] = (),
    translate: str = "",
) -> tuple[Session, bool]:
    """Return the session of this key, and whether it is new; a new one is shared with its owner's teams.

    Args:
        model_set: Of a new session; the default if empty.
        resumes: See `Session.sender_resumes`.
        continues: Key of the session that a new one goes on with, called, owned and shared like that.
        itn: See `Session.itn`; as in the session that this one goes on with, or on, if None.
        script: Of a new session, likewise; that of the settings if nobody says.
        language: Of a new session, likewise: a code that its models know.
        rules: Of a new session, for writing: see `WritingRule`.
        hotwords: Of a new session; those of the one that it goes on with, if there are none.
        expected: Ids of those who are expected in a new session; who is not enrolled (any more) is left out.
        translate: The language into which lines of a new session are translated; empty for none.

    Raises:
        NotContinued: If it cannot, or if the session of this key goes on with another one or none.
    """
    new: dict[str, Any] = {"owner_id": owner, "title": title, "sender_resumes": resumes}
    new["cell"] = partial(_first_cell, key)  # which is asked only for a new one
    with transaction.atomic():
        earlier = _continued(continues) if continues else None
        if earlier:
            new |= _like(earlier, owner=owner, title=title)
        new |= {} if itn is None else {"itn": itn}
        new |= {"script": script} if script else {}
        new |= {"language": language} if language else {}
        new.setdefault("script", settings.SCRIPT)
        new |= {"hotwords": as_column(hotwords)} if hotwords else {}
        new["model_set"] = model_set or new.get("model_set") or model_sets.default_name
        session, is_new = Session.objects.get_or_create(key=key, defaults=new)
        if is_new and earlier:
            tag_and_share_like(earlier, session)
        elif is_new and owner is not None:
            teams.share_with_teams(session)
        elif earlier and session.continues_id != earlier.pk:
            raise NotContinued(f"session {key!r} does not continue {continues!r}: take another id")
        if is_new and expected:
            session.expected_speakers.set(Speaker.objects.filter(uuid__in=expected))
        if is_new and rules:
            writing_rules.add_to(session, rules)
        if is_new and translate:
            translations.ask_for(session, translate, by=owner)
    return session, is_new


def _first_cell(key: str) -> str:
    return directory.ranked_for(key)[0]


def move_unbegun(session: Session, cell: str) -> bool:
    """Let a session that nobody has worked on live in another cell; tell whether it does."""
    unbegun = Session.objects.filter(pk=session.pk, cell=session.cell, epoch=0)
    has_moved = bool(unbegun.update(cell=cell))
    if has_moved:
        session.cell = cell
    return has_moved


def _continued(key: str) -> Session | None:
    """Return the session that another is to go on with; None if somebody deleted it."""
    earlier = Session.objects.filter(key=key, trashed_at=None).first()
    if earlier and not earlier.has_ended:
        raise NotContinued(f"session {key!r} goes on: resume there")
    return earlier


def _like(earlier: Session, *, owner: int | None, title: str) -> dict[str, Any]:
    """Return the columns of a new session that goes on with an earlier one, where it says nothing else."""
    is_served = earlier.model_set in model_sets.names()
    return columns_like(earlier) | {
        "owner_id": earlier.owner_id if owner is None else owner,
        "title": title or earlier.title,
        "model_set": earlier.model_set if is_served else "",
    }


def note_sender(session_pk: int, *, resumes: bool) -> None:
    """Note whether the sender that a session has now is one that resumes."""
    Session.objects.filter(pk=session_pk).update(sender_resumes=resumes)


def withdraw(session_pk: int) -> None:
    """Forget a session that nobody has worked on: its sender was not let in."""
    Session.objects.filter(pk=session_pk, epoch=0).delete()


def end_unbegun(session_pk: int) -> bool:
    """End a session that nobody has sent to or worked on, and tell whether it was one."""
    unbegun = Session.objects.filter(pk=session_pk, epoch=0).exclude(state=Session.State.ENDED)
    return bool(unbegun.update(state=Session.State.ENDED, ended_at=timezone.now(), closed_by=ClosedBy.PERSON))


def acquire(session_pk: int, *, cell: str | None = None) -> Lease | None:
    """Own a session for recognition: whoever owned it before can commit no more.

    Args:
        cell: Where it was found; None if there is one place for all.

    Returns:
        None if it has ended, or lives in another cell.
    """
    with transaction.atomic():
        own = Session.objects.filter(pk=session_pk).exclude(state=Session.State.ENDED)
        if cell is not None:
            own = own.filter(cell=cell)
        if not own.update(epoch=F("epoch") + 1, state=Session.State.LIVE, awaited_until=None):
            return None
        row = Session.objects.get(pk=session_pk)
        if row.epoch == 1:
            outbox.tell(Event.SESSION_BEGUN, session_pk)
        expected = frozenset(row.expected_speakers.values_list("pk", flat=True))
    return Lease(
        row.pk,
        row.key,
        row.epoch,
        row.durable,
        row.last_seq,
        recorded=row.recorded,
        failures=row.failures,
        model_set=row.model_set,
        expected=expected,
        itn=row.itn,
        script=row.script,
        language=row.language,
        cell=row.cell,
    )


def commit(
    lease: Lease, *, durable: int, lines: Sequence[NewLine], changes: VoiceChanges = NO_CHANGES
) -> tuple[Lease, list[Utterance]]:
    """Make finals, what is known of their voices, and the progress to `durable` permanent, all or nothing.

    Asked again because the answer to the first request got lost, it changes nothing.

    Returns:
        The lease to commit the next time, and the lines as they are kept.

    Raises:
        Fenced: If another worker has taken the session over, or committed from the same place.
    """
    after = replace(lease, durable=durable, last_seq=lease.last_seq + len(lines))
    progress = {"failures": 0} if durable > lease.durable else {}
    with transaction.atomic():
        if not _as_left_by(lease).update(durable=after.durable, last_seq=after.last_seq, **progress):
            # Only we commit under our epoch.
            if _as_left_by(after).exists():
                return after, _lines_between(lease, after)
            raise Fenced
        stored = voices.store(lease.session_pk, changes)
        speaking = [voice for line in lines for voice in line.voices]
        rows = voices.rows_for(lease.session_pk, speaking, changes, stored)
        kept = Utterance.objects.bulk_create(
            _utterance(lease.session_pk, seq, line, rows[line.decision.voice])
            for seq, line in enumerate(lines, lease.last_seq + 1)
        )
        Overlap.objects.bulk_create(
            Overlap(utterance=utterance, voice=rows[decision.voice], start=overlap.start, end=overlap.end)
            for utterance, line in zip(kept, lines, strict=True)
            for overlap, decision in zip(line.final.overlaps, line.overlaps, strict=True)
        )
        outbox.tell_lines(Event.LINE_FINAL, lease.session_pk, [(line.pk, 0) for line in kept])
        voices.revise(lease.session_pk, changes.revisions)
        prefetch_related_objects(kept, queries.OVERLAPS)
    return after, kept


def _utterance(session_pk: int, seq: int, line: NewLine, voice: Voice) -> Utterance:
    """Return the row of a final; not saved."""
    columns = {name: getattr(line.final, name) for name in _COLUMNS}
    written = line.written or Written(line.final.text, line.final.tokens)
    columns["text"] = written.text
    columns["tokens"] = [(token.text, token.start, token.end) for token in written.tokens]
    columns["rewrites"] = as_columns(written.rewrites)
    return Utterance(
        session_id=session_pk,
        seq=seq,
        machine_text=line.final.text,
        voice=voice,
        score=line.decision.score,
        **columns,
    )


def sender_resumes(lease: Lease) -> bool:
    """Return `Session.sender_resumes`; raise `Fenced` if another worker has taken the session over."""
    resumes = _own(lease).values_list("sender_resumes", flat=True).first()
    if resumes is None:
        raise Fenced
    return resumes


def set_model_set(session_pk: int, name: str) -> None:
    """Let another model set go on with a session."""
    Session.objects.filter(pk=session_pk).update(model_set=name)


def count_failure(session_pk: int) -> None:
    """Note that recognition of this session raised what it should not."""
    Session.objects.filter(pk=session_pk).update(failures=F("failures") + 1)


def _as_left_by(lease: Lease) -> QuerySet[Session]:
    """Select the session, if nobody has taken it over or committed since."""
    return _own(lease).filter(durable=lease.durable, last_seq=lease.last_seq)


def _lines_between(before: Lease, after: Lease) -> list[Utterance]:
    lines = Utterance.objects.filter(
        session=after.session_pk, seq__gt=before.last_seq, seq__lte=after.last_seq
    )
    return list(queries.with_voices(lines).order_by("seq"))


def pause(lease: Lease, *, recorded: int) -> None:
    """Leave a session whose log goes with this process; its audio is on disk up to a position.

    Raises:
        Fenced: If another worker has taken the session over.
    """
    _update(lease, state=Session.State.PAUSED, recorded=recorded, awaited_until=None)


def set_state(lease: Lease, state: Session.State, *, awaited_until: datetime | None = None) -> None:
    """Set the state of a session that goes on; raise `Fenced` if another worker has it."""
    _update(lease, state=state, awaited_until=awaited_until)


def end(lease: Lease, closed_by: ClosedBy) -> None:
    """End a session; raise `Fenced` if another worker has it."""
    with transaction.atomic():
        _update(
            lease,
            state=Session.State.ENDED,
            ended_at=timezone.now(),
            closed_by=closed_by,
            awaited_until=None,
        )
        voices.forget_sounds(lease.session_pk)
        outbox.tell(Event.SESSION_ENDED, lease.session_pk)


def _own(lease: Lease) -> QuerySet[Session]:
    """Select the session, if nobody has taken it over."""
    return Session.objects.filter(pk=lease.session_pk, epoch=lease.epoch)


def _update(lease: Lease, **changes: Any) -> None:
    if not _own(lease).update(**changes):
        raise Fenced
