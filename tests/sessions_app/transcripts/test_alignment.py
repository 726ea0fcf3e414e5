from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.transcripts.alignment import Cut, TimedWord, align, cut

TOKENS = [("今", 0, 100), ("天", 100, 200), ("讨", 250, 300), ("论", 300, 400)]


def times(text: str, tokens: Any = TOKENS, start: int = 0, end: int = 500) -> list[tuple[str, int, int]]:
    return [(text[w.begin : w.stop], w.start, w.end) for w in align(text, tokens, start, end)]


class TestAlign:
    def test_each_character_has_its_token_s_time_and_punctuation_has_none(self) -> None:
        assert times("今天，讨论。") == TOKENS

    def test_words_of_other_scripts_are_whole(self) -> None:
        tokens = [("don't", 0, 100), ("用", 100, 200), ("GPU", 200, 300)]
        assert times("Don’t 用GPU。", tokens) == [("Don’t", 0, 100), ("用", 100, 200), ("GPU", 200, 300)]

    def test_a_corrected_word_takes_the_time_between_its_neighbours(self) -> None:
        assert times("今年讨论") == [("今", 0, 100), ("年", 100, 250), ("讨", 250, 300), ("论", 300, 400)]

    def test_words_that_were_added_share_what_is_free(self) -> None:
        assert times("我今天讨论完了") == [
            ("我", 0, 0), *TOKENS[:4], ("完", 400, 450), ("了", 450, 500),
        ]  # fmt: skip

    def test_without_tokens_the_words_share_the_line(self) -> None:
        assert times("好的 okay", [], 100, 400) == [("好", 100, 200), ("的", 200, 300), ("okay", 300, 400)]

    def test_tokens_around_the_line_are_not_its_own(self) -> None:
        assert times("讨论", TOKENS, 250, 400) == [("讨", 250, 300), ("论", 300, 400)]

    def test_a_line_without_words_has_none(self) -> None:
        assert times("……") == []

    @given(
        st.text("今天讨论好 ab，。", max_size=12),
        st.lists(
            st.tuples(st.sampled_from("今天讨论好"), st.integers(0, 90), st.integers(1, 10)), max_size=8
        ),
    )
    def test_words_are_in_order_and_within_the_line(
        self, text: str, spoken: list[tuple[str, int, int]]
    ) -> None:
        tokens, at = [], 0
        for character, pause, length in spoken:
            tokens.append((character, at + pause, at + pause + length))
            at += pause + length
        words = align(text, tokens, 0, max(at, 1))
        edges = [edge for word in words for edge in (word.start, word.end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= max(at, 1) for edge in edges)
        assert [w.begin for w in words] == sorted(w.begin for w in words)


class TestCut:
    def test_between_two_words_is_where_the_one_ends_and_the_other_starts(self) -> None:
        assert cut("今天，讨论。", 3, TOKENS, 0, 500) == Cut(200, 250)

    def test_before_or_behind_a_mark_is_the_same_place_in_time(self) -> None:
        assert cut("今天，讨论。", 2, TOKENS, 0, 500) == cut("今天，讨论。", 3, TOKENS, 0, 500)

    def test_at_the_edges_one_part_has_all_the_words_and_the_cut_is_in_proportion(self) -> None:
        assert cut("今天讨论", 0, TOKENS, 0, 500) == Cut(0, 0)
        assert cut("今天讨论", 4, TOKENS, 0, 500) == Cut(500, 500)

    @given(st.integers(0, 8), st.integers(0, 8))
    def test_lies_within_the_line(self, offset: int, start: int) -> None:
        found = cut("今天，讨论。", offset, TOKENS, start * 50, 450)
        assert start * 50 <= found.end <= found.start <= 450


def test_a_timed_word_says_where_it_stands() -> None:
    assert align("好", [], 0, 10) == [TimedWord(0, 1, 0, 10)]
