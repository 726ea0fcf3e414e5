"""Talk: how long each voice spoke, in how many turns, and how often it asked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from .lines import Line
from .statements import Statement, Talk


def measure(lines: Sequence[Line], questions: Iterable[Statement] = ()) -> list[Talk]:
    """Return each voice's share, that of whom spoke longest first.

    A turn is all that one says until somebody else does.
    """
    spoken: Counter[str] = Counter()
    turns: Counter[str] = Counter()
    longest: Counter[str] = Counter()
    for speaker, own in groupby(lines, key=lambda line: line.speaker):
        length_ms = sum(max(0, line.end_ms - line.start_ms) for line in own)
        spoken[speaker] += length_ms
        turns[speaker] += 1
        longest[speaker] = max(longest[speaker], length_ms)
    asked = Counter(question.speaker for question in questions)
    return [
        Talk(speaker, length_ms, turns[speaker], asked[speaker], longest[speaker])
        for speaker, length_ms in spoken.most_common()
    ]
