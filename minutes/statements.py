"""Statements that minutes are made of: each names the lines that carry it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of statements."""

    SUMMARY = "summary"
    CHAPTER = "chapter"
    DECISION = "decision"
    ACTION = "action"
    QUESTION = "question"
    DATE = "date"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that came of a meeting."""

    kind: Kind
    text: str
    lines: tuple[int, ...]
    """Keys of the lines that carry it, at least one; the first is where it begins."""

    speaker: str = ""
    """The voice that is to do it, or asked it; empty if the meeting does not say."""

    until: str = ""
    """As it was said."""

    due: date | None = None
    """The day that `until` means; None if it means none."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One voice's share of a meeting."""

    speaker: str
    spoken_ms: int
    turns: int
    questions: int
    longest_ms: int


@dataclass(frozen=True, slots=True)
class KeyWord:
    """A word that a meeting is about."""

    word: str
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Minutes:
    """All that was found in a meeting."""

    statements: Sequence[Statement] = ()
    talk: Sequence[Talk] = ()
    key_words: Sequence[KeyWord] = ()
    terms: Sequence[str] = field(default=())
    """Words by which other meetings learn how usual they are."""
