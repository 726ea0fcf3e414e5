"""Days as people name them, on a Monday."""

from __future__ import annotations

from datetime import date

import pytest

from minutes.days import PAST, mentions, number
from tests.minutes.meeting import TODAY


def day(text: str, today: date = TODAY) -> date | None:
    [found] = mentions(text, today)
    return found.day


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("今天下班之前", (2026, 11, 16)),
        ("明天上午", (2026, 11, 17)),
        ("明早九点", (2026, 11, 17)),
        ("后天", (2026, 11, 18)),
        ("大后天", (2026, 11, 19)),
        ("周三之前", (2026, 11, 18)),
        ("星期五下午三点", (2026, 11, 20)),
        ("周一", (2026, 11, 23)),
        ("这周五", (2026, 11, 20)),
        ("下周二上午十点", (2026, 11, 24)),
        ("下下周一", (2026, 11, 30)),
        ("周末", (2026, 11, 21)),
        ("周日", (2026, 11, 22)),
        ("十二月八号", (2026, 12, 8)),
        ("一月十五号", (2027, 1, 15)),
        ("11月20日", (2026, 11, 20)),
        ("二十八号", (2026, 11, 28)),
        ("3号", (2026, 12, 3)),
        ("月底之前", (2026, 11, 30)),
        ("下个月", (2026, 12, 31)),
        ("下个月初", (2026, 12, 1)),
        ("年底", (2026, 12, 31)),
        ("这周内", (2026, 11, 20)),
        ("下周", (2026, 11, 27)),
        ("三天内", (2026, 11, 19)),
        ("两周之后", (2026, 11, 30)),
        ("下午三点之前", (2026, 11, 16)),
    ],
)
def test_chinese_days(said: str, expected: tuple[int, int, int]) -> None:
    assert day(f"我{said}发给你") == date(*expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("today", (2026, 11, 16)),
        ("this afternoon", (2026, 11, 16)),
        ("tomorrow evening", (2026, 11, 17)),
        ("by Thursday", (2026, 11, 19)),
        ("on Monday", (2026, 11, 23)),
        ("next Friday", (2026, 11, 27)),
        ("next week", (2026, 11, 27)),
        ("by the end of the week", (2026, 11, 20)),
        ("by the end of next week", (2026, 11, 27)),
        ("before the end of the month", (2026, 11, 30)),
        ("on January 15th", (2027, 1, 15)),
        ("in two days", (2026, 11, 18)),
        ("within 3 weeks", (2026, 12, 7)),
    ],
)
def test_english_days(said: str, expected: tuple[int, int, int]) -> None:
    assert day(f"I'll send it {said}.") == date(*expected)


@pytest.mark.parametrize("said", ["尽快", "这两天", "asap"])
def test_what_means_no_certain_day_is_named_without_one(said: str) -> None:
    assert day(f"我 {said} 发") is None


@pytest.mark.parametrize("said", ["我把报告发了", "I sent it to her", "上周三我们谈过", "讨论预算"])
def test_nothing_is_named_where_no_day_to_come_is(said: str) -> None:
    assert list(mentions(said, TODAY)) == []


@pytest.mark.parametrize("said", ["三十一号", "2月30号", "四十五号"])
def test_a_day_that_is_none_stays_what_was_said(said: str) -> None:
    assert day(f"{said}之前", date(2026, 2, 3)) is None


def test_a_sentence_may_name_several_days() -> None:
    found = [mention.text for mention in mentions("周三之前定稿，周四开始寄。", TODAY)]
    assert found == ["周三之前", "周四开始"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("十", 10), ("十五", 15), ("二十", 20), ("三十一", 31), ("两", 2), ("〇八", 8), ("28", 28)],
)
def test_numbers_in_both_scripts(text: str, value: int) -> None:
    assert number(text) == value


@pytest.mark.parametrize("said", ["昨天说过", "上个月的账", "we did that last week"])
def test_what_is_over_is_known(said: str) -> None:
    assert PAST.search(said)
