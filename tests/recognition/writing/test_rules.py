"""What rules change in a line, and what they leave alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.writing.changes import write
from recognition.writing.rules import Rule, changes


def applied(text: str, **rules: str) -> str:
    known = [Rule(key, wrong, right) for key, (wrong, right) in enumerate(rules.items(), 1)]
    return write(text, (), changes(text, known)).text


def test_what_is_wrong_is_written_right_wherever_it_stands() -> None:
    assert applied("汪磊说汪磊来。", 汪磊="王磊") == "王磊说王磊来。"


def test_a_change_names_its_rule() -> None:
    [change] = changes("汪磊来。", [Rule(7, "汪磊", "王磊")])
    assert (change.begin, change.stop, change.rule) == (0, 2, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use django now", "use Django now"),
        ("DJANGO is", "Django is"),
        ("用django做", "用Django做"),
        ("djangos", "djangos"),
        ("a jango", "a jango"),
        ("django2", "Django2"),
        ("Django", "Django"),
    ],
)
def test_words_of_letters_are_whole_and_in_any_case(text: str, expected: str) -> None:
    assert applied(text, django="Django") == expected


def test_the_longer_of_two_counts() -> None:
    assert applied("张江高科和张江", 张江="章江", 张江高科="张江高科园") == "张江高科园和章江"


def test_of_two_for_the_same_the_first_counts() -> None:
    rules = [Rule(1, "汪磊", "王磊"), Rule(2, "汪磊", "王雷")]
    assert [change.written for change in changes("汪磊", rules)] == ["王磊"]


@pytest.mark.parametrize("text", ["王磊磊来了", "王磊磊"])
def test_what_is_right_already_stays(text: str) -> None:
    assert applied(text, 王磊="王磊磊") == text


def test_what_is_right_in_part_only_is_changed() -> None:
    assert applied("王磊来了", 王磊="王磊磊") == "王磊磊来了"


def test_signs_of_expressions_are_none() -> None:
    assert applied("a.c abc (x", **{"a.c": "C", "(x": "x"}) == "C abc x"


def test_without_rules_nothing_is_changed() -> None:
    assert changes("汪磊", []) == []


@given(
    st.text("汪王磊ab.", max_size=12),
    st.text("汪王磊ab.", min_size=1, max_size=3),
    st.text("王磊", max_size=3),
)
def test_changes_are_in_order_and_apart(text: str, wrong: str, right: str) -> None:
    found = changes(text, [Rule(1, wrong, right)])
    assert all(one.stop <= two.begin for one, two in pairwise(found))
