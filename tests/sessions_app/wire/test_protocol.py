from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.wire.protocol import (
    MAX_EXPECTED,
    Ack,
    Close,
    ErrorCode,
    Flush,
    Flushed,
    Hello,
    JoinRequest,
    Line,
    Mode,
    PartialLine,
    ProtocolError,
    Revision,
    Rewrite,
    SessionEnd,
    SpeakerRef,
    StateChange,
    encode,
    encode_error,
    parse_command,
    parse_join,
    parse_session_key,
)

LINE = Line(7, 3, 10_200, 12_300, "你好，世界。", SpeakerRef("0b5c", "张三", 0.98765, True))


def fault_of(excinfo: pytest.ExceptionInfo[ProtocolError]) -> ErrorCode:
    return excinfo.value.code


class TestJoin:
    def test_the_users_address_is_version_one(self) -> None:
        assert parse_join("meeting-1", "mode=sender") == JoinRequest("meeting-1", Mode.SENDER)

    def test_everything_that_version_two_may_ask(self) -> None:
        join = parse_join("m", "mode=receiver&v=2&since=41&revision=3&token=abc&resume=r&attempt=7")
        assert join == JoinRequest(
            "m", Mode.RECEIVER, 2, since=41, revision=3, resume="r", attempt=7, token="abc"
        )

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("", "mode is missing: use mode=sender or mode=receiver"),
            ("mode=", "mode='' is unknown: use mode=sender or mode=receiver"),
            ("mode=Sender", "mode='Sender' is unknown: use mode=sender or mode=receiver"),
            ("mode=sender&mode=receiver", "mode is given 2 times: give it once"),
            ("mode=sender&mode=sender", "mode is given 2 times: give it once"),
        ],
    )
    def test_a_mode_that_is_missing_repeated_or_unknown_is_refused(self, query: str, message: str) -> None:
        with pytest.raises(ProtocolError, match=message) as refused:
            parse_join("m", query)
        assert fault_of(refused) is ErrorCode.BAD_MODE
        assert refused.value.param == "mode"

    def test_a_sender_may_name_what_it_begins_and_a_receiver_may_stay(self) -> None:
        join = parse_join("m", "mode=sender&v=2&title=Weekly%0A%20planning&stay=1")
        assert (join.title, join.stays) == ("Weekly planning", True)

    def test_a_title_that_no_list_can_show_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match="the title has 201 characters; at most 200 are allowed"):
            parse_join("m", "mode=sender&title=" + 201 * "x")

    def test_what_is_empty_is_as_if_it_were_not_there(self) -> None:
        join = parse_join("m", "mode=receiver&v=&since=&revision=&resume=&token=&title=&stay=")
        assert join == JoinRequest("m", Mode.RECEIVER)

    def test_of_what_is_given_twice_the_last_counts(self) -> None:
        assert parse_join("m", "mode=receiver&since=1&since=41&token=a&token=b") == JoinRequest(
            "m", Mode.RECEIVER, since=41, token="b"
        )

    def test_what_we_do_not_know_is_of_no_interest(self) -> None:
        assert parse_join("m", "mode=sender&accent=zh&x") == JoinRequest("m", Mode.SENDER)

    def test_texts_are_percent_decoded_once(self) -> None:
        join = parse_join("m", "mode=sender&title=%E5%91%A8%E4%BC%9A%2520&token=a%2Bb+c")
        assert (join.title, join.token) == ("周会%20", "a+b c")

    @pytest.mark.parametrize(("value", "stays"), [("0", False), ("1", True), ("2", True)])
    def test_staying_is_a_number_that_is_not_zero(self, value: str, stays: bool) -> None:
        assert parse_join("m", f"mode=receiver&stay={value}").stays is stays

    @pytest.mark.parametrize("version", [0, 3, 10])
    def test_a_version_that_is_none_is_refused_and_the_others_are_named(self, version: int) -> None:
        with pytest.raises(ProtocolError, match=f"there is no version {version}: use 1 or 2") as refused:
            parse_join("m", f"mode=sender&v={version}")
        assert (fault_of(refused), refused.value.param) == (ErrorCode.BAD_PARAMETER, "v")

    def test_a_number_may_have_as_many_digits_as_any_session_needs(self) -> None:
        assert parse_join("m", f"mode=receiver&since={10**12 - 1}").since == 10**12 - 1
        with pytest.raises(ProtocolError, match="since='1000000000000' is no whole number"):
            parse_join("m", f"mode=receiver&since={10**12}")

    @pytest.mark.parametrize("query", ["v=3", "v=two", "since=-1", "since=1e3", "since=９", "revision=x"])
    def test_a_number_that_is_none_is_refused(self, query: str) -> None:
        with pytest.raises(ProtocolError) as refused:
            parse_join("m", f"mode=receiver&{query}")
        assert fault_of(refused) is ErrorCode.BAD_PARAMETER

    @given(st.text(max_size=80), st.text(max_size=80))
    def test_whatever_comes_there_is_an_answer(self, key: str, query: str) -> None:
        try:
            join = parse_join(key, query)
        except ProtocolError as error:
            assert error.code.close == 4400
        else:
            assert join.mode in Mode


class TestExpected:
    ONE, TWO = "0b5c2f9e-5c1c-4a39-9d0b-8f4f4d9a5a51", "91c4d1f0-7a55-4d0e-bb43-2f2f5a6c1d10"

    @pytest.mark.parametrize(
        "query",
        [
            f"expected={ONE},{TWO}",
            f"expected={ONE}&expected={TWO}",
            f"expected={ONE},,{TWO},{ONE},",
            f"expected={ONE.upper()},{TWO.replace('-', '')}",
        ],
    )
    def test_are_named_by_their_ids_each_once(self, query: str) -> None:
        assert parse_join("m", f"mode=sender&{query}").expected == (self.ONE, self.TWO)

    @pytest.mark.parametrize("query", ["", "&expected=", "&expected=,"])
    def test_may_be_none(self, query: str) -> None:
        assert parse_join("m", f"mode=sender{query}").expected == ()

    @pytest.mark.parametrize("value", ["Alice", "1", f"{ONE},x", f"{ONE} {TWO}", "%00", "🎤"])
    def test_are_no_names(self, value: str) -> None:
        with pytest.raises(ProtocolError, match="expected takes ids of enrolled speakers") as refused:
            parse_join("m", f"mode=sender&expected={value}")
        assert (refused.value.code, refused.value.param) == (ErrorCode.BAD_PARAMETER, "expected")

    def test_are_no_crowd(self) -> None:
        many = [str(uuid.UUID(int=number)) for number in range(MAX_EXPECTED + 1)]
        assert len(parse_join("m", "mode=sender&expected=" + ",".join(many[1:])).expected) == MAX_EXPECTED
        with pytest.raises(ProtocolError, match="101 speakers are expected; at most 100 are allowed"):
            parse_join("m", "mode=sender&expected=" + ",".join(many))

    def test_are_told_to_senders(self) -> None:
        def hello(mode: Mode) -> Any:
            told = encode(Hello("m", mode, 1, "live", 0, 0, expected=(self.ONE,)), version=2)
            return json.loads(told or "")["event"].get("expected")

        assert (hello(Mode.SENDER), hello(Mode.RECEIVER)) == ([self.ONE], None)


class TestScriptAndLanguage:
    @pytest.mark.parametrize(
        ("query", "script", "language"),
        [
            ("", "", ""),
            ("&script=&language=", "", ""),
            ("&script=traditional", "traditional", ""),
            ("&language=en", "", "en"),
            ("&language=auto", "", ""),
            ("&language=zh-Hant", "traditional", "zh"),
            ("&language=zh-TW&script=simplified", "simplified", "zh"),
        ],
    )
    def test_are_asked_for_or_left_open(self, query: str, script: str, language: str) -> None:
        join = parse_join("m", f"mode=sender{query}")
        assert (join.script, join.language) == (script, language)

    @pytest.mark.parametrize(
        ("param", "value", "why"),
        [
            ("script", "Traditional", "neither simplified nor traditional"),
            ("script", "hant", "neither simplified nor traditional"),
            ("language", "12", "use a code as zh or en, or auto"),
            ("language", "x" * 99, "names no language"),
        ],
    )
    def test_others_are_refused_by_name(self, param: str, value: str, why: str) -> None:
        with pytest.raises(ProtocolError, match=why) as refused:
            parse_join("m", f"mode=sender&{param}={value}")
        assert (refused.value.code, refused.value.param) == (ErrorCode.BAD_PARAMETER, param)

    def test_are_told_to_senders(self) -> None:
        def hello(mode: Mode) -> Any:
            told = encode(Hello("m", mode, 1, "live", 0, 0, script="traditional", language="zh"), version=2)
            event = json.loads(told or "")["event"]
            return event.get("script"), event.get("language")

        assert (hello(Mode.SENDER), hello(Mode.RECEIVER)) == (("traditional", "zh"), (None, None))


class TestNumbersInDigits:
    @pytest.mark.parametrize(
        ("query", "itn"), [("", None), ("&itn=", None), ("&itn=1", True), ("&itn=0", False)]
    )
    def test_are_asked_for_refused_or_left_open(self, query: str, itn: bool | None) -> None:
        assert parse_join("m", f"mode=sender{query}").itn is itn

    @pytest.mark.parametrize("value", ["true", "2", "-1", "no"])
    def test_are_asked_for_by_one_and_nothing_else(self, value: str) -> None:
        with pytest.raises(ProtocolError, match="is neither 0 nor 1") as refused:
            parse_join("m", f"mode=sender&itn={value}")
        assert (refused.value.code, refused.value.param) == (ErrorCode.BAD_PARAMETER, "itn")

    def test_a_line_leads_back_to_what_was_heard(self) -> None:
        changes = (Rewrite(3, 6, "百分之八十"), Rewrite(9, 11, "两万"))
        line = Line(1, 1, 0, 1, "完成了80%，还差2万。", SpeakerRef(), changes=changes)
        assert line.heard == "完成了百分之八十，还差两万。"

    def test_version_two_names_what_was_heard_and_version_one_does_not(self) -> None:
        line = Line(1, 1, 0, 1, "80%", SpeakerRef(), changes=(Rewrite(0, 3, "百分之八十"),))
        told = [json.loads(encode(line, version=version) or "") for version in (1, 2)]
        assert "changes" not in told[0]
        assert told[1]["changes"] == [{"begin": 0, "stop": 3, "heard": "百分之八十", "by_rule": False}]

    def test_version_two_tells_how_a_line_sounds_where_that_is_known(self) -> None:
        line = Line(1, 1, 0, 1, "好", SpeakerRef(), language="zh", events="laughter applause")
        told = [json.loads(encode(line, version=version) or "") for version in (1, 2)]
        assert told[0].keys().isdisjoint({"language", "emotion", "events"})
        assert (told[1]["language"], told[1]["events"]) == ("zh", ["laughter", "applause"])
        assert "emotion" not in told[1]


class TestSessionKey:
    @pytest.mark.parametrize("key", ["a", "meeting-42", "周会", "0b5c-77", "会议_2026.11.23", "é", "x" * 64])
    def test_any_script_will_do(self, key: str) -> None:
        assert parse_session_key(key) == key

    def test_two_spellings_of_one_id_are_one(self) -> None:
        assert parse_session_key("e\u0301") == parse_session_key("\u00e9")

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("", "is empty"),
            ("x" * 65, "has 65 characters; at most 64"),
            ("a\x00", "has U+0000"),
            ("a\r\nX-Evil: 1", "has U+000D"),
            ("a b", "has U+0020"),
            ("a\u200b", "has U+200B"),
            ("a\ufffd", "has U+FFFD"),
            ("\u202eabc", "has U+202E"),
            ("a/b", "has U+002F"),
            ("a\\b", "has U+005C"),
            (".", "all dots"),
            ("..", "all dots"),
        ],
    )
    def test_what_nobody_sees_or_changes_an_address_is_refused(self, key: str, message: str) -> None:
        with pytest.raises(ProtocolError) as refused:
            parse_session_key(key)
        assert message in refused.value.message
        assert fault_of(refused) is ErrorCode.BAD_SESSION_ID

    @given(st.text())
    def test_what_is_accepted_stays_as_it_is(self, key: str) -> None:
        try:
            parsed = parse_session_key(key)
        except ProtocolError:
            return
        assert parse_session_key(parsed) == parsed
        assert 0 < len(parsed) <= 64
        assert parsed.isprintable()


class TestCommand:
    @pytest.mark.parametrize("text", ["close", '{"type": "close"}'])
    def test_close(self, text: str) -> None:
        assert isinstance(parse_command(text), Close)

    def test_flush_is_one_of_the_second_version(self) -> None:
        assert isinstance(parse_command('{"command": "flush"}', may_flush=True), Flush)
        with pytest.raises(ProtocolError, match="is no command"):
            parse_command('{"command": "flush"}')

    @pytest.mark.parametrize(
        "text", ["flush", '{"command": "Flush"}', '{"type": "flush"}', '["flush"]', "[" * 900_000]
    )
    def test_and_what_is_only_like_it_is_none(self, text: str) -> None:
        with pytest.raises(ProtocolError, match="is no command"):
            parse_command(text, may_flush=True)

    @pytest.mark.parametrize(
        "text", ["", "Close", " close", "close\n", "{", "[]", '"close"', "5", '{"type": "x"}']
    )
    def test_anything_else_is_no_command_and_costs_nothing(self, text: str) -> None:
        with pytest.raises(ProtocolError, match="is no command") as refused:
            parse_command(text)
        assert fault_of(refused).close is None

    @given(st.text())
    def test_whatever_comes_there_is_an_answer(self, text: str) -> None:
        try:
            parse_command(text)
        except ProtocolError as error:
            assert error.code is ErrorCode.BAD_COMMAND


def as_json(text: str | None) -> Any:
    assert text is not None
    return json.loads(text)


class TestVersionOne:
    def test_a_line_is_what_the_first_clients_read_and_a_little_more(self) -> None:
        assert as_json(encode(LINE, version=1)) == {
            "asr": "你好，世界。",
            "spk": {"speaker_id": "0b5c", "speaker_name": "张三", "score": 0.9877, "enrolled": True},
            "seq": 3,
            "start_ms": 10_200,
            "end_ms": 12_300,
        }

    def test_chinese_is_sent_as_chinese(self) -> None:
        assert "你好" in (encode(LINE, version=1) or "")

    @pytest.mark.parametrize(
        "message",
        [
            PartialLine(0, "你"),
            PartialLine(0, "", "你"),
            Revision(1, LINE),
            Ack(5, 4),
            Flushed(5, 1),
            StateChange("live"),
            Hello("m", Mode.SENDER, 1, "live", 0, 0),
        ],
    )
    def test_knows_nothing_but_lines_and_the_end(self, message: Any) -> None:
        assert encode(message, version=1) is None

    def test_the_end_is_confirmed_with_nothing_to_show(self) -> None:
        message = as_json(encode(SessionEnd(41, 196_800, 196_800), version=1))
        assert (message["asr"], message["spk"]) == ("", {})
        assert message["event"] == {
            "type": "session_end", "seq": 41, "received_s": 12.3, "recognised_s": 12.3,
        }  # fmt: skip


class TestVersionTwo:
    def test_a_line_is_final_and_has_its_id(self) -> None:
        message = as_json(encode(LINE, version=2))
        assert (message["final"], message["id"], message["seq"]) == (True, 7, 3)

    def test_a_stranger_has_a_number_and_nobody_else(self) -> None:
        stranger = replace(LINE, spoken=SpeakerRef("a", "Speaker 2", 0.5, number=2))
        assert as_json(encode(stranger, version=2))["spk"]["number"] == 2
        assert as_json(encode(LINE, version=2))["spk"]["number"] is None

    def test_what_a_person_corrected_is_marked(self) -> None:
        assert as_json(encode(replace(LINE, is_edited=True), version=2))["edited"] is True

    def test_a_partial_is_not_final(self) -> None:
        message = as_json(encode(PartialLine(9000, "你好"), version=2))
        assert message == {"asr": "你好", "spk": {}, "final": False, "start_ms": 9000}

    def test_a_partial_has_a_tail_only_where_there_is_one(self) -> None:
        message = as_json(encode(PartialLine(9000, "你", "好"), version=2))
        assert message == {"asr": "你", "tail": "好", "spk": {}, "final": False, "start_ms": 9000}

    def test_a_revision_carries_the_whole_line(self) -> None:
        event = as_json(encode(Revision(5, LINE), version=2))["event"]
        assert (event["type"], event["revision"], event["removed"]) == ("revise", 5, False)
        assert (event["line"]["id"], event["line"]["asr"]) == (7, "你好，世界。")

    def test_a_sender_is_told_where_to_go_on(self) -> None:
        hello = Hello("m", Mode.SENDER, 2, "live", 9, 1, resume_from=48_000, resume="signed")
        event = as_json(encode(hello, version=2))["event"]
        assert (event["resume_from"], event["resume"], event["seq"]) == (48_000, "signed", 9)

    def test_a_receiver_is_not_given_the_right_to_send(self) -> None:
        event = as_json(encode(Hello("m", Mode.RECEIVER, 2, "live", 9, 1), version=2))["event"]
        assert "resume" not in event

    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.parametrize(
        "message",
        [LINE, PartialLine(0, ""), Revision(1, LINE), Ack(1, 0), StateChange("live"), SessionEnd(1, 1, 1)],
    )
    def test_every_message_has_the_keys_that_old_clients_read(self, message: Any, version: int) -> None:
        text = encode(message, version=version)
        if text is not None:
            assert {"asr", "spk"} <= json.loads(text).keys()


class TestErrors:
    def test_say_what_is_wrong_in_a_stable_shape(self) -> None:
        error = ProtocolError(ErrorCode.MISALIGNED, "a frame of 1921 bytes", param="frame 17")
        assert json.loads(encode_error(error)) == {
            "asr": "",
            "spk": {},
            "error": {
                "code": "misaligned_audio",
                "message": "a frame of 1921 bytes",
                "close": 4422,
                "retryable": False,
                "retry_after": None,
                "param": "frame 17",
            },
        }

    def test_no_two_faults_share_a_code(self) -> None:
        assert len({fault.code for fault in ErrorCode}) == len(ErrorCode)

    def test_every_close_code_is_one_that_daphne_can_send(self) -> None:
        assert all(fault.close is None or 4000 <= fault.close < 5000 for fault in ErrorCode)


@pytest.mark.parametrize("key", ["a\u115f", "\u2800", "o" + "\u0301" * 60])
def test_an_id_that_cannot_be_read_is_none(key: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_session_key(key)
    assert refused.value.code is ErrorCode.BAD_SESSION_ID


@pytest.mark.parametrize(
    ("query", "title"), [("a%00b", "a b"), ("%E2%80%AEgnp.exe", "gnp.exe"), ("%1B[31mred", "[31mred")]
)
def test_a_title_is_what_it_looks_like(query: str, title: str) -> None:
    assert parse_join("a", f"mode=sender&title={query}").title == title
