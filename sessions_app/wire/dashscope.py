"""Alibaba Cloud's Paraformer in real time, as DashScope's libraries speak to it. Pure.

A task is a session. Its sentences are utterances: one is told again and again, longer each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .client_fields import any_bearer, choice_of, fields_of, number_of, read_fields, sender_request, text_of
from .dialects import Ask, Audio, Capabilities, Command, Dialect, Handshake, Join, Refusal, Reply
from .pcm import PcmFormat
from .protocol import (
    Close,
    ErrorCode,
    Hello,
    JoinRequest,
    Line,
    Message,
    PartialLine,
    ProtocolError,
    SessionEnd,
)
from .riff import RiffReader

LINGER_S = 60.0
FIRST_MESSAGE_S = 60.0
MAX_FIRST_BYTES = 2 * 1024 * 1024

FORMATS = ("pcm", "wav")

ERROR_NAMES = {
    ErrorCode.UNAUTHORIZED: "InvalidApiKey",
    ErrorCode.FORBIDDEN: "AccessDenied",
    ErrorCode.QUOTA: "Throttling.AllocationQuota",
    ErrorCode.OVERLOADED: "Throttling.RateQuota",
    ErrorCode.TOO_MANY_CONNECTIONS: "Throttling",
    ErrorCode.IDLE: "ResponseTimeout",
    ErrorCode.INTERNAL: "InternalError",
    ErrorCode.RECOGNITION_FAILED: "InternalError",
    ErrorCode.GOING_AWAY: "ServiceUnavailable",
}
"""As the service calls them; what is not here is a wrong parameter."""

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """All that a client says of a task."""

    name: str = ""
    model: str = ""
    rate: int = 16_000
    format: str = "pcm"
    itn: bool | None = None


class DashScope(Dialect):
    """One socket, with one task after the other."""

    name: ClassVar[str] = "dashscope"
    first_message_s: ClassVar[float | None] = FIRST_MESSAGE_S
    max_first_bytes: ClassVar[int | None] = MAX_FIRST_BYTES

    def __init__(self) -> None:
        self._token = ""
        self._task = self._answered = Task()  # the one whose audio comes, and the one that is answered
        self._riff: RiffReader | None = None  # of a task that goes on
        self._has_joined = False
        self._ends = 0  # tasks that the client has finished, and that are not answered to the end
        self._sentence = 0
        self._speakers: dict[str, int] = {}

    # What the client says.

    def open(self, handshake: Handshake) -> Sequence[Command]:
        self._token = any_bearer(handshake.headers)
        return [Ask(sender_request(token=self._token))]

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return self._receive_audio(data)
        message = read_fields(text)
        header = fields_of(message or {}, "header")
        answers: dict[str, Callable[[Fields, Fields], Sequence[Command]]] = {
            "run-task": self._run,
            "finish-task": self._finish,
        }
        action = text_of(header, "action")
        if message is None or action not in answers:
            raise ProtocolError(
                ErrorCode.BAD_COMMAND, f"action={action[:40]!r} is unknown: use {' or '.join(answers)}"
            )
        return answers[action](header, fields_of(message, "payload"))

    def _run(self, header: Fields, payload: Fields) -> Sequence[Command]:
        parameters = fields_of(payload, "parameters")
        task = Task(
            name=text_of(header, "task_id")[:64],
            model=text_of(payload, "model"),
            rate=number_of(parameters, "sample_rate", 16_000),
            format=text_of(parameters, "format", "pcm").lower(),
            itn=choice_of(parameters, "inverse_text_normalization_enabled"),
        )
        if not self._ends and self._riff is None:
            self._answered = task
        self._task = task
        if task.format not in FORMATS:
            raise ProtocolError(
                ErrorCode.WRONG_FORMAT, f"format={task.format[:40]!r} is not taken here: use pcm or wav"
            )
        self._riff, self._has_joined = RiffReader(PcmFormat("s16le", task.rate)), False
        return [Ask(self._request()), Reply([_event(task, "task-started")])]

    def _receive_audio(self, data: bytes) -> Sequence[Command]:
        samples = self._riff.receive(data) if self._riff else b""
        return [*self._join(), Audio(samples)] if samples else []

    def _join(self) -> Sequence[Command]:
        if self._has_joined or not self._riff:
            return []
        self._has_joined = True
        capabilities = Capabilities(
            wants_events=True,
            wants_end=True,
            wants_words=True,
            lingers_s=LINGER_S,
            ends_by_leaving=True,
            pcm=self._riff.format,
        )
        return [Join(self._request(), capabilities)]

    def _finish(self, header: Fields, payload: Fields) -> Sequence[Command]:
        if self._riff is None:
            return []
        rest = self._riff.flush()
        audio = [*self._join(), Audio(rest)] if rest else []
        self._riff = None
        if self._has_joined:
            self._ends += 1
            return [*audio, Close()]
        return [Reply([_event(self._task, "task-finished", {"output": {}, "usage": None})])]

    def _request(self) -> JoinRequest:
        return sender_request(token=self._token, model=self._task.model, itn=self._task.itn)

    # What it is told.

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Hello():
                self._answered, self._sentence, self._speakers = self._task, 1, {}
            case PartialLine():
                return [self._result(_sentence(self._sentence, message.start_ms, message.text), None)]
            case Line():
                return [self._line(message)]
            case SessionEnd():
                return self._session_end()
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        header = {
            "task_id": self._answered.name,
            "event": "task-failed",
            "error_code": ERROR_NAMES.get(error.code, "InvalidParameter"),
            "error_message": error.message,
            "attributes": {},
        }
        return Refusal([_json({"header": header, "payload": {}})], error.code.close)

    def _line(self, line: Line) -> str:
        sentence = _sentence(self._sentence, line.start_ms, line.text) | {
            "end_time": line.end_ms,
            "sentence_end": True,
            "words": _words(line),
        }
        self._sentence += 1
        if key := line.spoken.speaker_id:
            sentence["speaker_id"] = self._speakers.setdefault(key, len(self._speakers))
            sentence["speaker_name"] = line.spoken.speaker_name
        return self._result(sentence, {"duration": -(-line.end_ms // 1000)})

    def _session_end(self) -> Sequence[str]:
        if self._ends:
            self._ends -= 1
        else:
            self._riff = None  # it was ended by somebody else
        return [_event(self._answered, "task-finished", {"output": {}, "usage": None})]

    def _result(self, sentence: Fields, usage: Fields | None) -> str:
        payload = {"output": {"sentence": sentence}, "usage": usage}
        return _event(self._answered, "result-generated", payload)


def _sentence(number: int, start_ms: int, text: str) -> Fields:
    return {
        "sentence_id": number,
        "begin_time": start_ms,
        "end_time": None,
        "text": text,
        "heartbeat": False,
        "sentence_end": False,
        "words": [],
    }


def _words(line: Line) -> list[Fields]:
    """Return the words with the marks behind them."""
    ends = [*(word.begin for word in line.words[1:]), len(line.text)]
    return [
        {
            "begin_time": word.start_ms,
            "end_time": word.end_ms,
            "text": line.text[word.begin : word.stop],
            "punctuation": line.text[word.stop : end].strip(),
        }
        for word, end in zip(line.words, ends if line.words else [], strict=True)
    ]


def _event(task: Task, name: str, payload: Fields | None = None) -> str:
    header = {"task_id": task.name, "event": name, "attributes": {}}
    return _json({"header": header, "payload": payload or {}})


def _json(fields: Fields) -> str:
    return json.dumps(fields, ensure_ascii=False)
