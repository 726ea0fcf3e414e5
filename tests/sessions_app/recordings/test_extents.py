"""Extents: of those who wrote a byte, the last one has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.recordings.extents import Extent, Extents

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=12)


def written(*spans: tuple[int, int]) -> Extents:
    extents = Extents()
    for record, (start, end) in enumerate(spans):
        extents.add(start, end, record)
    return extents


@given(SPANS, st.integers(0, 50), st.integers(0, 60))
def test_they_are_as_a_list_of_bytes_would_be(spans: list[tuple[int, int]], first: int, last: int) -> None:
    bytes_of: dict[int, int] = {}
    for record, (start, length) in enumerate(spans):
        bytes_of.update(dict.fromkeys(range(start, start + length), record))
    extents = written(*((start, start + length) for start, length in spans))
    found = {at: each.record for each in extents.within(first, last) for at in range(each.start, each.end)}
    assert found == {at: record for at, record in bytes_of.items() if first <= at < last}
    assert extents.length == max(bytes_of, default=-1) + 1


def test_what_comes_in_order_lies_in_order() -> None:
    extents = written((0, 10), (10, 20), (20, 30))
    assert list(extents.within(5, 25)) == [Extent(5, 10, 0), Extent(10, 20, 1), Extent(20, 25, 2)]


def test_one_in_the_middle_parts_what_was_there() -> None:
    assert list(written((0, 30), (10, 20)).within(0, 30)) == [
        Extent(0, 10, 0),
        Extent(10, 20, 1),
        Extent(20, 30, 0),
    ]


def test_one_that_covers_all_is_all() -> None:
    assert list(written((5, 10), (12, 20), (0, 30)).within(0, 30)) == [Extent(0, 30, 2)]


def test_a_hole_is_nobodys() -> None:
    assert list(written((0, 10), (20, 30)).within(8, 22)) == [Extent(8, 10, 0), Extent(20, 22, 1)]
    assert list(written((0, 10), (20, 30)).within(12, 18)) == []


def test_nothing_was_written() -> None:
    assert (Extents().length, list(Extents().within(0, 10))) == (0, [])
