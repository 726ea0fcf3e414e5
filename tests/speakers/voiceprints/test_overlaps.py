"""Lines that sound at once, and voices that are two people because they were heard at once."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import samples
from speakers.voiceprints.overlaps import MIN_OVERLAP, HeardLine, VoicePairs, beside_each
from tests.speakers.voices import voice

ONE, TWO, THREE, FOUR = (voice(number) for number in (1, 2, 3, 4))


def line(start_s: float, end_s: float) -> HeardLine:
    return HeardLine(1, None, 0.0, samples(start_s), samples(end_s))


class TestBesideEach:
    def test_lines_one_after_the_other_have_nobody_beside_them(self) -> None:
        assert beside_each([line(0, 2), line(2, 4), line(5, 6)]) == [[], [], []]

    def test_a_line_within_another_is_beside_it_and_it_beside_the_line(self) -> None:
        assert beside_each([line(0, 10), line(4, 5)]) == [[1], [0]]

    def test_a_line_may_have_two_beside_it_that_are_not_beside_each_other(self) -> None:
        assert beside_each([line(0, 3), line(2, 8), line(6, 9)]) == [[1], [0, 2], [1]]

    @pytest.mark.parametrize(("shared", "are_beside"), [(MIN_OVERLAP, False), (MIN_OVERLAP + 1, True)])
    def test_a_fifth_of_a_second_is_no_overlap(self, shared: int, are_beside: bool) -> None:
        first, second = HeardLine(1, None, 0, 0, 16000), HeardLine(2, None, 0, 16000 - shared, 32000)

        assert beside_each([first, second]) == ([[1], [0]] if are_beside else [[], []])

    def test_a_line_without_a_place_is_beside_none(self) -> None:
        assert beside_each([HeardLine(1, None, 0.0), HeardLine(2, None, 0.0)]) == [[], []]

    def test_of_no_lines_there_is_nothing_to_say(self) -> None:
        assert beside_each([]) == []

    @given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 50_000)), max_size=6))
    def test_to_be_beside_somebody_is_mutual_and_never_with_oneself(
        self, drawn: list[tuple[int, int]]
    ) -> None:
        beside = beside_each([HeardLine(1, None, 0, start, start + length) for start, length in drawn])

        for index, others in enumerate(beside):
            assert index not in others
            assert all(index in beside[other] for other in others)


class TestVoicePairs:
    def setup_method(self) -> None:
        self.pairs = VoicePairs()

    def test_voices_never_heard_at_once_are_no_pair(self) -> None:
        assert (ONE, TWO) not in self.pairs
        assert self.pairs.of(ONE) == frozenset()

    def test_a_pair_is_one_from_both_sides(self) -> None:
        self.pairs.add(ONE, TWO)

        assert (ONE, TWO) in self.pairs
        assert (TWO, ONE) in self.pairs
        assert self.pairs.of(ONE) == {TWO}
        assert self.pairs.of(TWO) == {ONE}

    def test_a_voice_is_no_pair_with_itself(self) -> None:
        self.pairs.add(ONE, ONE)

        assert (ONE, ONE) not in self.pairs
        assert self.pairs.of(ONE) == frozenset()

    def test_a_pair_holds_until_the_last_line_that_said_so_is_taken_back(self) -> None:
        self.pairs.add(ONE, TWO)
        self.pairs.add(TWO, ONE)

        self.pairs.remove(ONE, TWO)
        assert (ONE, TWO) in self.pairs
        self.pairs.remove(ONE, TWO)
        assert (ONE, TWO) not in self.pairs
        assert (TWO, ONE) not in self.pairs

    def test_what_was_never_counted_cannot_be_taken_back(self) -> None:
        self.pairs.remove(ONE, TWO)
        self.pairs.add(ONE, TWO)

        assert (ONE, TWO) in self.pairs

    def test_two_that_become_one_are_apart_from_whom_either_was(self) -> None:
        self.pairs.add(ONE, THREE)
        self.pairs.add(TWO, THREE)
        self.pairs.add(TWO, FOUR)

        self.pairs.join(ONE, TWO)

        assert self.pairs.of(ONE) == {THREE, FOUR}
        assert self.pairs.of(THREE) == {ONE}
        assert self.pairs.of(TWO) == frozenset()

    def test_lines_of_both_count_once_they_are_one(self) -> None:
        self.pairs.add(ONE, THREE)
        self.pairs.add(TWO, THREE)
        self.pairs.join(ONE, TWO)

        self.pairs.remove(ONE, THREE)

        assert (ONE, THREE) in self.pairs

    def test_a_pair_that_becomes_one_is_no_pair_any_more(self) -> None:
        self.pairs.add(ONE, TWO)

        self.pairs.join(ONE, TWO)

        assert self.pairs.of(ONE) == frozenset()

    def test_a_voice_that_is_dropped_leaves_nothing_behind(self) -> None:
        self.pairs.add(ONE, TWO)
        self.pairs.add(TWO, THREE)

        self.pairs.drop(TWO)

        assert [self.pairs.of(key) for key in (ONE, TWO, THREE)] == [frozenset()] * 3

    def test_pairs_from_before_are_known_once_however_often_they_are_told(self) -> None:
        self.pairs.restore(ONE, [TWO])
        self.pairs.restore(TWO, [ONE])
        self.pairs.restore(ONE, [TWO])

        assert (ONE, TWO) in self.pairs
        self.pairs.remove(ONE, TWO)
        assert (ONE, TWO) not in self.pairs

    @given(
        st.lists(
            st.tuples(st.sampled_from(["add", "remove", "join"]), *[st.sampled_from([ONE, TWO, THREE])] * 2)
        )
    )
    def test_whatever_happens_pairs_are_mutual(self, steps: list[tuple[str, uuid.UUID, uuid.UUID]]) -> None:
        pairs = VoicePairs()
        for step, one, other in steps:
            if step != "join" or one != other:
                getattr(pairs, step)(one, other)

        for one in (ONE, TWO, THREE):
            assert one not in pairs.of(one)
            assert all(one in pairs.of(other) for other in pairs.of(one))
