"""Key words: what a meeting speaks of more than others do. Pure; jieba is loaded at the first use.

TF-IDF (Spärck Jones, 1972). How usual a word is, jieba knows from other texts; the more meetings there are
here, the more these are believed instead.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from recognition.core import words

from .lines import Line, is_in_chinese
from .statements import KeyWord

MAX_KEY_WORDS = 12
MAX_TERMS = 150
"""Words that are kept of a meeting, for others to be compared with."""

MAX_LINES = 200
MIN_COUNT = 2
PRIOR_MEETINGS = 20.0
"""So many meetings jieba's knowledge is worth."""

USUAL_ENGLISH = 9.0
"""Inverse frequency (log) of an English word, which jieba does not know."""

_WORD = re.compile(r"[一-鿿]+|[A-Za-z][A-Za-z0-9'’+#.-]*[A-Za-z0-9+#]")
_NUMERALS = frozenset("0123456789零一二两三四五六七八九十百千万几")
_EMPTY = frozenset(
    word
    for row in Path(__file__).with_name("empty_words.txt").read_text(encoding="utf-8").splitlines()
    if not row.startswith("#")
    for word in row.split()
)


@dataclass(frozen=True, slots=True)
class Archive:
    """Other meetings here: how many there are, and in how many of them each word is."""

    meetings: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


def line_terms(lines: Sequence[Line]) -> list[list[str]]:
    """Return the words of each line that can carry a topic."""
    return [list(_terms(line.text)) for line in lines]


def find(
    lines: Sequence[Line], terms: Sequence[Sequence[str]], archive: Archive, *, names: Collection[str] = ()
) -> list[KeyWord]:
    """Return the key words of a meeting, the most telling first.

    Args:
        terms: Those of each line, as `line_terms` returns them.
        names: Of people, in lower case: they are no topic.
    """
    counts = Counter(term for own in terms for term in own if term not in names)
    weighed = {term: count * inverse_frequency(term, archive) for term, count in counts.items()}
    best = [term for term in sorted(weighed, key=lambda term: -weighed[term]) if counts[term] >= MIN_COUNT]
    places: dict[str, list[int]] = {term: [] for term in best[:MAX_KEY_WORDS]}
    for line, own in zip(lines, terms, strict=True):
        for term in set(own) & places.keys():
            places[term].append(line.key)
    return [KeyWord(term, counts[term], tuple(found[:MAX_LINES])) for term, found in places.items()]


def inverse_frequency(term: str, archive: Archive) -> float:
    """Return how telling it is that a meeting has this word: minus the log of how many have it."""
    usual = _usual().get(term, USUAL_ENGLISH)
    before = PRIOR_MEETINGS * math.exp(-usual)
    return -math.log((archive.counts.get(term, 0) + before) / (archive.meetings + PRIOR_MEETINGS))


def most_frequent(terms: Sequence[Sequence[str]]) -> list[str]:
    """Return the words of a meeting that are kept, so that others can be compared with it."""
    return [term for term, _ in Counter(term for own in terms for term in own).most_common(MAX_TERMS)]


def _terms(text: str) -> list[str]:
    found = []
    for run in _WORD.findall(text):
        parts = words.load().guess(run) if is_in_chinese(run) else [run.casefold()]
        found += [part for part in parts if len(part) > 1 and part not in _EMPTY and part[0] not in _NUMERALS]
    return found


@cache
def _usual() -> Mapping[str, float]:
    import jieba.analyse

    known: Mapping[str, float] = jieba.analyse.default_tfidf.idf_freq
    return known
