"""Minutes without a language model: all that can be counted, and what patterns find. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from . import chapters, decisions, key_words, promises, questions, talk
from .key_words import Archive
from .lines import Line, Sentence, sentences
from .people import People
from .statements import Minutes, Statement

MAX_OF_A_KIND = 200
"""Statements of one kind, of a meeting of twelve hours."""


def extract(lines: Sequence[Line], today: date, archive: Archive | None = None) -> Minutes:
    """Return the minutes of a meeting.

    Args:
        lines: In order.
        today: The day of the meeting, where it was held.
        archive: Other meetings.
    """
    archive = archive or Archive()
    terms = key_words.line_terms(lines)
    found = sentences(lines)
    asked = questions.find(found)
    people = People(lines)
    return Minutes(
        statements=[*chapters.find(lines, terms), *_settled(found, people, today), *asked[:MAX_OF_A_KIND]],
        talk=talk.measure(lines, asked),
        key_words=key_words.find(lines, terms, archive, names=people.names),
        terms=key_words.most_frequent(terms),
    )


def _settled(found: Sequence[Sentence], people: People, today: date) -> list[Statement]:
    """Return decisions, promises, figures and days."""
    decided = decisions.find(found)
    promised = promises.find(found, people, today)
    return [
        *decided[:MAX_OF_A_KIND],
        *promised[:MAX_OF_A_KIND],
        *questions.find_figures(found),
        *questions.find_days(found, today)[:MAX_OF_A_KIND],
    ]
