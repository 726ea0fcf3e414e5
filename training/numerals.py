"""Numbers, dates and times as people say them in Mandarin, written out in characters."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")


def cardinal(number: int) -> str:
    """`number` in words, 0 <= number < 10 ** 12: 10 is 十, 105 is 一百零五, 12000 is 一万二千."""
    if not 0 <= number < 10**12:
        raise ValueError(f"{number} is outside 0 to 10 ** 12 - 1")
    for value, name in ((10**8, "亿"), (10**4, "万")):
        if number >= value:
            head, rest = divmod(number, value)
            gap = "零" if 0 < rest < value // 10 else ""
            return cardinal(head) + name + gap + (cardinal(rest) if rest else "")
    words = _below_ten_thousand(number)
    return words[1:] if 10 <= number < 20 else words


def _below_ten_thousand(number: int) -> str:
    if number < 10:
        return DIGITS[number]
    words, zero = "", False
    for position, digit in enumerate(reversed([int(d) for d in str(number)])):
        if digit:
            words = DIGITS[digit] + _UNITS[position] + ("零" if zero and words else "") + words
            zero = False
        else:
            zero = True
    return words


def spelled(number: int | str) -> str:
    """Digit by digit, as in a year or a telephone number."""
    return "".join(DIGITS[int(digit)] for digit in str(number))


def counted(number: int) -> str:
    """Before a measure word: two is 两."""
    return "两" if number == 2 else cardinal(number)


def decimal(number: float) -> str:
    """One or two places behind the point: 3.14 is 三点一四."""
    whole, places = f"{number:.2f}".rstrip("0").split(".")
    return cardinal(int(whole)) + ("点" + spelled(places) if places else "")


def _n(rng: Random) -> str:
    return cardinal(rng.choice((rng.randint(1, 10), rng.randint(3, 12), rng.randint(1, 30))))


def _small(rng: Random) -> str:
    return cardinal(rng.choice((rng.randint(1, 20), rng.randint(20, 99), rng.randint(1, 9) * 10)))


def _large(rng: Random) -> str:
    return cardinal(
        rng.choice(
            (
                rng.randint(10, 99),
                rng.randint(100, 999),
                rng.randint(1, 9) * 100,
                rng.randint(1000, 9999),
                rng.randint(10, 99) * 100,
                rng.randint(1, 9) * 1000,
                rng.randint(1, 99) * 10_000,
                rng.randint(100, 999) * 100,
            )
        )
    )


def _percent(rng: Random) -> str:
    if rng.random() < 0.2:
        return "百分之" + decimal(rng.randint(1, 999) / 10)
    return "百分之" + cardinal(rng.choice((rng.randint(1, 100), rng.randint(1, 20) * 5)))


def _money(rng: Random) -> str:
    amount = rng.choice(
        (
            lambda: _large(rng),
            lambda: cardinal(rng.randint(1, 99)) + "万",
            lambda: cardinal(rng.randint(1, 50) * 10) + "万",
            lambda: decimal(rng.randint(11, 99) / 10) + "万",
            lambda: counted(rng.randint(1, 9)) + rng.choice(("千", "百", "万", "百万", "千万", "亿")),
        )
    )()
    return amount + rng.choice(("元", "元", "块钱", "块", "人民币", "美元"))


def _clock(rng: Random) -> str:
    hour = counted(rng.randint(1, 12))
    minute = rng.choice(
        (
            "",
            "",
            "半",
            "半",
            "一刻",
            "三刻",
            "十分",
            "二十分",
            "四十分",
            "零五分",
            cardinal(rng.randint(11, 59)) + "分",
        )
    )
    return f"{hour}点{minute}"


def _month(rng: Random) -> str:
    return cardinal(rng.randint(1, 12)) + rng.choice(("月", "月", "月份"))


def _date(rng: Random) -> str:
    day = cardinal(rng.randint(1, 12)) + "月" + cardinal(rng.randint(1, 31)) + rng.choice(("号", "号", "日"))
    return _year(rng) + day if rng.random() < 0.15 else day


def _year(rng: Random) -> str:
    return spelled(rng.randint(2018, 2032)) + "年"


def _duration(rng: Random) -> str:
    return rng.choice(
        (
            lambda: counted(rng.choice((1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 45, 50))) + "分钟",
            lambda: counted(rng.randint(1, 12)) + rng.choice(("个小时", "小时", "个半小时")),
            lambda: counted(rng.randint(1, 20)) + "天",
            lambda: counted(rng.randint(1, 8)) + rng.choice(("周", "个星期")),
            lambda: counted(rng.randint(1, 18)) + "个月",
            lambda: counted(rng.randint(1, 5)) + rng.choice(("年", "年半")),
            lambda: rng.choice(("半天", "半年", "半个小时", "半个月", "一会儿", "一段时间")),
        )
    )()


def _decimal(rng: Random) -> str:
    return decimal(
        rng.choice((rng.randint(1, 99) / 10, rng.randint(101, 999) / 100, rng.randint(11, 999) / 10))
    )


def _digit_string(length: int) -> Callable[[Random], str]:
    return lambda rng: spelled("".join(str(rng.randint(0, 9)) for _ in range(length)))


def _digits(rng: Random) -> str:
    return _digit_string(rng.choice((3, 4, 4, 5, 6, 6, 8, 9)))(rng)


def _phone(rng: Random) -> str:
    return "一" + rng.choice("三五七八九") + _digit_string(9)(rng)


SLOTS: dict[str, Callable[[Random], str]] = {
    "n": _n,
    "small": _small,
    "small2": lambda rng: cardinal(rng.randint(1, 39)),
    "large": _large,
    "percent": _percent,
    "availability": lambda rng: "百分之九十九点" + DIGITS[9] * rng.randint(1, 3),
    "money": _money,
    "clock": _clock,
    "month": _month,
    "day_of_month": lambda rng: cardinal(rng.randint(1, 31)),
    "date": _date,
    "year": _year,
    "duration": _duration,
    "decimal": _decimal,
    "digits": _digits,
    "digits3": _digit_string(3),
    "digits4": _digit_string(4),
    "phone": _phone,
    "part_of_day": lambda rng: rng.choice(("上午", "下午", "早上", "晚上", "中午", "")),
    "weekday_only": lambda rng: rng.choice(("周", "星期")) + rng.choice("一二三四五"),
}
"""What a pattern of the grammar can name besides its own lists."""

CHARACTERS = DIGITS + "两十百千万亿点半分之月号日年周刻币"
