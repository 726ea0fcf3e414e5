"""Hotwords as clients send them: an object or a list in JSON, or words with commas between them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recognition.hotwords import (
    DEFAULT_WEIGHT,
    MAX_HOTWORDS,
    MAX_LENGTH,
    MAX_UNITS,
    MAX_WEIGHT,
    MIN_WEIGHT,
    Hotword,
    Refusal,
    normal,
    refusal,
    sensible_weight,
    together,
)
from sessions_app.exceptions import SessionsError

from .untrusted import one_line, read_json

Given = Sequence[tuple[str, float | None]]
"""Words, and their weights where they are said."""

_BETWEEN = re.compile(r"[,，、;；|\n\r]+")
_WEIGHT = re.compile(r"(.+?)\s*:\s*(-?\d{1,6}(?:\.\d{1,6})?)")

REASONS = {
    Refusal.EMPTY: "it is empty",
    Refusal.SHORT: "it has one character",
    Refusal.LONG: f"it has more than {MAX_UNITS} Chinese characters or words, or {MAX_LENGTH} characters",
    Refusal.MARKS: "it has marks that nobody speaks",
}


class BadHotwords(SessionsError):
    """A list of hotwords with one that can be none, or that is too long."""


def checked(value: str | Sequence[str]) -> tuple[Hotword, ...]:
    """Understand a list, strictly.

    Raises:
        BadHotwords: With the word that can be none.
    """
    words = given(value) if isinstance(value, str) else [_weighed(word) for word in value]
    found = [_checked(text, weight) for text, weight in words if text.strip()]
    if len(found) > MAX_HOTWORDS:
        raise BadHotwords(f"{len(found)} hotwords are too many: at most {MAX_HOTWORDS} are allowed")
    return together(found)


def usable(value: str, *, are_blanks_between: bool = False) -> tuple[Hotword, ...]:
    """Understand a list of a client that was made for another service; what can be no hotword is left out.

    Args:
        are_blanks_between: Also words without commas between them are several.
    """
    return usable_words(given(value, are_blanks_between=are_blanks_between))


def usable_words(words: Given) -> tuple[Hotword, ...]:
    """Return those that can be hotwords."""
    found: list[Hotword] = []
    for text, weight in words:
        try:
            found.append(_checked(text, None if weight is None else sensible_weight(weight)))
        except BadHotwords:
            continue
    return together(found)


def given(value: str, *, are_blanks_between: bool = False) -> list[tuple[str, float | None]]:
    """Return the words of a text, as they stand there."""
    stripped = value.strip()
    if stripped[:1] in ("{", "["):
        try:
            return of_json(read_json(stripped))
        except ValueError:
            pass  # a text after all
    pieces = _BETWEEN.split(stripped)
    if are_blanks_between and len(pieces) == 1:
        pieces = stripped.split()
    return [_weighed(piece) for piece in pieces if piece.strip()]


def of_json(found: Any) -> list[tuple[str, float | None]]:
    """Return the words of an object, with their weights, or of a list."""
    if isinstance(found, Mapping):
        return [(text, _number(weight)) for text, weight in found.items()]
    if isinstance(found, list):
        return [(text, None) for text in found if isinstance(text, str)]
    return []


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _weighed(piece: str) -> tuple[str, float | None]:
    match = _WEIGHT.fullmatch(piece.strip())
    return (match[1], float(match[2])) if match else (piece.strip(), None)


def _checked(text: str, weight: float | None) -> Hotword:
    word = normal(one_line(text[: 4 * MAX_LENGTH]))
    if why := refusal(word):
        raise BadHotwords(f"{text[:40]!r} is no hotword: {REASONS[why]}")
    if weight is None:
        return Hotword(word)
    if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise BadHotwords(f"{text[:40]!r} has the weight {weight:g}: use {MIN_WEIGHT:g} to {MAX_WEIGHT:g}")
    return Hotword(word, weight)


def as_column(words: Iterable[Hotword]) -> list[list[Any]]:
    """Return words as they are kept: text and weight of each."""
    return [[word.text, word.weight] for word in words]


def from_column(rows: Iterable[Sequence[Any]]) -> tuple[Hotword, ...]:
    """Return words that were kept."""
    return tuple(Hotword(str(text), float(weight)) for text, weight in rows)


def by_intensifier(words: Iterable[str]) -> tuple[Hotword, ...]:
    """Understand Deepgram's `keywords`, each with a factor behind a colon.

    Those that are to be heard less often are left out.
    """
    weighed = [(text, 1.0 if times is None else times) for text, times in map(_weighed, words)]
    return usable_words([(text, DEFAULT_WEIGHT * times) for text, times in weighed if times > 0])
