"""Changes of a line between what was heard and what is written: places, texts and times. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from recognition.core.text import is_chinese
from recognition.interfaces import Token

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of a heard text, `text[begin:stop]`, that is written otherwise."""

    begin: int
    stop: int
    written: str
    rule: int = 0
    """Key of the rule that asks for it; 0 for numbers."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change as it is kept with its line, by its place in the text that was written."""

    begin: int
    stop: int
    heard: str
    written: str
    rule: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A line as it is written."""

    text: str
    tokens: tuple[Token, ...]
    rewrites: tuple[Rewrite, ...] = ()


def together(first: Iterable[Change], second: Iterable[Change]) -> list[Change]:
    """Return changes in their order; of those that touch the same piece, one of the first."""
    chosen = sorted(first, key=lambda change: change.begin)
    for change in second:
        if all(change.stop <= other.begin or change.begin >= other.stop for other in chosen):
            chosen.append(change)
    return sorted(chosen, key=lambda change: change.begin)


def write(text: str, tokens: Sequence[Token], changes: Sequence[Change]) -> Written:
    """Return a line with changes, which are in order and apart; tokens keep the times of what was heard."""
    pieces: list[str] = []
    rewrites: list[Rewrite] = []
    at = length = 0
    for change in changes:
        kept = text[at : change.begin]
        begin = length + len(kept)
        length = begin + len(change.written)
        pieces += [kept, change.written]
        heard = text[change.begin : change.stop]
        rewrites.append(Rewrite(begin, length, heard, change.written, change.rule))
        at = change.stop
    return Written("".join([*pieces, text[at:]]), _retold(text, tokens, changes), tuple(rewrites))


def _retold(text: str, tokens: Sequence[Token], changes: Sequence[Change]) -> tuple[Token, ...]:
    """Return the tokens with those of each change replaced by what is written instead."""
    if not changes:
        return tuple(tokens)
    told: list[Token] = []
    left = list(zip(tokens, places(text, tokens), strict=True))
    for change in changes:
        while left and left[0][1] < change.begin:
            told.append(left.pop(0)[0])
        inside: list[Token] = []
        while left and left[0][1] < change.stop:
            inside.append(left.pop(0)[0])
        told += _shared(change.written, inside)
    return (*told, *(token for token, _ in left))


def places(text: str, tokens: Sequence[Token]) -> list[int]:
    """Return where each token begins in the text; one that is not there begins where the last one ended."""
    found_places: list[int] = []
    folded, at = text.lower(), 0
    for token in tokens:
        found = folded.find(token.text.lower(), at)
        place = found if found >= 0 else at
        found_places.append(place)
        at = place + len(token.text) if found >= 0 else at
    return found_places


def _shared(written: str, heard: Sequence[Token]) -> list[Token]:
    """Return the words that are written, which share the time of what was heard."""
    words = [word for run in _WORD.findall(written) for word in _split(run)]
    if not heard or not words:
        return list(heard)
    start, end = heard[0].start, heard[-1].end
    edges = [start + (end - start) * step // len(words) for step in range(len(words) + 1)]
    times = list(pairwise(edges))
    return [replace(heard[0], text=word, start=a, end=b) for word, (a, b) in zip(words, times, strict=True)]


def _split(run: str) -> list[str]:
    """Split letters and digits into Chinese characters and other words."""
    words: list[str] = []
    for character in run:
        joins = bool(words) and not is_chinese(character) and not is_chinese(words[-1][-1])
        words[-1:] = [words[-1] + character] if joins else [*words[-1:], character]
    return words


def shown(text: str, rewrites: Iterable[Rewrite]) -> list[Rewrite]:
    """Return those changes whose text still stands where it was written: people edit lines."""
    return [each for each in rewrites if text[each.begin : each.stop] == each.written]


def written_text(heard: str, rewrites: Iterable[Rewrite]) -> str:
    """Return a line's text as it was written, from what was heard."""
    text = heard
    for each in rewrites:
        text = text[: each.begin] + each.written + text[each.begin + len(each.heard) :]
    return text


def as_columns(rewrites: Iterable[Rewrite]) -> list[list[Any]]:
    """Return changes as a database keeps them."""
    return [[each.begin, each.stop, each.heard, each.written, each.rule] for each in rewrites]


def from_columns(columns: Iterable[Sequence[Any]]) -> list[Rewrite]:
    """Return changes as `as_columns` has written them."""
    return [Rewrite(*column) for column in columns]
