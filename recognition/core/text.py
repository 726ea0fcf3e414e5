"""From tokens to text that a person reads, and back to nothing but words for counting errors. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

FULL_WIDTH_MARKS = "，。？！、；："

SENTENCE_ENDS = ("。", "？", "！")

_SPACED_MARKS = ",.?!;:%"
"""Marks, and signs of numbers, that are followed by a space in scripts that have spaces."""

_CURRENCIES = "$€£¥"
"""Signs that begin a number."""


def join(tokens: Sequence[str], marks: Sequence[str] | None = None) -> str:
    """Write tokens as one line: Chinese without spaces, words of other scripts between them.

    Args:
        tokens: Characters and words, without punctuation.
        marks: The mark after each token, "" for none; as many as tokens.

    Raises:
        ValueError: If the number of marks differs from that of tokens.
    """
    if marks is None:
        marks = [""] * len(tokens)
    if len(marks) != len(tokens):
        raise ValueError(f"{len(marks)} marks for {len(tokens)} tokens")
    text = ""
    for token, mark in zip(tokens, marks, strict=True):
        if (
            text
            and (_is_spaced(text[-1]) or text[-1] in _SPACED_MARKS)
            and _is_spaced(token.lstrip(_CURRENCIES)[:1])
        ):
            text += " "
        text += token + mark
    return text


def words_only(text: str) -> list[str]:
    """The units that error rates count: each Chinese character, each word of another script in lower case."""
    units: list[str] = []
    word = ""
    for character in unicodedata.normalize("NFKC", text).lower():
        if _is_spaced(character) or (word and character == "'"):
            word += character
            continue
        if word:
            units.append(word)
            word = ""
        if unicodedata.category(character)[0] in "LN":
            units.append(character)
    return [*units, word] if word else units


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Least number of insertions, deletions and substitutions (Levenshtein, 1966)."""
    previous = list(range(len(hypothesis) + 1))
    for row, expected in enumerate(reference, 1):
        current = [row]
        for column, got in enumerate(hypothesis, 1):
            current.append(
                min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (expected != got))
            )
        previous = current
    return previous[-1]


def error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Character error rate over (reference, hypothesis) pairs, punctuation left out; 0.05 is 5 %.

    Raises:
        ValueError: If there is no reference character at all.
    """
    errors = characters = 0
    for reference, hypothesis in pairs:
        expected = words_only(reference)
        errors += edit_distance(expected, words_only(hypothesis))
        characters += len(expected)
    if not characters:
        raise ValueError("no reference text to count errors against")
    return errors / characters


def _is_spaced(character: str) -> bool:
    """Tell whether this script writes spaces between words."""
    return bool(character) and character.isalnum() and not is_chinese(character)


def is_chinese(character: str) -> bool:
    """Return whether it is a Chinese character."""
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
