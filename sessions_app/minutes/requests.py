"""Requests to change the minutes of a meeting. Pure: they are understood here, nothing is changed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sessions_app.exceptions import SessionsError
from sessions_app.wire.untrusted import first_fault, one_line

MAX_TEXT = 2_000
MAX_UNTIL = 100
MAX_LINES = 50

Key = Annotated[int, Field(ge=1, le=2**63 - 1)]


class MinutesError(SessionsError):
    """Base of the reasons why minutes are not changed."""


class BadMinutesRequest(MinutesError):
    """A request that makes no sense; the message says why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("there is no text")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(one_line), AfterValidator(_not_empty)]


class ChangeItem(_Model):
    """Other words for a statement, and for a task who does it until when."""

    kind: Literal["change"]
    item: Key
    text: Text
    who: Annotated[str, Field(max_length=40)] | None = None
    """The id of a speaker, as lines have it; empty for nobody, None to leave it."""

    until: Annotated[str, Field(max_length=MAX_UNTIL), AfterValidator(one_line)] | None = None
    due: date | Literal[""] | None = None
    """Empty for no day, None to leave it."""


class AddItem(_Model):
    """A statement of one's own."""

    kind: Literal["add"]
    section: Literal["summary", "decision", "action", "question"]
    text: Text
    lines: Annotated[list[Key], Field(max_length=MAX_LINES)] = []


class MarkItem(_Model):
    """A statement taken out or put back, done or not done, or given its machine's words again."""

    kind: Literal["remove", "restore", "done", "undone", "reset"]
    item: Key


class MakeAgain(_Model):
    """All of them, made from the lines as they read now."""

    kind: Literal["again"]


class AskModel(_Model):
    """A language model's minutes: asked for, not wanted any more, or taken away when they are there.

    Or a meeting that is never, or may again be, sent to one.
    """

    kind: Literal["write", "stop", "unwrite", "forbid", "allow"]
    template: Annotated[int, Field(ge=0, le=2**31)] | None = None
    """The key of the template to write by; 0 for that of a team or none, None to leave it."""


MinutesRequest = Annotated[
    ChangeItem | AddItem | MarkItem | MakeAgain | AskModel, Field(discriminator="kind")
]

_parser: TypeAdapter[MinutesRequest] = TypeAdapter(MinutesRequest)


def parse(body: bytes) -> MinutesRequest:
    """Understand a request.

    Raises:
        BadMinutesRequest: If it makes no sense.
    """
    try:
        return _parser.validate_json(body)
    except ValidationError as error:
        raise BadMinutesRequest(first_fault(error)) from error
