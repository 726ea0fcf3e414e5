"""The minutes of a whole meeting, without a language model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minutes import chapters, key_words, questions, talk
from minutes.extraction import extract
from minutes.key_words import Archive
from minutes.lines import Line, split_sentences
from minutes.statements import Kind
from tests.minutes.meeting import TODAY, meeting, spoken

BUDGET = [
    "预算一共三百万。",
    "云服务的预算涨了。",
    "差旅的预算砍掉一半。",
    "云服务包年可以省钱。",
    "预算表周四发。",
    "云服务的账单在表里。",
]
PARTY = [
    "年会的场地选酒店。",
    "酒店的宴会厅很大。",
    "年会的节目谁来排？",
    "酒店含茶歇。",
    "年会的抽奖要买礼品。",
    "场地的定金付了。",
]


def two_topics() -> list[Line]:
    return meeting(*(f"甲: {text}" for text in [*BUDGET, *BUDGET, *PARTY, *PARTY]))


class TestChapters:
    def test_begin_where_the_words_change(self) -> None:
        lines = two_topics()
        assert chapters.boundaries(lines, key_words.line_terms(lines)) == [12]

    def test_are_called_after_a_line_of_their_own(self) -> None:
        lines = two_topics()
        texts = {line.key: line.text for line in lines}
        found = chapters.find(lines, key_words.line_terms(lines))
        assert len(found) >= 2
        assert all(any(each.text in texts[line] for line in each.lines) for each in found)

    def test_of_a_short_meeting_there_are_none(self) -> None:
        lines = two_topics()[:8]
        assert chapters.find(lines, key_words.line_terms(lines)) == []

    def test_an_announcement_names_what_comes(self) -> None:
        said = [*BUDGET, *BUDGET, "第二件事，年会的筹备。", *PARTY, *PARTY]
        lines = meeting(*(f"甲: {text}" for text in said))
        found = chapters.find(lines, key_words.line_terms(lines))
        assert "年会的筹备" in [each.text for each in found]

    def test_of_the_same_words_all_along_there_are_few(self) -> None:
        lines = meeting(*["甲: 预算的预算表。"] * 200)
        assert chapters.find(lines, key_words.line_terms(lines)) == []


class TestKeyWords:
    def test_are_what_the_meeting_says_again_and_again_but_no_small_talk(self) -> None:
        lines = meeting(*(f"甲: {text}" for text in [*BUDGET, "我们觉得没有问题。", "我们觉得可以。"]))
        words = [each.word for each in key_words.find(lines, key_words.line_terms(lines), Archive())]
        assert words[0] == "预算"
        assert not {"我们", "觉得", "没有", "可以"} & {*words}

    def test_cite_the_lines_that_have_them(self) -> None:
        lines = meeting("甲: 预算表。", "甲: 年会。", "甲: 预算。")
        [word] = key_words.find(lines, [["预算"], ["年会"], ["预算"]], Archive())
        assert (word.count, word.lines) == (2, (1, 3))

    def test_what_all_meetings_here_speak_of_tells_little(self) -> None:
        terms = [["周会", "电梯"]] * 3
        lines = meeting(*["甲: 周会电梯。"] * 3)
        usual = Archive(200, {"周会": 200})
        first = [key_words.find(lines, terms, archive)[0].word for archive in (Archive(), usual)]
        assert first == ["周会", "电梯"]

    def test_names_of_people_and_numbers_are_none(self) -> None:
        lines = meeting("Dan: dan said page three", "Dan: dan said page three 三百万 三百万")
        words = key_words.find(lines, key_words.line_terms(lines), Archive(), names={"dan"})
        assert [each.word for each in words] == ["page"]


class TestQuestions:
    @pytest.mark.parametrize(
        "said", ["预算通过了吗？", "什么时候能上线？", "Who is doing those?", "要不要换成李教授？"]
    )
    def test_are_known_by_what_they_ask(self, said: str) -> None:
        [question] = questions.find(spoken(f"甲: {said}"))
        assert question.speaker == "甲"

    @pytest.mark.parametrize("said", ["是吧？", "对吗？", "Really?", "预算通过了。"])
    def test_are_none_where_nothing_is_asked(self, said: str) -> None:
        assert questions.find(spoken(f"甲: {said}")) == []


class TestFigures:
    @pytest.mark.parametrize(
        ("said", "amount"),
        [
            ("完成了百分之八十。", "百分之八十"),
            ("一共支出326万元。", "326万"),
            ("合同是五千六。", "五千六"),
            ("We have 400 users now.", "400 users"),
            ("It converts at two point one percent.", "two point one percent"),
            ("涨了12.5%。", "12.5%"),
        ],
    )
    def test_are_sentences_with_amounts(self, said: str, amount: str) -> None:
        [figure] = questions.find_figures(spoken(f"甲: {said}"))
        assert amount in figure.until

    @pytest.mark.parametrize("said", ["一个人来了。", "第一次开会。", "一共多少钱？", "大家好。"])
    def test_are_none_where_nothing_is_counted(self, said: str) -> None:
        assert questions.find_figures(spoken(f"甲: {said}")) == []


def test_days_are_named_once_with_all_their_lines_and_in_order() -> None:
    said = spoken("甲: 下周一交报告。", "乙: 周三开会。", "甲: 周三下午两点。")
    found = questions.find_days(said, TODAY)
    assert [(each.until, each.lines) for each in found] == [("周三", (2, 3)), ("下周一", (1,))]


def test_a_period_is_no_day_to_come() -> None:
    assert questions.find_days(spoken("甲: 第二是下个月的预算。"), TODAY) == []


class TestTalk:
    def test_counts_time_turns_and_questions(self) -> None:
        lines = meeting("甲: 好。", "甲: 通过了吗？", "乙: 通过了。", "甲: 好。")
        asked = questions.find(spoken("甲: 好。", "甲: 预算通过了吗？"))
        first, second = talk.measure(lines, asked)
        assert (first.speaker, first.spoken_ms, first.turns, first.questions) == ("甲", 15_000, 2, 1)
        assert (first.longest_ms, second.longest_ms) == (10_000, 5_000)
        assert (second.speaker, second.turns) == ("乙", 1)

    def test_of_nobody_is_nothing(self) -> None:
        assert talk.measure([]) == []


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("好。我来写。", ["好。", "我来写。"]),
            ("We shipped it. Next is 3.5 percent.", ["We shipped it.", "Next is 3.5 percent."]),
            ("行吗？行！", ["行吗？", "行！"]),
            ("没有标点", ["没有标点"]),
            ("", []),
        ],
    )
    def test_end_at_their_marks(self, text: str, parts: list[str]) -> None:
        assert list(split_sentences(text)) == parts


def test_a_meeting_without_words_has_no_minutes() -> None:
    assert extract([], TODAY).statements == []
    assert extract(meeting("甲: "), TODAY).statements == []


PIECES = [
    *(
        "我",
        "你",
        "明天",
        "周三之前",
        "发给",
        "决定",
        "那就",
        "改成",
        "吗？",
        "。",
        "，",
        "如果",
        "一百万",
        "陈伟",
        "负责",
    ),
    *(
        "I'll ",
        "send ",
        "by Friday",
        "let's go with ",
        "?",
        ". ",
        "two percent ",
        "第二件事",
        "二月三十号",
        "99号",
        "🙂",
        "\n",
    ),
]
lines_of_anything = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=25)


@settings(max_examples=60, deadline=None)
@given(lines_of_anything)
def test_whatever_is_said_every_statement_cites_lines_that_say_it(texts: list[str]) -> None:
    lines = meeting(*(f"{'甲乙'[number % 2]}: {text}" for number, text in enumerate(texts)))
    by_key = {line.key: " ".join(line.text.split()).casefold() for line in lines}
    for statement in extract(lines, TODAY).statements:
        assert statement.lines and {*statement.lines} <= by_key.keys()
        said = " ".join(statement.text.rstrip("…").split()).casefold()
        assert any(said in by_key[line] for line in statement.lines), statement
        assert statement.speaker in ("", "甲", "乙")
        assert statement.due is None or statement.kind in (Kind.ACTION, Kind.DATE)
