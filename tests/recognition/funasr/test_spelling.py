"""Words are spelt in the tokens of a recogniser; what it lacks is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recognition.funasr.spelling import Spelling, read_spelling

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


class TestFiles:
    def test_tokens_are_read_where_the_hub_s_description_says(self, tmp_path: Path) -> None:
        inner = tmp_path / "offline"
        inner.mkdir()
        (tmp_path / "tokens.json").write_text('["<blank>", "王", "磊"]')
        metas = {"file_path_metas": {"tokenizer_conf": {"token_list": "../tokens.json"}}}
        (inner / "configuration.json").write_text(json.dumps(metas))

        found = read_spelling(inner)

        assert found
        assert found.lacking("王磊燊") == ["燊"]

    @pytest.mark.parametrize("name", ["tokens.json", "tokens.txt"])
    def test_or_beside_the_model(self, name: str, tmp_path: Path) -> None:
        text = '["<unk>", "王"]' if name.endswith("json") else "<unk>\n王\n"
        (tmp_path / name).write_text(text)

        found = read_spelling(tmp_path)

        assert found
        assert found.spell("王") == [(1,)]

    @pytest.mark.parametrize("content", ["[", "{}", "[1]", '{"file_path_metas": 3}'])
    def test_damaged_ones_tell_nothing(self, content: str, tmp_path: Path) -> None:
        (tmp_path / "configuration.json").write_text(content)
        (tmp_path / "tokens.json").write_text("[")

        assert read_spelling(tmp_path) is None
