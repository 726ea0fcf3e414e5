"""The WebSocket messages, both ways. Pure: no Django, no I/O. docs/protocol.md is checked against it.

Version 1 is what the first clients were written for: audio and "close" in, one JSON object per finished line
out. Version 2 (`?v=2`) adds messages to it and changes none: every message, in both versions, has the keys
`asr` and `spk`, so a client that reads nothing else never stumbles.
"""

from __future__ import annotations

import enum
import json
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import parse_qs

from minutes.languages import LANGUAGES
from recognition.hotwords import Hotword
from recognition.scripts import SIMPLIFIED
from sessions_app.exceptions import SessionsError

from . import languages
from .hotword_lists import BadHotwords, checked
from .untrusted import is_plain, one_line, read_json

VERSIONS = (1, 2)
SAMPLE_RATE = 16_000
MAX_SESSION_ID_LENGTH = 64
MAX_TITLE_LENGTH = 200

MAX_EXPECTED = 100
"""Speakers that a sender can say will be there."""


class Mode(enum.StrEnum):
    SENDER = "sender"
    RECEIVER = "receiver"


class ClosedBy(enum.StrEnum):
    """Causes of a session's end."""

    SENDER = "sender"
    """Its "close"."""

    ABSENCE = "absence"
    """Its sender was away for too long."""

    PERSON = "person"
    """Somebody ended it on a page."""

    LIMIT = "limit"
    """It had reached its greatest length."""

    FAILURE = "failure"
    """Recognition failed again and again at the same place."""


class ErrorCode(enum.Enum):
    """Faults: the stable code, the close code (None: the socket stays open), and whether to retry.

    Close codes are 4000 + the HTTP status that means most nearly the same; daphne sends no others but 1000,
    and no reasons, so a JSON message always says it first.
    """

    BAD_MODE = ("bad_mode", 4400, False)
    BAD_SESSION_ID = ("bad_session_id", 4400, False)
    BAD_PARAMETER = ("bad_parameter", 4400, False)
    BAD_COMMAND = ("bad_command", None, False)
    TOO_MANY_BAD_COMMANDS = ("too_many_bad_commands", 4400, False)
    TOO_MANY_FLUSHES = ("too_many_flushes", None, True)
    UNAUTHORIZED = ("unauthorized", 4401, False)
    QUOTA = ("quota_exceeded", 4402, False)
    FORBIDDEN = ("forbidden", 4403, False)
    NOT_SENDER = ("not_sender", None, False)
    STILL_NOT_SENDER = ("still_not_sender", 4403, False)
    NOT_FOUND = ("not_found", 4404, False)
    IDLE = ("idle_timeout", 4408, True)
    SENDER_CONFLICT = ("sender_conflict", 4409, True)
    SESSION_ENDED = ("session_ended", 4410, False)
    SUPERSEDED = ("superseded", 4411, False)
    FRAME_TOO_LARGE = ("frame_too_large", 4413, False)
    WRONG_FORMAT = ("wrong_format", 4415, False)
    MISALIGNED = ("misaligned_audio", 4422, False)
    NOT_FINITE = ("non_finite_audio", 4422, False)
    TOO_MANY_CONNECTIONS = ("too_many_connections", 4429, True)
    TOO_MANY_FRAMES = ("too_many_frames", 4429, False)
    SLOW_CONSUMER = ("slow_consumer", 4430, True)
    TOO_LONG = ("session_too_long", 4440, False)
    INTERNAL = ("internal", 4500, True)
    RECOGNITION_FAILED = ("recognition_failed", 4501, False)
    OVERLOADED = ("overloaded", 4503, True)
    GOING_AWAY = ("going_away", 4503, True)

    def __init__(self, code: str, close: int | None, is_retryable: bool) -> None:
        self.code = code
        self.close = close
        self.is_retryable = is_retryable


class ProtocolError(SessionsError):
    """The client is told this, and its socket closed if its code says so."""

    def __init__(
        self, code: ErrorCode, message: str, *, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after


# What clients ask for.


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A valid request for a socket."""

    session_key: str
    """Empty if another dialect's sender names none: `dialects.with_session`."""

    mode: Mode
    version: int = 1
    since: int = 0
    """Finals up to this number are known to the client already."""

    revision: int = 0
    """Changes up to this number are known to the client already."""

    resume: str = ""
    """Senders: the right to take over from an earlier connection, from its `hello`."""

    attempt: int = 0
    """Senders: number of this connection among those of its client, which grows; 0 if it counts none."""

    token: str = ""

    title: str = ""
    """Senders: what a session that this connection begins is called."""

    models: str = ""
    """Senders: name of the model set that is to recognise the session; empty for the default."""

    may_substitute: bool = False
    """Senders: a set that is not served means the default; other services have models of that name."""

    continues: str = ""
    """Senders: `resume` of a session that has ended, which this one goes on with."""

    expected: tuple[str, ...] = ()
    """Senders: ids of enrolled speakers who are expected in a new session."""

    itn: bool | None = None
    """Senders: whether lines of a new session have their numbers in digits; None if they do not say."""

    script: str = ""
    """Senders: in which characters lines of a new session are written; empty if they do not say."""

    language: str = ""
    """Senders: code of the language that is spoken in a new session; empty: it is found out."""

    translate: str = ""
    """Senders: the language into which lines of a new session are translated; empty for none."""

    translation: int | None = None
    """Receivers: translations up to this number are known to the client; None: it wants none."""

    rules: tuple[tuple[str, str], ...] = ()
    """Senders: rules for writing, of a new session alone: what is heard, what is written."""

    hotwords: tuple[Hotword, ...] = ()
    """Senders: words that are likely to be said in a new session."""

    may_leave_out: bool = False
    """Senders: hotwords and languages that the models do not know are left out; else they are an error."""

    stays: bool = False
    """Receivers: goes on after the end of the session, to be told of corrections."""


def parse_join(session_key: str, query: str) -> JoinRequest:
    """Understand the address of a socket.

    Args:
        session_key: The path's last part, percent-decoded.
        query: The query string, undecoded.

    Raises:
        ProtocolError: BAD_SESSION_ID, BAD_MODE or BAD_PARAMETER.
    """
    parameters = parse_qs(query, keep_blank_values=True)
    version = _number(parameters, "v", default=1)
    if version not in VERSIONS:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, f"there is no version {version}: use 1 or 2", param="v")
    return JoinRequest(
        session_key=parse_session_key(session_key),
        mode=_mode(parameters),
        version=version,
        since=_number(parameters, "since", default=0),
        revision=_number(parameters, "revision", default=0),
        resume=_single(parameters, "resume"),
        attempt=_number(parameters, "attempt", default=0),
        token=_single(parameters, "token"),
        title=_title(parameters),
        models=_single(parameters, "models"),
        continues=_single(parameters, "continues"),
        expected=_expected(parameters),
        itn=_flag(parameters, "itn"),
        script=_script(parameters),
        language=_language(parameters),
        translate=_translate(parameters),
        translation=_number(parameters, "translation", default=0) if "translation" in parameters else None,
        hotwords=_hotwords(parameters),
        stays=_number(parameters, "stay", default=0) > 0,
    )


def parse_session_key(key: str) -> str:
    """Return a session id in its one spelling (NFC), if it can be one.

    Any script will do. Left out is what nobody can see or what changes the meaning of an address: control
    characters, blanks, slashes, bytes that were no UTF-8.

    Raises:
        ProtocolError: BAD_SESSION_ID.
    """
    key = unicodedata.normalize("NFC", key)
    if not key:
        raise ProtocolError(ErrorCode.BAD_SESSION_ID, "the session id is empty", param="session_id")
    if len(key) > MAX_SESSION_ID_LENGTH:
        raise ProtocolError(
            ErrorCode.BAD_SESSION_ID,
            f"the session id has {len(key)} characters; at most {MAX_SESSION_ID_LENGTH} are allowed",
            param="session_id",
        )
    for character in key:
        if unicodedata.category(character)[0] in "CZ" or character in "/\\\ufffd":
            raise ProtocolError(
                ErrorCode.BAD_SESSION_ID,
                f"the session id has U+{ord(character):04X}, which is not allowed: "
                "no control characters, blanks, slashes or bytes that are not UTF-8",
                param="session_id",
            )
    if not is_plain(key):
        raise ProtocolError(
            ErrorCode.BAD_SESSION_ID,
            "the session id has characters that cannot be seen, or more marks on one than can be read",
            param="session_id",
        )
    if set(key) == {"."}:
        raise ProtocolError(ErrorCode.BAD_SESSION_ID, "a session id cannot be all dots", param="session_id")
    return key


class Close:
    """The sender's word that the audio is over."""


class Flush:
    """The sender's word that the utterance ends here."""


def parse_command(text: str, *, may_flush: bool = False) -> Close | Flush:
    """Understand a text message of the sender.

    Args:
        may_flush: Whether its version has this command.

    Raises:
        ProtocolError: BAD_COMMAND.
    """
    if text == "close":
        return Close()
    try:
        message = read_json(text)
    except ValueError:
        message = None
    if isinstance(message, dict) and message.get("type") == "close":
        return Close()
    if may_flush and isinstance(message, dict) and message.get("command") == "flush":
        return Flush()
    raise ProtocolError(
        ErrorCode.BAD_COMMAND, f'{text[:40]!r} is no command; "close" ends the session', param="text"
    )


def _mode(parameters: Mapping[str, list[str]]) -> Mode:
    values = parameters.get("mode", [])
    if len(values) > 1:
        raise ProtocolError(
            ErrorCode.BAD_MODE, f"mode is given {len(values)} times: give it once", param="mode"
        )
    if not values or values[0] not in tuple(Mode):
        said = f"mode={values[0]!r:.40} is unknown" if values else "mode is missing"
        raise ProtocolError(ErrorCode.BAD_MODE, f"{said}: use mode=sender or mode=receiver", param="mode")
    return Mode(values[0])


def _title(parameters: Mapping[str, list[str]]) -> str:
    title = one_line(_single(parameters, "title"))
    if len(title) > MAX_TITLE_LENGTH:
        raise ProtocolError(
            ErrorCode.BAD_PARAMETER,
            f"the title has {len(title)} characters; at most {MAX_TITLE_LENGTH} are allowed",
            param="title",
        )
    return title


def _expected(parameters: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the ids of speakers, given one by one or with commas between them; each once."""
    given = [key for value in parameters.get("expected", []) for key in value.split(",") if key]
    if len(given) > MAX_EXPECTED:
        raise ProtocolError(
            ErrorCode.BAD_PARAMETER,
            f"{len(given)} speakers are expected; at most {MAX_EXPECTED} are allowed",
            param="expected",
        )
    try:
        return tuple(dict.fromkeys(str(uuid.UUID(key)) for key in given))
    except ValueError:
        raise ProtocolError(
            ErrorCode.BAD_PARAMETER,
            "expected takes ids of enrolled speakers, with commas between them",
            param="expected",
        ) from None


def _hotwords(parameters: Mapping[str, list[str]]) -> tuple[Hotword, ...]:
    try:
        return checked(_single(parameters, "hotwords"))
    except BadHotwords as error:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, f"hotwords: {error}", param="hotwords") from None


def _flag(parameters: Mapping[str, list[str]], name: str) -> bool | None:
    value = _single(parameters, name)
    if value not in ("", "0", "1"):
        raise ProtocolError(ErrorCode.BAD_PARAMETER, f"{name}={value[:40]!r} is neither 0 nor 1", param=name)
    return value == "1" if value else None


def _script(parameters: Mapping[str, list[str]]) -> str:
    try:
        return languages.checked_script(_single(parameters, "script"), _single(parameters, "language"))
    except languages.BadScript as error:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, str(error), param="script") from None


def _language(parameters: Mapping[str, list[str]]) -> str:
    try:
        return languages.checked(_single(parameters, "language"))
    except languages.BadLanguage as error:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, str(error), param="language") from None


def _translate(parameters: Mapping[str, list[str]]) -> str:
    language = _single(parameters, "translate")
    if language not in ("", *LANGUAGES):
        raise ProtocolError(
            ErrorCode.BAD_PARAMETER,
            f"translate={language[:40]!r} is none of {', '.join(LANGUAGES)}",
            param="translate",
        )
    return language


def _single(parameters: Mapping[str, list[str]], name: str) -> str:
    return parameters.get(name, [""])[-1]


def _number(parameters: Mapping[str, list[str]], name: str, *, default: int) -> int:
    value = _single(parameters, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise ProtocolError(ErrorCode.BAD_PARAMETER, f"{name}={value[:40]!r} is no whole number", param=name)
    return int(value)


# What the server tells.


@dataclass(frozen=True, slots=True)
class SpeakerRef:
    """Speaker of a line."""

    speaker_id: str = ""
    speaker_name: str = ""
    score: float | None = None
    is_enrolled: bool = False
    number: int | None = None
    """Of somebody unknown: a page says "Speaker 1" in its reader's language."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or one Chinese character, in the text of a line: `text[begin:stop]`."""

    begin: int
    stop: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class OverlapRef:
    """Somebody else who speaks during a line, without words of their own; perhaps beyond it."""

    speaker_id: str
    speaker_name: str
    start_ms: int
    end_ms: int
    number: int | None = None
    """As of `SpeakerRef`."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A piece of a line, `text[begin:stop]`, that is written otherwise than it was heard."""

    begin: int
    stop: int
    heard: str
    by_rule: bool = False
    """By a rule of a person; otherwise a number in digits."""


@dataclass(frozen=True, slots=True)
class Line:
    """A final: number `seq` of its session; 0 for a line that a person added."""

    line_id: int
    seq: int
    start_ms: int
    end_ms: int
    text: str
    spoken: SpeakerRef
    is_edited: bool = False
    """Whether a person corrected its text."""

    overlaps: tuple[OverlapRef, ...] = ()
    """In the order of their start. Lines may overlap as well: then both have their words."""

    changes: tuple[Rewrite, ...] = ()
    """In their order; none where a person has edited."""

    language: str = ""
    emotion: str = ""
    events: str = ""
    """How it sounded, from models that hear more than words; events have spaces between them."""

    words: tuple[Word, ...] = field(default=(), compare=False)
    """For clients that ask for them alone: see `Capabilities.wants_words`."""

    @property
    def heard(self) -> str:
        """Return the text with every change taken back."""
        text = self.text
        for change in reversed(self.changes):
            text = text[: change.begin] + change.heard + text[change.stop :]
        return text


@dataclass(frozen=True, slots=True)
class PartialLine:
    """Text of the open utterance; replaced by the next one, gone with the next final."""

    start_ms: int
    text: str
    tail: str = ""
    """What probably follows; the next one may have another."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A line that was final before now reads like this. Revisions of a session are numbered."""

    revision: int
    line: Line
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of a version 2 socket."""

    session_key: str
    mode: Mode
    epoch: int
    state: str
    last_seq: int
    last_revision: int
    resume_from: int = 0
    """Senders: position (in samples) from which to send audio."""

    resume: str = ""
    """Senders: shows the right to take over when reconnecting."""

    limits: Mapping[str, float] | None = None
    models: str = ""
    """Name of the model set that recognises the session; empty while there is no session."""

    expected: Sequence[str] = ()
    """Senders: ids of the speakers who are expected in the session."""

    itn: bool = False
    """Senders: whether lines of the session have their numbers in digits."""

    script: str = SIMPLIFIED
    """Senders: in which characters lines of the session are written."""

    language: str = ""
    """Senders: code of the language that is spoken; empty: it is found out, or the models know one."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Senders: positions up to which audio has come, and up to which it need never be sent again."""

    received: int
    durable: int


@dataclass(frozen=True, slots=True)
class Flushed:
    """Senders: the utterance that was to end at this position has, and all lines before it were told."""

    position: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class StateChange:
    """The session is live, paused, draining, ended or going_away."""

    state: str
    until: str = ""
    """Paused: for how long its sender is waited for, a time in ISO 8601; empty if nobody knows."""


@dataclass(frozen=True, slots=True)
class NotesChange:
    """The notes of the session have changed so many times: whoever shows them asks for them."""

    number: int


@dataclass(frozen=True, slots=True)
class Translations:
    """Lines in another language, up to a number; what was told of another one does not count any more."""

    number: int
    language: str
    """As in `minutes.languages`; empty for none."""

    texts: tuple[tuple[int, str], ...] = ()
    """Each the id of a line, and what it says."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The confirmation that a sender waits for after its "close"; or another end, which it did not ask for.

    Positions are samples.
    """

    last_seq: int
    received: int
    """The end of the audio that is kept: who recorded more goes on with the rest in another session."""

    recognised: int
    closed_by: ClosedBy = ClosedBy.SENDER

    @property
    def received_s(self) -> float:
        return self.received / SAMPLE_RATE

    @property
    def recognised_s(self) -> float:
        return self.recognised / SAMPLE_RATE

    @property
    def has_failed(self) -> bool:
        """Tell whether recognition could not go on; what was received is recorded."""
        return self.closed_by == ClosedBy.FAILURE


Message = (
    Line
    | PartialLine
    | Revision
    | Hello
    | Ack
    | Flushed
    | StateChange
    | NotesChange
    | Translations
    | SessionEnd
)

_EMPTY: dict[str, Any] = {"asr": "", "spk": {}}


def encode(message: Message, *, version: int) -> str | None:
    """Return the JSON text of a message; None if this version does not have it."""
    match message:
        case Line():
            body = line_fields(message) | {"final": True} if version >= 2 else _line(message)
        case SessionEnd():
            body = _end(message, version=version)
        case _ if version < 2:
            return None
        case PartialLine(start_ms, text, tail):
            body = {"asr": text, "spk": {}, "final": False, "start_ms": start_ms}
            body |= {"tail": tail} if tail else {}
        case Revision(revision, line, is_removed):
            body = _event("revise", revision=revision, removed=is_removed, line=line_fields(line))
        case Hello():
            body = _hello(message)
        case Ack(received, durable):
            body = _event("ack", received=received, durable=durable)
        case Flushed(position, last_seq):
            body = _event("flushed", position=position, seq=last_seq)
        case StateChange(state, until):
            body = _event("session", state=state, **({"until": until} if until else {}))
        case NotesChange(number):
            body = _event("notes", number=number)
        case Translations(number, language, texts):
            lines = [{"id": key, "text": text} for key, text in texts]
            body = _event("translations", number=number, language=language, lines=lines)
    return json.dumps(body, ensure_ascii=False)


def encode_error(error: ProtocolError) -> str:
    """Return the JSON text that says what is wrong, in both versions."""
    code = error.code
    body = _EMPTY | {
        "error": {
            "code": code.code,
            "message": error.message,
            "close": code.close,
            "retryable": code.is_retryable,
            "retry_after": error.retry_after,
            "param": error.param,
        }
    }
    return json.dumps(body, ensure_ascii=False)


def line_fields(line: Line) -> dict[str, Any]:
    """Return a line as version 2 writes it: every field, also one that is added to `Line` tomorrow.

    Only what its sound is known to be is left out where it is not known.
    """
    more = {_WIRE_NAMES.get(name, name): getattr(line, name) for name in _MORE}
    spoken = _said_by(line.spoken) | {"number": line.spoken.number}
    overlaps = [asdict(overlap) for overlap in line.overlaps]
    changes = [asdict(change) for change in line.changes]
    return _line(line) | {"spk": spoken} | more | {"overlaps": overlaps, "changes": changes} | _sound(line)


def _sound(line: Line) -> dict[str, Any]:
    known = {"language": line.language, "emotion": line.emotion, "events": line.events.split()}
    return {name: value for name, value in known.items() if value}


_VERSION_1 = ("text", "spoken", "seq", "start_ms", "end_ms")
_IN_OTHER_WORDS = ("words", "language", "emotion", "events")
_MORE = tuple(field.name for field in fields(Line) if field.name not in (*_VERSION_1, *_IN_OTHER_WORDS))
_WIRE_NAMES = {"text": "asr", "spoken": "spk", "line_id": "id", "is_edited": "edited"}
"""What clients call a field, where it is not called the same."""


def _line(line: Line) -> dict[str, Any]:
    """Return a line as version 1 writes it, for good."""
    body = {_WIRE_NAMES.get(name, name): getattr(line, name) for name in _VERSION_1}
    return body | {"spk": _said_by(line.spoken)}


def _said_by(spoken: SpeakerRef) -> dict[str, Any]:
    return {
        "speaker_id": spoken.speaker_id,
        "speaker_name": spoken.speaker_name,
        "score": None if spoken.score is None else round(spoken.score, 4),
        "enrolled": spoken.is_enrolled,
    }


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return _EMPTY | {"event": {"type": kind, **fields}}


def _end(end: SessionEnd, *, version: int) -> dict[str, Any]:
    more = {"received": end.received, "closed_by": end.closed_by} if version >= 2 else {}
    return _event(
        "session_end",
        seq=end.last_seq,
        received_s=round(end.received_s, 3),
        recognised_s=round(end.recognised_s, 3),
        **more,
    )


def _hello(hello: Hello) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "session_id": hello.session_key,
        "mode": str(hello.mode),
        "version": 2,
        "epoch": hello.epoch,
        "state": hello.state,
        "seq": hello.last_seq,
        "revision": hello.last_revision,
        "models": hello.models,
    }
    if hello.mode is Mode.SENDER:
        fields |= {"resume_from": hello.resume_from, "resume": hello.resume}
        fields |= {"expected": list(hello.expected), "itn": hello.itn}
        fields |= {"script": hello.script, "language": hello.language}
    return _event("hello", **fields, limits=dict(hello.limits or {}))
