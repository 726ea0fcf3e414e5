"""Spellings of the numbers in what is looked for: 百分之八十 and 80% are the same to a reader. Pure."""

from __future__ import annotations

import re

from recognition.writing.numerals import NUMERAL, digits

_ROW = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿")
MAX_DIGITS = 12

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_SPOKEN_PERCENT = re.compile(f"百分之(百|{NUMERAL.pattern})")
_SPOKEN_CLOCK = re.compile(r"([零一二两三四五六七八九十]+)点(半|[零一二三四五六七八九十]+分?)(?![万亿倍])")
_PERCENT = re.compile(rf"({_NUMBER})\s*[%％]")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?!\d)")
_YEAR = re.compile(r"(\d{4})(?=年)")
_TWO = re.compile(r"(?<![\d.A-Za-z])2(?=[百千万亿个倍])")
_WRITTEN = re.compile(rf"(?<![\d.A-Za-z])({_NUMBER})(?![\d.A-Za-z])")


def spellings(text: str) -> list[str]:
    """Return a text, and the same with its numbers in digits, in words, and digit by digit."""
    words = in_words(text)
    # Two is said in two ways, before a point and before a hundred.
    twos = [words.replace("二点", "两点"), words.replace("两百", "二百")]
    return list(dict.fromkeys([text, in_digits(text), words, *twos, digit_by_digit(text)]))


def in_digits(text: str) -> str:
    """Write the numbers of a text as finished lines have them."""
    text = _SPOKEN_PERCENT.sub(lambda match: _percent(match[1]) or match[0], text)
    text = _SPOKEN_CLOCK.sub(lambda match: _clock(match[1], match[2]) or match[0], text)
    return NUMERAL.sub(lambda match: _digits(match[0]), text)


def _digits(spoken: str) -> str:
    """Write a numeral; a single character may be part of a word, but for ten."""
    return (digits(spoken) or spoken) if len(spoken) > 1 or spoken == "十" else spoken


def _percent(spoken: str) -> str:
    written = "100" if spoken == "百" else digits(spoken, min_code=1)
    return f"{written}%" if written else ""


def _clock(hour: str, minute: str) -> str:
    spoken = minute.removesuffix("分")
    past = "30" if spoken == "半" else digits(spoken.lstrip("零") or spoken, min_code=1)
    full = digits(hour, min_code=1)
    return f"{full}:{past.zfill(2)}" if full and past else ""


def in_words(text: str) -> str:
    """Write the numbers of a text as they are spoken."""
    text = _PERCENT.sub(lambda match: "百分之" + _share(match[1]), text)
    text = _CLOCK.sub(lambda match: f"{spoken_number(match[1])}点{_spoken_minutes(match[2])}", text)
    text = _YEAR.sub(lambda match: _row(match[1]), text)
    text = _TWO.sub("两", text)
    return _WRITTEN.sub(lambda match: spoken_number(match[1]), text)


def _share(written: str) -> str:
    return "百" if written == "100" else spoken_number(written)


def digit_by_digit(text: str) -> str:
    """Write long numbers as those of rooms and telephones are spoken."""
    return re.sub(r"(?<![\d.])\d{3,}(?![\d.])", lambda match: _row(match[0]), text)


def _row(written: str) -> str:
    return "".join(_ROW[int(digit)] for digit in written)


def _spoken_minutes(written: str) -> str:
    if written == "30":
        return "半"
    return ("零" if written[0] == "0" else "") + spoken_number(written.lstrip("0") or "0")


def spoken_number(written: str) -> str:
    """Return digits as a number is spoken: 两千零二十六, 十二点五."""
    whole, point, fraction = written.partition(".")
    spoken = _spoken_whole(int(whole))
    return f"{spoken}点{_row(fraction)}" if point else spoken


def _spoken_whole(number: int) -> str:
    if not number:
        return _ROW[0]
    spoken = ""
    for power in range(2, -1, -1):
        group = number // 10_000**power % 10_000
        if not group:
            continue
        gap = "零" if spoken and group < 1000 else ""
        said = _spoken_group(group)
        is_two = group == 2 and power > 0
        spoken += gap + ("两" if is_two else said) + _MYRIADS[power]
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def _spoken_group(number: int) -> str:
    """Return a number below 10,000 as it is spoken."""
    spoken, is_gap = "", False
    for power in range(3, -1, -1):
        digit = number // 10**power % 10
        if not digit:
            is_gap = bool(spoken)
            continue
        said = "两" if digit == 2 and power >= 2 else _ROW[digit]
        spoken += ("零" if is_gap else "") + said + _UNITS[power]
        is_gap = False
    return spoken
