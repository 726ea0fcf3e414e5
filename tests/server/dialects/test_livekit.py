"""LiveKit's plug-in for OpenAI on a running server: agents hear every line of a meeting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from livekit.agents import APIStatusError, utils
from livekit.agents.stt import SpeechEventType
from livekit.plugins import openai

from tests.server.dialects.conftest import BEGINNING, said
from tests.support.funasr_clients import pieces
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")

RATE = 16_000
RESULT_S = 180.0
SILENCE = bytes(4 * RATE)
"""Two seconds, after which the last line has ended: the plug-in says no end."""


@pytest.fixture(autouse=True)
async def library() -> AsyncIterator[None]:
    """What an agent's process has around it."""
    async with utils.http_context.open():
        yield


def plug_in(server: Server, *, is_live: bool = True) -> openai.STT:
    return openai.STT(
        model="gpt-4o-transcribe",
        base_url=f"{server.http}/v1",
        api_key="none",
        language="zh",
        use_realtime=is_live,
    )


async def heard(server: Server, audio: bytes, lines: int) -> list[tuple[SpeechEventType, str]]:
    """All that an agent is told until it has so many lines."""
    events: list[tuple[SpeechEventType, str]] = []
    async with plug_in(server).stream() as stream:
        for piece in pieces(audio + SILENCE, 3200):
            stream.push_frame(rtc.AudioFrame(piece, RATE, 1, len(piece) // 2))
        async with asyncio.timeout(RESULT_S):
            async for event in stream:
                text = event.alternatives[0].text if event.alternatives else ""
                events.append((event.type, text))
                if [kind for kind, _ in events].count(SpeechEventType.FINAL_TRANSCRIPT) == lines:
                    break
    return events


async def test_every_line_is_heard(house: Server, meeting: bytes) -> None:
    events = await heard(house, meeting, len(said()))
    finals = [text for kind, text in events if kind == SpeechEventType.FINAL_TRANSCRIPT]
    assert finals == [text for _, text in said()]


async def test_each_line_has_a_beginning_and_an_end(house: Server, beginning: bytes) -> None:
    events = await heard(house, beginning, BEGINNING)
    kinds = [kind for kind, _ in events]
    for kind in (SpeechEventType.START_OF_SPEECH, SpeechEventType.END_OF_SPEECH):
        assert kinds.count(kind) == BEGINNING


async def test_a_recording_is_heard_at_once(house: Server, beginning: bytes) -> None:
    frame = rtc.AudioFrame(beginning, RATE, 1, len(beginning) // 2)
    event = await plug_in(house, is_live=False).recognize(frame)
    assert event.alternatives[0].text == "".join(text for _, text in said()[:BEGINNING])


async def test_a_model_that_there_is_not_is_told_as_the_library_tells_it(
    house: Server, beginning: bytes
) -> None:
    wrong = openai.STT(model="nobody-has-this", base_url=f"{house.http}/v1", api_key="none")
    with pytest.raises(APIStatusError) as refused:
        await wrong.recognize(rtc.AudioFrame(beginning, RATE, 1, len(beginning) // 2))
    assert refused.value.status_code == 404
