"""Chinese numerals in digits, and what is none."""

from __future__ import annotations

import pytest

from recognition.writing.numerals import digits, value


class TestDigits:
    @pytest.mark.parametrize(
        ("spoken", "written"),
        [
            ("十", "10"),
            ("十二", "12"),
            ("二十", "20"),
            ("三百五十", "350"),
            ("三百零五", "305"),
            ("两百五", "250"),
            ("一千零八", "1008"),
            ("一千二百三十四", "1234"),
            ("六千零八十", "6080"),
            ("一万五", "15000"),
            ("一万五千", "15000"),
            ("两万三千四百", "23400"),
            ("一万零五十", "10050"),
            ("十二万三千", "123000"),
            ("两万", "2万"),
            ("一百二十万", "120万"),
            ("十亿", "10亿"),
            ("三亿五千万", "3亿5000万"),
            ("一亿零三十万", "1亿30万"),
            ("一百二十五点六万", "125.6万"),
            ("三点一四", "3.14"),
            ("零点五", "0.5"),
            ("十二点五", "12.5"),
            ("二零二六", "2026"),
            ("幺幺零", "110"),
            ("一三八零零一三八零零零", "13800138000"),
        ],
    )
    def test_are_those_of_the_numeral(self, spoken: str, written: str | None) -> None:
        assert digits(spoken) == written

    @pytest.mark.parametrize(
        "spoken",
        [
            "", "三四十", "两三千", "九九八十一", "七八", "一一", "百", "千", "万", "亿", "百万千", "十百",
            "三三两两", "三点十", "两三百万", "万一", "零万", "十十",
        ],
    )  # fmt: skip
    def test_are_none_for_estimates_and_for_what_is_no_numeral(self, spoken: str) -> None:
        assert digits(spoken) is None

    def test_may_be_few_where_the_place_says_that_they_are_a_number(self) -> None:
        assert digits("五") is None
        assert digits("五", min_code=1) == "5"
        assert digits("九八", min_code=1) == "98"


class TestValue:
    def test_is_the_number_in_full(self) -> None:
        assert value("一亿两千三百四十五万六千七百八十九") == 123_456_789

    def test_of_a_numeral_without_units_is_none(self) -> None:
        assert value("二零") is None
