"""Meetings as lines, for tests of what is made from them."""

from __future__ import annotations

from datetime import date

from minutes.lines import Line, sentences
from minutes.lines import Sentence as Sentence

TODAY = date(2026, 11, 16)
"""A Monday."""

LINE_MS = 5_000


def meeting(*said: str) -> list[Line]:
    """Lines of five seconds each, from `Name: text`; their keys are 1, 2, ..."""
    lines = []
    for number, row in enumerate(said):
        name, _colon, text = row.partition(": ")
        lines.append(Line(number + 1, number * LINE_MS, (number + 1) * LINE_MS, name, name, text))
    return lines


def spoken(*said: str) -> list[Sentence]:
    return sentences(meeting(*said))
