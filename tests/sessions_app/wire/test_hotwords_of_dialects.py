"""Clients of each service say hotwords in their own way, of the recordings that follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from recognition.hotwords import Hotword
from sessions_app.wire.deepgram_options import parse_options
from sessions_app.wire.dialects import Command, Dialect, Handshake, Join
from sessions_app.wire.funasr import FunAsr
from sessions_app.wire.openai_realtime import OpenAiRealtime

SAMPLES = b"\0\0" * 160
BOTH = (Hotword("阿里巴巴"), Hotword("hello world", 40))


def joined(commands: Sequence[Command]) -> tuple[Hotword, ...]:
    [join] = [command for command in commands if isinstance(command, Join)]
    assert join.request.may_leave_out == bool(join.request.hotwords)
    return join.request.hotwords


def opened(dialect: Dialect) -> Dialect:
    dialect.open(Handshake())
    return dialect


class TestFunAsr:
    def hello(self, hotwords: Any) -> tuple[Hotword, ...]:
        dialect = opened(FunAsr())
        dialect.receive(json.dumps({"mode": "2pass", "is_speaking": True, "hotwords": hotwords}), None)
        return joined(dialect.receive(None, SAMPLES))

    @pytest.mark.parametrize(
        "hotwords",
        [
            '{"阿里巴巴": 20, "hello world": 40}',
            '{"阿里巴巴": "20", "hello world": "40"}',
            {"阿里巴巴": 20, "hello world": 40},
        ],
    )
    def test_are_weighed_in_its_hello(self, hotwords: Any) -> None:
        assert self.hello(hotwords) == BOTH

    def test_are_words_with_commas_or_blanks(self) -> None:
        assert self.hello("阿里巴巴,达摩院") == self.hello("阿里巴巴 达摩院")
        assert self.hello("阿里巴巴,达摩院") == (Hotword("阿里巴巴"), Hotword("达摩院"))

    @pytest.mark.parametrize("hotwords", ["", "{}", None, 7, ["阿里巴巴"], "王"])
    def test_may_be_none(self, hotwords: Any) -> None:
        assert self.hello(hotwords) == ()

    def test_stay_for_the_next_recording_until_others_are_said(self) -> None:
        dialect = opened(FunAsr())
        found = []
        for hello in ({"hotwords": "阿里巴巴"}, {}, {"hotwords": ""}):
            dialect.receive(json.dumps({"is_speaking": True} | hello), None)
            found.append(joined(dialect.receive(None, SAMPLES)))
            dialect.receive('{"is_speaking": false}', None)
        assert found == [(Hotword("阿里巴巴"),), (Hotword("阿里巴巴"),), ()]

    def test_of_its_realtime_clients_hold_for_recordings_that_begin(self) -> None:
        dialect = opened(FunAsr())
        dialect.receive("START", None)
        dialect.receive("HOTWORDS:阿里巴巴,hello world", None)
        assert joined(dialect.receive(None, SAMPLES)) == (Hotword("阿里巴巴"), Hotword("hello world"))


class TestDeepgram:
    def test_are_key_terms(self) -> None:
        options = parse_options("keyterm=hello%20world&keyterm=%E9%98%BF%E9%87%8C")
        asked = options.request(token="", request_id="r")
        assert asked.hotwords == (Hotword("hello world"), Hotword("阿里"))
        assert asked.may_leave_out

    def test_or_keywords_with_a_factor(self) -> None:
        asked = parse_options("keywords=hello:2&keywords=world&keywords=never:-1").hotwords
        assert asked == (Hotword("hello", 40), Hotword("world"))

    def test_are_none_if_nothing_is_said(self) -> None:
        assert parse_options("").hotwords == ()


class TestOpenAi:
    def test_are_the_words_of_its_prompt(self) -> None:
        dialect = opened(OpenAiRealtime())
        wishes = {"model": "gpt-4o-transcribe", "prompt": "阿里巴巴, hello world"}
        session = {"type": "transcription", "audio": {"input": {"transcription": wishes}}}
        dialect.receive(json.dumps({"type": "session.update", "session": session}), None)
        append = {"type": "input_audio_buffer.append", "audio": "AAAA" * 80}
        found = joined(dialect.receive(json.dumps(append), None))
        assert found == (Hotword("阿里巴巴"), Hotword("hello world"))
