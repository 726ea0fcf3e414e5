"""Words of Chinese text, by jieba's dictionary: how characters belong together, how usual that is. Pure.

jieba is loaded at the first use (`load`), and takes 60 MB and half a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .text import is_chinese

if TYPE_CHECKING:
    from jieba import Tokenizer

Cut = Callable[[str], Iterable[str]]
"""Splits Chinese text into words."""

_FOREIGN = -10.0
"""Log probability of any word that is not Chinese: that of the rarer Chinese ones."""


class Dictionary:
    """Words and how often each was read, without guesses at others."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def cut(self, text: str) -> Iterable[str]:
        """Split Chinese text."""
        words: Iterable[str] = self._tokenizer.cut(text, HMM=False)
        return words

    def guess(self, text: str) -> Iterable[str]:
        """Split Chinese text, guessing at words that the dictionary does not have: names, and new ones."""
        words: Iterable[str] = self._tokenizer.cut(text, HMM=True)
        return words

    def log_probability(self, text: str) -> float:
        """Return that of the likeliest words which Chinese text is made of, each of them by itself."""
        route: dict[int, tuple[float, int]] = {}
        self._tokenizer.calc(text, self._tokenizer.get_DAG(text), route)
        return route[0][0]


@cache
def load(dictionary: Path | None = None) -> Dictionary:
    """Return jieba's dictionary.

    Args:
        dictionary: Words in addition to jieba's own, as its user dictionaries are written.
    """
    from .word_index import WordIndex

    tokenizer = WordIndex()
    if dictionary:
        tokenizer.load_userdict(str(dictionary))
    return Dictionary(tokenizer)


def words(tokens: Sequence[str], cut: Cut | None = None) -> list[tuple[str, int]]:
    """Join single Chinese characters to words; any other token is a word by itself.

    Args:
        cut: Splits Chinese text; jieba by its own dictionary by default.

    Returns:
        Words and how many of the tokens each is made of.
    """
    cut = cut or load().cut
    result: list[tuple[str, int]] = []
    for text, is_one_token in _runs(tokens):
        result += [(text, 1)] if is_one_token else [(word, len(word)) for word in cut(text)]
    return result


def word_ends(tokens: Sequence[str]) -> list[bool]:
    """Return for each token whether a word ends with it."""
    ends = [False] * len(tokens)
    position = 0
    for _, length in words(tokens):
        position += length
        ends[position - 1] = True
    return ends


def log_probability(tokens: Sequence[str], dictionary: Dictionary | None = None) -> float:
    """Return how probable tokens are as words, each of them by itself.

    Args:
        dictionary: jieba's own by default.
    """
    dictionary = dictionary or load()
    return sum(
        _FOREIGN if is_one_token else dictionary.log_probability(text) for text, is_one_token in _runs(tokens)
    )


def _runs(tokens: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Return single Chinese characters that follow each other as one text; any other token by itself."""
    characters = ""
    for token in [*tokens, ""]:
        if len(token) == 1 and is_chinese(token):
            characters += token
            continue
        if characters:
            yield characters, False
        characters = ""
        if token:
            yield token, True
