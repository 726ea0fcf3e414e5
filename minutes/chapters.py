"""Chapters: where a meeting turns to something else, by lexical cohesion. Pure.

TextTiling (Hearst, 1997): where what was said before and what comes next share few words, and on both sides
more is shared, a chapter ends. Phrases by which people announce a new topic count besides, as in Galley et
al., 2003.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, pstdev

from .lines import Line
from .statements import Kind, Statement
from .titles import draw_title

MIN_LINES = 10
"""Of a meeting with chapters."""

BLOCK = 45
"""Words that are looked at on both sides of a place."""

MIN_CHAPTER_LINES = 5
MIN_CHAPTER_MS = 40_000
A_CHAPTER_MS = 240_000
"""So long a chapter is on average at least, in a meeting of some length."""

MIN_CHAPTERS, MAX_CHAPTERS = 4, 24
"""How many there may be, of short and of long meetings."""

MAX_TITLE = 30

CUE_DEPTH = 0.35
"""What an announced topic is worth: a place where that much fewer words are shared."""

_CUE = re.compile(
    "第[一二三四五六]个?(?:件事|个事|个议题|项|点|部分|事|是)|[^，,。]{2,4}方面[，,]|再说|接下来|"
    "(?:再|下面|然后|最后|先|另外|下一个?|还有一个?)(?:说|讲|看|聊|讨论|过|来|个|件|就是)?(?:一下)?"
    ".{0,3}(?:事|议题|问题|项|方面|这块)|"
    "还有一个[，,事]|^[^，,。]{2,8}(?:呢|的事情呢)？|"
    r"^(?:okay[,. ]+|so[,. ]+|all right[,. ]+)?"
    r"(?:next|last thing|moving on|let's move on|another thing|finally)\b|what about ",
    re.IGNORECASE,
)


def find(lines: Sequence[Line], terms: Sequence[Sequence[str]]) -> list[Statement]:
    """Return the chapters of a meeting, each with the line that it is called after; none of a short one.

    Args:
        terms: The words of each line that can carry a topic.
    """
    if len(lines) < MIN_LINES:
        return []
    starts = [0, *boundaries(lines, terms)]
    if len(starts) < 2:
        return []
    return [
        _chapter(lines[start:stop]) for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]


def boundaries(lines: Sequence[Line], terms: Sequence[Sequence[str]]) -> list[int]:
    """Return the lines with which a chapter begins, but for the first."""
    depths = _depths([_cohesion(terms, gap) for gap in range(1, len(lines))])
    spread = pstdev(depths) if len(depths) > 1 else 0.0
    least = fmean(depths) + spread / 2 if depths else 0.0
    worth = dict(enumerate(depths, 1))
    for gap in worth:
        if _CUE.search(lines[gap].text):
            worth[gap] += CUE_DEPTH
    length_ms = lines[-1].end_ms - lines[0].start_ms
    most = min(MAX_CHAPTERS, max(MIN_CHAPTERS, round(length_ms / A_CHAPTER_MS))) - 1
    chosen: list[int] = []
    for gap in sorted(worth, key=lambda gap: (-worth[gap], gap)):
        if len(chosen) == most or worth[gap] < max(least, 0.05):
            break
        if all(_is_apart(lines, gap, other) for other in [0, *chosen, len(lines)]):
            chosen.append(gap)
    return sorted(chosen)


def _is_apart(lines: Sequence[Line], gap: int, other: int) -> bool:
    first, second = sorted((gap, other))
    length_ms = lines[second - 1].end_ms - lines[first].start_ms
    return second - first >= MIN_CHAPTER_LINES and length_ms >= MIN_CHAPTER_MS


def _cohesion(terms: Sequence[Sequence[str]], gap: int) -> float:
    """Return how much the words before and after a place have in common: the cosine of their counts."""
    before, after = _block(terms, range(gap - 1, -1, -1)), _block(terms, range(gap, len(terms)))
    shared = sum(count * after[term] for term, count in before.items() if term in after)
    norm = math.sqrt(sum(n * n for n in before.values()) * sum(n * n for n in after.values()))
    return shared / norm if norm else 0.0


def _block(terms: Sequence[Sequence[str]], places: range) -> Counter[str]:
    found: Counter[str] = Counter()
    size = 0
    for place in places:
        found.update(terms[place])
        size += len(terms[place])
        if size >= BLOCK:
            break
    return found


def _depths(scores: Sequence[float]) -> list[float]:
    """Return how deep each place lies between the peaks on both sides of it."""
    smooth = [fmean(scores[max(0, at - 1) : at + 2]) for at in range(len(scores))]
    left = _climbs(smooth)
    right = _climbs(smooth[::-1])[::-1]
    depths = [0.0] * len(scores)
    for at, (own, left_peak, right_peak) in enumerate(zip(smooth, left, right, strict=True)):
        # Smoothing moves the bottom of a valley: it is where the least is shared.
        bottom = min(range(max(0, at - 1), min(len(scores), at + 2)), key=lambda place: scores[place])
        depths[bottom] = max(depths[bottom], left_peak + right_peak - 2 * own)
    return depths


def _climbs(scores: Sequence[float]) -> list[float]:
    """Return, for each place, the peak that one comes from if one goes back as long as it rises."""
    peaks: list[float] = []
    for at, score in enumerate(scores):
        peaks.append(peaks[-1] if at and scores[at - 1] >= score else score)
    return peaks


def _chapter(lines: Sequence[Line]) -> Statement:
    title = (
        _announced(lines[0].text) or draw_title([line.text for line in lines]) or lines[0].text[:MAX_TITLE]
    )
    called_after = next((line for line in lines if _has(line.text, title)), lines[0])
    return Statement(Kind.CHAPTER, title, tuple(dict.fromkeys((lines[0].key, called_after.key))))


def _announced(text: str) -> str:
    """Return what a line announces: "The second thing, our budget" is about the budget."""
    cue = _CUE.search(text)
    return (draw_title([text[cue.end() :]]) or draw_title([text])) if cue else ""


def _has(text: str, title: str) -> bool:
    return title.rstrip("…").casefold() in " ".join(text.split()).casefold()
