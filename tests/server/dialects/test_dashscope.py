"""DashScope's library on a running server, and its messages: tasks one after the other, and refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.audio.asr import Recognition, RecognitionCallback, RecognitionResult

from tests.server.dialects.conftest import BEGINNING, said
from tests.support import funasr_clients as clients
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")


PARAFORMER = "paraformer-realtime-v2"


@pytest.fixture
def library(house: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library, which is told another address and nothing else."""
    monkeypatch.setattr(
        dashscope, "base_websocket_api_url", f"ws://127.0.0.1:{house.port}/api-ws/v1/inference"
    )
    monkeypatch.setattr(dashscope, "api_key", "none")


class Notes(RecognitionCallback):
    """All that the library tells its user."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.results: list[RecognitionResult] = []
        self.errors: list[RecognitionResult] = []

    def on_event(self, result: RecognitionResult) -> None:
        self.events.append("result")
        self.results.append(result)

    def on_complete(self) -> None:
        self.events.append("complete")

    def on_error(self, result: RecognitionResult) -> None:
        self.events.append("error")
        self.errors.append(result)

    def on_close(self) -> None:
        self.events.append("close")

    def sentences(self) -> Iterator[dict[str, Any]]:
        """Those that have ended."""
        for result in self.results:
            sentence: Any = result.get_sentence()
            if RecognitionResult.is_sentence_end(sentence):
                yield sentence


def recognised(audio: bytes, *, model: str = PARAFORMER) -> Notes:
    """What its user is told of audio that is sent as it comes."""
    notes = Notes()
    recognition = Recognition(model=model, format="pcm", sample_rate=16_000, callback=notes)
    recognition.start(diarization_enabled=True)
    for piece in clients.pieces(audio, 3200):
        recognition.send_audio_frame(piece)
    recognition.stop()  # type: ignore[no-untyped-call]
    return notes


@pytest.mark.usefixtures("library")
class TestTheLibrary:
    def test_hears_every_line_by_whoever_said_it(self, meeting: bytes) -> None:
        notes = recognised(meeting)
        assert [(each["speaker_name"], each["text"]) for each in notes.sentences()] == said()
        assert (notes.events[-2:], notes.errors) == (["complete", "close"], [])

    def test_recognises_a_file_at_once(self, beginning: bytes, tmp_path: Path) -> None:
        path = tmp_path / "meeting.wav"
        path.write_bytes(clients.wav_header(len(beginning)) + beginning)
        recognition = Recognition(
            model=PARAFORMER, format="wav", sample_rate=16_000, callback=RecognitionCallback()
        )
        result = recognition.call(str(path))
        assert result.status_code == 200
        sentences: Any = result.get_sentence()
        assert [each["text"] for each in sentences] == [text for _, text in said()[:BEGINNING]]

    def test_is_told_that_a_model_is_unknown(self, first_lines: bytes) -> None:
        notes = recognised(first_lines, model="nobody-has-this")
        [error] = notes.errors
        assert error.code == "InvalidParameter"
        assert "nobody-has-this" in error.message

    def test_is_told_that_its_key_is_wrong(self, first_lines: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dashscope, "api_key", "wrong")
        [error] = recognised(first_lines).errors
        assert (error.code, error.message) == ("AccessDenied", "no right to be sender of this session")


async def ran(server: Server, audio: bytes, *, key: str = "none", model: str = PARAFORMER) -> Any:
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
