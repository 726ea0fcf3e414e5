"""Lines of a meeting as minutes are made from, and the sentences in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recognition.core.text import is_chinese

_ENDS = re.compile(r"(?<=[。！？!?；;…])\s*|(?<=[a-z0-9]\.)\s+(?=[A-Z])")
_CLAUSES = re.compile(r"[，,、：:；;。！？!?…]+\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one voice between two pauses."""

    key: int
    start_ms: int
    end_ms: int
    speaker: str
    """Names the voice, whatever it is called."""

    name: str
    """Its name for people; empty if nobody knows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a line."""

    text: str
    line: Line
    place: int
    """The line's place in the meeting."""

    @property
    def clauses(self) -> list[str]:
        """Return what stands between its marks."""
        return [clause for clause in _CLAUSES.split(self.text) if clause]


def sentences(lines: Sequence[Line]) -> list[Sentence]:
    """Split lines into sentences, in order."""
    return [
        Sentence(text, line, place) for place, line in enumerate(lines) for text in split_sentences(line.text)
    ]


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text."""
    for part in _ENDS.split(text):
        if stripped := part.strip():
            yield stripped


def is_in_chinese(text: str) -> bool:
    """Tell whether a text has Chinese in it."""
    return any(map(is_chinese, text))


def letters(text: str) -> int:
    """Return how much a text says: its Chinese characters, or its words."""
    chinese = sum(map(is_chinese, text))
    return chinese or len(text.split())
