"""Requests to write notes on a session. Pure: they are understood here, nothing is changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sessions_app.exceptions import SessionsError
from sessions_app.wire.untrusted import first_fault

from .edit_requests import Key

MAX_NOTE_LENGTH = 4_000
MAX_MS = 7 * 24 * 3600 * 1000
"""A week: no session is as long."""


class NoteError(SessionsError):
    """Base of the reasons why no note is written or changed."""


class BadNote(NoteError):
    """A request that makes no sense; the message says why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _tidy(text: str) -> str:
    """Return the text without blanks around it and at the ends of its lines; PostgreSQL takes no NUL."""
    return "\n".join(line.rstrip() for line in text.replace("\0", " ").splitlines()).strip()


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("there is no text")
    return text


NoteText = Annotated[str, Field(max_length=MAX_NOTE_LENGTH), AfterValidator(_tidy)]


class AddNote(_Model):
    """A new note; a bookmark if it has no text."""

    kind: Literal["add"] = "add"
    at_ms: Annotated[int, Field(ge=0, le=MAX_MS)]
    text: NoteText = ""


class AnswerNote(_Model):
    """A comment on a note."""

    kind: Literal["answer"] = "answer"
    note: Key
    text: Annotated[NoteText, AfterValidator(_not_empty)]


class ChangeNote(_Model):
    """Another text for a note of one's own."""

    kind: Literal["change"] = "change"
    note: Key
    text: NoteText


class RemoveNote(_Model):
    """The end of a note, with what was answered to it; or, taken back, its return."""

    kind: Literal["remove", "restore"] = "remove"
    note: Key


NoteRequest = Annotated[AddNote | AnswerNote | ChangeNote | RemoveNote, Field(discriminator="kind")]

_parser: TypeAdapter[NoteRequest] = TypeAdapter(NoteRequest)


def parse_note(body: bytes) -> NoteRequest:
    """Understand a request.

    Raises:
        BadNote: If it makes no sense.
    """
    try:
        return _parser.validate_json(body)
    except ValidationError as error:
        raise BadNote(first_fault(error)) from error
