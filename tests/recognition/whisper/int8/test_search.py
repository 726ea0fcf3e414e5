from __future__ import annotations

from collections.abc import Sequence

import pytest

from recognition.whisper.int8.search import MAX_TRUSTED, Beam, Branch, agreed, mean, rest_of, trusted

END = 0


def ranked(*tokens: tuple[int, float]) -> list[tuple[int, float]]:
    return list(tokens)


class TestBeam:
    def test_follows_the_likeliest_texts(self) -> None:
        live = Beam(2, END, 10).follow([(Branch(), ranked((5, -0.1), (6, -0.2), (7, -3.0), (8, -4.0)))])
        assert [(branch.ids, branch.total) for branch in live] == [((5,), -0.1), ((6,), -0.2)]

    def test_a_text_that_began_worse_may_overtake(self) -> None:
        before = [Branch((5,), -0.1), Branch((6,), -0.2)]
        live = Beam(2, END, 10).follow(
            [
                (before[0], ranked((7, -2.0), (8, -2.1), (9, -2.2), (3, -9))),
                (before[1], ranked((7, -0.1), (8, -2.5), (9, -2.6), (3, -9))),
            ]
        )
        assert [branch.ids for branch in live] == [(6, 7), (5, 7)]

    def test_a_text_that_ends_makes_room_for_the_next(self) -> None:
        beam = Beam(2, END, 10)
        live = beam.follow([(Branch((5,), 0.0), ranked((END, -0.1), (6, -0.2), (7, -0.3), (8, -4.0)))])
        assert [branch.ids for branch in live] == [(5, 6), (5, 7)]
        assert [branch.ids for branch in beam.done] == [(5,)]

    def test_an_end_that_is_not_among_the_likeliest_does_not_count(self) -> None:
        beam = Beam(1, END, 10)
        assert beam.follow([(Branch((5,), 0.0), ranked((6, -0.1), (END, -5.0)))])
        assert beam.done == []

    def test_is_over_when_as_many_texts_have_ended(self) -> None:
        beam = Beam(1, END, 10)
        assert beam.follow([(Branch((5,), -0.5), ranked((END, -0.1), (6, -0.2)))]) == []
        assert beam.ranked() == [Branch((5,), -0.6)]

    def test_is_over_when_texts_are_as_long_as_they_may_be(self) -> None:
        beam = Beam(2, END, 2)
        assert beam.follow([(Branch((5,), 0.0), ranked((6, -0.1), (7, -0.2), (8, -0.3), (9, -4.0)))]) == []
        assert [branch.ids for branch in beam.ranked()] == [(5, 6), (5, 7)]

    def test_the_first_is_the_likeliest_for_its_length(self) -> None:
        beam = Beam(2, END, 10, done=[Branch((5,), -1.0), Branch((5, 6, 7, 8), -2.0)])
        assert [branch.ids for branch in beam.ranked()] == [(5, 6, 7, 8), (5,)]

    def test_a_text_without_tokens_has_a_mean_too(self) -> None:
        assert mean(Branch((), -0.7)) == -0.7


class TestDraft:
    @pytest.mark.parametrize(
        ("draft", "chosen", "count"),
        [([], [1], 0), ([1, 2, 3], [1, 2, 3, 4], 3), ([1, 2, 3], [1, 9, 3, 4], 1), ([1], [2, 3], 0)],
    )
    def test_is_right_as_far_as_it_is_what_is_chosen(
        self, draft: list[int], chosen: list[int], count: int
    ) -> None:
        assert agreed(draft, chosen) == count

    @pytest.mark.parametrize(
        ("draft", "chosen", "rest"),
        [
            ([1, 2, 3], 1, [2, 3]),
            ([1, 2, 3], 2, [3]),
            ([1, 2, 3, 4], 9, [1, 2, 3, 4]),
            ([1, 2, 3, 4], 4, [1, 2, 3, 4]),
            ([], 1, []),
        ],
        ids=["as drafted", "one left out", "a mark between", "too far away", "no draft"],
    )
    def test_goes_on_behind_what_was_chosen(
        self, draft: Sequence[int], chosen: int, rest: Sequence[int]
    ) -> None:
        assert rest_of(draft, chosen) == rest

    def test_is_trusted_as_far_as_it_was_right(self) -> None:
        assert [trusted(right) for right in (0, 1, 3, 50)] == [2, 4, 8, MAX_TRUSTED]
