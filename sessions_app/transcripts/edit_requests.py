"""Requests to change a transcript. Pure: they are understood here, nothing is changed.

Whoever asks says which revision of a line they saw, so that nobody's change is overwritten unseen.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sessions_app.exceptions import SessionsError
from sessions_app.wire.untrusted import first_fault, one_line

MAX_TEXT_LENGTH = 10_000
MAX_LINES = 20_000


class EditError(SessionsError):
    """Base of the reasons why a transcript is not changed."""


class BadEdit(EditError):
    """A request that makes no sense; the message says why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("there is no text: to take a line away, remove it")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(one_line), AfterValidator(_not_empty)]
Name = Annotated[str, Field(max_length=100), AfterValidator(one_line), AfterValidator(_not_empty)]
Key = Annotated[int, Field(ge=0, lt=2**63)]
"""Of a row, as every database takes it."""

PublicId = Annotated[str, Field(max_length=36)]


class Seen(_Model):
    """A line as somebody saw it."""

    line: Key
    revision: int


class Who(_Model):
    """Somebody: exactly one of these says who."""

    speaker_id: PublicId | None = None
    """A voice of the session or an enrolled speaker, by the id that clients see."""

    name: Name | None = None
    """A speaker nobody knows yet."""

    stranger: bool = False
    """Somebody unknown: "Speaker 3"."""

    def model_post_init(self, context: Any) -> None:
        if sum([self.speaker_id is not None, self.name is not None, self.stranger]) != 1:
            raise ValueError("say who it is by exactly one of speaker_id, name and stranger")


class ChangeText(_Model):
    """Another text for one line."""

    kind: Literal["text"] = "text"
    seen: Seen
    text: Text


class GiveLine(_Model):
    """The gift of one line to somebody else."""

    kind: Literal["speaker"] = "speaker"
    seen: Seen
    who: Who


class NameVoice(_Model):
    """A name for everything that one voice says; two voices of one name become one."""

    kind: Literal["voice"] = "voice"
    voice: PublicId
    who: Who


class SeparateVoices(_Model):
    """The end of a merge: two voices that were made one are two again."""

    kind: Literal["separate"] = "separate"
    voice: PublicId
    """The one that is gone."""

    lines: list[Key] = Field(max_length=MAX_LINES)
    """Those that were its own."""

    overlaps: list[Key] = Field(default=[], max_length=MAX_LINES)
    """Its speech during the lines of others."""


class SplitLine(_Model):
    """The cut of a line in two; the texts are those in the editor on either side of the cursor."""

    kind: Literal["split"] = "split"
    seen: Seen
    first: Text
    second: Text


class MergeLines(_Model):
    """A line and the one after it, to become one."""

    kind: Literal["merge"] = "merge"
    seen: Seen
    following: Seen


class InsertLine(_Model):
    """A line that nobody heard, after one that somebody did."""

    kind: Literal["insert"] = "insert"
    after: Key
    """The line before it."""

    text: Text


class RemoveLine(_Model):
    """The end of one line; its history stays."""

    kind: Literal["remove"] = "remove"
    seen: Seen


class ReplaceText(_Model):
    """Find and replace, in the lines that were chosen from the preview."""

    kind: Literal["replace"] = "replace"
    find: Annotated[str, Field(min_length=1, max_length=200)]
    replacement: Annotated[str, Field(max_length=200)]
    matches_case: bool = False
    lines: list[Seen] = Field(min_length=1, max_length=MAX_LINES)


class Version(_Model):
    """A line, and the state that it shall have again."""

    line: Key
    revision: int
    version: Key | None
    """A key in its history; None: it was not there."""


class RestoreLines(_Model):
    """Earlier versions of lines; what takes most edits back."""

    kind: Literal["restore"] = "restore"
    lines: list[Version] = Field(min_length=1, max_length=MAX_LINES)


class ChangeTitle(_Model):
    """Another title for the session."""

    kind: Literal["title"] = "title"
    seen: str
    title: Annotated[str, Field(max_length=200), AfterValidator(one_line)]


Edit = Annotated[
    ChangeText
    | GiveLine
    | NameVoice
    | SeparateVoices
    | SplitLine
    | MergeLines
    | InsertLine
    | RemoveLine
    | ReplaceText
    | RestoreLines
    | ChangeTitle,
    Field(discriminator="kind"),
]

_parser: TypeAdapter[Edit] = TypeAdapter(Edit)


def parse_edit(body: bytes) -> Edit:
    """Understand a request.

    Raises:
        BadEdit: If it is none.
    """
    try:
        return _parser.validate_json(body)
    except ValidationError as error:
        raise BadEdit(first_fault(error)) from error


def replace_in(text: str, edit: ReplaceText) -> str:
    """Return the text with every occurrence replaced."""
    if edit.matches_case:
        return one_line(text.replace(edit.find, edit.replacement))
    parts: list[str] = []
    at = 0
    # Folding may change lengths (ß, İ): compare character by character at every place instead.
    find = edit.find.casefold()
    while at < len(text):
        length = _matching_length(text, at, find)
        if length:
            parts.append(edit.replacement)
            at += length
        else:
            parts.append(text[at])
            at += 1
    return one_line("".join(parts))


def _matching_length(text: str, at: int, find: str) -> int:
    """Return how many characters from a place on read like `find`; 0 if none do."""
    folded = ""
    for stop in range(at, min(len(text), at + len(find))):
        folded += text[stop].casefold()
        if folded == find:
            return stop + 1 - at
        if not find.startswith(folded):
            return 0
    return 0
