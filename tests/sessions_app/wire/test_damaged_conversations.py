"""Golden conversations with bits turned over: what makes no sense to a dialect is refused, nothing fails."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.wire.dialects import Audio, Dialect, Handshake, Join, Reply
from sessions_app.wire.pcm import PcmConverter
from sessions_app.wire.protocol import ErrorCode, ProtocolError
from tests.sessions_app.wire.test_golden import DIALECTS, error_of, message_of, read

Step = dict[str, Any]

FOREIGN = [name for name in DIALECTS if name not in ("v1", "v2")]

flips = st.lists(st.integers(0, 2**16), max_size=6)


@functools.cache
def conversations(name: str) -> list[list[Step]]:
    return [*read(name).values()]


def damaged(data: bytes, places: list[int]) -> bytes:
    turned = bytearray(data)
    for place in places if data else ():
        turned[place // 8 % len(data)] ^= 1 << place % 8
    return bytes(turned)


def take(dialect: Dialect, step: Step, places: list[int]) -> None:
    """Let a dialect take a damaged step, and convert what it takes for audio."""
    match step:
        case {"open": request}:
            query = damaged(request.get("query", "a=b").encode(), places).decode("latin-1")
            commands = dialect.open(Handshake(**request | {"query": query}))
        case {"text": text}:
            commands = dialect.receive(damaged(text.encode(), places).decode(errors="replace"), None)
        case {"bytes": data}:
            commands = dialect.receive(None, damaged(bytes.fromhex(data), places))
        case {"message": message}:
            assert all(json.loads(text) is not None for text in dialect.encode(message_of(message)))
            return
        case {"error": error}:
            dialect.encode_error(error_of(error))
            return
    converter = None
    for command in commands:
        match command:
            case Join(_, capabilities) if capabilities.pcm:
                converter = PcmConverter(capabilities.pcm)
            case Audio(audio) if converter:
                converter.convert(audio)
            case Reply(texts):
                assert all(json.loads(text) for text in texts)


@pytest.mark.parametrize("name", FOREIGN)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_message_is_refused_in_the_dialect_s_words_or_understood(
    name: str, data: st.DataObject
) -> None:
    dialect = DIALECTS[name]()
    for step in data.draw(st.sampled_from(conversations(name))):
        try:
            take(dialect, step, data.draw(flips))
        except ProtocolError as error:
            assert error.code is not ErrorCode.INTERNAL
            refusal = dialect.encode_error(error)
            assert all(json.loads(text) for text in refusal.texts)
            if refusal.close:
                return


@pytest.mark.parametrize("name", FOREIGN)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_messages_in_any_order_are_too(name: str, data: st.DataObject) -> None:
    dialect = DIALECTS[name]()
    dialect.open(Handshake())
    every = [step for conversation in conversations(name) for step in conversation if "open" not in step]
    for step in data.draw(st.lists(st.sampled_from(every), max_size=25)):
        try:
            take(dialect, step, [])
        except ProtocolError as error:
            assert dialect.encode_error(error).texts or error.code.close is None


@pytest.mark.parametrize("name", FOREIGN)
@given(
    text=st.text(max_size=60), nested=st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists)
)
@settings(max_examples=100, deadline=None)
def test_any_text_and_any_json_is_too(name: str, text: str, nested: object) -> None:
    for said in (
        text,
        json.dumps(nested),
        json.dumps({text: nested, "type": nested, "mode": text}),
        "[" * 5000,
    ):
        dialect = DIALECTS[name]()
        dialect.open(Handshake())
        try:
            dialect.receive(said, None)
        except ProtocolError as error:
            dialect.encode_error(error)
