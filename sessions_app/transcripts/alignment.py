"""Times of the words of a line, whatever became of its text. Pure.

The recogniser gives times to its tokens; people then change the text. What they left as it was keeps its
times, and what they wrote instead shares the time between.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from sessions_app.wire.word_places import word_places

TimedToken = tuple[str, int, int]
"""A text, and the positions in the session where it starts and ends."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word, or one Chinese character, in a line: `text[begin:stop]`, said from `start` to `end`."""

    begin: int
    stop: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A place in time to cut a line in two: the first part ends at `end`, the second starts at `start`."""

    end: int
    start: int


def align(text: str, tokens: Iterable[TimedToken], start: int, end: int) -> list[TimedWord]:
    """Return the words of a line with their times, in order.

    Args:
        tokens: The recogniser's, of this span or of a longer one around it.
        start: Position in the session where the line starts.
        end: Where it ends; words without a time of their own share what lies between their neighbours.
    """
    places = word_places(text)
    inside = [token for token in tokens if start <= token[1] < end]
    times: list[tuple[int, int] | None] = [None] * len(places)
    said = [_plain(token[0]) for token in inside]
    written = [_plain(text[begin:stop]) for begin, stop in places]
    for block in SequenceMatcher(None, said, written, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            _, first, last = inside[block.a + offset]
            times[block.b + offset] = (first, min(last, end))
    filled = _fill_gaps(times, start, end)
    return [TimedWord(*place, *time) for place, time in zip(places, filled, strict=True)]


def cut(text: str, offset: int, tokens: Iterable[TimedToken], start: int, end: int) -> Cut:
    """Return the place in time to cut a line at when its text is cut before `text[offset]`.

    Both parts have some time left even where the text gives no hint.
    """
    words = align(text, tokens, start, end)
    before = [word for word in words if word.begin < offset]
    after = [word for word in words if word.begin >= offset]
    if before and after:
        found = Cut(before[-1].end, after[0].start)
    else:
        middle = start + round((end - start) * offset / max(1, len(text)))
        found = Cut(middle, middle)
    first = min(max(found.end, start), end)
    return Cut(first, min(max(found.start, first), end))


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


def _fill_gaps(times: Sequence[tuple[int, int] | None], start: int, end: int) -> list[tuple[int, int]]:
    """Let words without a time share the time between those that have one."""
    filled: list[tuple[int, int]] = []
    at = 0
    while at < len(times):
        known = times[at]
        if known is not None:
            filled.append(known)
            at += 1
            continue
        stop = next((i for i in range(at, len(times)) if times[i] is not None), len(times))
        left = filled[-1][1] if filled else start
        following = times[stop] if stop < len(times) else None
        right = max(left, following[0] if following else end)
        count = stop - at
        edges = [left + (right - left) * step // count for step in range(count + 1)]
        filled += pairwise(edges)
        at = stop
    return filled
