"""OpenAI's API for whole recordings, `/v1/audio/transcriptions`: its parameters, answers and errors. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client_fields import sender_request
from .hotword_lists import usable
from .increments import joined
from .protocol import ErrorCode, JoinRequest, Line, ProtocolError

FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
WRITTEN = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}
"""Formats that are no JSON, with their types."""

UNSUPPORTED = ("known_speaker_names[]", "known_speaker_references[]")

STATUSES = {ErrorCode.QUOTA: 429, ErrorCode.TOO_LONG: 413, ErrorCode.RECOGNITION_FAILED: 500}
"""Where a status is not what the close code says."""

Form = Mapping[str, Sequence[str]]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request to transcribe a recording."""

    join: JoinRequest
    format: str = "json"
    is_streaming: bool = False
    has_words: bool = False


def understand(form: Form, *, file_name: str, token: str) -> Wishes:
    """Understand a form; fields that nobody knows are ignored.

    Raises:
        ProtocolError: BAD_PARAMETER.
    """
    format_ = _last(form, "response_format") or "json"
    if format_ not in FORMATS:
        raise _refusal(
            f"response_format={format_[:40]!r} is unknown: use one of {', '.join(FORMATS)}", "response_format"
        )
    for name in UNSUPPORTED:
        if name in form:
            raise _refusal(
                "speakers are not enrolled by a request: they have to consent", name.removesuffix("[]")
            )
    if _last(form, "store").lower() == "false":
        raise _refusal("every recording is kept as a session: delete it afterwards", "store")
    model = _last(form, "model")
    if not model:
        raise _refusal("model is missing: name one, as whisper-1", "model")
    return Wishes(
        sender_request(
            token=token,
            title=file_name,
            model=model,
            language=_last(form, "language"),
            hotwords=usable(_last(form, "prompt")),
        ),
        format=format_,
        is_streaming=_last(form, "stream").lower() == "true" and format_ not in WRITTEN,
        has_words="word" in form.get("timestamp_granularities[]", ()),
    )


def answer(wishes: Wishes, lines: Sequence[Line], duration_s: float) -> str:
    """Return the whole transcript as JSON, or as plain text; subtitles are made elsewhere."""
    text = joined(line.text for line in lines)
    if wishes.format == "text":
        return text + "\n"
    usage = {"type": "duration", "seconds": max(1, round(duration_s))}
    match wishes.format:
        case "diarized_json":
            segments = [_diarized(number, line) for number, line in enumerate(lines)]
            fields: Fields = {
                "task": "transcribe",
                "duration": duration_s,
                "text": text,
                "segments": segments,
            }
        case "verbose_json":
            fields = _verbose(lines, text, duration_s)
            if wishes.has_words:
                fields["words"] = [word for line in lines for word in _words(line)]
        case _:
            fields = {"text": text}
    return as_json(fields | {"usage": usage})


def events_of(wishes: Wishes, line: Line, number: int, before: str) -> list[str]:
    """Return the events of a stream for one more line.

    Args:
        before: All of the text so far.
    """
    if wishes.format == "diarized_json":
        return [_event("segment", **_diarized(number, line, with_type=False))]
    return [_event("delta", delta=joined([before, line.text])[len(before) :])]


def last_events(text: str) -> list[str]:
    """Return the events that end a stream."""
    return [_event("done", text=text), "data: [DONE]\n\n"]


def error_event(error: ProtocolError) -> str:
    return f"data: {as_json({'type': 'error'} | error_fields(error))}\n\n"


def error_fields(error: ProtocolError) -> Fields:
    """Return an error as the API's libraries read it."""
    is_ours = status_of(error) >= 500
    fields = {
        "message": error.message,
        "type": "server_error" if is_ours else "invalid_request_error",
        "param": error.param,
        "code": "model_not_found" if error.param == "models" else error.code.code,
    }
    return {"error": fields}


def status_of(error: ProtocolError) -> int:
    """Return the status of an HTTP answer: close codes are 4000 and the status."""
    if error.param == "models":
        return 404
    return STATUSES.get(error.code, (error.code.close or 4400) - 4000)


def models(names: Sequence[str]) -> Fields:
    """Return the list of models: our sets, and the name that every client knows."""
    return {"object": "list", "data": [model(name) for name in ("whisper-1", *names)]}


def model(name: str) -> Fields:
    return {"id": name, "object": "model", "created": 0, "owned_by": "asrsite"}


def _last(form: Form, name: str) -> str:
    values = form.get(name, ())
    return values[-1] if values else ""


def _diarized(number: int, line: Line, *, with_type: bool = True) -> Fields:
    fields = {"type": "transcript.text.segment"} if with_type else {}
    return fields | {
        "id": f"seg_{number}",
        "start": line.start_ms / 1000,
        "end": line.end_ms / 1000,
        "text": line.text,
        "speaker": line.spoken.speaker_name,
    }


def _verbose(lines: Sequence[Line], text: str, duration_s: float) -> Fields:
    segments = [
        {
            "id": number,
            "seek": 0,
            "start": line.start_ms / 1000,
            "end": line.end_ms / 1000,
            "text": line.text,
            "tokens": [],
            "temperature": 0.0,
            "avg_logprob": 0.0,
            "compression_ratio": 1.0,
            "no_speech_prob": 0.0,
            "speaker": line.spoken.speaker_name,
        }
        for number, line in enumerate(lines)
    ]
    is_chinese = any("\u4e00" <= character <= "\u9fff" for character in text)
    language = "chinese" if is_chinese else "english"
    return {
        "task": "transcribe",
        "language": language,
        "duration": duration_s,
        "text": text,
        "segments": segments,
    }


def _words(line: Line) -> list[Fields]:
    return [
        {"word": line.text[word.begin : word.stop], "start": word.start_ms / 1000, "end": word.end_ms / 1000}
        for word in line.words
    ]


def _event(kind: str, **fields: Any) -> str:
    return f"data: {as_json({'type': f'transcript.text.{kind}'} | fields)}\n\n"


def as_json(fields: Fields) -> str:
    """Return fields as the body of an answer."""
    return json.dumps(fields, ensure_ascii=False)


def _refusal(message: str, param: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_PARAMETER, message, param=param)
