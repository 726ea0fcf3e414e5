"""Objects of the sessions' API. Their descriptions are what /api/docs says of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict

from recognition.hotwords import MAX_HOTWORDS
from sessions_app.wire.protocol import MAX_EXPECTED, MAX_SESSION_ID_LENGTH, MAX_TITLE_LENGTH
from sessions_app.wire.untrusted import one_line

MAX_LISTED = 200
MAX_DAYS = 365

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""What every database can keep: PostgreSQL takes no NUL, and what has a pattern must be valid Unicode."""

Title = Annotated[str, Field(max_length=MAX_TITLE_LENGTH, pattern=r"^[^\x00]*$"), AfterValidator(one_line)]


class Described(Schema):
    """Base of objects whose fields' docstrings describe them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Asked(Described):
    """Base of what is sent: a misspelt field is told, not passed over."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Failure(Described):
    """An error, in one sentence."""

    error: str
    """What is wrong, in the language that was asked for."""


class SessionRow(Described):
    """A meeting as a list has it."""

    id: str
    """Names the meeting in addresses."""

    name: str
    """Its title, or what it is called without one."""

    state: Literal["live", "paused", "draining", "ended"]
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int
    """Of the sound that is recognised."""

    owner: str
    """Login name; empty for nobody."""

    folder: str
    tags: list[str]
    speakers: list[str]
    """Names of those who spoke, in the order in which they came; six at most."""

    more_speakers: int
    """How many others spoke."""


class SessionPage(Described):
    """A page of meetings, the newest first."""

    sessions: list[SessionRow]
    next: int | None
    """To be sent as `before` for the next page; null on the last one."""


class SessionOut(SessionRow):
    """A meeting with all that is known of it but its lines."""

    title: str
    """As a person or a program gave it; empty without one."""

    closed_by: Literal["sender", "absence", "person", "limit", "failure", ""]
    """What ended it; empty while it goes on."""

    model_set: str
    """The models that recognise it."""

    seq: int
    """Number of its last line."""

    revision: int
    """Number of the last change to a line."""

    continues: str | None
    """Id of the meeting that it goes on with."""

    rights: list[str]
    """What you may do with it: read, send, export, comment, edit, share, delete."""

    socket: str
    """Where its sound is sent and its lines are followed, by WebSocket: see docs/protocol.md."""


class WordOut(Described):
    """A word, or one Chinese character, with its time."""

    text: str
    start_ms: int
    end_ms: int


class SpeakerOfLine(Described):
    """The speaker of a line."""

    speaker_id: str
    """Stable: of an enrolled person everywhere, of a stranger within the meeting."""

    speaker_name: str
    score: float | None
    """Probability that this voice said the line; null where there was nothing to compare."""

    enrolled: bool
    number: int | None
    """Of a stranger: 1, 2, …"""


class OverlapOut(Described):
    """Somebody else who speaks during a line, without words of their own."""

    speaker_id: str
    speaker_name: str
    start_ms: int
    end_ms: int
    number: int | None


class LineOut(Described):
    """A line of a transcript: what one voice said between two pauses."""

    id: int
    seq: int
    """1, 2, … in the order of recognition; 0 for a line that a person added."""

    revision: int
    """Number of its last change in this meeting; 0 if it never changed."""

    start_ms: int
    end_ms: int
    text: str
    edited: bool
    """Whether a person corrected the text."""

    speaker: SpeakerOfLine
    overlaps: list[OverlapOut]
    words: list[WordOut] | None
    """Null unless `words=true` is asked for."""


class Lines(Described):
    """Lines of a meeting as they read now."""

    seq: int
    """Number of the last line when they were read."""

    revision: int
    """Number of the last change by then; to be sent as `changed_after` for what changes later."""

    lines: list[LineOut]
    removed: list[int]
    """Ids of lines that are no longer there; only with `changed_after`."""


class VoiceOut(Described):
    """Somebody who speaks in a meeting."""

    speaker_id: str
    name: str
    number: int | None
    """Of a stranger: 1, 2, …"""

    enrolled: bool
    lines: int
    speech_ms: int
    """Of the lines together."""


class Found(Described):
    """A line that says what was looked for."""

    session: str
    """Id of its meeting."""

    session_name: str
    line: int
    start_ms: int
    speaker: str
    text: str


class FoundPage(Described):
    """A page of what a search found, the newest first."""

    sessions: list[SessionRow]
    """Meetings that are called so; on the first page."""

    lines: list[Found]
    next: int | None
    """To be sent as `before` for the next page; null on the last one."""


class TranslatedLineOut(Described):
    """A line in another language."""

    id: int
    """Of the line."""

    text: str


class TranslationsOut(Described):
    """Lines of a meeting in another language, as far as they are translated and read so now."""

    language: str
    """Empty where nobody has asked for one."""

    number: int
    """To be sent as `after` to be told what comes next."""

    lines: list[TranslatedLineOut]


class NewSession(Asked):
    """Request for a meeting that somebody will speak into."""

    id: Annotated[str, Field(max_length=MAX_SESSION_ID_LENGTH)] = ""
    """Any script, without blanks and slashes; one is made if it is left out."""

    title: Title = ""
    models: Text = ""
    """Name of a set of models; the default if it is left out."""

    expected: Annotated[list[uuid.UUID], Field(max_length=MAX_EXPECTED)] = []
    """Ids of enrolled people who are expected: they are recognised more easily."""

    hotwords: Annotated[list[Text], Field(max_length=MAX_HOTWORDS)] = []
    """Words that are likely to be said, each perhaps with its weight (1 to 100) behind a colon."""

    script: Literal["", "simplified", "traditional"] = ""
    """In which characters its lines are written; as the settings say if it is left out."""

    language: Text = ""
    """Code of the language that is spoken, of those that the models know; found out if it is left out."""

    translate: Literal["", "en", "zh", "zh-hant", "ja", "ko", "fr", "de", "es", "ru"] = ""
    """The language into which a language model translates its lines, where one is set up."""


class SessionChange(Asked):
    """Request for another title."""

    title: Title


class State(Described):
    """The state of a meeting."""

    state: Literal["live", "paused", "draining", "ended"]


class NewToken(Asked):
    """Request for an access token for one meeting."""

    role: Literal["sender", "receiver"]
    """To send sound and end the meeting, or to read it."""

    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = 30
    """For how long it works; null until it is revoked."""

    name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = ""
    takes_files: bool = False
    """Whether it may have exports and the recording as well; only for reading."""


class TokenOut(Described):
    """An access token without its secret."""

    id: int
    name: str
    role: Literal["sender", "receiver"]
    takes_files: bool = Field(alias="may_export")
    expires_at: datetime | None
    last_used_at: datetime | None
    """Within ten minutes."""


class NewTokenOut(TokenOut):
    """An access token with its secret, which is told this once."""

    secret: str
    """To be sent as `Authorization: Bearer SECRET`."""
