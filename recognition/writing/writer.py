"""Inverse text normalisation: numbers of a spoken line in digits, by wetext's tags and our decisions.

wetext's automata are 50 MB, and half a second is gone until they are there: `load` is for a thread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import cache

from . import chinese, english, idioms
from .changes import Change
from .tags import tags

_loading = threading.Lock()

Tagger = Callable[[str, str], str]

_CLAUSE = re.compile(r"[^，。？！、；：,?!;]+")
_MAY_BE_CHINESE = re.compile(
    "[零〇幺一二两三四五六七八九十百千万亿]{2}|[零〇一二两三四五六七八九十百][点月号分年]|十|百分之|点"
)


class Writer:
    """Says how numbers of lines are written; may be asked by several threads.

    Args:
        tag: Tags a text of a language ("zh", "en").
        verbalize: Writes a tag of English.
        phrases: Idioms that stay.
    """

    def __init__(self, tag: Tagger, verbalize: Callable[[str], str], phrases: frozenset[str]) -> None:
        self._tag = tag
        self._verbalize = verbalize
        self._phrases = phrases
        self._lock = threading.Lock()  # nobody says that the automata may be shared

    def changes(self, text: str) -> list[Change]:
        """Return the changes of a line; none where nothing is a number."""
        with self._lock:
            return sorted([*self._chinese(text), *self._english(text)], key=lambda change: change.begin)

    def _chinese(self, text: str) -> list[Change]:
        found: list[Change] = []
        for clause in _CLAUSE.finditer(text):
            said = clause[0]
            if not _MAY_BE_CHINESE.search(said):
                continue
            for change in chinese.changes(said, tags(said, self._tag(said, "zh")), self._phrases):
                found.append(_moved(change, clause.start()))
        return found

    def _english(self, text: str) -> list[Change]:
        found: list[Change] = []
        for run in english.RUN.finditer(text):
            if english.SPOKEN.search(run[0]):
                said = english.plain(run[0])
                found += english.changes(
                    text, run.start(), tags(said, self._tag(said, "en")), self._verbalize
                )
        return found


def _moved(change: Change, by: int) -> Change:
    return Change(change.begin + by, change.stop + by, change.written, change.rule)


def load() -> Writer:
    """Return the writer of this process; loads wetext's automata and the idioms at first."""
    with _loading:
        return _load()


@cache
def _load() -> Writer:
    from wetext.utils import reorder, tag, verbalize

    def tagged(text: str, language: str) -> str:
        return str(tag(text, language, "itn"))

    def written(source: str) -> str:
        return str(verbalize(reorder(source, "en", "itn"), "en", "itn"))

    return Writer(tagged, written, idioms.load())
