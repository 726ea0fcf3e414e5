"""Chinese numerals and the digits for them. Pure."""

from __future__ import annotations

import re

DIGITS = {
    "零": 0, "〇": 0, "幺": 1, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4,
    "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
UNITS = {"十": 10, "百": 100, "千": 1000}
MYRIADS = {"万": 10**4, "亿": 10**8}

_CHARACTERS = "".join([*DIGITS, *UNITS, *MYRIADS])
NUMERAL = re.compile(f"[{_CHARACTERS}]+(?:点[{''.join(DIGITS)}]+[万亿]*)?")
"""A run of characters that may be a numeral."""

MIN_CODE = 3
"""Digits in a row, as of a telephone number, that are sure to be no estimate: 七八 is seven or eight."""


def digits(spoken: str, *, min_code: int = MIN_CODE) -> str | None:
    """Write a numeral in digits; 万 and 亿 at its end stay. None if it is none, as 三四十 or 九九八十一.

    Args:
        min_code: Digits that must stand in a row, without 十, 百, 千, to be read one by one.
    """
    if spoken[-1:] in MYRIADS and len(spoken) > 1:
        return _with_myriads(spoken)
    whole, point, fraction = spoken.partition("点")
    if point:
        number = digits(whole, min_code=1)
        return f"{number}.{_row(fraction)}" if number and set(fraction) <= {*DIGITS} and fraction else None
    if set(spoken) <= {*DIGITS}:
        is_estimate = len(spoken) > 1 and "两" in spoken  # 三三两两
        return _row(spoken) if len(spoken) >= min_code and not is_estimate else None
    number_value = value(spoken)
    return None if number_value is None else str(number_value)


def _with_myriads(spoken: str) -> str | None:
    """Write 三亿五千万 as 3亿5000万."""
    written = ""
    for piece, unit in re.findall(r"([^万亿]+)(万亿|[万亿])", spoken):
        number = digits(piece, min_code=1)
        if number is None or (piece[0] in "零〇" and not written and len(piece) == 1):
            return None
        written += number + unit
    pieces = re.sub(r"[^万亿]", "", spoken)
    return written if written and pieces in ("万", "亿", "亿万", "万亿") else None


def _row(spoken: str) -> str:
    return "".join(str(DIGITS[character]) for character in spoken)


def value(spoken: str) -> int | None:
    """Return the number that a numeral with 十, 百, 千, 万 or 亿 means; None if it is none."""
    total = 0
    rest = spoken
    for name, size in (("亿", MYRIADS["亿"]), ("万", MYRIADS["万"])):
        head, found, rest_after = rest.partition(name)
        if not found:
            continue
        number = _below_myriad(head) if head else None
        if number is None or (rest_after and not _follows(rest_after)):
            return None
        total += number * size
        if len(rest_after) == 1 and rest_after in DIGITS:
            return total + DIGITS[rest_after] * size // 10  # 一万五
        rest = rest_after
    if not rest:
        return total
    below = _below_myriad(rest.lstrip("零〇") if total else rest)
    return None if below is None else total + below


def _follows(rest: str) -> bool:
    return rest[0] in "零〇" or rest[0] in DIGITS or rest[0] == "十"


def _below_myriad(spoken: str) -> int | None:
    """Return the value of a numeral with units in falling order, below 10,000."""
    total, size = 0, 10_000
    at = 0
    is_gap = False
    while at < len(spoken):
        character = spoken[at]
        if character in "零〇":
            is_gap, at = True, at + 1
            continue
        if character == "十" and (not total or is_gap):
            digit, unit, at = 1, character, at + 1
        elif character in DIGITS:
            digit, unit, at = DIGITS[character], spoken[at + 1 : at + 2], at + 2
        else:
            return None
        if not unit:
            is_short = total and size >= 100 and not is_gap  # 两百五
            return total + digit * (size // 10 if is_short else 1)
        if unit not in UNITS or UNITS[unit] >= size:
            return None
        size = UNITS[unit]
        total, is_gap = total + digit * size, False
    return total if total else None
