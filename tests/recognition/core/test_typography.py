"""Sentences in letters among Chinese ones: their marks, their capitals, and the pronoun "i"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.core.text import join, words_only
from recognition.core.typography import continued, typeset
from recognition.interfaces import Token

MARKS = "，。？！、；："


def written(text: str, *, begins: bool = True) -> str:
    """Typeset words with spaces between them, each with its mark."""
    words = text.split()
    marks = [word[-1] if word[-1] in MARKS + ",.?!" else "" for word in words]
    said = [word.removesuffix(mark) for word, mark in zip(words, marks, strict=True)]
    tokens = [Token(word, 10 * at, 10 * at + 8) for at, word in enumerate(said)]
    tokens_set, marks_set = typeset(tokens, marks, begins=begins)
    assert [(token.start, token.end) for token in tokens_set] == [(each.start, each.end) for each in tokens]
    return join([token.text for token in tokens_set], marks_set)


class TestSentencesInLetters:
    def test_have_a_capital_and_marks_of_their_own(self) -> None:
        assert written("let's begin。 everybody is here，") == "Let's begin. Everybody is here,"

    def test_among_chinese_ones_as_well(self) -> None:
        assert written("好 的。 thank you！ 我 们 开 始。") == "好的。Thank you!我们开始。"

    def test_that_go_on_have_no_new_capital(self) -> None:
        assert written("and so on。 then we stop。", begins=False) == "and so on. Then we stop."

    def test_whose_first_word_has_a_capital_inside_are_left(self) -> None:
        assert written("iPhone sales grew。") == "iPhone sales grew."

    def test_in_other_alphabets_too(self) -> None:
        assert written("привет мир。 мы начинаем。") == "Привет мир. Мы начинаем."

    def test_of_digits_alone_are_chinese(self) -> None:
        assert written("110。") == "110。"

    def test_in_korean_have_narrow_marks_and_japanese_ones_wide(self) -> None:
        assert written("안녕하세요。") == "안녕하세요."
        assert written("こんにちは。") == "こんにちは。"


class TestChineseSentences:
    def test_keep_their_marks_and_the_words_as_they_were_heard(self) -> None:
        assert written("我 们 用 python， 不 用 java。") == "我们用python，不用java。"

    def test_that_begin_with_a_word_in_letters_have_no_capital(self) -> None:
        assert written("ok 我 们 开 始。") == "ok我们开始。"

    def test_with_a_clause_in_letters_have_the_pronoun_as_it_is_written(self) -> None:
        assert written("他 说 i think so 对 吗？") == "他说I think so对吗？"

    def test_have_a_letter_by_itself_as_it_was_heard(self) -> None:
        assert written("第 i 行。") == "第i行。"


@pytest.mark.parametrize("pronoun", ["i", "i'm", "i'll"])
def test_the_pronoun_has_a_capital_wherever_it_stands(pronoun: str) -> None:
    assert written(f"so {pronoun} here。") == f"So {pronoun.capitalize()} here."


def test_nothing_gives_nothing() -> None:
    assert typeset([], []) == ((), ())


TOKENS = st.lists(
    st.tuples(st.sampled_from([*"你好三i", "ok", "i'm", "GPU", "8"]), st.sampled_from(["", *MARKS, *",.?!"])),
    max_size=12,
)


@given(TOKENS, st.booleans())
def test_no_word_and_no_mark_is_ever_lost(said: list[tuple[str, str]], begins: bool) -> None:
    tokens = [Token(word, at, at + 1) for at, (word, _) in enumerate(said)]
    found, marks = typeset(tokens, [mark for _, mark in said], begins=begins)
    assert [token.text.lower() for token in found] == [word.lower() for word, _ in said]
    assert [bool(mark) for mark in marks] == [bool(mark) for _, mark in said]
    assert words_only("".join(token.text for token in found)) == words_only("".join(w for w, _ in said))


@given(TOKENS)
def test_what_is_set_stays_as_it_is(said: list[tuple[str, str]]) -> None:
    tokens = [Token(word, at, at + 1) for at, (word, _) in enumerate(said)]
    once = typeset(tokens, [mark for _, mark in said])
    assert typeset(*once) == once


class TestContinued:
    @pytest.mark.parametrize("mark", ["。", "？", "！", ".", "?"])
    def test_a_sentence_that_goes_on_does_not_end(self, mark: str) -> None:
        assert continued(("", "，", mark)) == ("", "，", "，")

    @pytest.mark.parametrize("mark", ["", "，", "、"])
    def test_any_other_mark_stays(self, mark: str) -> None:
        assert continued(("。", mark)) == ("。", mark)
