"""Arrivals: the age of what is said of audio."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.worker.arrivals import Arrivals


def arrivals(*pieces: tuple[int, float], limit: int = 1000) -> Arrivals:
    made = Arrivals(limit)
    for end, at in pieces:
        made.add(end, at)
    return made


def test_audio_came_with_the_piece_that_holds_its_end() -> None:
    made = arrivals((1600, 1.0), (3200, 2.0), (4800, 3.0))
    assert made.when(1600) == 1.0
    assert made.when(1601) == 2.0
    assert made.when(3200) == 2.0
    assert made.when(4800) == 3.0


def test_audio_that_has_not_come_has_no_moment() -> None:
    assert arrivals().when(0) is None
    assert arrivals((1600, 1.0)).when(1601) is None


def test_what_is_older_than_all_that_is_remembered_came_with_the_earliest_of_it() -> None:
    made = arrivals((1600, 1.0), (3200, 2.0), (4800, 3.0), limit=2)
    assert made.when(100) == 2.0


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=50), st.integers(0, 300_000))
def test_it_is_the_first_moment_at_which_all_of_the_audio_was_there(
    lengths: list[int], position: int
) -> None:
    made, ends, end = Arrivals(), [], 0
    for at, length in enumerate(lengths):
        end += length
        made.add(end, float(at))
        ends.append(end)
    expected = next((float(at) for at, end in enumerate(ends) if end >= position), None)
    assert made.when(position) == expected
