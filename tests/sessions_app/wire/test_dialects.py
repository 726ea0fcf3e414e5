"""Our own protocol as the first of the dialects."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from sessions_app.wire.dialects import (
    DIALECTS,
    Audio,
    Capabilities,
    Handshake,
    Join,
    with_session,
)
from sessions_app.wire.own_protocol import MAX_UNREAD, OwnProtocol, _encode_once, bearer_token
from sessions_app.wire.protocol import (
    Ack,
    Close,
    ErrorCode,
    Flush,
    Hello,
    JoinRequest,
    Line,
    Mode,
    PartialLine,
    ProtocolError,
    SpeakerRef,
    encode,
)

LINE = Line(7, 3, 10_200, 12_300, "你好，世界。", SpeakerRef("0b5c", "张三", 0.98765, True))
PYTHON = {"user-agent": "Python/3.11 websockets/16.0"}


def opened(query: str, headers: dict[str, str] | None = None) -> tuple[OwnProtocol, Join]:
    dialect = OwnProtocol()
    [join] = dialect.open(Handshake("meeting", query, headers or {}))
    assert isinstance(join, Join)
    return dialect, join


class TestOpening:
    def test_the_first_version_is_told_lines_and_its_senders_the_end(self) -> None:
        assert opened("mode=receiver")[1].capabilities == Capabilities()
        capabilities = opened("mode=sender")[1].capabilities
        assert capabilities == Capabilities(wants_end=True, may_never_read=True)

    def test_a_sender_that_may_choke_on_what_it_does_not_read_is_spared(self) -> None:
        assert opened("mode=sender", PYTHON)[1].capabilities.max_unread == MAX_UNREAD
        assert opened("mode=receiver", PYTHON)[1].capabilities.max_unread is None
        assert opened("mode=sender&v=2", PYTHON)[1].capabilities.max_unread is None

    def test_the_second_version_is_told_everything(self) -> None:
        assert opened("mode=sender&v=2&stay=1")[1].capabilities == Capabilities(
            wants_events=True, wants_acks=True, wants_end=True, resumes=True
        )
        assert opened("mode=receiver&v=2&stay=1")[1].capabilities == Capabilities(
            wants_events=True, wants_end=True, stays=True, resumes=True
        )

    def test_only_the_second_version_may_stay(self) -> None:
        assert not opened("mode=receiver&stay=1")[1].capabilities.stays

    def test_the_token_may_stand_in_a_header(self) -> None:
        assert opened("mode=sender", {"authorization": "Bearer abc"})[1].request.token == "abc"
        assert opened("mode=sender&token=x", {"authorization": "Bearer abc"})[1].request.token == "x"

    @pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "abc"])
    def test_no_other_header_is_one(self, header: str) -> None:
        assert bearer_token({"authorization": header}) == ""

    def test_what_makes_no_sense_is_refused(self) -> None:
        with pytest.raises(ProtocolError) as refused:
            OwnProtocol().open(Handshake("meeting", "mode=sender&v=3"))
        assert refused.value.code is ErrorCode.BAD_PARAMETER


class TestMessages:
    def test_audio_is_what_was_sent(self) -> None:
        data = np.full(160, 0.25, "<f4").tobytes()
        [audio] = opened("mode=sender")[0].receive(None, data)
        assert isinstance(audio, Audio)
        assert audio.data == data

    def test_misaligned_audio_is_an_error(self) -> None:
        with pytest.raises(ProtocolError) as refused:
            opened("mode=sender")[0].receive(None, bytes(5))
        assert refused.value.code is ErrorCode.MISALIGNED

    @pytest.mark.parametrize("version", [1, 2])
    def test_close(self, version: int) -> None:
        [command] = opened(f"mode=sender&v={version}")[0].receive("close", None)
        assert isinstance(command, Close)

    def test_flush_is_of_the_second_version(self) -> None:
        [command] = opened("mode=sender&v=2")[0].receive('{"command": "flush"}', None)
        assert isinstance(command, Flush)
        with pytest.raises(ProtocolError):
            opened("mode=sender")[0].receive('{"command": "flush"}', None)


class TestWords:
    @pytest.mark.parametrize("version", [1, 2])
    def test_are_those_of_the_version(self, version: int) -> None:
        dialect, _ = opened(f"mode=sender&v={version}")
        for message in (LINE, PartialLine(0, "你"), Ack(2, 1), Hello("m", Mode.SENDER, 1, "live", 0, 0)):
            text = encode(message, version=version)
            assert list(dialect.encode(message)) == ([text] if text else [])

    def test_an_error_says_whether_the_socket_closes(self) -> None:
        refusal = OwnProtocol().encode_error(ProtocolError(ErrorCode.MISALIGNED, "odd"))
        assert refusal.close == 4422
        assert json.loads(refusal.texts[0])["error"]["code"] == "misaligned_audio"
        assert OwnProtocol().encode_error(ProtocolError(ErrorCode.BAD_COMMAND, "x")).close is None


class TestSession:
    """Which one a client takes part in, decided when it joins."""

    def test_is_the_one_that_it_names_in_its_one_spelling(self) -> None:
        request = with_session(JoinRequest("e\u0301", Mode.RECEIVER), new_key="new")
        assert request == JoinRequest("\u00e9", Mode.RECEIVER)

    def test_is_a_new_one_for_a_sender_that_names_none(self) -> None:
        request = with_session(JoinRequest("", Mode.SENDER, token="abc", title="Weekly"), new_key="new")
        assert request == JoinRequest("new", Mode.SENDER, token="abc", title="Weekly")

    def test_is_none_for_a_receiver_that_names_none(self) -> None:
        with pytest.raises(ProtocolError, match="is empty") as refused:
            with_session(JoinRequest("", Mode.RECEIVER), new_key="new")
        assert refused.value.code is ErrorCode.BAD_SESSION_ID

    @pytest.mark.parametrize("mode", Mode)
    @pytest.mark.parametrize("key", ["a b", "a/b", "..", "x" * 65, "a\x00"])
    def test_has_a_name_that_can_be_one_whoever_understood_it(self, mode: Mode, key: str) -> None:
        with pytest.raises(ProtocolError) as refused:
            with_session(JoinRequest(key, mode), new_key="new")
        assert refused.value.code is ErrorCode.BAD_SESSION_ID


class TestSockets:
    """One dialect is one socket: what it remembers is of no other."""

    def test_each_counts_its_own_frames(self) -> None:
        first, second = opened("mode=sender")[0], opened("mode=sender")[0]
        first.receive(None, bytes(8))
        for dialect, number in ((first, 2), (second, 1)):
            with pytest.raises(ProtocolError) as refused:
                dialect.receive(None, bytes(5))
            assert refused.value.param == f"frame {number}"

    def test_each_has_its_version_though_lines_are_written_once_for_all(self) -> None:
        first, second = opened("mode=receiver")[0], opened("mode=receiver&v=2")[0]
        for _ in range(2):
            assert "final" not in json.loads(first.encode(LINE)[0])
            assert json.loads(second.encode(LINE)[0])["final"] is True

    def test_a_hello_is_not_kept_with_its_right_to_return(self) -> None:
        dialect, _ = opened("mode=sender&v=2")
        before = _encode_once.cache_info()
        dialect.encode(Hello("m", Mode.SENDER, 1, "live", 0, 0, resume="secret"))
        assert _encode_once.cache_info() == before

    @pytest.mark.parametrize("code", ErrorCode)
    def test_an_error_closes_with_the_code_that_it_names(self, code: ErrorCode) -> None:
        refusal = OwnProtocol().encode_error(ProtocolError(code, "why", retry_after=1.5, param="x"))
        [text] = refusal.texts
        error = json.loads(text)["error"]
        assert (error["close"], error["code"], error["retryable"]) == (
            refusal.close, code.code, code.is_retryable,
        )  # fmt: skip
        assert (error["message"], error["retry_after"], error["param"]) == ("why", 1.5, "x")

    def test_our_own_audio_is_checked_and_not_converted(self) -> None:
        for query in ("mode=sender", "mode=sender&v=2"):
            capabilities = opened(query)[1].capabilities
            assert capabilities.pcm is None
            assert capabilities.has_binary_audio
            assert capabilities.max_message_bytes is None


def test_the_table_knows_our_path() -> None:
    [path] = [path for path, dialect in DIALECTS.items() if dialect.endswith(".OwnProtocol")]
    found = re.match(path, "ws/asr/周会-42")
    assert found
    assert found["session_id"] == "周会-42"
    assert re.match(path, "ws/asr/a/b") is None
