"""Description of our own protocol for programs, as AsyncAPI 3 has it: made of what the code says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minutes.languages import LANGUAGES
from recognition.hotwords import MAX_HOTWORDS
from recognition.scripts import SCRIPTS

from .audio_frames import MAX_FRAME_BYTES
from .protocol import (
    MAX_EXPECTED,
    MAX_SESSION_ID_LENGTH,
    MAX_TITLE_LENGTH,
    ClosedBy,
    ErrorCode,
    Mode,
)

Schema = dict[str, Any]

STATES = ("live", "paused", "draining", "ended", "going_away")

STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
NOTHING: Schema = {"type": "object", "maxProperties": 0}

PARAMETERS: Mapping[str, tuple[str, Schema]] = {
    "mode": ("To send the sound, or to read along.", {"enum": [str(mode) for mode in Mode]}),
    "token": ("An access token; the header `Authorization: Bearer ...` does as well.", STRING),
    "title": ("Senders: what a new session is called.", STRING | {"maxLength": MAX_TITLE_LENGTH}),
    "models": ("Senders: the set of models for a new session.", STRING),
    "resume": ("Senders: the right to take over from an earlier connection, from `hello`.", STRING),
    "attempt": (
        "Senders: number of this connection, one more with each that the client begins. One that comes late "
        "(4411) takes nothing from a later one.",
        COUNT,
    ),
    "continues": ("Senders: `resume` of a session that has ended, which this one goes on with.", STRING),
    "itn": (
        "Senders: 0 leaves the numbers of a new session's lines in words.",
        {"enum": ["0", "1"]},
    ),
    "script": (
        "Senders: in which characters lines of a new session are written.",
        {"enum": list(SCRIPTS)},
    ),
    "language": (
        "Senders: code of the language that is spoken in a new session, of those that its models know; "
        "auto: it is found out.",
        STRING,
    ),
    "translate": (
        "Senders: the language into which a language model translates the lines of a new session.",
        {"enum": list(LANGUAGES)},
    ),
    "hotwords": (
        f"Senders: up to {MAX_HOTWORDS} words that are likely to be said in a new session, with commas "
        "between them, each perhaps with its weight (1 to 100) behind a colon; or an object in JSON.",
        STRING,
    ),
    "expected": (
        f"Senders: ids of up to {MAX_EXPECTED} enrolled speakers who are expected, with commas between them.",
        STRING,
    ),
    "since": ("Receivers: the last `seq` that is known.", COUNT),
    "revision": ("Receivers: the last `revision` that is known.", COUNT),
    "translation": (
        "Receivers: the last `number` of translations that is known, 0 for none; left out, none are sent.",
        COUNT,
    ),
    "stay": ("Receivers: 1 to be told of corrections after the end.", COUNT),
}
"""Parameters of the address, besides `v`."""


def document(*, version: str, host: str, is_secure: bool) -> Schema:
    """Return the description of a server.

    Args:
        version: Of the product.
        host: As clients call it, with its port.
    """
    names = {1: _messages(1), 2: _messages(2)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Live speech recognition",
            "version": version,
            "description": "One address for all who take part in a session. In words: docs/protocol.md.",
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": host, "protocol": "wss" if is_secure else "ws"}},
        "channels": {f"version{number}": _channel(number, each) for number, each in names.items()},
        "operations": {
            name: operation for number, each in names.items() for name, operation in _operations(number, each)
        },
        "components": {"messages": {key: each for own in names.values() for key, each in own.items()}},
    }


def _channel(version: int, messages: Iterable[str]) -> Schema:
    properties = {name: schema | {"description": text} for name, (text, schema) in PARAMETERS.items()}
    properties["v"] = {"const": str(version), "description": "The version; 1 if it is left out."}
    return {
        "address": "/ws/asr/{session_id}",
        "title": f"A session, in version {version} of the protocol",
        "parameters": {
            "session_id": {
                "description": f"Names the session: up to {MAX_SESSION_ID_LENGTH} characters of any script, "
                "without blanks, slashes and control characters."
            }
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": properties,
                    "required": ["mode", "v"] if version > 1 else ["mode"],
                },
            }
        },
        "x-close-codes": {"1000": "The session has ended.", **_close_codes()},
    }


def _close_codes() -> dict[str, str]:
    codes: dict[str, list[str]] = {}
    for fault in ErrorCode:
        if fault.close:
            codes.setdefault(str(fault.close), []).append(fault.code)
    return {close: ", ".join(names) for close, names in codes.items()}


def _operations(version: int, messages: Mapping[str, Schema]) -> Iterable[tuple[str, Schema]]:
    channel = f"version{version}"
    for action, verb in (("receive", "hear"), ("send", "tell")):
        own = [name for name, each in messages.items() if each["x-from"] == action]
        references = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in own]
        operation = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": references}
        yield f"{verb}V{version}", operation


def _messages(version: int) -> dict[str, Schema]:
    """Return the messages of one version, by the names of the description."""
    said = {
        "audio": _message(
            "receive", "Senders: 32-bit floats, little endian, mono, 16 kHz.", _audio(), "audio/x-raw"
        ),
        "close": _message("receive", "Senders: the sound is over.", {"const": "close"}, "text/plain"),
        "line": _message("send", "A finished line.", _line(version, is_message=True)),
        "end": _message("send", "The session has ended.", _event("session_end", _end(version))),
        "error": _message("send", "Something is wrong.", _error()),
    }
    if version > 1:
        said |= _messages_of_version_2()
    return {f"{name}V{version}": each for name, each in said.items()}


def _messages_of_version_2() -> dict[str, Schema]:
    hello: Schema = {
        "session_id": STRING, "mode": {"enum": [str(mode) for mode in Mode]}, "version": {"const": 2},
        "epoch": COUNT, "state": STRING, "seq": COUNT, "revision": COUNT, "models": STRING,
        "limits": {"type": "object", "additionalProperties": {"type": "number"}},
    }  # fmt: skip
    for_senders = {"resume_from": COUNT, "resume": STRING, "expected": _list(STRING), "itn": FLAG}
    for_senders |= {"script": {"enum": list(SCRIPTS)}, "language": STRING}
    partial = {"asr": STRING, "spk": NOTHING, "final": {"const": False}, "start_ms": COUNT}
    revise = {"revision": COUNT, "removed": FLAG, "line": _line(2, is_message=False)}
    return {
        "flush": _message(
            "receive", "Senders: the utterance ends here.", _object({"command": {"const": "flush"}})
        ),
        "hello": _message(
            "send", "How things stand; the first message.", _event("hello", hello, for_senders)
        ),
        "partial": _message("send", "What is being said.", _object(partial, {"tail": STRING})),
        "revise": _message("send", "A line reads differently now.", _event("revise", revise)),
        "ack": _message(
            "send", "How far the sound has come.", _event("ack", {"received": COUNT, "durable": COUNT})
        ),
        "flushed": _message(
            "send", "It has ended there.", _event("flushed", {"position": COUNT, "seq": COUNT})
        ),
        "session": _message(
            "send",
            "The session's state.",
            _event("session", {"state": {"enum": list(STATES)}}, {"until": STRING}),
        ),
        "notes": _message("send", "People's notes have changed.", _event("notes", {"number": COUNT})),
        "translations": _message(
            "send", "Lines in another language.", _event("translations", _translations())
        ),
    }


def _translations() -> Schema:
    line = _object({"id": COUNT, "text": STRING})
    return {"number": COUNT, "language": {"enum": ["", *LANGUAGES]}, "lines": _list(line)}


def _message(origin: str, summary: str, payload: Schema, kind: str = "application/json") -> Schema:
    return {"summary": summary, "contentType": kind, "payload": payload, "x-from": origin}


def _audio() -> Schema:
    return {"type": "string", "format": "binary", "maxLength": MAX_FRAME_BYTES}


def _object(properties: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_none(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def _event(kind: str, fields: Schema, optional: Schema | None = None) -> Schema:
    return _object(
        {"asr": {"const": ""}, "spk": NOTHING, "event": _object({"type": {"const": kind}} | fields, optional)}
    )


def _line(version: int, *, is_message: bool) -> Schema:
    speaker: Schema = {
        "speaker_id": STRING, "speaker_name": STRING, "enrolled": FLAG,
        "score": _or_none({"type": "number", "minimum": 0, "maximum": 1}),
    }  # fmt: skip
    fields: Schema = {"asr": STRING, "seq": COUNT, "start_ms": COUNT, "end_ms": COUNT}
    if version == 1:
        return _object(fields | {"spk": _object(speaker)})
    number = {"number": _or_none({"type": "integer"})}
    overlap = {"speaker_id": STRING, "speaker_name": STRING, "start_ms": COUNT, "end_ms": COUNT} | number
    fields |= {
        "spk": _object(speaker | number), "id": COUNT, "edited": FLAG, "overlaps": _list(_object(overlap)),
        "changes": _list(_object({"begin": COUNT, "stop": COUNT, "heard": STRING, "by_rule": FLAG})),
    }  # fmt: skip
    sound = {"language": STRING, "emotion": STRING, "events": _list(STRING)}
    return _object(fields | {"final": {"const": True}} if is_message else fields, sound)


def _end(version: int) -> Schema:
    seconds: Schema = {"type": "number", "minimum": 0}
    fields: Schema = {"seq": COUNT, "received_s": seconds, "recognised_s": seconds}
    if version == 1:
        return fields
    return fields | {"received": COUNT, "closed_by": {"enum": [str(cause) for cause in ClosedBy]}}


def _error() -> Schema:
    error: Schema = {
        "code": {"enum": [fault.code for fault in ErrorCode]},
        "message": STRING,
        "close": _or_none({"enum": sorted({fault.close for fault in ErrorCode if fault.close})}),
        "retryable": FLAG,
        "retry_after": _or_none({"type": "number"}),
        "param": _or_none(STRING),
    }
    return _object({"asr": {"const": ""}, "spk": NOTHING, "error": _object(error)})
