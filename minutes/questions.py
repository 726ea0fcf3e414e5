"""Questions that were asked, and figures and days that were named. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from .days import mentions
from .lines import Sentence, is_in_chinese, letters
from .marks_of_speech import is_question, without_lead
from .statements import Kind, Statement

MIN_CHINESE, MIN_WORDS = 5, 4
"""Shorter questions ask only whether somebody is listening."""

MAX_FIGURES = 40

_N = r"(?:\d[\d,]*(?:\.\d+)?|[零一二两三四五六七八九十百千万亿点]{1,12})"
_FIGURE = re.compile(
    rf"(?:百分之|千分之|万分之){_N}|{_N}(?:个)?(?:%|％|万|亿|元|块|美元|欧元|人|条|份|台|套|户|家|天|小时|分钟|秒|公里|吨|平米|页|倍|度)"
    rf"|[一二两三四五六七八九十百千]+[千万亿][一二两三四五六七八九十百千万]*(?!分之)"
    rf"|(?:\$|€|£|¥){_N}|{_N}\s*(?:percent|dollars|euros|users|people|customers|hours|minutes|seconds)\b"
    r"|\b(?:(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|million|point|and)\s+)+"
    r"(?:percent|dollars|euros|users|people|customers|visitors|tickets|hours|thousand|million|a year)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile("(?:这个?|本|下个?)(?:月|季度|年)(?!底|初|末)")
_SMALL = re.compile(r"^(?:一|两|[12])(?:个)?(?:人|条|份|台|套|家|天|页)?$")


def find(found: Sequence[Sentence]) -> list[Statement]:
    """Return the questions among the sentences of a meeting."""
    return [
        Statement(Kind.QUESTION, text, (sentence.line.key,), speaker=sentence.line.speaker)
        for sentence in found
        if (text := without_lead(sentence.text)) and asks(text)
    ]


def asks(text: str) -> bool:
    """Tell whether a sentence asks for something."""
    least = MIN_CHINESE if is_in_chinese(text) else MIN_WORDS
    return is_question(text) and letters(text) >= least


def find_figures(found: Sequence[Sentence]) -> list[Statement]:
    """Return the sentences that name amounts; in `until` the amounts."""
    result = []
    for sentence in found:
        amounts = [match[0] for match in _FIGURE.finditer(sentence.text) if not _SMALL.match(match[0])]
        if amounts and not is_question(sentence.text):
            text = without_lead(sentence.text)
            result.append(
                Statement(Kind.FIGURE, text, (sentence.line.key,), until=", ".join(dict.fromkeys(amounts)))
            )
    return result[:MAX_FIGURES]


def find_days(found: Sequence[Sentence], today: date) -> list[Statement]:
    """Return days to come that were named, each with all the lines that name it, in their order."""
    lines: dict[date, list[Sentence]] = {}
    said: dict[date, str] = {}
    for sentence in found:
        for mention in mentions(sentence.text, today):
            if mention.day and mention.day > today and not _VAGUE.match(mention.text):
                lines.setdefault(mention.day, []).append(sentence)
                said.setdefault(mention.day, mention.text)
    return [
        Statement(
            Kind.DATE,
            without_lead(lines[day][0].text),
            tuple(dict.fromkeys(each.line.key for each in lines[day])),
            until=said[day],
            due=day,
        )
        for day in sorted(lines)
    ]
