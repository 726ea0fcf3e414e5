"""Deepgram's sockets: what depends on how much audio has come, and what the golden file cannot show."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from sessions_app.wire.deepgram import Deepgram, Silence
from sessions_app.wire.dialects import Audio, Command, Handshake, Join, Leave, Reply
from sessions_app.wire.protocol import (
    Close,
    ErrorCode,
    Flush,
    Flushed,
    Hello,
    Line,
    Mode,
    PartialLine,
    ProtocolError,
    SessionEnd,
    SpeakerRef,
)

SECOND = bytes(32_000)
HELLO = Hello("3fa9", Mode.SENDER, 1, "live", 0, 0, models="people")


def opened(query: str = "", **more: Any) -> Deepgram:
    dialect = Deepgram()
    dialect.open(Handshake(query=f"encoding=linear16&sample_rate=16000&{query}", request_id="3fa9", **more))
    return dialect


def begun(query: str = "") -> Deepgram:
    dialect = opened(query)
    dialect.receive(None, bytes(2))
    dialect.encode(HELLO)
    return dialect


def say(dialect: Deepgram, kind: str) -> list[Command]:
    return [*dialect.receive(json.dumps({"type": kind}), None)]


def line(seq: int, start_ms: int, end_ms: int, text: str = "好。") -> Line:
    return Line(seq, seq, start_ms, end_ms, text, SpeakerRef("a", "林静"))


def told(dialect: Deepgram, *messages: Any) -> list[Any]:
    return [json.loads(text) for message in messages for text in dialect.encode(message)]


def kinds(events: list[Any]) -> list[str]:
    return [event["type"] for event in events]


def replied(commands: list[Command]) -> list[Any]:
    return [json.loads(text) for command in commands if isinstance(command, Reply) for text in command.texts]


class TestOpening:
    @pytest.mark.parametrize("scheme", ["token", "Token", "bearer"])
    def test_a_browser_gets_its_scheme_back_and_never_its_key(self, scheme: str) -> None:
        dialect = opened(subprotocols=(scheme, "secret"))
        assert dialect.subprotocol == scheme
        [join, _] = dialect.receive(None, bytes(2))
        assert isinstance(join, Join)
        assert join.request.token == "secret"

    @pytest.mark.parametrize("offered", [(), ("binary",), ("secret", "token"), ("token",)])
    def test_others_bring_no_key_that_way(self, offered: tuple[str, ...]) -> None:
        [join, _] = opened(subprotocols=offered).receive(None, bytes(2))
        assert isinstance(join, Join)
        assert join.request.token == ""

    def test_a_header_counts_more_than_a_subprotocol(self) -> None:
        headers = {"authorization": "Token better"}
        [join, _] = opened(headers=headers, subprotocols=("token", "secret")).receive(None, bytes(2))
        assert isinstance(join, Join)
        assert join.request.token == "better"

    def test_the_request_has_one_name_everywhere(self) -> None:
        dialect = opened()
        assert dialect.headers == {"dg-request-id": "3fa9"}
        [join, _] = dialect.receive(None, bytes(2))
        assert isinstance(join, Join)
        assert join.request.session_key == "3fa9"
        [result] = told(dialect, HELLO, line(1, 0, 500))
        assert result["metadata"]["request_id"] == "3fa9"
        assert (
            json.loads(dialect.encode_error(ProtocolError(ErrorCode.IDLE, "x")).texts[0])["request_id"]
            == "3fa9"
        )

    def test_a_refusal_is_an_http_answer(self) -> None:
        refusal = Deepgram().encode_error(ProtocolError(ErrorCode.FORBIDDEN, "no"))
        assert (refusal.status, refusal.close) == (401, 4403)


class TestInterims:
    def test_one_lasts_until_what_has_come(self) -> None:
        dialect = begun("interim_results=true")
        dialect.receive(None, SECOND)
        [interim] = told(dialect, PartialLine(400, "大家好", tail="人"))
        assert (interim["start"], interim["duration"]) == (0.4, 0.6)
        [reading] = interim["channel"]["alternatives"]
        assert reading["transcript"] == "大家好人"
        assert [(word["word"], word["start"], word["end"]) for word in reading["words"]] == [
            ("大", 0.4, 0.55), ("家", 0.55, 0.7), ("好", 0.7, 0.85), ("人", 0.85, 1.0),
        ]  # fmt: skip

    def test_nothing_certain_is_nothing(self) -> None:
        assert told(begun("interim_results=true"), PartialLine(0, "")) == []

    def test_the_beginning_of_speech_is_told_once(self) -> None:
        dialect = begun("vad_events=true&interim_results=true")
        events = told(dialect, PartialLine(100, "大"), PartialLine(100, "大家"), line(1, 120, 900))
        assert kinds(events) == ["SpeechStarted", "Results", "Results", "Results"]
        assert events[0] == {"type": "SpeechStarted", "channel": [0], "timestamp": 0.1}

    def test_what_began_and_was_no_speech_is_forgotten(self) -> None:
        events = told(begun("vad_events=true"), PartialLine(100, "大"), PartialLine(5000, "大"))
        assert [event["timestamp"] for event in events] == [0.1, 5.0]


class TestFinalize:
    def test_the_last_line_before_it_says_so(self) -> None:
        dialect = begun()
        assert [type(command) for command in say(dialect, "Finalize")] == [Flush]
        events = told(dialect, line(1, 0, 500), line(2, 600, 900), Flushed(16_000, 2), line(3, 1000, 1500))
        assert [event["from_finalize"] for event in events] == [False, True, False]

    def test_with_nothing_to_say_it_is_answered_all_the_same(self) -> None:
        dialect = begun()
        say(dialect, "Finalize")
        [event] = told(dialect, Flushed(16_000, 0))
        assert (event["from_finalize"], event["is_final"]) == (True, True)
        assert event["channel"]["alternatives"][0]["transcript"] == ""

    def test_before_any_audio_too(self) -> None:
        [event] = replied(say(opened(), "Finalize"))
        assert event["from_finalize"] is True

    def test_one_too_many_holds_no_line_back(self) -> None:
        dialect = begun()
        say(dialect, "Finalize")
        assert dialect.encode_error(ProtocolError(ErrorCode.TOO_MANY_FLUSHES, "x")).texts == []
        assert kinds(told(dialect, line(1, 0, 500))) == ["Results"]

    def test_a_line_that_waits_for_it_is_not_lost_at_the_end(self) -> None:
        dialect = begun()
        say(dialect, "Finalize")
        say(dialect, "CloseStream")
        events = told(dialect, line(1, 0, 500), SessionEnd(1, 16_000, 16_000))
        assert kinds(events) == ["Results", "Metadata"]

    def test_an_end_of_speech_that_was_asked_for_is_told_without_endpointing(self) -> None:
        dialect = begun("endpointing=false")
        say(dialect, "Finalize")
        events = told(dialect, line(1, 0, 500), Flushed(16_000, 1), line(2, 600, 900))
        assert [event["speech_final"] for event in events] == [True, False]


class TestEnd:
    def test_the_metadata_sum_up_all_audio(self) -> None:
        dialect = begun()
        dialect.receive(None, SECOND)
        assert [type(command) for command in say(dialect, "CloseStream")] == [Close]
        [end] = told(dialect, SessionEnd(0, 16_001, 16_001))
        assert end["sha256"] == hashlib.sha256(bytes(2) + SECOND).hexdigest()
        assert (end["duration"], end["channels"]) == (1.0, 1)

    def test_who_says_nothing_is_let_go_at_once(self) -> None:
        commands = say(opened(), "CloseStream")
        assert kinds(replied(commands)) == ["Metadata"]
        assert isinstance(commands[-1], Leave)

    def test_what_comes_behind_it_is_not_heard(self) -> None:
        dialect = begun()
        say(dialect, "CloseStream")
        assert [*dialect.receive(None, SECOND)] == []
        assert say(dialect, "CloseStream") == []


class TestUtteranceEnd:
    def test_it_is_told_when_so_much_silence_has_come(self) -> None:
        dialect = begun("utterance_end_ms=1000")
        dialect.receive(None, SECOND)
        told(dialect, line(1, 100, 900))
        assert replied([*dialect.receive(None, SECOND[:16_000])]) == []
        [event] = replied([*dialect.receive(None, SECOND * 2)])
        assert event == {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.9}
        assert replied([*dialect.receive(None, SECOND * 5)]) == []

    def test_who_goes_on_speaking_has_not_ended(self) -> None:
        dialect = begun("utterance_end_ms=1000")
        dialect.receive(None, SECOND)
        assert kinds(told(dialect, line(1, 100, 900), PartialLine(1500, "好"))) == ["Results"]
        assert replied([*dialect.receive(None, SECOND * 3)]) == []

    def test_a_file_that_comes_at_once_is_told_by_its_lines(self) -> None:
        dialect = begun("utterance_end_ms=1000")
        dialect.receive(None, SECOND * 20)
        events = told(dialect, line(1, 0, 900), line(2, 1800, 2500), line(3, 3600, 4000), SessionEnd(3, 1, 1))
        assert kinds(events) == ["Results", "Results", "UtteranceEnd", "Results", "UtteranceEnd", "Metadata"]
        assert [event["last_word_end"] for event in events if event["type"] == "UtteranceEnd"] == [2.5, 4.0]

    def test_nobody_is_told_who_does_not_ask(self) -> None:
        dialect = begun()
        told(dialect, line(1, 0, 900))
        assert replied([*dialect.receive(None, SECOND * 3)]) == []
        assert kinds(told(dialect, SessionEnd(1, 1, 1))) == ["Metadata"]

    def test_silence_is_told_once(self) -> None:
        silence = Silence(1000)
        silence.hear_line(900, position_ms=1000)
        assert silence.hear_audio(2599) is None
        assert silence.hear_audio(2600) == 900
        assert (silence.hear_audio(9000), silence.hear_speech(9000), silence.hear_end()) == (None, None, None)


class TestChannels:
    QUERY = "channels=2&multichannel=true&interim_results=true&utterance_end_ms=500&vad_events=true"

    @staticmethod
    def stereo(left: int, right: int, ms: int) -> bytes:
        return np.tile(np.array([left, right], "<i2"), (16 * ms, 1)).tobytes()

    def test_each_line_says_by_which_it_came(self) -> None:
        dialect = opened(self.QUERY)
        dialect.receive(None, self.stereo(9000, 100, 1000) + self.stereo(100, 9000, 1000))
        events = told(dialect, HELLO, line(1, 0, 900), PartialLine(1100, "好"), line(2, 1100, 1900))
        assert [event["channel_index"] for event in events if event["type"] == "Results"] == [
            [0, 2], [1, 2], [1, 2],
        ]  # fmt: skip
        assert [event["channel"] for event in events if event["type"] == "SpeechStarted"] == [[0], [1]]
        [end, about] = told(dialect, SessionEnd(2, 32_000, 32_000))
        assert (end["channel"], about["channels"]) == ([1, 2], 2)

    @pytest.mark.parametrize("query", ["channels=2", "channels=1&multichannel=true"])
    def test_one_channel_is_all_there_is_otherwise(self, query: str) -> None:
        dialect = opened(query)
        dialect.receive(None, self.stereo(100, 9000, 1000))
        [result] = told(dialect, HELLO, line(1, 0, 900))
        assert result["channel_index"] == [0, 1]

    def test_their_audio_goes_on_as_it_came(self) -> None:
        sound = self.stereo(1, 2, 10)
        [join, audio] = opened(self.QUERY).receive(None, sound)
        assert isinstance(audio, Audio)
        assert audio.data == sound
        assert isinstance(join, Join)
        assert join.capabilities.pcm
        assert join.capabilities.pcm.channels == 2


class TestAudio:
    def test_without_a_name_or_a_header_it_cannot_be_decoded(self) -> None:
        dialect = Deepgram()
        dialect.open(Handshake(query="model=nova-3"))
        with pytest.raises(ProtocolError, match="send a WAV file") as refused:
            dialect.receive(None, b"\x1a\x45\xdf\xa3 a browser's recording")
        assert refused.value.code is ErrorCode.WRONG_FORMAT

    def test_an_empty_message_only_keeps_the_socket_open(self) -> None:
        assert [*opened().receive(None, b"")] == []

    def test_nothing_begins_before_there_is_audio(self) -> None:
        dialect = opened()
        assert say(dialect, "KeepAlive") == []
        assert replied(say(dialect, "Configure"))[0]["type"] == "ConfigureFailure"
