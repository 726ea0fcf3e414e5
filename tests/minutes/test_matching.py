"""Lines that match a question, the best first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minutes import matching
from tests.minutes.meeting import meeting

SAID = [
    "林静: 今天讨论预算，一共三百五十万。",
    "陈伟: 好的。",
    "林静: 那云服务预算定六十五万。",
    "陈伟: 我周五之前把测试报告发给大家。",
    "Carol: The caption server is deployed.",
    "Carol: Two bugs are left in the parser.",
]
LINES = meeting(*SAID)


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("云服务的预算是多少？", 3),
        ("谁发测试报告？", 4),
        ("测试报告什么时候发", 4),
        ("When was the caption server deployed?", 5),
        ("how many bugs are left", 6),
    ],
)
def test_what_shares_most_with_a_question_comes_first(question: str, best: int) -> None:
    assert matching.best(question, LINES, 3)[0].key == best


def test_lines_of_who_is_named_match() -> None:
    assert {line.key for line in matching.best("陈伟说了什么？", LINES, 9)} == {2, 4}


def test_a_line_with_nothing_of_a_question_is_not_found() -> None:
    assert matching.best("电梯什么时候修好？", LINES, 9) == []
    assert matching.best("", LINES, 9) == []
    assert matching.best("预算", [], 9) == []


def test_no_more_are_returned_than_are_wanted() -> None:
    assert len(matching.best("预算", LINES, 1)) == 1


def test_what_few_lines_have_tells_more_than_what_all_have() -> None:
    lines = meeting("甲: 预算会议开始", "甲: 预算会议继续", "甲: 预算会议结束", "甲: 电梯要修")
    assert matching.best("预算会议说电梯了吗", lines, 1)[0].key == 4


def test_words_of_asking_are_no_content() -> None:
    assert matching.asked_for("谁有什么？") == frozenset()
    assert matching.asked_for("Who said what about the budget?") == {"budget"}


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=6), st.integers(0, 8))
def test_whatever_is_asked_lines_come_at_most_once(question: str, said: list[str], count: int) -> None:
    lines = meeting(*[f"甲: {text}" for text in said])
    found = matching.best(question, lines, count)
    assert len(found) <= count
    assert len({line.key for line in found}) == len(found)
