"""What is said of a line in which several people speak."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import translation

from sessions_app.transcripts.overlap_marks import MIN_SHARED_MS, marks
from sessions_app.wire.protocol import Line, OverlapRef, SpeakerRef

ALICE, BOB = SpeakerRef("alice", "Alice", 0.9, True), SpeakerRef("bob", "Bob", 0.9, True)
LONG = Line(1, 1, 0, 5000, "一。", ALICE)


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


def later(start: int, end: int = 9000, spoken: SpeakerRef = BOB) -> Line:
    return Line(2, 2, start, end, "二。", spoken)


def with_speech_of(line: Line, *names: str) -> Line:
    return replace(line, overlaps=tuple(OverlapRef(name, name, 1000, 2000) for name in names))


class TestSpeakersWithoutWords:
    @pytest.mark.parametrize(
        ("names", "said"),
        [
            ((), ""),
            (("Bob",), "Bob speaks too"),
            (("Bob", "Bob"), "Bob speaks too"),
            (("Bob", "Carol"), "Bob, Carol speak too"),
        ],
    )
    def test_are_named_once(self, names: tuple[str, ...], said: str) -> None:
        assert [*marks([with_speech_of(LONG, *names)])] == [said]

    def test_are_named_in_the_readers_language(self) -> None:
        with translation.override("zh-hans"):
            assert [*marks([with_speech_of(LONG, "林静")])] == ["林静 同时在说话"]
            assert [*marks([LONG, later(3000)])] == ["", "与 Alice 同时"]


class TestLinesAtOnce:
    def test_the_later_one_says_whose_line_goes_on(self) -> None:
        assert [*marks([LONG, later(3000)])] == ["", "at the same time as Alice"]

    def test_both_kinds_stand_beside_each_other(self) -> None:
        line = with_speech_of(later(3000), "Carol")

        assert [*marks([LONG, line])][1] == "at the same time as Alice · Carol speaks too"

    @pytest.mark.parametrize(
        "line",
        [
            later(5000),
            later(5000 - MIN_SHARED_MS + 1),
            later(3000, spoken=ALICE),
            later(3000, 3000),  # put in by a person, without a time of its own
        ],
        ids=["behind", "the end of a word", "their own", "without a time"],
    )
    def test_nothing_is_said_of_lines_that_follow_one_another(self, line: Line) -> None:
        assert [*marks([LONG, line])] == ["", ""]

    def test_one_that_goes_on_under_several_is_named_by_each(self) -> None:
        under = ["at the same time as Alice"] * 2

        assert [*marks([LONG, later(1000, 2000), later(3000, 4000), later(6000)])] == ["", *under, ""]

    def test_two_under_one_are_both_named(self) -> None:
        third = Line(3, 3, 4000, 8000, "三。", SpeakerRef("carol", "Carol"))

        assert [*marks([LONG, later(3000), third])][2] == "at the same time as Alice, Bob"

    def test_of_nothing_is_nothing(self) -> None:
        assert [*marks([])] == []
