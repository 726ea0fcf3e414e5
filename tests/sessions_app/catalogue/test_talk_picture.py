"""The small picture of who spoke when."""

from __future__ import annotations

import pytest

from sessions_app.catalogue.talk_picture import COLUMNS, Turn, draw, paths, voice_colours


def columns(*turns: Turn, length: int = 600) -> list[str]:
    picture = draw(turns, length)
    return [picture[at : at + 2] for at in range(0, len(picture), 2)]


def test_a_column_is_of_whoever_spoke_most_in_it() -> None:
    drawn = columns(Turn(0, 4, 1), Turn(4, 10, 2))
    assert drawn[0] == "29"


def test_what_is_silent_stays_empty() -> None:
    drawn = columns(Turn(0, 10, 1), Turn(590, 600, 2))
    assert drawn == ["19", *["00"] * 58, "29"]


def test_a_column_is_as_high_as_it_is_full_of_speech() -> None:
    assert columns(Turn(0, 5, 3))[0] == "34"
    assert columns(Turn(0, 1, 3), length=60_000)[0] == "31"  # the shortest word is seen


def test_two_at_once_fill_no_more_than_all_of_it() -> None:
    assert columns(Turn(0, 10, 1), Turn(0, 10, 2))[0] == "19"


def test_a_long_turn_goes_through_all_its_columns() -> None:
    assert columns(Turn(0, 600, 10)) == ["a9"] * COLUMNS


def test_a_turn_that_ends_after_the_recording_does_no_harm() -> None:
    assert columns(Turn(0, 900, 1)) == ["19"] * COLUMNS


@pytest.mark.parametrize("turns", [[], [Turn(5, 5, 1)]])
def test_who_says_nothing_gives_no_picture(turns: list[Turn]) -> None:
    assert draw(turns, 600) == ""
    assert paths("") == {}


def test_a_meeting_shorter_than_its_columns_is_drawn() -> None:
    assert len(draw([Turn(0, 7, 1)], 7)) == 2 * COLUMNS


def test_each_colour_is_one_path_of_its_columns() -> None:
    drawn = paths(draw([Turn(0, 10, 1), Turn(10, 20, 2), Turn(20, 30, 1)], 600))
    assert drawn == {1: "M1.5 1.5v15M7.5 1.5v15", 2: "M4.5 1.5v15"}


class TestColours:
    def test_they_are_counted_in_the_order_of_the_voices(self) -> None:
        assert voice_colours(["a", "b", "c"]) == {"a": 1, "b": 2, "c": 3}

    def test_a_voice_that_turned_out_to_be_anothers_is_counted_and_has_its_colour(self) -> None:
        assert voice_colours(["a", "a", "b"]) == {"a": 1, "b": 3}

    def test_after_ten_they_begin_again(self) -> None:
        assert voice_colours([str(number) for number in range(12)])["11"] == 2
