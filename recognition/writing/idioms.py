"""Idioms with numbers in them, of jieba's dictionary."""

from __future__ import annotations

import re
from pathlib import Path

KINDS = ("i", "l")
"""Kinds of words, as jieba's dictionary calls idioms and set phrases."""

_NUMBER = re.compile("[零〇一二两三四五六七八九十百千万亿]")
MIN_LENGTH = 4

NO_IDIOMS = frozenset(["二十四小"])
"""Words that are called idioms there, and are none."""


def load() -> frozenset[str]:
    """Read them; a fifth of a second."""
    import jieba

    rows = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for word, _, kind in map(str.split, rows) if _is_idiom(word, kind))


def _is_idiom(word: str, kind: str) -> bool:
    return (
        kind in KINDS
        and len(word) >= MIN_LENGTH
        and bool(_NUMBER.search(word))
        and word not in NO_IDIOMS
        and not word.startswith("百分之")
    )
