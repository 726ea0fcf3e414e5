"""Marks and capitals of each sentence, as its script has them. Pure.

Recognisers for Mandarin write words of other scripts in small letters, and punctuators set Chinese marks. A
sentence in letters alone gets a capital and the marks of its script: "let's begin。i agree，" is written
"Let's begin. I agree,". Among Chinese characters only the pronoun is changed, where it stands beside another
word in letters; and no letter is ever made small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from recognition.interfaces import Token

from .text import SENTENCE_ENDS, is_chinese

_NARROW = dict(zip("，。？！、；：", ",.?!,;:", strict=True))

ENDS = (*SENTENCE_ENDS, *(_NARROW[mark] for mark in SENTENCE_ENDS))
"""Marks that end a sentence, wide and narrow."""

_PRONOUNS = ("i", "i'm", "i've", "i'll", "i'd")


def typeset(
    tokens: Sequence[Token], marks: Sequence[str], *, begins: bool = True
) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    """Return tokens and marks as their sentences are written.

    Args:
        marks: The mark after each token, "" for none.
        begins: Whether a sentence begins with the first token.
    """
    words: list[Token] = []
    set_marks: list[str] = []
    for first, end in _sentences(marks):
        sentence = list(tokens[first:end])
        is_in_letters = _is_in_letters("".join(token.text for token in sentence))
        if is_in_letters and (first > 0 or begins):
            sentence[0] = replace(sentence[0], text=_capital(sentence[0].text))
        words += [
            replace(token, text=_capital(token.text)) if _is_pronoun(sentence, at) else token
            for at, token in enumerate(sentence)
        ]
        set_marks += [_NARROW.get(mark, mark) if is_in_letters else mark for mark in marks[first:end]]
    return tuple(words), tuple(set_marks)


def continued(marks: Sequence[str]) -> tuple[str, ...]:
    """Return the marks of a line behind which the sentence goes on: it ends with a comma, not a full stop."""
    *before, last = marks
    return (*before, "，" if last in ENDS else last)


def _sentences(marks: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Return the first token of each sentence and the one behind it."""
    first = 0
    for at, mark in enumerate(marks, start=1):
        if mark in ENDS or at == len(marks):
            yield first, at
            first = at


def _is_in_letters(text: str) -> bool:
    """Tell whether a text is in a script that has spaces and narrow marks: neither Chinese nor Japanese."""
    is_wide = any(is_chinese(character) or "\u3040" <= character <= "\u30ff" for character in text)
    return not is_wide and any(character.isalpha() for character in text)


def _is_pronoun(sentence: Sequence[Token], at: int) -> bool:
    """Tell whether a token is the English "i": alone, or beside another word in Latin letters."""
    if sentence[at].text not in _PRONOUNS:
        return False
    beside = [*sentence[max(0, at - 1) : at], *sentence[at + 1 : at + 2]]
    return len(sentence) == 1 or any(_is_in_letters(token.text) for token in beside)


def _capital(word: str) -> str:
    """Return a word with a capital, unless it has one of its own, as "iPhone"."""
    return word[:1].upper() + word[1:] if word.islower() else word
