from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr.vocabulary import Vocabulary, WordJoiner, join_words
from recognition.interfaces import Token


class TestVocabulary:
    def test_special_tokens_are_not_written(self) -> None:
        vocabulary = Vocabulary(["<blank>", "<s>", "</s>", "你", "<unk>"])

        assert vocabulary.pieces([0, 3, 4, 2]) == ["", "你", "", ""]

    def test_ids_that_the_model_uses_otherwise_are_not_written_either(self) -> None:
        assert Vocabulary(["_", "你"], {0}).pieces([0, 1]) == ["", "你"]


class TestWordJoiner:
    @pytest.fixture
    def joiner(self) -> Any:
        return WordJoiner()

    def test_characters_come_out_as_they_come_in(self, joiner: Any) -> None:
        assert joiner.receive(["你", "好"]) == ["你", "好"]

    def test_a_word_is_held_back_until_its_last_piece(self, joiner: Any) -> None:
        assert joiner.receive(["meet@@"]) == []
        assert joiner.receive(["ing", "a"]) == ["meeting", "a"]

    def test_a_word_that_a_character_breaks_off_is_written_as_far_as_it_came(self, joiner: Any) -> None:
        assert joiner.receive(["meet@@", "会"]) == ["meet", "会"]

    def test_what_has_begun_at_the_end_is_not_lost(self, joiner: Any) -> None:
        joiner.receive(["meet@@"])

        assert joiner.finish() == ["meet"]
        assert joiner.finish() == []

    def test_tokens_that_are_not_written_do_not_break_a_word(self, joiner: Any) -> None:
        assert joiner.receive(["meet@@", "", "ing"]) == ["meeting"]


class TestJoinWords:
    def test_a_word_lasts_from_its_first_piece_to_its_last(self) -> None:
        words = join_words(["你", "meet@@", "ing"], [(0, 10), (20, 30), (30, 45)])

        assert words == [Token("你", 0, 10), Token("meeting", 20, 45)]

    def test_letters_spelt_out_are_an_abbreviation(self) -> None:
        words = join_words(["用", "a", "s", "r", "吗"], [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])

        assert words == [Token("用", 0, 1), Token("ASR", 1, 4), Token("吗", 4, 5)]

    def test_a_single_letter_stays_a_word(self) -> None:
        assert join_words(["a", "the"], [(0, 1), (1, 2)]) == [Token("a", 0, 1), Token("the", 1, 2)]

    def test_a_word_cut_short_is_kept(self) -> None:
        assert join_words(["meet@@"], [(3, 4)]) == [Token("meet", 3, 4)]

    def test_spans_that_do_not_fit_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="1 spans for 2 pieces"):
            join_words(["你", "好"], [(0, 1)])

    @given(st.lists(st.sampled_from(["你", "好", "a", "b", "the", "meet@@", "ing", "", "it's"])))
    def test_a_stream_and_an_utterance_write_the_same_letters(self, pieces: Any) -> None:
        joiner = WordJoiner()
        streamed = [*joiner.receive(pieces), *joiner.finish()]

        joined = join_words(pieces, [(i, i + 1) for i in range(len(pieces))])

        assert "".join(streamed).lower() == "".join(word.text for word in joined).lower()
