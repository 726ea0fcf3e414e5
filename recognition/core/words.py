"""Words of Chinese text, by jieba's dictionary: the characters that belong together. Pure.

jieba is loaded at the first use (`load`), and takes 70 MB and a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from .text import is_chinese

Cut = Callable[[str], Iterable[str]]
"""Splits Chinese text into words."""


@cache
def load(dictionary: Path | None = None) -> Cut:
    """Return jieba's way to split text, without its guesses at words that it does not know.

    Args:
        dictionary: Words in addition to jieba's own, as its user dictionaries are written.
    """
    import jieba

    tokenizer = jieba.Tokenizer()
    # What `initialize` does, but for a cache in the system's folder for temporary files, where others write.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    if dictionary:
        tokenizer.load_userdict(str(dictionary))
    return lambda text: tokenizer.cut(text, HMM=False)


def words(tokens: Sequence[str], cut: Cut | None = None) -> list[tuple[str, int]]:
    """Join single Chinese characters to words; any other token is a word by itself.

    Args:
        cut: Splits Chinese text; jieba by its own dictionary by default.

    Returns:
        Words and how many of the tokens each is made of.
    """
    cut = cut or load()
    result: list[tuple[str, int]] = []
    characters = ""
    for token in [*tokens, ""]:
        if len(token) == 1 and is_chinese(token):
            characters += token
            continue
        result += [(word, len(word)) for word in cut(characters)] if characters else []
        characters = ""
        if token:
            result.append((token, 1))
    return result


def word_ends(tokens: Sequence[str]) -> list[bool]:
    """Return for each token whether a word ends with it."""
    ends = [False] * len(tokens)
    position = 0
    for _, length in words(tokens):
        position += length
        ends[position - 1] = True
    return ends
