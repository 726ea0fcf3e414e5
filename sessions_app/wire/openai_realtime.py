"""OpenAI's Realtime API, as far as it transcribes: `/v1/realtime?intent=transcription`, and its beta. Pure.

One item is one line; who detects the ends of turns alone (`turn_detection: null`) gets one item a commit.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from recognition.hotwords import together

from .client_fields import (
    any_bearer,
    fields_of,
    number_of,
    query_fields,
    read_fields,
    sender_request,
    text_of,
)
from .dialects import Ask, Audio, Capabilities, Command, Dialect, Handshake, Join, Refusal, Reply
from .hotword_lists import of_json, usable, usable_words
from .increments import Increments, joined
from .pcm import PcmFormat
from .protocol import (
    ErrorCode,
    Flush,
    Flushed,
    JoinRequest,
    Line,
    Message,
    PartialLine,
    ProtocolError,
    SessionEnd,
)

SUBPROTOCOL = "realtime"
KEY_PREFIX = "openai-insecure-api-key."

FIRST_MESSAGE_S = 300.0
MAX_FIRST_BYTES = 2 * 1024 * 1024

DEFAULT_RATE = 24_000
FORMATS = {
    "audio/pcm": ("s16le", DEFAULT_RATE),
    "audio/pcmu": ("mulaw", 8_000),
    "audio/pcma": ("alaw", 8_000),
    "pcm16": ("s16le", DEFAULT_RATE),
    "g711_ulaw": ("mulaw", 8_000),
    "g711_alaw": ("alaw", 8_000),
}
BETA_NAMES = {
    "input_audio_format": "format",
    "input_audio_transcription": "transcription",
    "turn_detection": "turn_detection",
    "input_audio_noise_reduction": "noise_reduction",
}

SERVER_FAULTS = (ErrorCode.INTERNAL, ErrorCode.RECOGNITION_FAILED, ErrorCode.OVERLOADED, ErrorCode.GOING_AWAY)

Fields = dict[str, Any]


class OpenAiRealtime(Dialect):
    """One socket, which is one session from its first audio on."""

    name: ClassVar[str] = "openai"
    first_message_s: ClassVar[float | None] = FIRST_MESSAGE_S
    max_first_bytes: ClassVar[int | None] = MAX_FIRST_BYTES

    def __init__(self) -> None:
        self._token = ""
        self._input: Fields = {
            "format": {"type": "audio/pcm", "rate": DEFAULT_RATE},
            "transcription": None,
            "turn_detection": {"type": "server_vad"},
            "noise_reduction": None,
        }
        self._is_beta = False
        self._has_joined = False
        self._has_audio = False  # since the last commit
        self._event_count = 0
        self._items = Items()
        self._increments = Increments()
        self._turn: Turn | None = None  # of a client that says where it ends

    # What the client says.

    def open(self, handshake: Handshake) -> Sequence[Command]:
        offered = handshake.subprotocols
        self.subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        keys = [each.removeprefix(KEY_PREFIX) for each in offered if each.startswith(KEY_PREFIX)]
        self._token = any_bearer(handshake.headers) or next(iter(keys), "")
        if model := query_fields(handshake.query).get("model"):
            self._input["transcription"] = {"model": model}
        return [Ask(self._request()), Reply([self._session_event("created")])]

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        event = read_fields(text) if data is None else None
        if event is None:
            raise _bad("a message must be a JSON object with a type; audio is sent as base64")
        answers: dict[str, Callable[[Fields], Sequence[Command]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update_beta,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
        }
        kind = text_of(event, "type")
        if kind not in answers:
            raise _bad(f"type={kind[:40]!r} is unknown: use one of {', '.join(answers)}", param="type")
        return answers[kind](event)

    def _update(self, event: Fields) -> Sequence[Command]:
        self._is_beta = False
        return self._change(fields_of(event, "session", "audio", "input"))

    def _update_beta(self, event: Fields) -> Sequence[Command]:
        self._is_beta = True
        session = fields_of(event, "session")
        changes = {name: session[beta] for beta, name in BETA_NAMES.items() if beta in session}
        if isinstance(kind := changes.get("format"), str):
            changes["format"] = {"type": kind}
        return self._change(changes)

    def _change(self, changes: Fields) -> Sequence[Command]:
        """Take over the fields that are there, if they are such, and ask again if they name a model."""
        known = {name: changes[name] for name in self._input.keys() & changes.keys()}
        fields = {name: value for name, value in known.items() if value is None or isinstance(value, dict)}
        wanted = self._input | fields
        if self._has_joined and _format(wanted) != _format(self._input):
            raise _bad("the format of the audio cannot change any more", param="session.audio.input.format")
        self._input = wanted
        asks = [] if self._has_joined else [Ask(self._request())]
        return [*asks, Reply([self._session_event("updated")])]

    def _append(self, event: Fields) -> Sequence[Command]:
        try:
            audio = base64.b64decode(text_of(event, "audio"), validate=True)
        except (ValueError, binascii.Error):
            raise _bad("audio is no base64", param="audio") from None
        if not audio:
            return []
        self._has_audio = True
        if self._has_joined:
            return [Audio(audio)]
        capabilities = Capabilities(
            wants_events=True,
            wants_end=True,
            ends_by_leaving=True,
            has_binary_audio=False,
            pcm=_format(self._input),
        )
        self._has_joined = True
        return [Join(self._request(), capabilities), Audio(audio)]

    def _commit(self, _: Fields) -> Sequence[Command]:
        had_audio, self._has_audio = self._has_audio, False
        return [Flush()] if had_audio else []

    def _clear(self, _: Fields) -> Sequence[Command]:
        return [Reply([self._event("input_audio_buffer.cleared")])]

    def _request(self) -> JoinRequest:
        wanted = fields_of(self._input, "transcription")
        words = together(usable_words(of_json(wanted.get("keywords"))), usable(text_of(wanted, "prompt")))
        language = text_of(wanted, "language")
        model = text_of(wanted, "model")
        return sender_request(token=self._token, model=model, language=language, hotwords=words)

    @property
    def _has_own_turns(self) -> bool:
        return self._input["turn_detection"] is None

    # What it is told.

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case PartialLine():
                return self._partial(message)
            case Line() if self._has_own_turns:
                self._current_turn().lines.append(message)
                self._increments.of_line(message)
                return []
            case Line():
                return self._line(message)
            case Flushed() if self._has_own_turns:
                return self._finish_turn()
            case SessionEnd() if self._turn:
                return self._finish_turn()
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        if error.code is ErrorCode.TOO_MANY_FLUSHES:
            return Refusal([], None)  # clients take every error for the end
        fields = {
            "type": "server_error" if error.code in SERVER_FAULTS else "invalid_request_error",
            "code": error.code.code,
            "message": error.message,
            "param": error.param,
            "event_id": None,
        }
        return Refusal([self._event("error", error=fields)], error.code.close)

    def _partial(self, partial: PartialLine) -> Sequence[str]:
        new = self._increments.of_partial(partial, in_order=self._has_own_turns)
        if not new:
            return []
        if self._has_own_turns:
            return [self._delta(self._current_turn().item, new)]
        item, is_new = self._items.at(partial.start_ms)
        begins = [self._began(item, partial.start_ms)] if is_new else []
        return [*begins, self._delta(item, new)]

    def _line(self, line: Line) -> Sequence[str]:
        self._increments.of_line(line)
        item, is_new = self._items.take(line)
        stopped = self._event("input_audio_buffer.speech_stopped", audio_end_ms=line.end_ms, item_id=item)
        begins = [self._began(item, line.start_ms)] if is_new else []
        return [*begins, stopped, *self._completed(item, [line])]

    def _current_turn(self) -> Turn:
        if self._turn is None:
            self._turn = Turn(self._items.new())
        return self._turn

    def _finish_turn(self) -> Sequence[str]:
        turn, self._turn = self._current_turn(), None
        self._increments.end_utterance()
        return self._completed(turn.item, turn.lines)

    def _completed(self, item: str, lines: Sequence[Line]) -> Sequence[str]:
        """Return the events of an item of which nothing more will be said."""
        previous, self._items.previous = self._items.previous, item
        content = {"type": "input_audio", "transcript": None}
        whole = {
            "id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": [content],
        }  # fmt: skip
        seconds = sum(line.end_ms - line.start_ms for line in lines) / 1000
        return [
            self._event("input_audio_buffer.committed", item_id=item, previous_item_id=previous),
            self._event(
                "conversation.item.created" if self._is_beta else "conversation.item.added",
                previous_item_id=previous,
                item=whole,
            ),
            *(self._segment(item, line) for line in lines),
            self._said(
                item,
                "completed",
                transcript=joined(line.text for line in lines),
                usage={"type": "duration", "seconds": round(seconds, 3)},
            ),
        ]

    def _segment(self, item: str, line: Line) -> str:
        return self._said(
            item,
            "segment",
            id=f"seg_{line.seq}",
            start=line.start_ms / 1000,
            end=line.end_ms / 1000,
            speaker=line.spoken.speaker_name,
            text=line.text,
        )

    def _began(self, item: str, start_ms: int) -> str:
        return self._event("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=item)

    def _delta(self, item: str, text: str) -> str:
        return self._said(item, "delta", delta=text)

    def _said(self, item: str, kind: str, **fields: Any) -> str:
        name = f"conversation.item.input_audio_transcription.{kind}"
        return self._event(name, item_id=item, content_index=0, **fields)

    def _session_event(self, what: str) -> str:
        kind = "transcription_session" if self._is_beta else "session"
        return self._event(f"{kind}.{what}", session=self._session())

    def _session(self) -> Fields:
        session = {"id": "sess_1", "object": "realtime.transcription_session", "include": None}
        if not self._is_beta:
            return session | {"type": "transcription", "audio": {"input": self._input}}
        fields = {beta: self._input[name] for beta, name in BETA_NAMES.items()}
        return session | fields | {"input_audio_format": fields_of(self._input, "format").get("type")}

    def _event(self, kind: str, **fields: Any) -> str:
        self._event_count += 1
        event = {"type": kind, "event_id": f"event_{self._event_count}"} | fields
        return json.dumps(event, ensure_ascii=False)


class Turn:
    """All that was said between two commits."""

    def __init__(self, item: str) -> None:
        self.item = item
        self.lines: list[Line] = []


class Items:
    """Names of items, given when something is heard of a line for the first time."""

    def __init__(self) -> None:
        self.previous: str | None = None
        self._count = 0
        self._open: dict[int, str] = {}

    def new(self) -> str:
        self._count += 1
        return f"item_{self._count}"

    def at(self, start_ms: int) -> tuple[str, bool]:
        """Return the item of the utterance that begins there, and whether it is new."""
        is_new = start_ms not in self._open
        if is_new:
            self._open[start_ms] = self.new()
        return self._open[start_ms], is_new

    def take(self, line: Line) -> tuple[str, bool]:
        """Return the item of a line, of which nothing more will be heard, and whether it is new."""
        begun = [start_ms for start_ms in self._open if start_ms < line.end_ms]
        return (self._open.pop(begun[0]), False) if begun else (self.new(), True)


def _format(wanted: Fields) -> PcmFormat:
    """Return the format of the audio.

    Raises:
        ProtocolError: BAD_COMMAND or BAD_PARAMETER, if there is none such.
    """
    chosen = fields_of(wanted, "format")
    kind = text_of(chosen, "type", "audio/pcm")
    if kind not in FORMATS:
        raise _bad(f"{kind[:40]!r} is no format: use audio/pcm, audio/pcmu or audio/pcma", param="format")
    encoding, rate = FORMATS[kind]
    return PcmFormat(encoding, number_of(chosen, "rate", rate))


def _bad(message: str, param: str | None = None) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_COMMAND, message, param=param)
