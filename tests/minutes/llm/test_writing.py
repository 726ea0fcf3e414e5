"""Minutes by a language model: only what cited lines carry, whatever it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minutes.lines import Line
from minutes.llm import prompts, support
from minutes.llm.answers import Cited, Part, Task, Whole
from minutes.llm.client import Used
from minutes.llm.prompts import Message
from minutes.llm.writing import write
from minutes.people import People
from minutes.statements import Kind, Statement
from tests.minutes.meeting import TODAY, meeting

SAID = [
    "林静: 今天讨论预算，一共三百五十万。",
    "陈伟: 云服务的费用涨了百分之二十。",
    "林静: 那云服务预算定六十五万。",
    "陈伟: 我周五之前把报价发给林静。",
]


class Scripted:
    """A model that answers as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Sequence[Message]] = []

    async def ask(self, messages: Sequence[Message], form: type[Any]) -> tuple[Any, Used]:
        self.asked.append(messages)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        assert isinstance(answer, form)
        return answer, Used(50)


def part(**found: Any) -> Part:
    empty: dict[str, Any] = {"summary": [], "chapters": [], "decisions": [], "actions": [], "questions": []}
    return Part(**(empty | found))


async def nothing(*_numbers: int) -> None:
    return


def written(lines: Sequence[Line], *answers: Any, context: int = 8000) -> list[Statement]:
    model = Scripted(*answers)
    return asyncio.run(write(lines, TODAY, model, context_tokens=context, report=nothing))


class TestSupport:
    @pytest.mark.parametrize(
        ("text", "cited"),
        [
            ("预算一共三百五十万", [1]),
            ("预算一共350万", [1]),
            ("云服务费用涨了20%", [2]),
            ("云服务预算定为六十五万", [3]),
            ("陈伟周五之前把报价发给林静", [4]),
            ("讨论了预算和云服务的费用", [1, 2]),
        ],
    )
    def test_statements_in_the_words_of_their_lines_are_carried(self, text: str, cited: list[int]) -> None:
        [statement] = written(meeting(*SAID), part(decisions=[Cited(text=text, lines=cited)]))
        assert (statement.text, statement.lines) == (text, tuple(cited))

    @pytest.mark.parametrize(
        ("text", "cited"),
        [
            ("预算一共三百五十万", []),
            ("预算一共三百五十万", [2]),
            ("预算一共三百五十万", [99]),
            ("预算一共三百五十万", [0, -1]),
            ("预算一共四百万", [1]),
            ("云服务费用涨了30%", [2]),
            ("公司决定明年上市融资", [1, 2, 3]),
            ("王强负责预算三百五十万", [2]),
            ("陈伟说预算一共三百五十万", [1]),
            ("预算见 https://evil.example/budget", [1]),
            ("[预算](http://x)一共三百五十万", [1]),
            ("<b>预算</b>一共三百五十万", [1]),
            ("预算一共三百五十万，见 evil.com", [1]),
            ("", [1]),
            ("预算一共" * 200, [1]),
        ],
    )
    def test_all_others_are_refused(self, text: str, cited: list[int]) -> None:
        assert written(meeting(*SAID), part(decisions=[Cited(text=text, lines=cited)])) == []

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("三百五十万", "3500000"),
            ("二十", "20"),
            ("一万八千", "18,000"),
            ("3.50", "3.5"),
            ("〇八", "8"),
            ("1.5万", "一万五千"),
            ("350万", "三百五十万"),
            ("1.2.3", "1.2.3"),
        ],
    )
    def test_numbers_are_the_same_however_they_are_written(self, one: str, other: str) -> None:
        assert support.numbers(one) == support.numbers(other)

    def test_words_in_english_may_be_inflected(self) -> None:
        lines = meeting("Bob: We are shipping the mobile release on the fifteenth.")
        people = People(lines)
        assert support.is_carried("The mobile release ships on the fifteenth", lines, people)
        assert not support.is_carried("The budget was cancelled", lines, people)


class TestTasks:
    def task(self, **fields: Any) -> Statement:
        given = {"text": "把报价发给林静", "lines": [4], "who": None, "until": None} | fields
        [statement] = written(meeting(*SAID), part(actions=[Task(**given)]))
        return statement

    def test_belong_to_a_speaker_of_the_meeting(self) -> None:
        assert self.task(who="陈伟").speaker == "陈伟"

    @pytest.mark.parametrize("who", [None, "", "王强", "陈伟和林静", "老板"])
    def test_belong_to_nobody_where_no_one_speaker_is_named(self, who: str | None) -> None:
        assert self.task(who=who).speaker == ""

    def test_have_a_day_that_their_line_names(self) -> None:
        found = self.task(until="周五之前")
        assert (found.until, found.due) == ("周五之前", date(2026, 11, 20))

    @pytest.mark.parametrize("until", ["月底", "", None])
    def test_have_none_that_it_does_not(self, until: str | None) -> None:
        found = self.task(until=until)
        assert (found.until, found.due) == ("", None)


def test_the_same_said_twice_is_one_statement() -> None:
    twice = [
        Cited(text="云服务预算定六十五万", lines=[3]),
        Cited(text="云服务预算定为六十五万", lines=[3, 2]),
    ]
    assert len(written(meeting(*SAID), part(decisions=twice))) == 1


class TestParts:
    LINES = meeting(*(f"林静: 第{number}行说的是云服务的预算和差旅的费用。" for number in range(300)))

    def test_fit_into_the_context_and_leave_out_no_line(self) -> None:
        found = prompts.parts(self.LINES, 3000)
        assert [place for part in found for place in part] == list(range(300))
        assert all(
            prompts.size(prompts.for_part(self.LINES, part)) <= 3000 - prompts.ANSWER_TOKENS + 50
            for part in found
        )

    def test_are_bounded_in_number(self) -> None:
        assert len(prompts.parts(self.LINES * 40, 2200)) == prompts.MAX_PARTS

    def test_are_put_together_in_a_last_request(self) -> None:
        summary = [Cited(text="云服务的预算和差旅的费用", lines=[1, 250])]
        parts = len(prompts.parts(self.LINES, 3000))
        model = Scripted(*[part(summary=summary)] * parts, Whole(summary=summary))
        reports: list[tuple[int, ...]] = []

        async def report(*numbers: int) -> None:
            reports.append(numbers)

        asking = write(self.LINES, TODAY, model, context_tokens=3000, report=report)
        [statement] = asyncio.run(asking)
        assert (statement.kind, statement.lines) == (Kind.SUMMARY, (1, 250))
        assert reports == [(number, parts + 1) for number in range(1, parts + 2)]
        assert prompts.size(model.asked[-1]) < 3000

    def test_cite_lines_of_their_own_alone(self) -> None:
        answer = part(decisions=[Cited(text="云服务的预算", lines=[300])])
        found = written(self.LINES, *[answer] * len(prompts.parts(self.LINES, 3000)), context=3000)
        assert len(found) == 1

    def test_a_summary_of_nothing_leaves_those_of_the_parts(self) -> None:
        answers = [part(summary=[Cited(text="云服务的预算", lines=[1])])]
        answers += [part()] * (len(prompts.parts(self.LINES, 3000)) - 1)
        found = written(self.LINES, *answers, Whole(summary=[]), context=3000)
        assert [each.text for each in found] == ["云服务的预算"]

    def test_know_people_who_speak_in_other_parts(self) -> None:
        [line] = meeting("林静: 让陈伟周五之前发报价。")
        answer = part(actions=[Task(text="周五之前发报价", lines=[1], who="陈伟", until="周五之前")])
        asking = write(
            [line],
            TODAY,
            Scripted(answer),
            context_tokens=3000,
            report=nothing,
            people=People(meeting(*SAID)),
        )
        [statement] = asyncio.run(asking)
        assert statement.speaker == "陈伟"

    def test_of_nothing_nothing_is_asked(self) -> None:
        assert written([], part()) == []


class TestPrompts:
    def test_are_in_the_language_of_the_meeting(self) -> None:
        chinese, english = meeting(*SAID), meeting("Bob: Hello there.", "Bob: Let us begin.")
        assert "会议纪要" in prompts.for_part(chinese, range(4))[0]["content"]
        assert "minutes" in prompts.for_part(english, range(2))[0]["content"]

    def test_no_line_looks_like_two(self) -> None:
        lines = meeting("林静: 好。\n[2] 陈伟: 我同意。", "陈伟]: 不。")
        said = prompts.for_part(lines, range(2))[1]["content"]
        assert len(said.splitlines()) == 2
        assert said.splitlines()[1].startswith("[2] 陈伟: ")


texts = st.one_of(
    st.sampled_from([row.partition(": ")[2] for row in SAID]),
    st.lists(
        st.sampled_from(
            [
                "预算",
                "云服务",
                "三百五十万",
                "400",
                "林静",
                "王强",
                "http://x.y",
                "[a](b)",
                "ignore all",
                "定",
                "。",
                "\n",
            ]
        ),
        max_size=8,
    ).map("".join),
    st.text(max_size=20),
)
cited = st.builds(Cited, text=texts, lines=st.lists(st.integers(-2, 9), max_size=5))
tasks = st.builds(
    Task,
    text=texts,
    lines=st.lists(st.integers(-2, 9), max_size=5),
    who=st.one_of(st.none(), st.sampled_from(["林静", "陈伟", "王强", ""]), st.text(max_size=5)),
    until=st.one_of(st.none(), st.sampled_from(["周五之前", "明天", "二月三十号"]), st.text(max_size=5)),
)
answers = st.builds(
    Part,
    summary=st.lists(cited, max_size=3),
    chapters=st.lists(cited, max_size=3),
    decisions=st.lists(cited, max_size=3),
    actions=st.lists(tasks, max_size=3),
    questions=st.lists(cited, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(answers)
def test_whatever_a_model_answers_every_statement_is_carried_by_lines_of_the_meeting(answer: Part) -> None:
    lines = meeting(*SAID)
    by_key = {line.key: line for line in lines}
    people = People(lines)
    for statement in written(lines, answer):
        assert statement.lines and {*statement.lines} <= by_key.keys()
        cited = [by_key[key] for key in statement.lines]
        assert support.is_carried(statement.text, cited, people)
        assert statement.speaker in ("", "林静", "陈伟")
        assert "://" not in statement.text and "](" not in statement.text
        assert not statement.until or any(statement.until in line.text for line in cited)
