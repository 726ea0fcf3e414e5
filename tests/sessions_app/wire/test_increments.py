"""Increments of text: a client that only adds has, at the end, what was said, and nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.wire.increments import Increments
from sessions_app.wire.protocol import Line, PartialLine, Rewrite, SpeakerRef


def partial(text: str, start_ms: int = 0) -> PartialLine:
    return PartialLine(start_ms, text)


def line(text: str) -> Line:
    return Line(1, 1, 0, 1000, text, SpeakerRef())


def added(sent: list[str], *lines: str) -> str:
    """All that a client was sent of one utterance: its partials first, then its lines."""
    increments = Increments()
    texts = [increments.of_partial(partial(text)) for text in sent]
    return "".join([*texts, *(increments.of_line(line(text)) for text in lines)])


class TestPartials:
    def test_only_what_is_new_is_sent(self) -> None:
        increments = Increments()
        assert [increments.of_partial(partial(text)) for text in ("大", "大家", "大家", "大家好人")] == [
            "大", "家", "", "好人",
        ]  # fmt: skip

    def test_nothing_is_taken_back_and_it_goes_on_where_it_agrees_again(self) -> None:
        increments = Increments()
        texts = ["大家", "大伙", "大", "大家好"]
        assert [increments.of_partial(partial(text)) for text in texts] == ["大家", "", "", "好"]

    def test_another_utterance_begins_anew(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("大家", 0)) == "大家"
        assert increments.of_line(line("大家好。")) == "好"
        assert increments.of_partial(partial("大家", 2000)) == "大家"

    def test_it_waits_for_the_line_of_the_one_before(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("大家", 0)) == "大家"
        assert increments.of_partial(partial("预", 2000)) == ""
        assert increments.of_line(line("大家好。")) == "好"
        assert increments.of_partial(partial("预算", 2000)) == "预算"

    def test_or_not_if_they_are_told_apart_otherwise(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("大家", 0), in_order=False) == "大家"
        assert increments.of_partial(partial("预", 2000), in_order=False) == "预"
        assert increments.of_line(line("大家好。")) == "好"
        assert increments.of_partial(partial("预算", 2000), in_order=False) == "算"

    def test_one_that_never_has_a_line_holds_up_no_more_than_the_next(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("嗯", 0)) == "嗯"
        assert increments.of_partial(partial("预算", 2000)) == ""
        assert increments.of_line(Line(2, 1, 2000, 3000, "预算。", SpeakerRef())) == "预算"
        assert increments.of_partial(partial("好", 4000)) == "好"

    def test_what_was_forgotten_is_not_continued(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("大家")) == "大家"
        increments.end_utterance()
        assert increments.of_partial(partial("大家好")) == "大家好"
        increments.end_utterance()
        assert increments.of_line(line("好的。")) == "好的"


class TestLines:
    @pytest.mark.parametrize(
        ("sent", "final", "together"),
        [
            (["大家好"], "大家好。", "大家好"),
            (["大家", "大家好"], "大家好，人都到齐了。", "大家好人都到齐了"),
            ([], "大家好。", "大家好"),
            (["大家好人都"], "", "大家好人都"),
            ([], "", ""),
            (["预算通过"], "预算通过了吗？", "预算通过了吗"),
            # One character was heard otherwise: what stands behind its place is sent.
            (["王磊"], "汪磊来了。", "王磊来了"),
            (["我们先看"], "我们仙看一下。", "我们先看一下"),
            (["我们先"], "我们仙看。", "我们先看"),
            (["thank you"], "Thank you, Mr. O'Neill.", "thank you Mr O'Neill"),
            (["version 1.5"], "Version 1.5 is out.", "version 1.5 is out"),
            (["the e-mail"], "The e-mail came.", "the e-mail came"),
            (["用GPU"], "用GPU跑。", "用GPU跑"),
            (["STRASSE"], "Straße frei.", "STRASSE frei"),
        ],
    )
    def test_what_is_sent_and_the_rest_of_the_line_make_the_line(
        self, sent: list[str], final: str, together: str
    ) -> None:
        assert added(sent, final) == together

    @pytest.mark.parametrize(
        ("sent", "final", "together"),
        [
            # The first pass had time for the beginning alone, and misheard it.
            (["进"], "今天讨论两件事，第一是进度，第二是预算。", "进天讨论两件事第一是进度第二是预算"),
            (["复了"], "服务器费用增加了两万元。", "复了器费用增加了两万元"),
            # It had missed the first words, and has all that follow.
            (["预算通过"], "我觉得预算通过了。", "预算通过了"),
        ],
    )
    def test_what_was_misheard_is_not_looked_for_far_behind(
        self, sent: list[str], final: str, together: str
    ) -> None:
        assert added(sent, final) == together

    def test_lines_of_one_utterance_share_what_was_sent(self) -> None:
        assert added(["好的预算通过"], "好的。", "预算通过了吗？") == "好的预算通过了吗"

    def test_a_line_that_is_shorter_than_what_was_sent_takes_only_its_part(self) -> None:
        increments = Increments()
        increments.of_partial(partial("好的是的"))
        assert [increments.of_line(line(text)) for text in ("好的。", "是的。", "对。")] == ["", "", "对"]

    def test_marks_are_left_out_and_apostrophes_stay(self) -> None:
        assert added([], "“It's late”, he said: go!") == "It's late he said go"


class TestNumbersInDigits:
    """Partials have numbers in words: what was sent is compared with what was heard."""

    LINE = Line(1, 1, 0, 1000, "完成了80%，下周提测。", SpeakerRef(), changes=(Rewrite(3, 6, "百分之八十"),))

    def test_are_no_other_words_than_those_that_were_sent(self) -> None:
        increments = Increments()
        assert increments.of_partial(partial("完成了百分之八十下周")) == "完成了百分之八十下周"
        assert increments.of_line(self.LINE) == "提测"

    def test_hold_up_nothing_that_follows(self) -> None:
        increments = Increments()
        increments.of_partial(partial("完成了百分之八十下周提测"))
        assert increments.of_line(self.LINE) == ""
        assert increments.of_partial(partial("好", 2000)) == "好"


TEXT = st.text(st.sampled_from("大家好人都到齐了ab 1"), max_size=12)


@given(TEXT, TEXT)
def test_a_final_that_begins_with_what_was_sent_is_had_in_full(sent: str, rest: str) -> None:
    def plain(text: str) -> str:
        return "".join(character for character in text if character.isalnum())

    assert plain(added([sent], sent + rest)) == plain(sent + rest)


@given(st.lists(TEXT, max_size=6), st.lists(st.text(max_size=12), max_size=3))
def test_whatever_is_said_nothing_fails_and_no_partial_is_sent_twice(
    partials: list[str], lines: list[str]
) -> None:
    increments = Increments()
    sent = "".join(increments.of_partial(partial(text)) for text in partials)
    assert sent in ("", *partials)
    for text in lines:
        assert len(increments.of_line(line(text))) <= len(text)
