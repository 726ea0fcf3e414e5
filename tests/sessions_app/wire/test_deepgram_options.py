"""Deepgram's parameters: what each means here, and which are refused rather than missed."""

from __future__ import annotations

import pytest

from sessions_app.wire.deepgram_options import Options, parse_options
from sessions_app.wire.pcm import PcmFormat
from sessions_app.wire.protocol import ErrorCode, ProtocolError


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("encoding=linear16&sample_rate=8000", PcmFormat("s16le", 8_000)),
        ("encoding=linear32&sample_rate=48000", PcmFormat("f32le", 48_000)),
        ("encoding=LINEAR16&sample_rate=24000&channels=2", PcmFormat("s16le", 24_000, 2)),
        ("encoding=mulaw", PcmFormat("mulaw", 8_000)),
        ("encoding=alaw&sample_rate=16000", PcmFormat("alaw", 16_000)),
        ("model=nova-3", None),
        ("sample_rate=16000&channels=2", None),
    ],
)
def test_the_format_of_audio_without_a_header(query: str, expected: PcmFormat | None) -> None:
    assert parse_options(query).pcm() == expected


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("encoding=opus&sample_rate=48000", "encoding"),
        ("encoding=linear16", "sample_rate"),
        ("encoding=linear32&sample_rate=fast", "sample_rate"),
        ("encoding=linear16&sample_rate=1000", "format"),
        ("encoding=linear16&sample_rate=16000&channels=9", "format"),
        ("encoding=linear16&sample_rate=16000&channels=0", "format"),
    ],
)
def test_a_format_that_is_none_is_refused(query: str, param: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_options(query).pcm()
    assert (refused.value.code, refused.value.param) == (ErrorCode.BAD_PARAMETER, param)


@pytest.mark.parametrize("query", ["callback=https://example.org/", "redact=pci", "redact=pci&redact=ssn"])
def test_who_relies_on_what_is_not_done_is_told(query: str) -> None:
    with pytest.raises(ProtocolError, match="is not possible") as refused:
        parse_options(query)
    assert refused.value.param == query.partition("=")[0]


@pytest.mark.parametrize("query", ["redact=false", "callback=", "redact="])
def test_what_is_not_asked_for_is_not_refused(query: str) -> None:
    assert parse_options(query) == Options()


@pytest.mark.parametrize("yes", ["true", "True", "1"])
@pytest.mark.parametrize("no", ["false", "False", "0", "none", ""])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("interim_results", "has_interims"),
        ("diarize", "has_speakers"),
        ("vad_events", "has_speech_events"),
        ("multichannel", "is_multichannel"),
        ("utterances", "has_utterances"),
        ("paragraphs", "has_paragraphs"),
    ],
)
def test_flags_are_written_in_many_ways_and_off_by_default(name: str, field: str, yes: str, no: str) -> None:
    assert getattr(parse_options(f"{name}={yes}"), field) is True
    assert getattr(parse_options(f"{name}={no}"), field) is False
    assert getattr(parse_options(""), field) is False


def test_a_model_for_telling_speakers_apart_asks_for_speakers() -> None:
    assert parse_options("diarize_model=latest").has_speakers


@pytest.mark.parametrize(
    ("query", "has_marks"),
    [
        ("", True),
        ("punctuate=true", True),
        ("punctuate=false", False),
        ("punctuate=false&smart_format=true", True),
    ],
)
def test_marks_are_left_out_only_if_somebody_says_so(query: str, has_marks: bool) -> None:
    assert parse_options(query).has_marks is has_marks


def test_smart_format_brings_paragraphs() -> None:
    assert parse_options("smart_format=true").has_paragraphs


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", True), ("endpointing=300", True), ("endpointing=true", True), ("endpointing=false", False)],
)
def test_ends_of_speech_are_told_unless_somebody_says_no(query: str, expected: bool) -> None:
    assert parse_options(query).has_endpoints is expected


@pytest.mark.parametrize(
    ("query", "expected_ms"), [("", 0), ("utterance_end_ms=1500", 1500), ("utterance_end_ms=false", 0)]
)
def test_how_long_nobody_speaks_before_it_is_said(query: str, expected_ms: int) -> None:
    assert parse_options(query).utterance_end_ms == expected_ms


@pytest.mark.parametrize(
    ("model", "may_substitute"),
    [("nova-3", True), ("nova-2-meeting", True), ("general", True), ("phonecall", True), ("people", False)],
)
def test_their_models_mean_the_default_and_ours_ours(model: str, may_substitute: bool) -> None:
    join = parse_options(f"model={model}").request(token="secret", request_id="3fa9")
    assert (join.models, join.may_substitute) == (model, may_substitute)
    assert (join.token, join.session_key) == ("secret", "3fa9")


def test_the_first_tag_is_the_title() -> None:
    join = parse_options("tag=%E5%91%A8%E4%BC%9A&tag=x").request(token="", request_id="3fa9")
    assert join.title == "周会"


@pytest.mark.parametrize(
    ("named", "code", "script"),
    [("zh", "zh", ""), ("en-US", "en", ""), ("zh-TW", "zh", "traditional"), ("multi", "", ""), ("?", "", "")],
)
def test_a_language_is_asked_for_and_left_out_where_models_do_not_know_it(
    named: str, code: str, script: str
) -> None:
    join = parse_options(f"language={named}").request(token="", request_id="m")
    assert (join.language, join.script, join.may_leave_out) == (code, script, True)


def test_what_nobody_knows_is_ignored() -> None:
    assert parse_options("version=1&keyterm=a&numerals=true&mip_opt_out=true&x=y&channels=two") == Options()
