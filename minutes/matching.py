"""Lines that match a question, the best first: BM25 (Robertson and Zaragoza, 2009). Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from .content import content
from .lines import Line

SATURATION, LENGTH = 1.2, 0.75
"""`k1` and `b` of BM25: a line has each piece of content once, so that only its length counts."""

_ASKING = re.compile(
    r"什么时候|什么|怎么样?|为什么|多少|几时|哪些|哪个|哪里|是不是|有没有|谁|吗|请问|告诉我|"
    r"\b(?:who|what|when|where|why|how|which|did|does|do|is|are|was|were|has|have|had|about|tell|please|"
    r"much|many|said|say|any|there|our|you|your)\b",
    re.IGNORECASE,
)


def asked_for(question: str) -> frozenset[str]:
    """Return the content of a question, without the words of asking."""
    return content(_ASKING.sub(" ", question))


def best(question: str, lines: Sequence[Line], count: int) -> list[Line]:
    """Return the lines that match a question best; none that has nothing of it.

    What a line is made of are its words and the name of its speaker.
    """
    wanted = asked_for(question)
    found = [content(f"{line.name} {line.text}") for line in lines]
    frequencies = Counter(piece for own in found for piece in own & wanted)
    mean = sum(map(len, found)) / max(1, len(found))
    weights = {piece: _weight(times, len(lines)) for piece, times in frequencies.items()}
    scored = [
        (sum(weights[piece] for piece in own & wanted) * _share(len(own), mean), -place)
        for place, own in enumerate(found)
        if own & wanted
    ]
    return [lines[-place] for _score, place in sorted(scored, reverse=True)[:count]]


def _weight(times: int, lines: int) -> float:
    """Return how telling a piece of content is that so many of the lines have."""
    return math.log(1 + (lines - times + 0.5) / (times + 0.5))


def _share(length: int, mean: float) -> float:
    """Return what a match counts in a line of this length."""
    return (SATURATION + 1) / (1 + SATURATION * (1 - LENGTH + LENGTH * length / mean))
