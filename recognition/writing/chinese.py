"""Numbers in Chinese lines as minutes are written: 12月15号, 上午9:30, 2万元, 24小时, 80%. Pure.

wetext says of what kind a number is and where it stands; the decision is here. Unsure means unchanged: a
wrong digit is worse than a numeral.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from .changes import Change
from .numerals import DIGITS, NUMERAL, digits
from .tags import Tag

MAX_PHRASE = 8

_DIGIT = f"[{''.join(DIGITS)}]"
_NUMBER = r"[零〇一二两三四五六七八九十]+"
_CLOCK = re.compile(rf"({_NUMBER})点(?:(半)|([一三])刻|({_NUMBER})分?)?(?:({_NUMBER})秒)?")
_PERCENT = re.compile(rf"百分之(百|{NUMERAL.pattern})")
_DAY_PART = r"(?:上午|下午|早上|晚上|中午|凌晨|傍晚|夜里|清晨|早晨|今晚|明早|明晚)"
_HOUR = re.compile(
    rf"{_DAY_PART}({_NUMBER})点(?!{_DIGIT}|[几多半十点儿])(?:[到至]({_NUMBER})点(?!{_DIGIT}|[几多半十]))?"
)
_MINUTES = re.compile(rf"({_DIGIT})分(?={_NUMBER}秒)")
_FRACTION = re.compile(rf"({NUMERAL.pattern})分之({NUMERAL.pattern})")

_QUARTERS = {"一": "15", "三": "45"}

_ABOUT_BEFORE, _ABOUT_AFTER = "几数上好成", "几来余"
"""Beside them a number is an estimate, and is written as it is spoken."""

OWN_PHRASES = frozenset(
    """
    五一放假 五一假期 五一期间 五一长假 五一劳动节 十一放假 十一假期 十一期间 十一长假 十一黄金周 十一国庆
    双十一 双十二 三八妇女节 三八节 六一儿童节 九九六 九九八十一 三百六十行 二十四孝 七十二变 十万八千里
    五五分 二八定律 六六大顺 一百个不 一百个放心 一万个不 一万个理由 一千道一万 一点半途 十八变 二百五
    三十六计 一千零一夜
    """.split()  # noqa: SIM905 a page of quotation marks is no list to read
)
"""Phrases with numbers that are none, beside those of the dictionary."""


def changes(text: str, tags: Iterable[Tag], phrases: Collection[str] = frozenset()) -> list[Change]:
    """Return the changes of a line.

    Args:
        phrases: Idioms; what stands in one stays.
    """
    kept = {*phrases, *OWN_PHRASES}
    found = [change for tag in tags for change in _of_tag(text, tag)]
    spans = [(change.begin, change.stop) for change in found]
    found += [
        change
        for change in _times_left(text)
        if all(change.stop <= begin or change.begin >= stop for begin, stop in spans)
    ]
    return sorted(
        (change for change in found if not _is_in_phrase(text, change, kept)), key=lambda change: change.begin
    )


def _of_tag(text: str, tag: Tag) -> list[Change]:
    if text[tag.begin - 1 : tag.begin] in _as_characters(_ABOUT_BEFORE) or _goes_on(text, tag.stop):
        return []
    decide = _KINDS.get(tag.kind)
    return list(decide(text, tag)) if decide else []


def _as_characters(characters: str) -> set[str]:
    return {*characters}


def _goes_on(text: str, stop: int) -> bool:
    """Tell whether what follows makes an estimate of a number, or it is no number: 十足, 十分."""
    following = text[stop : stop + 1]
    is_ten = text[stop - 1 : stop] == "十"
    return bool(following) and (
        following in _ABOUT_AFTER
        or (is_ten and following in "足分多" and text[stop - 2 : stop - 1] not in DIGITS)
    )


def _date(text: str, tag: Tag) -> Iterator[Change]:
    for match in NUMERAL.finditer(text, tag.begin, tag.stop):
        if written := digits(match[0], min_code=1):
            yield Change(match.start(), match.end(), written)


def _time(text: str, tag: Tag) -> Iterator[Change]:
    match = _CLOCK.search(text, tag.begin, tag.stop)
    if not match:
        return
    is_version = text[match.start() - 1 : match.start()].isascii() and match.start() > 0
    if written := _version(match) if is_version else _clock(match):
        yield Change(match.start(), match.end(), written)


def _version(match: re.Match[str]) -> str:
    """Return 3.11 for 三点十一, as behind the name of a program."""
    whole, part = digits(match[1], min_code=1), digits(match[4] or "", min_code=1)
    return f"{whole}.{part}" if whole and part else ""


def _clock(match: re.Match[str]) -> str:
    """Return 9:30 for 九点半; nothing for what no clock shows."""
    spoken_hour, half, quarter, spoken_minute, spoken_second = match.groups()
    hour = digits(spoken_hour, min_code=1)
    minute = "30" if half else _QUARTERS.get(quarter or "") or _two_digits(spoken_minute)
    if hour is None or not minute or int(hour) > 24 or int(minute) > 59:
        return ""
    return f"{hour}:{minute}" + (f":{_two_digits(spoken_second)}" if spoken_second else "")


def _two_digits(spoken: str | None) -> str:
    written = digits(spoken.lstrip("零〇") or spoken, min_code=1) if spoken else None
    return written.zfill(2) if written else ""


def _measure(text: str, tag: Tag) -> Iterator[Change]:
    if "刻" in text[tag.begin : tag.stop]:
        yield from _time(text, tag)
        return
    if match := _PERCENT.fullmatch(text, tag.begin, tag.stop):
        if written := "100" if match[1] == "百" else digits(match[1], min_code=1):
            yield Change(tag.begin, tag.stop, f"{written}%")
        return
    yield from _numbers(text, tag)


def _numbers(text: str, tag: Tag) -> Iterator[Change]:
    """Write all numbers of a piece, or none: not if one cannot be written, nor digits all by themselves."""
    matches = list(NUMERAL.finditer(text, tag.begin, tag.stop))
    if text[tag.begin : tag.stop] == "十" and text[tag.stop : tag.stop + 1] != "点":
        return  # 买十送一
    written = [digits(match[0], min_code=1 if len(match[0]) == 1 else 3) for match in matches]
    if all(each is not None and len(each) == 1 for each in written):
        return
    if None in written:
        return
    for match, number in zip(matches, written, strict=True):
        yield Change(match.start(), match.end(), number or "")


def _fraction(text: str, tag: Tag) -> Iterator[Change]:
    match = _FRACTION.fullmatch(text, tag.begin, tag.stop)
    if not match or max(len(match[1]), len(match[2])) == 1:
        return
    below, above = digits(match[1], min_code=1), digits(match[2], min_code=1)
    if below and above:
        yield Change(tag.begin, tag.stop, f"{above}/{below}")


_KINDS: dict[str, Callable[[str, Tag], Iterator[Change]]] = {
    "date": _date,
    "time": _time,
    "measure": _measure,
    "money": _numbers,
    "cardinal": _numbers,
    "math": _numbers,
    "fraction": _fraction,
}


def _times_left(text: str) -> Iterator[Change]:
    """Find what wetext leaves of times: 下午三点, 早上七点到九点, the minutes of 一分三十秒."""
    for match in _MINUTES.finditer(text):
        yield Change(match.start(1), match.end(1), digits(match[1], min_code=1) or "")
    for match in _HOUR.finditer(text):
        for group in (1, 2):
            if match[group] and (written := digits(match[group], min_code=1)):
                yield Change(match.start(group), match.end(group), written)


def _is_in_phrase(text: str, change: Change, phrases: Collection[str]) -> bool:
    """Tell whether a change touches a phrase that is longer than itself."""
    for begin in range(max(0, change.stop - MAX_PHRASE), change.stop):
        for stop in range(max(begin + 3, change.begin + 1), min(len(text), begin + MAX_PHRASE) + 1):
            if text[begin:stop] in phrases and stop > change.begin:
                return True
    return False
