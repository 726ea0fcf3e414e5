"""Hotwords of clients: ours say them exactly or are told; others' are understood as far as possible."""

from __future__ import annotations

import json

import pytest

from recognition.hotwords import MAX_HOTWORDS, Hotword
from sessions_app.wire import hotword_lists
from sessions_app.wire.hotword_lists import BadHotwords, by_intensifier, checked, usable
from sessions_app.wire.protocol import ErrorCode, ProtocolError, parse_join


class TestOurOwn:
    @pytest.mark.parametrize(
        "value",
        ["王磊,实时字幕:40", " 王磊，实时字幕: 40 ", "王磊\n实时字幕:40", '{"王磊": 20, "实时字幕": "40"}'],
    )
    def test_are_words_with_commas_and_perhaps_weights_or_json(self, value: str) -> None:
        assert checked(value) == (Hotword("王磊"), Hotword("实时字幕", 40))

    def test_may_be_given_one_by_one(self) -> None:
        assert checked(["王磊", "new model:5"]) == (Hotword("王磊"), Hotword("new model", 5))

    def test_may_be_a_list_in_json(self) -> None:
        assert checked('["王磊", 7, "OSS"]') == (Hotword("王磊"), Hotword("OSS"))

    def test_may_be_none(self) -> None:
        assert checked("") == checked(" , ,") == checked("{}") == ()

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("王磊,王", "'王' is no hotword: it has one character"),
            ("你好。世界", "it has marks that nobody speaks"),
            ("一二三四五六七八九十一", "it has more than 10 Chinese characters or words, or 60 characters"),
            ("王磊:0", "'王磊' has the weight 0: use 1 to 100"),
            ("王磊:101", "'王磊' has the weight 101: use 1 to 100"),
        ],
    )
    def test_are_refused_by_name(self, value: str, why: str) -> None:
        with pytest.raises(BadHotwords, match=why):
            checked(value)

    def test_too_many_are_refused(self) -> None:
        with pytest.raises(BadHotwords, match="1001 hotwords are too many: at most 1000 are allowed"):
            checked(",".join(f"word {number}" for number in range(MAX_HOTWORDS + 1)))

    def test_come_with_the_address(self) -> None:
        join = parse_join("m", "mode=sender&v=2&hotwords=%E7%8E%8B%E7%A3%8A,OSS:50")

        assert join.hotwords == (Hotword("王磊"), Hotword("OSS", 50))
        assert not join.may_leave_out

    def test_are_a_bad_parameter_if_they_are_bad(self) -> None:
        with pytest.raises(ProtocolError, match="hotwords: 'a' is no hotword") as raised:
            parse_join("m", "mode=sender&v=2&hotwords=a")
        assert (raised.value.code, raised.value.param) == (ErrorCode.BAD_PARAMETER, "hotwords")


class TestOthers:
    def test_what_can_be_no_hotword_is_left_out(self) -> None:
        assert usable("王,王磊,你好！,OSS") == (Hotword("王磊"), Hotword("OSS"))

    def test_weights_are_moved_to_where_ours_lie(self) -> None:
        assert usable('{"阿里巴巴": 500, "达摩院": -3, "王磊": "x"}') == (
            Hotword("阿里巴巴", 100),
            Hotword("达摩院", 1),
            Hotword("王磊"),
        )

    def test_blanks_part_words_only_where_a_client_means_it(self) -> None:
        assert usable("阿里巴巴 达摩院", are_blanks_between=True) == (Hotword("阿里巴巴"), Hotword("达摩院"))
        assert usable("hello world,达摩院", are_blanks_between=True)[0] == Hotword("hello world")
        assert usable("hello world") == (Hotword("hello world"),)

    def test_damaged_json_is_a_text(self) -> None:
        assert usable('{"阿里') == ()
        assert usable("[" * 100_000) == ()

    def test_more_than_a_session_has_are_left_out(self) -> None:
        assert len(usable(json.dumps({f"word {number}": 9 for number in range(2000)}))) == MAX_HOTWORDS

    def test_of_deepgram_s_keywords_the_factor_is_a_weight(self) -> None:
        assert by_intensifier(["王磊", "OSS:2", "snuffle:-10", "big word:1.5"]) == (
            Hotword("王磊"),
            Hotword("OSS", 40),
            Hotword("big word", 30),
        )


def test_what_is_kept_is_read_again() -> None:
    words = (Hotword("王磊"), Hotword("OSS", 2.5))

    assert hotword_lists.from_column(json.loads(json.dumps(hotword_lists.as_column(words)))) == words
