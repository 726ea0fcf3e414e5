"""OpenAI's API for files: what a form means, and the answers that its libraries read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions_app.wire import openai_files
from sessions_app.wire.openai_files import FORMATS, Wishes, understand
from sessions_app.wire.protocol import ErrorCode, Line, ProtocolError, SpeakerRef, Word

LIN_JING = SpeakerRef("a", "林静", 0.9, is_enrolled=True)
STRANGER = SpeakerRef("b", "Speaker 1", 1.0, number=1)
LINES = [
    Line(7, 1, 544, 1500, "好的。", LIN_JING, words=(Word(0, 1, 550, 700), Word(1, 2, 710, 900))),
    Line(8, 2, 2000, 3000, "Yes.", STRANGER, words=(Word(0, 3, 2000, 2500),)),
    Line(9, 3, 3100, 4000, "No.", SpeakerRef()),
]
FIRST = {"id": "seg_0", "start": 0.544, "end": 1.5, "text": "好的。", "speaker": "林静"}
TYPE = {"type": "transcript.text.segment"}


def wishes(**form: Any) -> Wishes:
    fields = {"model": ["whisper-1"]} | {name: [str(value)] for name, value in form.items()}
    return understand(fields, file_name="周会.wav", token="secret")


def answered(**form: Any) -> Any:
    return json.loads(openai_files.answer(wishes(**form), LINES, 12.4))


class TestForm:
    def test_the_file_s_name_is_the_title_and_the_token_goes_along(self) -> None:
        join = wishes().join
        assert (join.title, join.token, join.session_key) == ("周会.wav", "secret", "")

    @pytest.mark.parametrize(
        ("model", "may_substitute"),
        [("whisper-1", True), ("gpt-4o-transcribe-diarize", True), ("fun-asr-nano", True), ("people", False)],
    )
    def test_other_services_models_mean_the_default(self, model: str, may_substitute: bool) -> None:
        join = wishes(model=model).join
        assert (join.models, join.may_substitute) == (model, may_substitute)

    @pytest.mark.parametrize("format_", FORMATS)
    def test_each_format_is_taken(self, format_: str) -> None:
        assert wishes(response_format=format_).format == format_

    def test_what_nobody_knows_or_needs_is_ignored(self) -> None:
        more = {
            "temperature": "0",
            "chunking_strategy": "auto",
            "x": "y",
        }
        assert wishes(**more) == wishes()

    def test_a_language_is_asked_for(self) -> None:
        join = wishes(language="zh").join
        assert (join.language, join.may_leave_out) == ("zh", True)

    def test_words_of_the_prompt_are_hotwords(self) -> None:
        join = wishes(prompt="阿里巴巴, 达摩院。").join
        assert [word.text for word in join.hotwords] == ["阿里巴巴"]
        assert join.may_leave_out

    @pytest.mark.parametrize(
        ("format_", "streams"), [("json", True), ("diarized_json", True), ("srt", False), ("text", False)]
    )
    def test_only_json_streams(self, format_: str, streams: bool) -> None:
        assert wishes(response_format=format_, stream="true").is_streaming is streams
        assert not wishes(response_format=format_, stream="false").is_streaming

    @pytest.mark.parametrize(
        ("form", "param"),
        [
            ({"response_format": "docx"}, "response_format"),
            ({"known_speaker_names[]": "agent"}, "known_speaker_names"),
            ({"known_speaker_references[]": "data:audio/wav;base64,"}, "known_speaker_references"),
            ({"store": "false"}, "store"),
            ({"model": ""}, "model"),
        ],
    )
    def test_what_cannot_be_done_is_refused_with_its_name(self, form: dict[str, str], param: str) -> None:
        with pytest.raises(ProtocolError) as refused:
            wishes(**form)
        assert (refused.value.code, refused.value.param) == (ErrorCode.BAD_PARAMETER, param)

    def test_a_form_without_anything_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match="model is missing"):
            understand({}, file_name="", token="")


class TestAnswers:
    def test_json_is_the_text(self) -> None:
        assert answered() == {"text": "好的。Yes. No.", "usage": {"type": "duration", "seconds": 12}}

    def test_text_is_bare(self) -> None:
        assert openai_files.answer(wishes(response_format="text"), LINES, 12.4) == "好的。Yes. No.\n"

    def test_diarized_segments_name_their_speakers(self) -> None:
        found = answered(response_format="diarized_json")
        assert found["segments"][0] == TYPE | FIRST
        assert [each["speaker"] for each in found["segments"]] == ["林静", "Speaker 1", ""]
        assert (found["task"], found["duration"]) == ("transcribe", 12.4)

    def test_verbose_segments_have_all_fields_that_libraries_need(self) -> None:
        found = answered(response_format="verbose_json")
        assert found["segments"][1].keys() == {
            "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
            "no_speech_prob", "speaker",
        }  # fmt: skip
        assert "words" not in found
        assert found["language"] == "chinese"

    def test_words_come_if_they_are_asked_for(self) -> None:
        found = answered(**{"response_format": "verbose_json", "timestamp_granularities[]": "word"})
        assert found["words"][0] == {"word": "好", "start": 0.55, "end": 0.7}
        assert [each["word"] for each in found["words"]] == ["好", "的", "Yes"]

    def test_silence_is_an_answer(self) -> None:
        assert json.loads(openai_files.answer(wishes(), [], 0.2)) == {
            "text": "",
            "usage": {"type": "duration", "seconds": 1},
        }


class TestStreams:
    @pytest.mark.parametrize("format_", ["json", "verbose_json"])
    def test_deltas_make_the_text(self, format_: str) -> None:
        asked, text = wishes(response_format=format_, stream="true"), ""
        for number, line in enumerate(LINES):
            [event] = openai_files.events_of(asked, line, number, text)
            assert event.startswith("data: ")
            assert event.endswith("\n\n")
            text += json.loads(event[6:])["delta"]
        assert text == "好的。Yes. No."
        done, last = openai_files.last_events(text)
        assert json.loads(done[6:]) == {"type": "transcript.text.done", "text": text}
        assert last == "data: [DONE]\n\n"

    def test_segments_come_only_if_speakers_are_wanted(self) -> None:
        asked = wishes(response_format="diarized_json", stream="true")
        [event] = openai_files.events_of(asked, LINES[0], 0, "")
        assert json.loads(event[6:]) == TYPE | FIRST

    def test_an_error_on_the_way_is_an_event(self) -> None:
        event = openai_files.error_event(ProtocolError(ErrorCode.RECOGNITION_FAILED, "it failed"))
        assert json.loads(event[6:])["error"]["message"] == "it failed"


class TestErrors:
    @pytest.mark.parametrize("code", ErrorCode)
    def test_each_has_a_status_that_libraries_know(self, code: ErrorCode) -> None:
        status = openai_files.status_of(ProtocolError(code, "x"))
        assert 400 <= status < 600
        fields = openai_files.error_fields(ProtocolError(code, "x", param="p"))["error"]
        assert fields["type"] == ("server_error" if status >= 500 else "invalid_request_error")
        assert (fields["message"], fields["param"], fields["code"]) == ("x", "p", code.code)

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (ErrorCode.UNAUTHORIZED, 401),
            (ErrorCode.FORBIDDEN, 403),
            (ErrorCode.BAD_PARAMETER, 400),
            (ErrorCode.WRONG_FORMAT, 415),
            (ErrorCode.QUOTA, 429),
            (ErrorCode.OVERLOADED, 503),
            (ErrorCode.RECOGNITION_FAILED, 500),
            (ErrorCode.TOO_LONG, 413),
            (ErrorCode.BAD_COMMAND, 400),
        ],
    )
    def test_the_important_ones(self, code: ErrorCode, status: int) -> None:
        assert openai_files.status_of(ProtocolError(code, "x")) == status

    def test_a_model_that_is_not_served_is_not_found(self) -> None:
        error = ProtocolError(ErrorCode.BAD_PARAMETER, "x", param="models")
        assert openai_files.status_of(error) == 404
        assert openai_files.error_fields(error)["error"]["code"] == "model_not_found"


def test_the_list_of_models_has_ours_and_the_one_that_clients_ask_for() -> None:
    names = [each["id"] for each in openai_files.models(["people", "embedded"])["data"]]
    assert names == ["whisper-1", "people", "embedded"]
