"""The messages of DashScope's Python library on a running server: one task after the other, and refusals."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.server.dialects.conftest import BEGINNING, said
from tests.support import funasr_clients as clients
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")


async def ran(
    server: Server, audio: bytes, *, key: str = "none", model: str = "paraformer-realtime-v2"
) -> Any:
    """The events of two tasks on one socket."""
    url = f"ws://127.0.0.1:{server.port}/api-ws/v1/inference"
    events: list[Any] = []
    async with clients.opened(url, {"Authorization": f"Bearer {key}"}) as socket:
        for task in ("a1", "b2"):
            header = {"task_id": task, "streaming": "duplex"}
            parameters = {"sample_rate": 16_000, "format": "pcm", "diarization_enabled": True}
            payload = {"model": model, "task": "asr", "parameters": parameters, "input": {}}
            await socket.send(
                clients.text_of({"header": {"action": "run-task"} | header, "payload": payload})
            )
            async with asyncio.timeout(clients.RESULT_S):
                events.append(json.loads(await socket.recv()))
                if events[-1]["header"]["event"] == "task-failed":
                    return events
                for piece in clients.pieces(audio, 3200):
                    await socket.send(piece)
                await socket.send(
                    clients.text_of({"header": {"action": "finish-task"} | header, "payload": {}})
                )
                while events[-1]["header"]["event"] != "task-finished":
                    events.append(json.loads(await socket.recv()))
    return events


async def test_every_sentence_has_its_speaker_and_its_words(house: Server, beginning: bytes) -> None:
    events = await ran(house, beginning)
    for task in ("a1", "b2"):
        told = [event for event in events if event["header"]["task_id"] == task]
        results = [each["payload"]["output"]["sentence"] for each in told[1:-1]]
        ended = [each for each in results if each["end_time"] is not None]
        assert [(each["speaker_name"], each["text"]) for each in ended] == said()[:BEGINNING]
        for each in ended:
            assert "".join(word["text"] + word["punctuation"] for word in each["words"]) == each["text"]


async def test_a_wrong_key_is_told_at_once(house: Server) -> None:
    url = f"ws://127.0.0.1:{house.port}/api-ws/v1/inference"
    async with clients.opened(url, {"Authorization": "Bearer wrong"}) as socket:
        [event] = await clients.rest(socket)
        assert event["header"]["error_code"] == "AccessDenied"
        assert socket.close_code == 4403


async def test_an_unknown_model_is_told_as_a_task_that_failed(house: Server) -> None:
    [event] = await ran(house, b"", model="nobody-has-this")
    assert event["header"]["error_code"] == "InvalidParameter"
