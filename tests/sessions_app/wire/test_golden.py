"""Each dialect to the letter: a file of conversations per dialect, held against what it understands and says.

A step of a conversation is what came from outside (`open`, `text`, `bytes`, a `message` or `error` to tell)
with what the dialect made of it. Whoever changes a file changes what clients in the field are sent.

    python -m tests.sessions_app.wire.test_golden NAME   # answers a file's steps anew: read the difference
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from sessions_app.wire import protocol
from sessions_app.wire.dashscope import DashScope
from sessions_app.wire.deepgram import Deepgram
from sessions_app.wire.dialects import Ask, Audio, Command, Dialect, Handshake, Join, Refusal, Reply
from sessions_app.wire.funasr import FunAsr
from sessions_app.wire.openai_realtime import OpenAiRealtime
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.protocol import (
    ErrorCode,
    Line,
    Message,
    Mode,
    OverlapRef,
    ProtocolError,
    Revision,
    Rewrite,
    SpeakerRef,
    Word,
)

Step = dict[str, Any]
Conversations = dict[str, list[Step]]

GOLDEN = Path(__file__).parent / "golden"
DIALECTS: dict[str, Callable[[], Dialect]] = {
    "v1": OwnProtocol,
    "v2": OwnProtocol,
    "funasr": FunAsr,
    "openai_realtime": OpenAiRealtime,
    "dashscope": DashScope,
    "deepgram": Deepgram,
}

INPUTS = ("open", "text", "bytes", "message", "error")


def read(name: str) -> Conversations:
    conversations: Conversations = json.loads((GOLDEN / f"{name}.json").read_text())
    return conversations


def answered(dialect: Dialect, step: Step) -> Step:
    """Return the step with what this dialect makes of it."""
    outside = {name: step[name] for name in INPUTS if name in step}
    try:
        return outside | _answer(dialect, outside)
    except ProtocolError as error:
        return outside | {"refused": _refusal(dialect.encode_error(error))}


def _answer(dialect: Dialect, outside: Step) -> Step:
    match outside:
        case {"open": request}:
            return {"commands": _plain(dialect.open(Handshake(**request)))}
        case {"text": text}:
            return {"commands": _plain(dialect.receive(text, None))}
        case {"bytes": data}:
            return {"commands": _plain(dialect.receive(None, bytes.fromhex(data)))}
        case {"message": message}:
            return {"texts": [*dialect.encode(message_of(message))]}
        case {"error": error}:
            return _refusal(dialect.encode_error(error_of(error)))
    raise ValueError(f"a step has one of {', '.join(INPUTS)}: {outside}")


def message_of(written: dict[str, Any]) -> Message:
    """Return the message that is written as the name of its class with its fields."""
    [(name, values)] = written.items()
    kind = getattr(protocol, name)
    if kind is Line:
        words = tuple(Word(*word) for word in values.get("words", ()))
        overlaps = tuple(OverlapRef(**overlap) for overlap in values.get("overlaps", ()))
        changes = tuple(Rewrite(**change) for change in values.get("changes", ()))
        spoken = SpeakerRef(**values["spoken"])
        values = values | {"spoken": spoken, "overlaps": overlaps, "changes": changes, "words": words}
    if kind is Revision:
        values = values | {"line": message_of({"Line": values["line"]})}
    if "texts" in values:
        values = values | {"texts": tuple(map(tuple, values["texts"]))}
    if "mode" in values:
        values = values | {"mode": Mode(values["mode"])}
    message: Message = kind(**values)
    return message


def error_of(written: dict[str, Any]) -> ProtocolError:
    return ProtocolError(ErrorCode[written["name"]], written["message"], **written.get("more", {}))


def _refusal(refusal: Refusal) -> Step:
    status = {"status": refusal.status} if refusal.status else {}
    return {"texts": [*refusal.texts], "close": refusal.close} | status


def _plain(commands: Sequence[Command]) -> list[Any]:
    return [_plain_command(command) for command in commands]


def _plain_command(command: Command) -> Any:
    match command:
        case Join(request, capabilities):
            return {"Join": _not_default(request) | _not_default(capabilities)}
        case Ask(request):
            return {"Ask": _not_default(request)}
        case Reply(texts):
            return {"Reply": [*texts]}
        case Audio(data):
            return {"Audio": data.hex()}
    return type(command).__name__


def _not_default(values: Any) -> dict[str, Any]:
    """Return the fields that differ from their defaults: a new ability changes no file."""
    assert is_dataclass(values)
    return {
        field.name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else _as_lists(value)
        for field in fields(values)
        if (value := getattr(values, field.name)) != field.default or field.default is MISSING
    }


def _as_lists(value: Any) -> Any:
    """Return what JSON makes of a tuple, of objects perhaps."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_as_lists(each) for each in value] if isinstance(value, tuple) else value


def steps(name: str) -> list[Step]:
    return [step for conversation in read(name).values() for step in conversation]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_says_and_understands_what_it_always_has(name: str) -> None:
    for title, conversation in read(name).items():
        dialect = DIALECTS[name]()
        for number, step in enumerate(conversation, 1):
            assert answered(dialect, step) == step, f"{name}, {title}, step {number}"


@pytest.mark.parametrize("name", DIALECTS)
def test_every_message_and_every_error_is_in_its_file(name: str) -> None:
    told = {next(iter(step["message"])) for step in steps(name) if "message" in step}
    assert told == {kind.__name__ for kind in get_args(Message)}
    assert {step["error"]["name"] for step in steps(name) if "error" in step} == set(ErrorCode.__members__)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_field_of_a_line_has_two_values_in_its_file(name: str) -> None:
    lines = [step["message"]["Line"] for step in steps(name) if "Line" in step.get("message", ())]
    for field in fields(Line):
        assert len({json.dumps(line.get(field.name)) for line in lines}) > 1, field.name


def write(name: str) -> None:
    """Answer all steps of a file anew, a step in a line."""
    conversations = [
        json.dumps(title, ensure_ascii=False)
        + ": [\n  "
        + ",\n  ".join(_rewritten(name, conversation))
        + "\n]"
        for title, conversation in read(name).items()
    ]
    (GOLDEN / f"{name}.json").write_text("{\n" + ",\n".join(conversations) + "\n}\n")


def _rewritten(name: str, conversation: Sequence[Step]) -> list[str]:
    dialect = DIALECTS[name]()
    return [json.dumps(answered(dialect, step), ensure_ascii=False) for step in conversation]


if __name__ == "__main__":
    write(sys.argv[1])
