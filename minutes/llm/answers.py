"""Answers of language models: the only form in which they may say anything. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

MAX_STATEMENTS = 60
"""Of one kind, in one answer."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cited(_Model):
    """A statement with the numbers of the lines that it is taken from."""

    text: str
    lines: list[int]


class Task(Cited):
    """Something that a person is to do."""

    who: str | None
    until: str | None


class Part(_Model):
    """All that comes of one part of a meeting."""

    summary: list[Cited]
    chapters: list[Cited]
    decisions: list[Cited]
    actions: list[Task]
    questions: list[Cited]


class Whole(_Model):
    """A meeting in a few sentences, made of the summaries of its parts."""

    summary: list[Cited]


class Answers(_Model):
    """Answers to a question on meetings."""

    answers: list[Cited]


class Translated(_Model):
    """A line in another language, by the number that it was sent with."""

    line: int
    text: str


class Translations(_Model):
    """Translations of some lines."""

    translations: list[Translated]
