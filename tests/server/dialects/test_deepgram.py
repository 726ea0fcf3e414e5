"""Deepgram's library on a running server: live audio and recordings, every line by whoever said it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClient, DeepgramClientEnvironment
from deepgram.core.api_error import ApiError
from deepgram.core.events import EventType
from deepgram.listen.v1.socket_client import AsyncV1SocketClient
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.server.dialects.conftest import BEGINNING, Spoken, said, titles
from tests.support.funasr_clients import wav_header
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")

LIVE = {
    "model": "nova-3",
    "language": "zh",
    "encoding": "linear16",
    "sample_rate": 16_000,
    "interim_results": True,
    "diarize": True,
    "smart_format": True,
}
RESULT_S = 120.0


def place(server: Server) -> DeepgramClientEnvironment:
    sockets = f"ws://127.0.0.1:{server.port}"
    return DeepgramClientEnvironment(
        base=server.http, production=sockets, agent=sockets, agent_rest=server.http
    )


@asynccontextmanager
async def listening(
    server: Server, *, key: str = "none", **options: Any
) -> AsyncIterator[tuple[AsyncV1SocketClient, list[Any]]]:
    """A socket, and all that is told over it until the server closes it."""
    client = AsyncDeepgramClient(api_key=key, environment=place(server))
    wanted: Any = LIVE | options
    async with client.listen.v1.connect(**wanted) as connection:
        told: list[Any] = []
        connection.on(EventType.MESSAGE, told.append)
        connection.on(EventType.ERROR, told.append)
        async with asyncio.timeout(RESULT_S), asyncio.TaskGroup() as group:
            group.create_task(connection.start_listening())
            yield connection, told


async def send(connection: AsyncV1SocketClient, audio: bytes, size: int = 6_400) -> None:
    for at in range(0, len(audio), size):
        await connection.send_media(audio[at : at + size])


def finals(told: list[Any]) -> list[Any]:
    return [event for event in told if event.type == "Results" and event.is_final]


def spoken(results: list[Any]) -> list[Spoken]:
    """Whoever said it, by the word, and what."""
    lines = []
    for event in results:
        [reading] = event.channel.alternatives
        [name] = {word.speaker_name for word in reading.words}
        lines.append((name, reading.transcript))
    return lines


async def until(told: list[Any], wanted: str) -> None:
    while not any(getattr(event, wanted, None) for event in told):
        await asyncio.sleep(0.02)


class TestLive:
    async def test_every_line_of_the_meeting_with_its_speaker_by_the_word(
        self, house: Server, meeting: bytes
    ) -> None:
        async with listening(house, vad_events=True, utterance_end_ms=1000, tag="周会") as (connection, told):
            await connection.send_keep_alive()
            await send(connection, meeting)
            await connection.send_close_stream()
        lines = finals(told)
        assert spoken(lines) == said()
        assert all(event.speech_final for event in lines)
        numbers = {(word.speaker, word.speaker_name) for event in lines for word in words(event)}
        assert numbers == {(0, "林静"), (1, "王磊"), (2, "Speaker 1")}
        for event in lines:
            times = [(word.start, word.end) for word in words(event)]
            assert times == sorted(times)
            assert (
                "".join(word.punctuated_word for word in words(event))
                == event.channel.alternatives[0].transcript
            )
        assert titles(house)[-1] == "周会"

        about = told[-1]
        assert (about.type, about.channels) == ("Metadata", 1)
        assert about.duration == pytest.approx(len(meeting) / 32_000, abs=0.01)
        [key] = {event.metadata.request_id for event in lines}
        assert about.request_id == key
        assert house.session(key, "state, last_seq") == ("ended", len(said()))

        kinds = {event.type for event in told}
        assert kinds == {"Results", "SpeechStarted", "UtteranceEnd", "Metadata"}
        begun = [event.timestamp for event in told if event.type == "SpeechStarted"]
        assert len(begun) == len(said())

    async def test_what_is_being_said_is_told_before_it_is_final(
        self, house: Server, first_lines: bytes
    ) -> None:
        async with listening(house) as (connection, told):
            for at in range(0, len(first_lines), 16_000):
                await connection.send_media(first_lines[at : at + 16_000])
                await asyncio.sleep(0.05)
            await connection.send_close_stream()
        interims = [event for event in told if event.type == "Results" and not event.is_final]
        assert interims
        assert all(words(event) and words(event)[0].speaker is None for event in interims)

    async def test_a_finalize_ends_the_utterance_and_is_answered(
        self, house: Server, first_lines: bytes
    ) -> None:
        async with listening(house, interim_results=False) as (connection, told):
            await send(connection, first_lines)
            await connection.send_finalize()
            await until(told, "from_finalize")
            before = list(told)
            await connection.send_close_stream()
        assert [event.from_finalize for event in finals(before)] == [False, True]
        assert spoken(finals(before)) == said()[:2]
        assert [event.type for event in told[len(before) :]] == ["Metadata"]

    async def test_two_channels_are_told_apart(self, house: Server, beginning: bytes) -> None:
        """Each line by the channel of its speaker: 林静 on the left, 王磊 on the right."""
        mono = np.frombuffer(beginning, "<i2")
        async with listening(house) as (connection, told):
            await send(connection, beginning)
            await connection.send_close_stream()
        sides = np.zeros((len(mono), 2), "<i2")
        for event, (name, _) in zip(finals(told), said(), strict=False):
            span = slice(int(event.start * 16_000), int((event.start + event.duration) * 16_000))
            sides[span, 0 if name == "林静" else 1] = mono[span]
        async with listening(house, channels=2, multichannel=True) as (connection, told):
            await send(connection, sides.tobytes())
            await connection.send_close_stream()
        assert len(finals(told)) == BEGINNING
        for event, (name, _) in zip(finals(told), said(), strict=False):
            assert event.channel_index == ([0, 2] if name == "林静" else [1, 2])
        assert told[-1].channels == 2

    async def test_a_wav_file_needs_no_parameters(self, house: Server, first_lines: bytes) -> None:
        bare: Any = {"encoding": None, "sample_rate": None}
        async with listening(house, **bare) as (connection, told):
            await send(connection, wav_header(len(first_lines)) + first_lines)
            await connection.send_close_stream()
        assert spoken(finals(told)) == said()[:2]

    async def test_who_says_nothing_gets_its_metadata_and_no_session(self, house: Server) -> None:
        before = titles(house)
        async with listening(house) as (connection, told):
            await connection.send_close_stream()
        assert [event.type for event in told] == ["Metadata"]
        assert titles(house) == before


def words(event: Any) -> list[Any]:
    found: list[Any] = event.channel.alternatives[0].words
    return found


class TestRefusals:
    async def test_a_wrong_key_is_no_socket_at_all(self, house: Server) -> None:
        with pytest.raises(ApiError) as refused:
            async with listening(house, key="wrong"):
                pass
        assert refused.value.status_code == 401
        assert refused.value.body == "Websocket initialized with invalid credentials."

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ({"model": "nobody-has-this"}, "is not served: use one of"),
            ({"encoding": "opus"}, "encoding='opus' is not taken here"),
            ({"sample_rate": None}, "sample_rate is missing"),
            ({"callback": "https://example.org/"}, "callback is not possible"),
            ({"redact": "pci"}, "redact is not possible"),
        ],
    )
    async def test_what_cannot_be_done_is_an_http_answer(
        self, house: Server, options: dict[str, Any], why: str
    ) -> None:
        with pytest.raises(ApiError) as refused:
            async with listening(house, **options):
                pass
        assert refused.value.status_code == 400
        wanted: dict[str, Any] = LIVE | options
        query = httpx.QueryParams({name: value for name, value in wanted.items() if value is not None})
        with pytest.raises(InvalidStatus) as status:
            await connect(f"ws://127.0.0.1:{house.port}/v1/listen?{query}", proxy=None)
        answer = status.value.response
        body = json.loads(answer.body or b"")
        assert body["err_code"] == "Bad Request"
        assert why in body["err_msg"]
        assert body["request_id"] == answer.headers["dg-request-id"]

    async def test_audio_that_cannot_be_decoded(self, house: Server) -> None:
        async with listening(house, encoding=None, sample_rate=None) as (connection, told):
            await connection.send_media(b"\x1a\x45\xdf\xa3" + bytes(1000))
        [error, closed] = told
        assert (error.type, error.variant) == ("Error", "DATA-0000")
        assert "cannot be decoded" in error.description
        assert closed.rcvd.code == 4415

    async def test_a_word_that_is_none_leaves_it_open(self, house: Server, first_lines: bytes) -> None:
        async with listening(house) as (connection, told):
            await connection._send({"type": "Stop"})
            await send(connection, first_lines)
            await connection.send_close_stream()
        assert told[0].description.startswith("type='Stop' is unknown")
        assert spoken(finals(told)) == said()[:2]

    async def test_a_browser_is_answered_with_its_scheme_and_never_with_its_key(self, house: Server) -> None:
        url = f"ws://127.0.0.1:{house.port}/v1/listen?encoding=linear16&sample_rate=16000"
        offered = [Subprotocol("token"), Subprotocol("none")]
        async with connect(url, subprotocols=offered, proxy=None) as socket:
            assert socket.subprotocol == "token"
            assert socket.response
            assert len(socket.response.headers["dg-request-id"]) == 32
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, subprotocols=[Subprotocol("token"), Subprotocol("wrong")], proxy=None)
        assert refused.value.response.status_code == 401


def transcribed(server: Server, body: bytes, key: str = "none", **options: Any) -> Any:
    client = DeepgramClient(api_key=key, environment=place(server))
    wanted: Any = {"model": "nova-3", "request_options": {"max_retries": 0}} | options
    return client.listen.v1.media.transcribe_file(request=body, **wanted)


@pytest.fixture
def recording(beginning: bytes) -> bytes:
    return wav_header(len(beginning)) + beginning


class TestFiles:
    def test_words_and_utterances_name_their_speakers(self, house: Server, recording: bytes) -> None:
        found = transcribed(house, recording, diarize=True, utterances=True, smart_format=True, tag="录音")
        assert titles(house)[-1] == "录音"
        [reading] = found.results.channels[0].alternatives
        assert reading.transcript == "".join(text for _, text in said()[:BEGINNING])
        assert [(each.speaker_name, each.transcript) for each in found.results.utterances] == said()[
            :BEGINNING
        ]
        assert {(word.speaker, word.speaker_name) for word in reading.words} == {(0, "林静"), (1, "王磊")}
        assert "林静: " in reading.paragraphs.transcript
        assert found.metadata.duration == pytest.approx((len(recording) - 44) / 32_000, abs=0.01)
        assert house.session(found.metadata.request_id, "state, last_seq") == ("ended", BEGINNING)

    @pytest.mark.parametrize("has_header", [False, True])
    def test_samples_without_a_header_are_taken_by_their_parameters(
        self, house: Server, first_lines: bytes, has_header: bool
    ) -> None:
        # A file says what it is, whatever else is said of it.
        body = wav_header(len(first_lines)) + first_lines if has_header else first_lines
        rate = 8_000 if has_header else 16_000
        more: Any = {"additional_query_parameters": {"sample_rate": rate}}
        found = transcribed(house, body, encoding="linear16", request_options=more)
        [reading] = found.results.channels[0].alternatives
        assert reading.transcript == "".join(text for _, text in said()[:2])
        assert not hasattr(reading.words[0], "speaker_name")

    @pytest.mark.parametrize(
        ("key", "body", "status", "name", "why"),
        [
            ("wrong", b"RIFF", 401, "INVALID_AUTH", ""),
            ("none", b"hello" * 1000, 400, "DATA-0000", "no audio that can be read"),
            ("none", b"", 400, "Bad Request", "the body is empty"),
        ],
    )
    def test_a_refusal_has_their_shape(
        self, house: Server, key: str, body: bytes, status: int, name: str, why: str
    ) -> None:
        before = titles(house)
        with pytest.raises(ApiError) as refused:
            transcribed(house, body, key)
        told: Any = refused.value.body
        assert (refused.value.status_code, told["err_code"]) == (status, name)
        assert why in told["err_msg"]
        assert told["request_id"] == (refused.value.headers or {})["dg-request-id"]
        assert titles(house) == before

    def test_no_address_is_fetched(self, house: Server) -> None:
        client = DeepgramClient(api_key="none", environment=place(house))
        with pytest.raises(ApiError, match="send the file as the body") as refused:
            client.listen.v1.media.transcribe_url(url="http://127.0.0.1/secret.wav", model="nova-3")
        assert refused.value.status_code == 400

    def test_only_a_post_brings_a_recording(self, house: Server) -> None:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{house.http}/v1/listen", timeout=30)  # noqa: S310
        assert refused.value.code == 400
        assert b"use POST" in refused.value.read()

    def test_pages_of_others_may_not_call_it(self, house: Server, recording: bytes) -> None:
        more: Any = {"additional_headers": {"Origin": "https://evil.example"}}
        with pytest.raises(ApiError) as refused:
            transcribed(house, recording, request_options=more)
        assert refused.value.status_code == 401
