"""Rules of people: what the machine keeps writing wrongly, and what is right. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from recognition.core.text import is_chinese

from .changes import Change

_LETTER = "[A-Za-z\u00c0-\u024f]"
"""Chinese characters beside a word of letters are no part of it."""

MAX_LENGTH = 60
MAX_RULES = 1000
"""Rules that are applied to one session."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Wherever a line says what is wrong, it is to say what is right."""

    key: int
    wrong: str
    right: str


def changes(text: str, rules: Sequence[Rule]) -> list[Change]:
    """Return what rules change in a line; of two for the same piece the longer one, else that of the session.

    Words of letters are found in any case, and only whole. What is right already stays: 王磊 => 王磊磊 makes
    nothing of 王磊磊.
    """
    pattern, by_wrong = _compiled(tuple(rules))
    if pattern is None:
        return []
    found: list[Change] = []
    for match in pattern.finditer(text):
        rule = by_wrong[match[0].casefold()]
        if match[0] != rule.right and not _is_right(text, match.start(), rule):
            found.append(Change(match.start(), match.end(), rule.right, rule.key))
    return found


def _is_right(text: str, at: int, rule: Rule) -> bool:
    """Tell whether the piece is a part of what is right."""
    begin = rule.right.casefold().find(rule.wrong.casefold())
    if begin < 0:
        return False
    start = max(0, at - begin)
    return text[start : start + len(rule.right)] == rule.right


@lru_cache(maxsize=64)
def _compiled(rules: tuple[Rule, ...]) -> tuple[re.Pattern[str] | None, dict[str, Rule]]:
    by_wrong: dict[str, Rule] = {}
    for rule in rules:
        by_wrong.setdefault(rule.wrong.casefold(), rule)
    if not by_wrong:
        return None, by_wrong
    longest_first = sorted(by_wrong, key=len, reverse=True)
    return re.compile("|".join(map(_piece, longest_first)), re.IGNORECASE), by_wrong


def _piece(wrong: str) -> str:
    """Return the expression for a text; a word of letters must not be the middle of another."""
    before = f"(?<!{_LETTER})" if _is_letter(wrong[0]) else ""
    after = f"(?!{_LETTER})" if _is_letter(wrong[-1]) else ""
    return before + re.escape(wrong) + after


def _is_letter(character: str) -> bool:
    return character.isalpha() and not is_chinese(character)
