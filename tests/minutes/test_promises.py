"""Promises: what counts as one, whose it is, and until when."""

from __future__ import annotations

from datetime import date

import pytest

from minutes import promises
from minutes.people import People
from minutes.statements import Statement
from tests.minutes.meeting import TODAY, meeting, spoken


def found(*said: str) -> list[Statement]:
    return promises.find(spoken(*said), People(meeting(*said)), TODAY)


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("明天上午把测试报告发给大家，我来。", "明天上午"),
        ("我明天上午把测试报告发给大家。", "明天上午"),
        ("好的，我去联系他们。", ""),
        ("我们周五之前提交方案。", "周五之前"),
        ("我可以写，下周一给大家看初稿。", "下周一"),
        ("我回头跟技术部确认一下接口。", ""),
        ("这件事交给我。", ""),
        ("那我整理一下，周四下午发给各位。", "周四下午"),
        ("I'll send the notes by Thursday.", "by Thursday"),
        ("Sure, I can do that tomorrow.", "tomorrow"),
        ("I'm going to fix the build.", ""),
        ("Let me check with legal.", ""),
    ],
)
def test_who_says_they_will_do_something_has_promised_it(said: str, until: str) -> None:
    [promise] = found(f"赵敏: {said}", "陈伟: 谢谢大家今天过来。")
    assert (promise.speaker, promise.until, promise.lines) == ("赵敏", until, (1,))


@pytest.mark.parametrize(
    "said",
    [
        "我昨天把报告发给大家了。",
        "我已经联系过他们了。",
        "我先说一下测试的情况。",
        "我来介绍一下背景。",
        "如果有时间我去看看。",
        "要是没人的话我可以做。",
        "我觉得可以发给大家。",
        "我们今天讨论一下预算。",
        "他给我发了一份合同。",
        "要不要我明天发？",
        "好的。",
        "I already sent it yesterday.",
        "I'd like to say something about the plan.",
        "If we find the time I'll look at it.",
        "I'll be on vacation next week.",
        "Should I send it tomorrow?",
        "I think we will see.",
    ],
)
def test_what_is_over_uncertain_or_done_by_saying_it_is_no_promise(said: str) -> None:
    assert found(f"赵敏: {said}", "陈伟: 我们看看别的。") == []


class TestTasksForOthers:
    @pytest.mark.parametrize(
        "said",
        [
            "陈伟你负责改配置。",
            "陈伟，你去跟供应商谈一下。",
            "陈伟，你明天把名单报给我。",
            "这个由陈伟来写。",
            "请陈伟明天联系一下客户。",
        ],
    )
    def test_belong_to_whom_they_name(self, said: str) -> None:
        [promise] = found(f"赵敏: {said}", "陈伟: 外面下雨。")
        assert promise.speaker == "陈伟"

    def test_that_are_asked_count_once_somebody_says_yes(self) -> None:
        asked = "赵敏: 你周三给我一个可以测的包，行吗？"
        assert found(asked, "陈伟: 周三太早。") == []
        [promise] = found(asked, "陈伟: 行，没问题。")
        assert (promise.speaker, promise.lines, promise.until) == ("陈伟", (1, 2), "周三")

    def test_in_english_too(self) -> None:
        asked = "Alice: Could you write up a summary, Carol?"
        assert found(asked, "Carol: I am not here then.") == []
        [promise] = found(asked, "Carol: Sure, happy to.")
        assert (promise.speaker, promise.lines) == ("Carol", (1, 2))
        [told] = found("Alice: Dan will cover the shift.", "Dan: Yep.")
        assert told.speaker == "Dan"

    def test_of_nobody_in_particular_have_nobody(self) -> None:
        [promise] = found("赵敏: 你催一下供电局。", "陈伟: 外面下雨。")
        assert promise.speaker == ""

    def test_several_in_one_sentence_are_several(self) -> None:
        both = found("赵敏: 陈伟你负责函数，林静负责几何。", "陈伟: 嗯。", "林静: 嗯。")
        assert [each.speaker for each in both] == ["陈伟", "林静"]

    @pytest.mark.parametrize("said", ["陈伟你先说。", "你觉得怎么样，陈伟？", "陈伟你那边进度怎么样？"])
    def test_are_none_where_somebody_is_only_asked_to_speak(self, said: str) -> None:
        assert found(f"赵敏: {said}", "陈伟: 好的。") == []


def test_agreeing_again_is_no_second_promise_but_a_day_of_one_s_own_is() -> None:
    asked = "赵敏: 陈伟负责联系供应商。"
    [promise] = found(asked, "陈伟: 明白，我马上安排。")
    assert promise.lines == (1, 2)
    assert len(found(asked, "陈伟: 明白，我周三之前安排。")) == 2


def test_the_day_is_that_by_which_it_must_be_done() -> None:
    [promise] = found("赵敏: 我明天开始写，周五交给你。", "陈伟: 外面下雨。")
    assert (promise.until, promise.due) == ("周五", date(2026, 11, 20))


def test_given_names_and_first_names_are_enough() -> None:
    [promise] = found("王强: 晓梅你来整理会议记录。", "李晓梅: 外面下雨。")
    assert promise.speaker == "李晓梅"
    [promise] = found("Tom: Priya, please file a ticket.", "Priya Nair: What else?")
    assert promise.speaker == "Priya Nair"


def test_a_name_that_two_people_share_is_nobodys() -> None:
    [promise] = found("王强: 你来整理会议记录，晓梅。", "李晓梅: 外面下雨。", "张晓梅: 外面下雨。")
    assert promise.speaker == ""


def test_strangers_are_not_called_by_their_number() -> None:
    assert People(meeting("说话人 1: 你好", "Speaker 2: hello")).find("说话人 1 你好, Speaker 2") == []
