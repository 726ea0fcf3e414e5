"""Decisions on the kinds of numbers in Chinese lines, without wetext: tags are made here."""

from __future__ import annotations

import pytest

from recognition.writing.changes import write
from recognition.writing.chinese import changes
from recognition.writing.tags import Tag


def written(text: str, kind: str, spoken: str, phrases: frozenset[str] = frozenset()) -> str:
    begin = text.index(spoken)
    tag = Tag(kind, begin, begin + len(spoken), {"value": spoken}, "")
    return write(text, (), changes(text, [tag], phrases)).text


@pytest.mark.parametrize(
    ("kind", "spoken", "expected"),
    [
        ("date", "十二月十五号", "12月15号"),
        ("date", "二零二六年七月五日", "2026年7月5日"),
        ("date", "九八年", "98年"),
        ("time", "上午九点半", "上午9:30"),
        ("time", "三点一刻", "3:15"),
        ("time", "四点三刻", "4:45"),
        ("time", "两点零五分", "2:05"),
        ("time", "十点十分二十秒", "10:10:20"),
        ("measure", "三点一刻", "3:15"),
        ("measure", "二十四小时", "24小时"),
        ("measure", "百分之八十", "80%"),
        ("measure", "百分之百", "100%"),
        ("measure", "百分之三点五", "3.5%"),
        ("measure", "一百二十块五毛", "120块5毛"),
        ("money", "两万元", "2万元"),
        ("money", "三亿五千万美元", "3亿5000万美元"),
        ("cardinal", "一千二百三十四", "1234"),
        ("cardinal", "两点五", "2.5"),
        ("math", "五到十", "5到10"),
        ("fraction", "六十分之一", "1/60"),
    ],
)
def test_numbers_are_written_as_in_minutes(kind: str, spoken: str, expected: str) -> None:
    assert written(spoken, kind, spoken) == expected


@pytest.mark.parametrize(
    ("kind", "text", "spoken"),
    [
        ("cardinal", "九九八十一难", "九九八十一"),  # a table of multiplication
        ("measure", "三四十个人", "三四十个"),  # an estimate
        ("measure", "两三千块", "两三千块"),
        ("cardinal", "十几个人", "十"),
        ("cardinal", "几十个", "十"),
        ("cardinal", "上百个", "百"),
        ("measure", "一百来个人", "一百"),
        ("cardinal", "买十送一", "十"),
        ("cardinal", "十分满意", "十"),
        ("cardinal", "信心十足", "十"),
        ("fraction", "三分之二", "三分之二"),
        ("math", "三比一", "三比一"),  # lone digits
        ("measure", "五台", "五台"),
        ("time", "二十五点半", "二十五点半"),  # no clock shows that
        ("time", "三点七十分", "三点七十分"),
        ("whitelist", "一共", "一共"),
        ("strange", "十二", "十二"),
    ],
)
def test_what_is_no_exact_number_stays(kind: str, text: str, spoken: str) -> None:
    assert written(text, kind, spoken) == text


def test_an_idiom_of_the_dictionary_stays_though_it_is_called_a_number() -> None:
    assert written("这叫五十步笑百步", "cardinal", "五十") == "这叫50步笑百步"
    assert written("这叫五十步笑百步", "cardinal", "五十", frozenset(["五十步笑百步"])) == "这叫五十步笑百步"


def test_a_phrase_elsewhere_in_the_line_keeps_no_number_in_words() -> None:
    assert written("双十一卖了二十件", "measure", "二十件") == "双十一卖了20件"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("下午三点见", "下午3点见"),
        ("早上七点到九点", "早上7点到9点"),
        ("晚上八点多", "晚上八点多"),
        ("下午三点半", "下午三点半"),  # wetext's, which was not asked
        ("下午一点儿空也没有", "下午一点儿空也没有"),
        ("三点见", "三点见"),
        ("一分三十秒", "1分三十秒"),
    ],
)
def test_times_that_wetext_leaves_are_written_behind_a_part_of_the_day(text: str, expected: str) -> None:
    assert write(text, (), changes(text, [])).text == expected


def test_behind_a_name_in_letters_it_is_a_version_and_no_time() -> None:
    assert written("用Python三点十一", "time", "三点十一") == "用Python3.11"
