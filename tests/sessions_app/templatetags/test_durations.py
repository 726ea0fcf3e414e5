"""Durations as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.templatetags.durations import clock


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0:00"),
        (0.999, "0:00"),
        (59.999, "0:59"),
        (60, "1:00"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3723, "1:02:03"),
        (360_000, "100:00:00"),
    ],
)
def test_hours_stand_only_where_there_are_any(seconds: float, words: str) -> None:
    assert clock(seconds) == words


@given(st.integers(0, 10**7))
@settings(max_examples=50)
def test_no_second_is_lost(seconds: int) -> None:
    parts = [int(part) for part in clock(seconds).split(":")]

    assert sum(part * 60**place for place, part in enumerate(reversed(parts))) == seconds
    assert all(part < 60 for part in parts[1:])
