"""Words are spelt in the tokens of a recogniser; what it lacks is named."""

from __future__ import annotations

import pytest

from recognition.funasr.spelling import Spelling

TOKENS = ["", "王", "磊", "model", "mod@@", "el", "m@@", "o@@", "d@@", "a", "r", "s", "new", "8"]


@pytest.fixture
def spelling() -> Spelling:
    return Spelling(TOKENS)


def written(spelling: Spelling, word: str) -> list[str]:
    return [" ".join(TOKENS[token] for token in tokens) for tokens in spelling.spell(word)]


def test_chinese_is_spelt_by_characters(spelling: Spelling) -> None:
    assert written(spelling, "王磊") == ["王 磊"]


def test_a_word_of_letters_is_spelt_in_every_likely_way_the_shortest_first(spelling: Spelling) -> None:
    assert written(spelling, "Model") == ["model", "mod@@ el", "m@@ o@@ d@@ el"]


def test_a_piece_that_goes_on_ends_no_word(spelling: Spelling) -> None:
    assert spelling.spell("mod") == []


def test_phrases_are_spelt_word_by_word(spelling: Spelling) -> None:
    assert written(spelling, "new MODEL 王")[:2] == ["new model 王", "new mod@@ el 王"]


def test_a_word_that_is_lacking_in_part_is_not_spelt_and_what_is_lacking_is_named(spelling: Spelling) -> None:
    assert spelling.spell("王鑫") == []
    assert spelling.lacking("王鑫 new zebra") == ["鑫", "zebra"]
    assert spelling.lacking("王磊") == []


def test_nothing_is_spelt_in_no_way(spelling: Spelling) -> None:
    assert spelling.spell("") == []


def test_a_long_word_of_single_letters_is_not_spelt_in_thousands_of_ways() -> None:
    letters = [*"ab", "a@@", "b@@", "ab@@", "ba@@", "aba@@", "bab@@", "ab", "ba"]

    assert 0 < len(Spelling(letters).spell("ab" * 20)) <= 8
