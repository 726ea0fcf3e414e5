"""Spans of speech: joined, measured, and held against each other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.transcripts.speech_spans import Span, Speech, joined, length

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)).map(lambda pair: (pair[0], sum(pair))))


def moments(spans: list[Span]) -> set[int]:
    return {moment for start, end in spans for moment in range(start, end)}


class TestJoined:
    @pytest.mark.parametrize(
        ("spans", "expected"),
        [
            ([], []),
            ([(3, 5), (0, 2)], [(0, 2), (3, 5)]),
            ([(0, 2), (2, 4)], [(0, 4)]),
            ([(0, 9), (2, 4)], [(0, 9)]),
            ([(0, 3), (2, 4), (4, 5), (7, 7)], [(0, 5), (7, 7)]),
        ],
    )
    def test_spans_that_touch_are_one(self, spans: list[Span], expected: list[Span]) -> None:
        assert joined(spans) == expected

    @given(SPANS)
    def test_they_are_in_order_apart_and_of_the_same_moments(self, spans: list[Span]) -> None:
        found = joined(spans)

        assert moments(found) == moments(spans)
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(found))

    @given(SPANS)
    def test_no_moment_is_counted_twice(self, spans: list[Span]) -> None:
        assert length(spans) == len(moments(spans))


class TestSpeech:
    @pytest.mark.parametrize(
        ("span", "sounds"),
        [
            ((0, 10), False),
            ((0, 12), False),  # only its last two
            ((0, 13), True),
            ((12, 14), True),  # all of it
            ((17, 30), True),
            ((18, 30), False),
            ((20, 30), False),
        ],
    )
    def test_counts_what_reaches_far_enough_into_a_span(self, span: Span, sounds: bool) -> None:
        assert Speech([(10, 20)]).sounds_in(span, at_least=2) == sounds

    def test_knows_a_long_one_that_began_before_a_short_one(self) -> None:
        assert Speech([(0, 100), (5, 6)]).sounds_in((50, 60), at_least=2)

    def test_of_nobody_sounds_nowhere(self) -> None:
        assert not Speech([]).sounds_in((0, 100), at_least=0)

    @given(SPANS, st.integers(0, 30), st.integers(1, 10))
    def test_is_found_as_by_looking_at_each(self, spans: list[Span], start: int, duration: int) -> None:
        end = start + duration
        expected = any(one < end - 1 and other > start + 1 for one, other in spans)

        assert Speech(spans).sounds_in((start, end), at_least=1) == expected
