"""docs/protocol.md says what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from sessions_app.wire.audio_frames import MAX_FRAME_BYTES
from sessions_app.wire.protocol import (
    MAX_SESSION_ID_LENGTH,
    Ack,
    ErrorCode,
    Flushed,
    Hello,
    Line,
    Mode,
    NotesChange,
    PartialLine,
    ProtocolError,
    Revision,
    SessionEnd,
    SpeakerRef,
    StateChange,
    Translations,
    encode,
    encode_error,
)
from tests.support.server import ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)]

LINE = Line(77, 3, 10_200, 12_300, "你好，世界。", SpeakerRef("0b5c", "张三", 0.98, True))
MESSAGES = {
    "line": encode(LINE, version=1),
    "line of version 2": encode(LINE, version=2),
    "line with its sound": encode(
        replace(LINE, language="zh", emotion="happy", events="laughter"), version=2
    ),
    "end": encode(SessionEnd(41, 1, 1), version=1),
    "end of version 2": encode(SessionEnd(41, 1, 1), version=2),
    "hello": encode(
        Hello("m", Mode.SENDER, 1, "live", 41, 2, 0, "r", {"frame_bytes": MAX_FRAME_BYTES}), version=2
    ),
    "partial": encode(PartialLine(12_600, "我们"), version=2),
    "partial with a tail": encode(PartialLine(12_600, "我们", "先看"), version=2),
    "revise": encode(Revision(3, LINE), version=2),
    "ack": encode(Ack(2, 1), version=2),
    "flushed": encode(Flushed(48_000, 42), version=2),
    "session": encode(StateChange("live"), version=2),
    "paused session": encode(StateChange("paused", "2026-11-30T06:35:00+00:00"), version=2),
    "notes": encode(NotesChange(3), version=2),
    "translations": encode(Translations(4, "en", ((18, "Was the budget accepted?"),)), version=2),
    "error": encode_error(ProtocolError(ErrorCode.MISALIGNED, "")),
}


def shape(value: object) -> object:
    """The keys of a message, all the way down."""
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize("kind", MESSAGES)
def test_each_message_is_shown_as_it_is(kind: str) -> None:
    assert shape(json.loads(MESSAGES[kind] or "")) in [shape(example) for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_nothing_is_shown_that_is_not_sent(example: dict[str, Any]) -> None:
    assert shape(example) in [shape(json.loads(message or "")) for message in MESSAGES.values()]


def test_the_table_of_errors_is_complete_and_right() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+|-) \| (yes|no) \|", DOCUMENT, re.M)
    faults = [(f.code, str(f.close or "-"), "yes" if f.is_retryable else "no") for f in ErrorCode]
    assert rows == faults


def test_the_limits_are_those_of_the_code() -> None:
    assert f"up to {MAX_SESSION_ID_LENGTH} characters" in DOCUMENT
    assert f"up to {MAX_FRAME_BYTES // 1024} KiB" in DOCUMENT
    assert str(MAX_FRAME_BYTES) in DOCUMENT
