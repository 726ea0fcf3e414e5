"""Notes of people on moments of a session: bookmarks, notes, and comments on them.

Every change has a number in its session, which open pages are told: they ask for all notes again, few as
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action
from recognition.audio import SAMPLE_RATE, milliseconds
from sessions_app.models import Note, Session
from sessions_app.wire import layer_messages
from speakers import notify

from .note_requests import AddNote, AnswerNote, ChangeNote, NoteError, NoteRequest, RemoveNote

MAX_NOTES = 2_000
"""Of one session: a page shows them all."""


class NoSuchNote(NoteError):
    """A note that is not there, or not any more."""


class NotYours(NoteError):
    """A change to somebody else's note."""


class TooManyNotes(NoteError):
    """One note more than a session can have."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A note as it is read."""

    pk: int
    at_ms: int
    text: str
    author: str
    author_pk: int | None
    written_at: datetime
    is_changed: bool
    answers: int | None
    """The note that it is an answer to."""

    @property
    def at_s(self) -> float:
        return self.at_ms / 1000


def read(session: Session) -> list[Comment]:
    """Read the notes of a session in the order of their moments, each followed by what was answered to it."""
    # What is answered has the moment of its note, and came after it.
    in_order = _shown(session.notes.all()).order_by("position", Coalesce("answers", "pk"), "pk")
    return [_comment(row) for row in in_order.select_related("author")]


def author_name(user: User | None) -> str:
    """Return how somebody who wrote a note is called."""
    return (user.get_full_name() or user.get_username()) if user else str(_("someone who has left"))


def apply(session: Session, request: NoteRequest, *, by: User, may_tidy: bool = False) -> int:
    """Do what a person asks; return the key of the note.

    Args:
        may_tidy: Whether they may also remove what others wrote.

    Raises:
        NoSuchNote, NotYours, TooManyNotes: If it cannot be done.
    """
    with transaction.atomic():
        # Its row first, as edits do it: so two writers wait for each other.
        session = Session.objects.select_for_update().get(pk=session.pk)
        match request:
            case AddNote():
                note = _add(session, by, position=_position(session, request.at_ms), text=request.text)
            case AnswerNote():
                above = _find(session, request.note)
                above = above.answers or above  # one level is all that a margin has room for
                note = _add(session, by, position=above.position, text=request.text, answers=above)
            case ChangeNote():
                note = _change(_find(session, request.note), request.text, by)
            case RemoveNote():
                note = _remove(session, request, by, may_tidy=may_tidy)
        Session.objects.filter(pk=session.pk).update(last_note=F("last_note") + 1)
        log.record(Action.MEETING_COMMENTED, by=by, meeting=session.key, note=note.pk, kind=request.kind)
        transaction.on_commit(lambda: _tell(session.key))
    return note.pk


def containing(sessions: QuerySet[Session], text: str, *, limit: int) -> list[Note]:
    """Find notes in these sessions whose text contains this one, the newest first."""
    found = _shown(Note.objects.filter(session__in=sessions, text__icontains=text))
    return list(found.select_related("session", "author").order_by("-pk")[:limit])


def _shown(notes: QuerySet[Note]) -> QuerySet[Note]:
    """Leave out what was removed, and what was answered to it."""
    return notes.filter(is_removed=False).exclude(answers__is_removed=True)


def _comment(row: Note) -> Comment:
    return Comment(
        pk=row.pk,
        at_ms=milliseconds(row.position),
        text=row.text,
        author=author_name(row.author),
        author_pk=row.author_id,
        written_at=row.created_at,
        is_changed=row.changed_at is not None,
        answers=row.answers_id,
    )


def _position(session: Session, at_ms: int) -> int:
    """Return the sample of a moment; of an ended session none behind its end."""
    position = at_ms * SAMPLE_RATE // 1000
    return min(position, session.durable) if session.has_ended else position


def _add(session: Session, by: User, *, position: int, text: str, answers: Note | None = None) -> Note:
    if session.notes.filter(is_removed=False).count() >= MAX_NOTES:
        raise TooManyNotes(_("A meeting has at most %(count)d notes.") % {"count": MAX_NOTES})
    return Note.objects.create(session=session, author=by, position=position, text=text, answers=answers)


def _change(note: Note, text: str, by: User) -> Note:
    if note.author_id != by.pk:
        raise NotYours(_("Only who wrote a note can change it."))
    if not text and note.answers_id:
        raise NotYours(_("A comment cannot be empty; remove it instead."))
    note.text, note.changed_at = text, timezone.now()
    note.save(update_fields=["text", "changed_at"])
    return note


def _remove(session: Session, request: RemoveNote, by: User, *, may_tidy: bool) -> Note:
    is_back = request.kind == "restore"
    note = _find(session, request.note, is_removed=is_back)
    if note.author_id != by.pk and not may_tidy:
        raise NotYours(_("Only who wrote a note can remove it."))
    note.is_removed = not is_back
    note.save(update_fields=["is_removed"])
    return note


def _find(session: Session, pk: int, *, is_removed: bool = False) -> Note:
    notes = session.notes.filter(pk=pk)
    there = notes.filter(is_removed=True) if is_removed else _shown(notes)
    found = there.select_related("answers").first()
    if found is None:
        raise NoSuchNote(_("There is no such note any more."))
    return found


def _tell(key: str) -> None:
    notify.send(layer_messages.session_group(key), layer_messages.changed_message(key))


def as_objects(comments: Sequence[Comment], *, reader: int | None) -> list[dict[str, object]]:
    """Return notes as pages get them.

    Args:
        reader: Key of the login that reads: its own notes are marked.
    """
    return [
        {
            "id": comment.pk,
            "at_ms": comment.at_ms,
            "text": comment.text,
            "author": comment.author,
            "is_own": reader is not None and comment.author_pk == reader,
            "written_at": comment.written_at.isoformat(),
            "is_changed": comment.is_changed,
            "answers": comment.answers,
        }
        for comment in comments
    ]
