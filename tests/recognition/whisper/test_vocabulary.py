"""From tokens to characters and words with their times."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.exceptions import ModelError
from recognition.interfaces import Token
from recognition.whisper.vocabulary import Vocabulary, is_unlikely

from .scripted import ids


def written(vocabulary: Vocabulary, text: str) -> list[str]:
    numbers = ids(text)
    return [word.text for word in vocabulary.words(numbers, [(0, 0)] * len(numbers))]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", []),
            ("你好", ["你", "好"]),
            ("，你好。", ["你", "好"]),
            (" Hello, world.", ["Hello", "world"]),
            ("我用 Python 写的", ["我", "用", "Python", "写", "的"]),
            ("GPU很快", ["GPU", "很", "快"]),
            ("don't stop", ["don't", "stop"]),
            ("it’s", ["it’s"]),
            ("'quoted' words", ["quoted", "words"]),
            ("well-known -- and", ["well-known", "and"]),
            ("the dogs' bowl", ["the", "dogs", "bowl"]),
            ("3.5 percent", ["3", "5", "percent"]),
            ("♪ 啦啦 ♪", ["啦", "啦"]),
        ],
    )
    def test_are_written_without_marks(self, vocabulary: Vocabulary, text: str, words: list[str]) -> None:
        assert written(vocabulary, text) == words

    @pytest.mark.parametrize(
        ("traditional", "simplified"),
        [
            ("隨著頭髮乾淨", "随着头发干净"),
            ("顯著", "显著"),
            ("後來", "后来"),
            ("乾隆", "乾隆"),
            ("已经简体", "已经简体"),
        ],
    )
    def test_are_in_simplified_script(
        self, vocabulary: Vocabulary, traditional: str, simplified: str
    ) -> None:
        assert written(vocabulary, traditional) == list(simplified)

    def test_bytes_that_are_no_character_are_left_out(self, vocabulary: Vocabulary) -> None:
        broken = [*ids("你"), *ids("好")[:2], *ids("吗")]
        words = vocabulary.words(broken, [(0, 0)] * len(broken))
        assert [word.text for word in words] == ["你", "吗"]

    def test_a_character_lasts_from_its_first_token_to_its_last(self, vocabulary: Vocabulary) -> None:
        spans = [(10, 20), (20, 30), (30, 40), (50, 60), (60, 70), (70, 90)]
        assert vocabulary.words(ids("你好"), spans) == [Token("你", 10, 40), Token("好", 50, 90)]

    def test_a_word_lasts_from_its_first_letter_to_its_last(self, vocabulary: Vocabulary) -> None:
        spans = [(0, 5), (5, 10), (10, 20), (20, 30), (30, 40)]
        assert vocabulary.words(ids(" no a"), spans) == [Token("no", 5, 20), Token("a", 30, 40)]

    def test_tokens_and_times_must_be_as_many(self, vocabulary: Vocabulary) -> None:
        with pytest.raises(ValueError, match="zip"):
            vocabulary.words(ids("no"), [(0, 1)])


class TestTokens:
    def test_text_starts_with_its_language_and_without_times(self, vocabulary: Vocabulary) -> None:
        assert vocabulary.start("en") == [257, 259, 260, 261]

    def test_those_with_digits_are_unlikely(self, vocabulary: Vocabulary) -> None:
        assert sorted(vocabulary.unlikely) == ids("0123456789")

    @pytest.mark.parametrize(
        ("number", "token", "found"),
        [
            (300, " the", False),
            (30_000, " the", True),
            (300, " 5th", True),
            (30_000, "好", False),
            (30_000, "。", False),
            (300, "при", True),
            (300, "é", True),
            (300, "です", True),
        ],
    )
    def test_so_are_other_scripts_and_rare_latin_words(self, number: int, token: str, found: bool) -> None:
        assert is_unlikely(number, token.encode()) == found

    def test_a_part_of_a_character_may_be_of_any(self) -> None:
        assert not is_unlikely(30_000, "好".encode()[:2])

    def test_that_are_one_mark_are_known(self, vocabulary: Vocabulary) -> None:
        assert vocabulary.marks == frozenset(b",;.?!")

    def test_of_a_text_can_be_had_without_marks_and_spaces(self, vocabulary: Vocabulary) -> None:
        assert vocabulary.without_marks(ids("好, ok. 吗?")) == ids("好ok吗")

    def test_have_lengths_in_bytes(self, vocabulary: Vocabulary) -> None:
        assert vocabulary.lengths(ids("a好")) == [1, 1, 1, 1]

    def test_a_language_that_whisper_does_not_know_is_an_error(self, vocabulary: Vocabulary) -> None:
        with pytest.raises(ModelError, match=r"no token <\|tlh\|>"):
            vocabulary.start("tlh")

    def test_a_file_of_something_else_is_an_error(self, tmp_path: Path) -> None:
        file = tmp_path / "tokenizer.json"
        file.write_text("{}", encoding="utf-8")
        with pytest.raises(ModelError, match="holds no tokens"):
            Vocabulary(file)
