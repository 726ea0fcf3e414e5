"""Days as people name them, in Chinese and English: found in a text, and told as dates. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_N = r"(?:\d{1,3}|[零一二两三四五六七八九十]{1,3})"
_PART = "(?:上午|中午|下午|晚上|早上|凌晨|傍晚|早|晚)"
_HOUR = rf"(?:{_N}(?:点|时)(?:半|{_N}分?)?(?:左右|以后|之后|以前|之前|前|后)?)"
_BEFORE = "(?:下班)?(?:之前|以前|前|之内|以内|内|左右|开始|起)?"
_DAY_WORDS = {"今": 0, "明": 1, "后": 2, "大后": 3}
_WEEKDAY = r"(?:一|二|三|四|五|六|日|天|末|[1-6])"

_WEEKDAY_NUMBERS = {character: place for place, character in enumerate("一二三四五六日")} | {"天": 6, "末": 5}
_WEEKDAY_NUMBERS |= {str(place + 1): place for place in range(6)}
_CHINESE_UNITS = {"天": "day", "周": "week", "星期": "week", "月": "month"}
_ENGLISH_UNITS = {"day": "日", "week": "周", "month": "月", "year": "年"}

_FUTURE_CHINESE = re.compile(
    rf"(?P<day>大后天|后天|明天|明早|明晚|今天|今晚)(?:{_PART})?(?:{_HOUR})?{_BEFORE}"
    rf"|(?P<week>这个?|本|下下个?|下个?)?(?:周|星期|礼拜)(?P<weekday>{_WEEKDAY})"
    rf"(?:和(?:周|星期)?{_WEEKDAY})?(?:{_PART})?(?:{_HOUR})?{_BEFORE}"
    rf"|(?P<month>{_N})月(?:份|(?P<of_month>{_N})[号日])?(?:{_PART})?{_BEFORE}"
    rf"|(?P<number>{_N})号(?:{_PART})?{_BEFORE}"
    rf"|(?P<period>这个?|本|下个?)(?P<unit>周|星期|月|季度|年)(?P<end>底|初|末)?{_BEFORE}"
    rf"|(?P<edge>周末|月底|月初|年底|季度末){_BEFORE}"
    rf"|(?P<count>{_N})个?(?P<of>天|星期|周|月|小时)(?:之内|以内|内|后|之后|以后)"
    rf"|(?P<soon>尽快|这两天|这几天|近期){_BEFORE}"
    rf"|下班(?:之前|以前|前)|{_PART}(?:{_HOUR})?{_BEFORE}"
)
_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
]  # fmt: skip
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_BY = r"(?:(?:by|before|until|on|from)\s+)?(?:the\s+)?"
_FUTURE_ENGLISH = re.compile(
    rf"\b{_BY}(?:(?P<end>end\s+of\s+(?:the\s+)?(?:(?:next|this)\s+)?(?:day|week|month|year|quarter))"
    r"|(?P<next>next|this)\s+(?P<unit>week|month|quarter|year|morning|afternoon|evening|"
    rf"{'|'.join(_WEEKDAYS)})"
    rf"|(?P<weekday>{'|'.join(_WEEKDAYS)})(?:\s+(?:morning|afternoon|evening))?"
    r"|(?P<day>today|tonight|tomorrow)(?:\s+(?:morning|afternoon|evening|night|noon))?"
    rf"|(?P<month>{'|'.join(_MONTHS)})\s+(?:the\s+)?(?P<of_month>\d{{1,2}})(?:st|nd|rd|th)?"
    r"|(?P<soon>asap|as\s+soon\s+as\s+possible))\b"
    r"|\b(?:in|within)\s+(?P<count>\d+|one|two|three|four|five|six|seven|ten|a)\s+(?P<of>day|week|month|hour)s?\b",
    re.IGNORECASE,
)
_ENGLISH_NUMBERS = {
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
}
PAST = re.compile(
    "昨天|昨晚|前天|上个?(?:周|星期|礼拜|月|季度|次)|去年|刚才|刚刚|以前|当时|之前(?:说|提到|提过|提的|那|的)"
    r"|\b(?:yesterday|last\s+(?:week|month|year|night|time)|ago)\b",
    re.IGNORECASE,
)
"""Words for what is over."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A day, as it was said."""

    text: str
    start: int
    day: date | None
    """None where no certain day is meant."""


def mentions(text: str, today: date) -> Iterator[Mention]:
    """Yield the days to come that a text names.

    Args:
        today: The day on which it was said.
    """
    for match in _FUTURE_CHINESE.finditer(text):
        if not text[: match.start()].endswith(("上", "前", "昨")):
            yield Mention(match[0], match.start(), _chinese_day(match, today))
    for match in _FUTURE_ENGLISH.finditer(text):
        yield Mention(match[0], match.start(), _english_day(match, today))


def number(text: str) -> int:
    """Return a number below a thousand, as digits or as Chinese writes it below a hundred."""
    if text.isascii():
        return int(text)
    tens, has_ten, ones = text.partition("十")
    if not has_ten:
        return int("".join(str(_DIGITS[character]) for character in text))
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _chinese_day(match: re.Match[str], today: date) -> date | None:
    found = match.groupdict()
    if day := found["day"]:
        return today + timedelta(days=_DAY_WORDS[day.rstrip("天早晚")])
    if weekday := found["weekday"]:
        ahead = found["week"].count("下") if found["week"] else None
        return _weekday(today, _WEEKDAY_NUMBERS[weekday], ahead)
    if month := found["month"]:
        return _in_year(today, number(month), number(found["of_month"])) if found["of_month"] else None
    if found["number"]:
        return _in_month(today, number(found["number"]))
    if period := found["period"]:
        return _period_end(today, found["unit"], found["end"] or "", is_next=period.startswith("下"))
    if edge := found["edge"]:
        ends = {"周末": _weekday(today, 5, 0), "月底": _month_end(today), "年底": date(today.year, 12, 31)}
        return ends.get(edge)
    if count := found["count"]:
        return _later(today, number(count), _CHINESE_UNITS.get(found["of"], ""))
    if found["soon"]:
        return None
    return today  # "in the afternoon" is that of the day


def _english_day(match: re.Match[str], today: date) -> date | None:
    found = {name: (text or "").lower() for name, text in match.groupdict().items()}
    if end := found["end"]:
        unit = end.split()[-1]
        return _period_end(today, _ENGLISH_UNITS.get(unit, ""), "底", is_next="next" in end)
    if found["next"]:
        unit, is_next = found["unit"], found["next"] == "next"
        if unit in _WEEKDAYS:
            return _weekday(today, _WEEKDAYS.index(unit), int(is_next))
        if unit in ("morning", "afternoon", "evening"):
            return today
        return _period_end(today, _ENGLISH_UNITS.get(unit, ""), "", is_next=is_next)
    if found["weekday"]:
        return _weekday(today, _WEEKDAYS.index(found["weekday"]), None)
    if found["day"]:
        return today + timedelta(days=found["day"] == "tomorrow")
    if found["month"]:
        return _in_year(today, _MONTHS.index(found["month"]) + 1, int(found["of_month"]))
    if count := found["count"]:
        return _later(
            today, _ENGLISH_NUMBERS[count] if count in _ENGLISH_NUMBERS else int(count), found["of"]
        )
    return None


def _weekday(today: date, weekday: int, weeks_ahead: int | None) -> date:
    """Return that day of this week or a later one; if it is over, that of the next.

    Args:
        weeks_ahead: None where no week is named: on a Monday, "on Monday" is not today.
    """
    day = today + timedelta(days=weekday - today.weekday() + 7 * (weeks_ahead or 0))
    is_over = day <= today if weeks_ahead is None else day < today
    return day + timedelta(days=7) if is_over else day


def _in_month(today: date, day: int) -> date | None:
    if not 1 <= day <= 31:
        return None
    month_start = today.replace(day=1) if day >= today.day else _month_end(today) + timedelta(days=1)
    try:
        return month_start.replace(day=day)
    except ValueError:
        return None


def _in_year(today: date, month: int, day: int) -> date | None:
    try:
        found = date(today.year, month, day)
        # In December "January" is that of the next year; what is a little over is over.
        return found if (today - found).days < 180 else found.replace(year=today.year + 1)
    except ValueError:
        return None


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _period_end(today: date, unit: str, end: str, *, is_next: bool) -> date | None:
    """Return the last day of a period: what is to be done in it is done by then."""
    if unit == "日":
        return today
    if unit in ("周", "星期"):
        return _weekday(today, 4, int(is_next))
    if unit == "月":
        month_end = _month_end(_month_end(today) + timedelta(days=1)) if is_next else _month_end(today)
        return month_end.replace(day=1) if end == "初" else month_end
    if unit == "年":
        return date(today.year + is_next, 12, 31)
    return None


def _later(today: date, count: int, unit: str) -> date | None:
    days = {"day": 1, "week": 7, "month": 30}.get(unit)
    return today + timedelta(days=days * count) if days else None
