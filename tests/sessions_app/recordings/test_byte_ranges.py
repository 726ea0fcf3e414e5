from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.recordings.byte_ranges import ByteRange, Unsatisfiable, parse_range


def part(header: str, length: int = 1000, max_bytes: int = 10_000) -> ByteRange | None:
    return parse_range(header, length, max_bytes=max_bytes)


def test_the_last_byte_is_included_in_http_and_not_here() -> None:
    assert part("bytes=0-99") == ByteRange(0, 100)


def test_an_open_range_goes_to_the_end() -> None:
    assert part("bytes=900-") == ByteRange(900, 1000)


def test_a_suffix_counts_from_the_end() -> None:
    assert part("bytes=-100") == ByteRange(900, 1000)
    assert part("bytes=-5000") == ByteRange(0, 1000)


def test_what_lies_behind_the_end_is_left_out() -> None:
    assert part("bytes=990-2000") == ByteRange(990, 1000)


def test_no_answer_is_longer_than_the_server_wants() -> None:
    assert part("bytes=0-", max_bytes=64) == ByteRange(0, 64)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=2000-3000", "bytes=-0"])
def test_nothing_of_the_content_cannot_be_served(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        part(header)


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "pages=1-2", "bytes=a-b", "bytes=１-２"]
)
def test_what_is_no_single_range_is_answered_with_everything(header: str) -> None:
    assert part(header) is None


def test_says_where_the_part_lies() -> None:
    assert ByteRange(900, 1000).content_range(1000) == "bytes 900-999/1000"


@given(st.text(), st.integers(1, 10**6), st.integers(1, 10**6))
def test_any_header_ends_in_a_part_of_the_content_or_none(header: str, length: int, max_bytes: int) -> None:
    try:
        found = parse_range(f"bytes={header}", length, max_bytes=max_bytes)
    except Unsatisfiable:
        return
    if found:
        assert 0 <= found.start < found.end <= length
        assert found.end - found.start <= max_bytes
