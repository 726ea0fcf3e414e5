"""Numbers are written as Mandarin speakers say them."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation.scoring import is_chinese
from training import numerals

VALUES = {character: value for value, character in enumerate(numerals.DIGITS)}


def value_of(words: str) -> int:
    """What a Chinese numeral below 10 ** 12 means; written apart from the code that it checks."""
    for unit, factor in (("亿", 10**8), ("万", 10**4)):
        head, found, rest = words.partition(unit)
        if found:
            return value_of(head) * factor + value_of(rest)
    total, digit = 0, 0
    for character in words:
        if character in VALUES:
            digit = VALUES[character]
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + digit


class TestCardinal:
    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (0, "零"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (101, "一百零一"),
            (110, "一百一十"),
            (1005, "一千零五"),
            (1050, "一千零五十"),
            (10_000, "一万"),
            (10_005, "一万零五"),
            (12_000, "一万二千"),
            (100_500, "十万零五百"),
            (20_300_000, "二千零三十万"),
            (300_000_001, "三亿零一"),
        ],
    )
    def test_numbers_as_they_are_said(self, number: Any, words: str) -> None:
        assert numerals.cardinal(number) == words

    @given(st.integers(0, 10**12 - 1))
    def test_every_number_can_be_read_back(self, number: Any) -> None:
        assert value_of(numerals.cardinal(number)) == number

    @given(st.integers(0, 10**12 - 1))
    def test_no_zero_is_said_twice_in_a_row_or_at_the_end(self, number: Any) -> None:
        words = numerals.cardinal(number)

        assert "零零" not in words
        assert number == 0 or not words.endswith("零")

    def test_numbers_out_of_range_are_refused(self) -> None:
        for number in (-1, 10**12):
            with pytest.raises(ValueError, match=f"{number} is outside"):
                numerals.cardinal(number)


class TestOtherNumeral:
    def test_two_before_a_measure_word_is_another_word(self) -> None:
        assert [numerals.counted(n) for n in (1, 2, 3, 12)] == ["一", "两", "三", "十二"]

    def test_years_are_spelled_out(self) -> None:
        assert numerals.spelled(2026) == "二零二六"

    @pytest.mark.parametrize(
        ("number", "words"), [(3.14, "三点一四"), (0.5, "零点五"), (12.0, "十二"), (10.05, "十点零五")]
    )
    def test_decimals_name_each_place(self, number: Any, words: str) -> None:
        assert numerals.decimal(number) == words


class TestSlot:
    @pytest.mark.parametrize(("name", "slot"), numerals.SLOTS.items())
    def test_every_slot_writes_characters_and_repeats_with_its_seed(self, name: str, slot: Any) -> None:
        written = [slot(Random(seed)) for seed in range(50)]

        assert all(is_chinese(character) for character in "".join(written))
        assert written == [slot(Random(seed)) for seed in range(50)]

    @pytest.mark.parametrize("name", ["large", "money", "date", "digits", "phone", "decimal"])
    def test_the_slots_write_varied_things(self, name: str) -> None:
        rng = Random(0)
        assert len({numerals.SLOTS[name](rng) for _ in range(200)}) > 90
