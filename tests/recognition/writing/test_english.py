"""Decisions on numbers in English words; wetext's second half is played by a table."""

from __future__ import annotations

import pytest

from recognition.writing.changes import write
from recognition.writing.english import RUN, SPOKEN, changes, plain
from recognition.writing.tags import Tag


def written(spoken: str, kind: str, verbal: str, **parts: str) -> str:
    tag = Tag(kind, 0, len(spoken), parts, "tag")
    return write(spoken, (), changes(spoken, 0, [tag], lambda source: verbal)).text


@pytest.mark.parametrize(
    ("spoken", "kind", "verbal", "expected"),
    [
        ("twenty five", "cardinal", "25", "25"),
        ("nine thirty", "time", "09:30", "9:30"),
        ("December fifteenth", "date", "december 15", "December 15"),
        ("december fifteenth", "date", "december 15", "december 15"),
        ("two million dollars", "money", "$2 million", "$2 million"),
        ("three point five", "decimal", "3.5", "3.5"),
        ("twenty first", "ordinal", "21st", "21st"),
        ("one two three", "telephone", "123", "123"),
    ],
)
def test_numbers_are_written_as_people_do(spoken: str, kind: str, verbal: str, expected: str) -> None:
    assert written(spoken, kind, verbal) == expected


@pytest.mark.parametrize(
    ("kind", "verbal"), [("cardinal", "1"), ("ordinal", "1st"), ("ordinal", "2nd"), ("electronic", "a@b.c")]
)
def test_a_lone_digit_and_what_is_no_number_stay(kind: str, verbal: str) -> None:
    assert written("first", kind, verbal) == "first"


def test_a_share_stands_beside_its_mark() -> None:
    assert written("eighty percent", "measure", "80 %", value="eighty", units="percent") == "80%"


def test_other_units_stay_in_words() -> None:
    parts = {"value": "three hundred", "units": "milliseconds"}
    assert written("three hundred milliseconds", "measure", "300", **parts) == "300 milliseconds"
    assert written("five meters", "measure", "5", value="five", units="meters") == "five meters"


def test_the_place_of_a_run_counts() -> None:
    tag = Tag("cardinal", 0, 11, {}, "")
    [change] = changes("开了twenty five个", 2, [tag], lambda source: "25")
    assert (change.begin, change.stop, change.written) == (2, 13, "25")


def test_letters_keep_their_places_for_wetext() -> None:
    assert plain("Twenty-Five o’clock") == "twenty five o'clock"


def test_marks_part_runs() -> None:
    assert [match[0] for match in RUN.finditer("OK, twenty-five people. 好 yes")] == [
        "OK",
        "twenty-five people",
        "yes",
    ]


@pytest.mark.parametrize(
    "words", ["one of them", "the first thing", "someone said", "no one", "a point-blank no"]
)
def test_words_without_a_number_in_digits_are_hardly_asked_about(words: str) -> None:
    assert bool(SPOKEN.search(words)) == ("point" in words)
