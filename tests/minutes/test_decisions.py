"""Decisions: what counts as one."""

from __future__ import annotations

import pytest

from minutes import decisions
from minutes.statements import Statement
from tests.minutes.meeting import spoken


def found(*said: str) -> list[Statement]:
    return decisions.find(spoken(*said))


@pytest.mark.parametrize(
    "said",
    [
        "好，那发布时间就定在下周二上午十点。",
        "那我们就改成分页加载，每页五十条。",
        "深色模式这个版本先不做。",
        "应用日志统一改为保留十四天。",
        "我们决定用第二个方案。",
        "那就选五千六的那家。",
        "从下个月起，每天九点开会。",
        "全票通过，三号楼更换新电梯。",
        "公开课暂定在十二月二十号。",
        "Okay, we're going with the fifteenth then.",
        "Let's switch to the new page for everyone.",
        "We decided to leave it out for this quarter.",
        "Everyone gets access from now on.",
    ],
)
def test_what_a_meeting_settles_is_one(said: str) -> None:
    [decision] = found(f"林静: {said}", "陈伟: 外面下雨。")
    assert decision.lines == (1,)
    assert decision.text.casefold() in said.casefold()


@pytest.mark.parametrize(
    "said",
    [
        "能不能改成分页？",
        "要不要推迟到周三？",
        "时间还没有定，下次会上再定。",
        "我建议改成十点。",
        "如果不行就取消。",
        "上次我们决定用第一个方案。",
        "那今天就到这里。",
        "那就没问题了。",
        "主持人定了没有？",
        "今天要把场地和预算都敲定。",
        "Should we switch to the new page?",
        "Maybe we'll use the other one.",
        "We decided that last week.",
        "Let's talk about the plan.",
        "I think we should go with the old one.",
    ],
)
def test_what_is_only_talked_about_is_none(said: str) -> None:
    assert found(f"林静: {said}", "陈伟: 外面下雨。") == []


def test_a_question_for_consent_is_one_once_nobody_objects() -> None:
    asked = "何总: 那差旅砍到二十万，大家没有意见吧？"
    assert len(found(asked, "王强: 没有意见。")) == 1
    assert found(asked, "王强: 太少了。") == []


def test_that_it_is_settled_cites_what_was_said_before() -> None:
    [decision] = found("赵敏: 我看还是用第二个方案好。", "林静: 行，就这么定了。")
    assert decision.lines == (1, 2)
