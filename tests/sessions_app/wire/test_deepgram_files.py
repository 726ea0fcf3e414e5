"""Deepgram's answers for whole recordings: channels, words, utterances, paragraphs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions_app.wire import deepgram_files
from sessions_app.wire.deepgram_errors import NAMES, error_body, status_of
from sessions_app.wire.deepgram_options import parse_options
from sessions_app.wire.deepgram_words import metadata, model_uuid
from sessions_app.wire.protocol import ErrorCode, Line, ProtocolError, SpeakerRef, Word

LIN_JING = SpeakerRef("a", "林静", 0.98766, is_enrolled=True)
STRANGER = SpeakerRef("b", "Speaker 1", None, number=1)
ENGLISH = (Word(0, 3, 2000, 2500), Word(16, 18, 2600, 2900))
LINES = [
    Line(7, 1, 500, 1500, "好。的！", LIN_JING, words=(Word(0, 1, 550, 700), Word(2, 3, 710, 900))),
    Line(8, 2, 2000, 3000, "Yes, Paris 2.5. No?", STRANGER, words=ENGLISH),
    Line(9, 3, 3100, 4000, "行。", STRANGER, words=(Word(0, 1, 3200, 3300),)),
    Line(10, 4, 9000, 9500, "行。", STRANGER, words=(Word(0, 1, 9100, 9200),)),
    Line(11, 5, 9600, 9900, "嗯", SpeakerRef()),
]


def answered(query: str = "", lines: list[Line] = LINES) -> Any:
    about = {"request_id": "3fa9"}
    return json.loads(deepgram_files.answer(parse_options(query), lines, metadata=about, request_id="3fa9"))


def whole(query: str = "") -> Any:
    [channel] = answered(query)["results"]["channels"]
    [found] = channel["alternatives"]
    return found


def test_the_transcript_is_all_of_it() -> None:
    found = whole()
    assert found["transcript"] == "好。的！Yes, Paris 2.5. No?行。行。嗯"
    assert found.keys() == {"transcript", "confidence", "words"}
    assert answered()["results"].keys() == {"channels"}
    assert answered()["metadata"] == {"request_id": "3fa9"}


def test_words_have_times_and_their_marks() -> None:
    assert whole()["words"][:3] == [
        {"word": "好", "start": 0.55, "end": 0.7, "confidence": 1.0, "punctuated_word": "好。"},
        {"word": "的", "start": 0.71, "end": 0.9, "confidence": 1.0, "punctuated_word": "的！"},
        {"word": "yes", "start": 2.0, "end": 2.5, "confidence": 1.0, "punctuated_word": "Yes, Paris 2.5."},
    ]


def test_a_line_whose_words_have_no_times_shares_its_own() -> None:
    assert whole()["words"][-1] == {
        "word": "嗯", "start": 9.6, "end": 9.9, "confidence": 1.0, "punctuated_word": "嗯",
    }  # fmt: skip


def test_marks_can_be_left_out() -> None:
    found = whole("punctuate=false")
    assert found["transcript"] == "好的Yes Paris 2.5 No行行嗯"
    assert not any("punctuated_word" in word for word in found["words"])


def test_speakers_are_numbers_with_names_in_the_order_of_their_coming() -> None:
    words = whole("diarize=true")["words"]
    told = [(word.get("speaker"), word.get("speaker_name")) for word in words]
    assert told == [(0, "林静")] * 2 + [(1, "Speaker 1")] * 4 + [(None, None)]
    assert (words[0]["speaker_confidence"], words[2]["speaker_confidence"]) == (0.9877, 0.0)


def test_nobody_is_named_to_who_does_not_ask() -> None:
    assert not any("speaker" in word for word in whole()["words"])


def test_utterances_are_the_lines() -> None:
    found = answered("utterances=true&diarize=true")["results"]["utterances"]
    assert [(each["start"], each["end"], each["transcript"]) for each in found] == [
        (line.start_ms / 1000, line.end_ms / 1000, line.text) for line in LINES
    ]
    assert [each.get("speaker_name") for each in found] == [
        "林静",
        "Speaker 1",
        "Speaker 1",
        "Speaker 1",
        None,
    ]
    assert len({each["id"] for each in found}) == len(LINES)
    assert {each["channel"] for each in found} == {0}


class TestParagraphs:
    def test_one_goes_on_until_somebody_else_speaks_or_nobody_for_long(self) -> None:
        found = whole("paragraphs=true&diarize=true")["paragraphs"]
        times = [(each["start"], each["end"], each["num_words"]) for each in found["paragraphs"]]
        assert times == [(0.5, 1.5, 2), (2.0, 4.0, 3), (9.0, 9.5, 1), (9.6, 9.9, 1)]
        assert found["transcript"] == (
            "\n林静: 好。的！\n\nSpeaker 1: Yes, Paris 2.5. No?行。\n\nSpeaker 1: 行。\n\n嗯\n"
        )

    def test_without_speakers_a_pause_alone_ends_it(self) -> None:
        found = whole("smart_format=true")["paragraphs"]
        assert [each["start"] for each in found["paragraphs"]] == [0.5, 9.0]
        assert found["transcript"].count("\n\n") == 1

    def test_sentences_have_the_times_of_their_words(self) -> None:
        found = whole("paragraphs=true")["paragraphs"]["paragraphs"][0]["sentences"]
        assert found == [
            {"text": "好。", "start": 0.55, "end": 0.7},
            {"text": "的！", "start": 0.71, "end": 0.9},
            {"text": "Yes, Paris 2.5.", "start": 2.0, "end": 2.5},
            {"text": "No?", "start": 2.6, "end": 2.9},
            {"text": "行。", "start": 3.2, "end": 3.3},
        ]


def test_silence_is_an_answer() -> None:
    found = answered("utterances=true&paragraphs=true", [])["results"]
    assert found["utterances"] == []
    assert found["channels"][0]["alternatives"][0]["transcript"] == ""
    assert found["channels"][0]["alternatives"][0]["paragraphs"] == {"transcript": "", "paragraphs": []}


def test_metadata_names_the_models_by_what_looks_like_theirs() -> None:
    found = metadata(
        request_id="3fa9",
        models="people",
        received_at=1_796_083_200.25,
        sha256="0a",
        duration_s=1.23456,
        channels=2,
    )
    number = model_uuid("people")
    assert found["models"] == [number]
    assert found["model_info"] == {number: {"name": "people", "version": "1", "arch": "asrsite"}}
    assert (found["created"], found["duration"]) == ("2026-12-01T00:00:00.250Z", 1.235)
    assert model_uuid("people") != model_uuid("embedded")


class TestErrors:
    @pytest.mark.parametrize("code", ErrorCode)
    def test_each_has_a_name_and_a_status_that_clients_know(self, code: ErrorCode) -> None:
        error = ProtocolError(code, "why", param="p")
        assert status_of(error) in (400, 401, 402, 408, 413, 429, 500, 503)
        body = json.loads(error_body(error, request_id="3fa9"))
        assert body == {"err_code": body["err_code"], "err_msg": "why", "request_id": "3fa9"}
        assert body["err_code"]

    @pytest.mark.parametrize(
        ("code", "name", "status"),
        [
            (ErrorCode.UNAUTHORIZED, "INVALID_AUTH", 401),
            (ErrorCode.FORBIDDEN, "INVALID_AUTH", 401),
            (ErrorCode.BAD_PARAMETER, "Bad Request", 400),
            (ErrorCode.OVERLOADED, "SERVICE_UNAVAILABLE", 503),
        ],
    )
    def test_the_important_ones(self, code: ErrorCode, name: str, status: int) -> None:
        error = ProtocolError(code, "why")
        assert json.loads(error_body(error, request_id=""))["err_code"] == name
        assert status_of(error) == status

    def test_what_may_be_tried_again_has_a_status_that_says_so(self) -> None:
        for code, (_, status) in NAMES.items():
            if status in (429, 503):
                assert code.is_retryable
