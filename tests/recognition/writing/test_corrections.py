"""From a corrected line to the word that was wrong in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.writing.corrections import MAX_LENGTH, correction


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("汪磊来了。", "王磊来了。", ("汪磊", "王磊")),
        ("找汪磊。", "找王磊。", ("汪磊", "王磊")),
        ("我们问林静。", "我们问林晶。", ("林静", "林晶")),
        ("请张三丰说。", "请章三峰说。", ("张三丰", "章三峰")),
        ("用飞跃文档。", "用飞书文档。", ("跃文", "书文")),
        ("we use jango here.", "we use Django here.", ("jango", "Django")),
        ("we use Jengo here.", "we use Django here.", ("Jengo", "Django")),
        ("用jango做。", "用Django做。", ("jango", "Django")),
        ("用卡夫卡。", "用Kafka。", ("卡夫卡", "Kafka")),
        ("叫 Jon。", "叫 John。", ("Jon", "John")),
    ],
)
def test_the_word_is_found_whole(before: str, after: str, found: tuple[str, str]) -> None:
    assert correction(before, after) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("好的。", "好的。"),
        ("好的", "好的。"),
        ("好的，走吧。", "好的。走吧。"),
        ("他来了。", "它来了。"),  # by itself, and beside a particle
        ("好的。", "好的，我们开始吧。"),
        ("今天下雨，明天晴。", "今天下雪，明天阴。"),
        ("是的。", "。"),
        ("", "好"),
        ("好" * 40, "坏" * 40),
        ("嗯，好的。", "好的。"),
    ],
)
def test_what_is_no_replaced_word_is_none(before: str, after: str) -> None:
    assert correction(before, after) is None


def test_a_name_that_is_known_is_the_word() -> None:
    assert correction("请欧阳休说。", "请欧阳修说。") == ("阳休", "阳修")
    assert correction("请欧阳休说。", "请欧阳修说。", ["王磊", "欧阳修"]) == ("欧阳休", "欧阳修")


@given(st.text("王汪磊 a.，", max_size=10), st.text("王汪磊 a.，", max_size=10))
def test_whatever_is_found_makes_the_one_line_of_the_other(before: str, after: str) -> None:
    if found := correction(before, after, ["王磊"]):
        wrong, right = found
        assert wrong in before
        assert right in after
        assert max(map(len, found)) <= MAX_LENGTH
