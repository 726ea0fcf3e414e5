"""Titles drawn from what was said."""

from __future__ import annotations

import json

import pytest

from minutes.titles import MAX_CHINESE, MAX_WORDS, draw_title
from sessions_app.sample.demo import SAMPLE


def test_what_comes_again_is_the_topic() -> None:
    said = [
        "大家早上好。",
        "我们讲一下数据库迁移的方案。",
        "迁移要停机。",
        "数据库备份做好了吗？",
        "方案里写了备份。",
    ]
    assert draw_title(said) == "数据库迁移的方案"


def test_in_english_as_well_and_without_how_people_begin() -> None:
    said = [
        "Hello everyone, can you hear me?",
        "Yes.",
        "Okay, let's talk about the third quarter budget.",
        "The travel budget is too high.",
        "I think the budget for marketing should go down.",
    ]
    assert draw_title(said) == "The third quarter budget"


def test_the_sample_meeting_is_about_captions() -> None:
    lines = json.loads((SAMPLE / "reference.json").read_text())["lines"]
    assert "实时字幕" in draw_title([line["text"] for line in lines])


def test_where_nothing_comes_again_something_that_says_something_is_taken() -> None:
    assert draw_title(["好的。", "第三季度的预算有三处需要修改。"]) == "第三季度的预算有三处需要修改"


def test_of_clauses_of_the_same_worth_the_first_is_taken() -> None:
    assert draw_title(["红色苹果很甜。", "绿色香蕉很甜。"]) == "红色苹果很甜"


@pytest.mark.parametrize(
    "said",
    [
        [],
        [""],
        ["嗯。", "好的。", "对。"],
        ["Hi.", "Yes.", "Okay."],
        ["喂喂喂，听得到吗？"],
        ["…", "，。"],
        ["12345"],
    ],
)
def test_small_talk_is_no_title(said: list[str]) -> None:
    assert draw_title(said) == ""


def test_long_clauses_are_cut() -> None:
    chinese = draw_title(["服务器内存" * 10])
    assert chinese.endswith("…")
    assert len(chinese) == MAX_CHINESE + 1
    english = draw_title([" ".join(f"server{number}" for number in range(30))])
    assert english.endswith("…")
    assert len(english.split()) == MAX_WORDS


def test_no_title_is_too_long_for_its_column() -> None:
    assert len(draw_title(["x" * 5000 + " " + "y" * 5000])) <= 80
