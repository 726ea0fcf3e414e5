"""Our index of jieba's words finds what jieba's own finds."""

from __future__ import annotations

import functools
from pathlib import Path

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.core.word_index import WordIndex


@functools.cache
def pair() -> tuple[WordIndex, jieba.Tokenizer]:
    own = jieba.Tokenizer()
    own.FREQ, own.total = own.gen_pfdict(own.get_dict_file())
    own.initialized = True
    return WordIndex(), own


TEXTS = [
    "今天主要讨论两件事，第一是实时字幕的进度，第二是下个月的预算。",
    "中华人民共和国国务院总理",
    "用python写的ASR服务，版本2.0",
    "王磊负责联系供应商",
    "龘",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_split_as_by_jieba_with_and_without_guesses(text: str) -> None:
    ours, theirs = pair()

    for guesses in (True, False):
        assert list(ours.cut(text, HMM=guesses)) == list(theirs.cut(text, HMM=guesses))


@given(st.text("今天主要讨论实时字幕的进度中华人民共和国，a1 ", max_size=20))
def test_words_may_begin_and_end_where_they_do_for_jieba(text: str) -> None:
    ours, theirs = pair()

    assert ours.get_DAG(text) == theirs.get_DAG(text)
    assert ours.total == theirs.total


def test_it_has_the_words_and_nothing_that_only_begins_one() -> None:
    ours, theirs = pair()

    assert {word: count for word, count in theirs.FREQ.items() if count} == {
        word: count for word, count in ours.FREQ.items() if count
    }
    assert len(ours.FREQ) < 0.8 * len(theirs.FREQ)


def test_words_of_a_users_own_are_found_the_longest_as_well(tmp_path: Path) -> None:
    own = WordIndex()
    word = "龘靐齉龘靐齉"
    (tmp_path / "own.txt").write_text(f"{word} 9\n龘靐 3\n", encoding="utf-8")

    own.load_userdict(str(tmp_path / "own.txt"))

    assert list(own.cut(f"说{word}吧", HMM=False)) == ["说", word, "吧"]
    assert list(own.cut("说龘靐吧", HMM=False)) == ["说", "龘靐", "吧"]
