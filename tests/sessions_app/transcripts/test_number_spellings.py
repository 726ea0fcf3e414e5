"""Numbers as they are looked for: in digits, in words, digit by digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.writing.numerals import value
from sessions_app.transcripts.number_spellings import in_digits, spellings, spoken_number


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("百分之八十", "80%"),
        ("百分之百", "100%"),
        ("百分之三点五", "3.5%"),
        ("上午九点半", "上午9:30"),
        ("两点零五", "2:05"),
        ("十二月十五号", "12月15号"),
        ("二零二六年", "2026年"),
        ("一千二百三十四", "1234"),
        ("两万元", "2万元"),
        ("三百毫秒", "300毫秒"),
        ("两点五倍", "2.5倍"),
        ("房间二零三", "房间203"),
        ("十", "10"),
    ],
)
def test_each_spelling_leads_to_the_other(spoken: str, written: str) -> None:
    assert written in spellings(spoken)
    assert spoken in spellings(written)


@pytest.mark.parametrize(
    "text", ["预算", "一起", "三个人", "王磊", "", "GPT4", "a1b2", "千万别忘", "百", "点"]
)
def test_words_that_are_no_numbers_have_one_spelling(text: str) -> None:
    assert spellings(text) == [text]


def test_what_was_typed_comes_first() -> None:
    assert spellings("80%")[0] == "80%"
    assert spellings("百分之八十")[0] == "百分之八十"


@given(st.integers(10, 99_999_999))
def test_a_number_that_is_spoken_means_itself(number: int) -> None:
    assert value(spoken_number(str(number))) == number


@given(st.text("一二三十百点分之%:0123年月", max_size=12))
def test_any_text_has_spellings(text: str) -> None:
    assert text in spellings(text)
    in_digits(text)
