"""Support of a statement by the lines that it cites: a machine's word alone is not taken. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from math import prod

from minutes.content import content
from minutes.lines import Line
from minutes.people import People

MIN_SHARED = 0.35
"""Share of a statement's content that its lines must have."""

MAX_TEXT, MAX_TITLE = 400, 60
MAX_CITED = 30

_LINK = re.compile(
    r"://|www\.|\]\(|<[a-z/!]|javascript:|data:|mailto:|[\w-]\.(?:com|net|org|cn|io|dev|ru|xyz)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*[十百千万亿]*|[零〇一二两三四五六七八九十百千万亿]+")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10_000, "亿": 100_000_000}


def is_carried(text: str, cited: Sequence[Line], people: People) -> bool:
    """Tell whether cited lines carry a statement: its words, all of its numbers, all of its people."""
    if not text or not cited or len(text) > MAX_TEXT or has_link(text):
        return False
    said = "\n".join(line.text for line in cited)
    there = {line.speaker for line in cited} | {speaker for speaker, *_ in people.find(said)}
    return (
        shared(text, said, people) >= MIN_SHARED
        and numbers(text) <= numbers(said)
        and {speaker for speaker, *_ in people.find(text)} <= there
    )


def has_link(text: str) -> bool:
    """Tell whether a text has a link or markup in it."""
    return _LINK.search(text) is not None


def shared(text: str, said: str, people: People | None = None) -> float:
    """Return the share of a text's content that is in what was said; names of people count for nothing."""
    for name in people.names if people else ():
        text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    own, there = content(text), content(said)
    return len(own & there) / len(own) if own else 0.0


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text, however they are written, but for those up to two, which say little."""
    found = {_value(match[0]) for match in _NUMBER.finditer(text)}
    return frozenset(value for value in found if value not in ("0", "1", "2"))


def _value(text: str) -> str:
    """Return a number in digits: 三百五十 and 350 are the same."""
    if text[0].isdigit():
        digits = text.rstrip("十百千万亿")
        if digits.count(".") > 1:
            return text  # of a version, or a day
        times = prod((_UNITS | _GROUPS)[unit] for unit in text[len(digits) :])
        return f"{(Decimal(digits.replace(',', '')) * times).normalize():f}"
    if not {*text} & (_UNITS.keys() | _GROUPS.keys()):
        return "".join(str(_DIGITS[character]) for character in text).lstrip("0") or "0"
    return str(_chinese_value(text))


def _chinese_value(text: str) -> int:
    total, group, digit = 0, 0, 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            group, digit = group + (digit or 1) * _UNITS[character], 0
        else:
            total, group, digit = (total + group + digit) * _GROUPS[character], 0, 0
    return total + group + digit
