"""OpenAI's library on a running server: its Realtime connection hears every line, by whoever said it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.server.dialects.conftest import BEGINNING, Spoken, said
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")

ITEM = "conversation.item.input_audio_transcription"
RESULT_S = 120.0


@asynccontextmanager
async def connected(
    server: Server, *, key: str = "none", model: str = "gpt-4o-transcribe"
) -> AsyncIterator[AsyncRealtimeConnection]:
    async with AsyncOpenAI(api_key=key, base_url=f"{server.http}/v1") as client:
        query: Any = {"intent": "transcription"}
        async with client.realtime.connect(model=model, extra_query=query) as connection:
            yield connection


async def configure(connection: AsyncRealtimeConnection, turn_detection: Any) -> None:
    session: Any = {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 16_000},
                "transcription": {"model": "gpt-4o-transcribe", "language": "zh"},
                "turn_detection": turn_detection,
            }
        },
    }
    await connection.session.update(session=session)


async def append(connection: AsyncRealtimeConnection, audio: bytes) -> None:
    for at in range(0, len(audio), 6400):
        await connection.input_audio_buffer.append(audio=base64.b64encode(audio[at : at + 6400]).decode())


async def heard(connection: AsyncRealtimeConnection, completed: int) -> list[Any]:
    """All events up to this many items that are completed."""
    events: list[Any] = []
    async with asyncio.timeout(RESULT_S):
        while sum(event.type == f"{ITEM}.completed" for event in events) < completed:
            events.append(await connection.recv())
            assert events[-1].type != "error", events[-1]
    return events


def spoken(events: list[Any]) -> list[Spoken]:
    return [(event.speaker, event.text) for event in events if event.type == f"{ITEM}.segment"]


async def test_every_line_is_an_item_with_its_events_in_order(house: Server, beginning: bytes) -> None:
    async with connected(house) as connection:
        assert (await connection.recv()).type == "session.created"
        await configure(connection, {"type": "server_vad"})
        await append(connection, beginning)
        events = await heard(connection, BEGINNING)
    assert events[0].type == "session.updated"
    assert spoken(events) == said()[:BEGINNING]
    completed = [event for event in events if event.type == f"{ITEM}.completed"]
    assert [event.transcript for event in completed] == [text for _, text in said()[:BEGINNING]]
    for event in completed:
        kinds = [each.type for each in events if getattr(each, "item_id", "") == event.item_id]
        assert [kind for kind in kinds if not kind.endswith(".delta")] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            f"{ITEM}.segment",
            f"{ITEM}.completed",
        ]
    assert len({event.event_id for event in events}) == len(events)


async def test_a_client_that_ends_turns_itself_gets_one_item_for_each(
    house: Server, first_lines: bytes, beginning: bytes
) -> None:
    async with connected(house) as connection:
        await connection.recv()
        await configure(connection, None)
        await append(connection, first_lines)
        await connection.input_audio_buffer.commit()
        first = await heard(connection, 1)
        await connection.input_audio_buffer.commit()  # nothing came: nothing is answered
        await append(connection, beginning[len(first_lines) :])
        await connection.input_audio_buffer.commit()
        second = await heard(connection, 1)
    texts = [text for _, text in said()[:BEGINNING]]
    assert first[-1].transcript == "".join(texts[:2])
    assert second[-1].transcript == "".join(texts[2:])
    assert second[-1].item_id != first[-1].item_id


@pytest.mark.parametrize(
    ("options", "code", "close"),
    [({"key": "wrong"}, "forbidden", 4403), ({"model": "nobody-has-this"}, "bad_parameter", 4400)],
)
async def test_who_is_refused_is_told_by_an_event(
    house: Server, options: dict[str, str], code: str, close: int
) -> None:
    async with connected(house, **options) as connection:
        event: Any = await connection.recv()
        assert (event.type, event.error.code) == ("error", code)
        assert event.error.type == "invalid_request_error"


async def test_a_browser_is_answered_with_the_subprotocol_and_never_with_its_key(house: Server) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.wrong")]
    url = f"ws://127.0.0.1:{house.port}/v1/realtime?intent=transcription"
    async with connect(url, subprotocols=offered, proxy=None) as socket:
        assert socket.subprotocol == "realtime"
        assert "forbidden" in str(await socket.recv())
