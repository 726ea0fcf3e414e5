"""Content of a text: pairs of Chinese characters, and words of other scripts. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from recognition.core.text import is_chinese

_EMPTY = frozenset("的了是在我你他她它们这那就也都和吗呢吧啊嗯呃哦与及并对把被将会要")
_WORD = re.compile(r"[a-z][a-z'’-]+", re.IGNORECASE)
_SHORT = "the|an|and|or|of|to|in|on|at|by|for|is|are|was|be|will|it|we|they|he|she|that|this|with|as"
_SHORT_WORDS = frozenset(_SHORT.split("|"))
STEM = 6
"""Letters of a word that count: what follows is an ending."""


def content(text: str) -> frozenset[str]:
    """Return what a text is made of: pairs of Chinese characters, and words of other scripts."""
    chinese = [character if is_chinese(character) and character not in _EMPTY else " " for character in text]
    pairs = {one + other for one, other in pairwise(chinese) if " " not in (one, other)}
    words = {word.casefold() for word in _WORD.findall(text)} - _SHORT_WORDS
    return frozenset(pairs | {word[:STEM] for word in words})
