"""OpenAI's library on a running server: recordings as files, in every format, and its errors."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.server.dialects.conftest import BEGINNING, said, titles
from tests.support.funasr_clients import wav_header
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")


def library(server: Server, key: str = "none") -> OpenAI:
    return OpenAI(api_key=key, base_url=f"{server.http}/v1", max_retries=0)


@pytest.fixture
def recording(beginning: bytes) -> tuple[str, bytes]:
    return "周会.wav", wav_header(len(beginning)) + beginning


def transcribed(server: Server, recording: Any, **wishes: Any) -> Any:
    more: Any = {"model": "whisper-1"} | wishes
    return library(server).audio.transcriptions.create(file=recording, **more)


def texts() -> list[str]:
    return [text for _, text in said()[:BEGINNING]]


def test_json_has_the_text_and_a_session_has_the_file_s_name(house: Server, recording: Any) -> None:
    assert transcribed(house, recording).text == "".join(texts())
    assert titles(house)[-1] == "周会.wav"
    assert house.query("SELECT state FROM sessions_app_session ORDER BY id DESC LIMIT 1") == [("ended",)]


def test_diarized_json_names_who_said_each_line(house: Server, recording: Any) -> None:
    found = transcribed(house, recording, response_format="diarized_json", model="gpt-4o-transcribe-diarize")
    assert [(each.speaker, each.text) for each in found.segments] == said()[:BEGINNING]


def test_verbose_json_has_times_of_lines_and_of_words(house: Server, recording: Any) -> None:
    wishes = {"response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]}
    found = transcribed(house, recording, **wishes)
    assert [each.text for each in found.segments] == texts()
    assert "".join(each.word for each in found.words) == "".join(filter(str.isalnum, "".join(texts())))
    assert found.words[0].start >= found.segments[0].start
    assert found.duration == pytest.approx(len(recording[1]) / 32_000, abs=0.1)


@pytest.mark.parametrize(("format_", "mark"), [("srt", "00:00:00,"), ("vtt", "WEBVTT"), ("text", "大家好")])
def test_written_forms_are_bare_texts(house: Server, recording: Any, format_: str, mark: str) -> None:
    found = transcribed(house, recording, response_format=format_)
    assert isinstance(found, str)
    assert mark in found
    assert all(text.rstrip("。？") in found.replace("\n", "") for text in texts()[2:3])


@pytest.mark.parametrize("format_", ["json", "diarized_json"])
def test_a_stream_tells_the_lines_and_then_all_of_it(house: Server, recording: Any, format_: str) -> None:
    events = [*transcribed(house, recording, stream=True, response_format=format_)]
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == "".join(texts())
    if format_ == "json":
        assert [event.delta for event in events[:-1]] == texts()
    else:
        assert [(event.speaker, event.text) for event in events[:-1]] == said()[:BEGINNING]


def test_the_models_are_listed(house: Server) -> None:
    names = [each.id for each in library(house).models.list()]
    assert names[0] == "whisper-1"
    assert library(house).models.retrieve(names[-1]).id == names[-1]
    with pytest.raises(openai.NotFoundError):
        library(house).models.retrieve("nobody-has-this")


class TestRefusals:
    def test_a_wrong_key(self, house: Server, recording: Any) -> None:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            library(house, "wrong").audio.transcriptions.create(file=recording, model="whisper-1")
        assert refused.value.code == "forbidden"
        with pytest.raises(openai.PermissionDeniedError):
            library(house, "wrong").models.list()

    def test_an_unknown_model(self, house: Server, recording: Any) -> None:
        with pytest.raises(openai.NotFoundError, match="is not served: use one of") as refused:
            transcribed(house, recording, model="nobody-has-this")
        assert refused.value.code == "model_not_found"

    def test_an_unknown_format(self, house: Server, recording: Any) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            transcribed(house, recording, response_format="docx")
        assert refused.value.param == "response_format"

    def test_a_file_that_is_no_audio_begins_no_session(self, house: Server) -> None:
        before = titles(house)
        with pytest.raises(openai.APIStatusError, match="no audio that can be read") as refused:
            transcribed(house, ("notes.mp3", b"hello" * 1000))
        assert (refused.value.status_code, refused.value.code) == (415, "wrong_format")
        assert titles(house) == before

    def test_translations(self, house: Server, recording: Any) -> None:
        with pytest.raises(openai.InternalServerError, match="translations are not made"):
            library(house).audio.translations.create(file=recording, model="whisper-1")

    @pytest.mark.parametrize(
        ("path", "data", "status"),
        [
            ("audio/transcriptions", b"no form", 400),
            ("chat/completions", b"{}", 404),
            ("audio/transcriptions", None, 404),
        ],
    )
    def test_what_is_no_such_request(self, house: Server, path: str, data: bytes | None, status: int) -> None:
        request = urllib.request.Request(f"{house.http}/v1/{path}", data)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310
        assert refused.value.code == status
        assert b'"error"' in refused.value.read()

    def test_a_page_of_somebody_else(self, house: Server) -> None:
        headers = {"Origin": "https://evil.example"}
        with pytest.raises(openai.PermissionDeniedError):
            library(house).models.list(extra_headers=headers)
