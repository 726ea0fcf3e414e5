"""Log-odds that are true, learnt from voices whose owners are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakers.exceptions import TooFewVoices
from speakers.voiceprints.fitting import Lines, equal_error_rate, fit
from speakers.voiceprints.scoring import Cohort
from tests.speakers.voices import DIMENSION, People, spoken

COHORT = Cohort.unknown(DIMENSION, DIMENSION**-0.5)


def odds_of(learnt_from: Lines, tested_on: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of pairs of one person, and of pairs of two people."""
    scoring = fit(learnt_from, COHORT)
    voices = scoring.voices(tested_on.embeddings, tested_on.seconds)
    odds = scoring.log_odds(voices, voices)
    same = tested_on.speakers[:, None] == tested_on.speakers
    other_line = ~np.eye(len(tested_on), dtype=bool)
    return odds[same & other_line], odds[~same]


class TestFit:
    def test_on_unseen_people_the_log_odds_are_true(self) -> None:
        """Of pairs with even odds, half are of one person; and so on up."""
        learnt_from = spoken(People(seed=1, noise=2.0), speakers=40)
        tested_on = spoken(People(seed=2, noise=2.0), speakers=40, seed=3)

        genuine, impostor = odds_of(learnt_from, tested_on)

        for low, high, expected in ((-3, -1, 0.12), (-1, 1, 0.5), (1, 3, 0.88)):
            hits = np.mean((genuine >= low) & (genuine < high))
            misses = np.mean((impostor >= low) & (impostor < high))
            assert hits / (hits + misses) == pytest.approx(expected, abs=0.15)

    def test_more_noise_makes_all_less_sure(self) -> None:
        clear, dim = (
            odds_of(spoken(People(seed=1, noise=n)), spoken(People(seed=2, noise=n)))[0].mean()
            for n in (0.7, 2)
        )

        assert clear > dim

    def test_two_pieces_of_one_recording_teach_nothing(self) -> None:
        lines = spoken(People(), speakers=3, lines=4)
        one_each = Lines(lines.embeddings, lines.seconds, lines.speakers, lines.speakers)

        with pytest.raises(TooFewVoices, match="3 speakers and 3 recordings"):
            fit(one_each, COHORT)

    def test_one_person_teaches_nothing(self) -> None:
        with pytest.raises(TooFewVoices, match="1 speakers"):
            fit(spoken(People(), speakers=1), COHORT)

    def test_people_who_are_never_confused_do_not_make_infinite_weights(self) -> None:
        scoring = fit(spoken(People(noise=0.01)), COHORT)

        assert np.isfinite([scoring.slope, scoring.bias, scoring.offset]).all()
        assert abs(scoring.slope) < 100

    def test_what_people_are_called_teaches_nothing(self) -> None:
        lines = spoken(People(), speakers=4, lines=4)
        names = np.array([f"Person {number}" for number in lines.speakers])

        by_number = fit(lines, COHORT)
        by_name = fit(Lines(lines.embeddings, lines.seconds, names, lines.recordings), COHORT)

        assert (by_name.slope, by_name.bias, by_name.offset) == pytest.approx(
            (by_number.slope, by_number.bias, by_number.offset)
        )

    def test_the_same_lines_teach_the_same_each_time(self) -> None:
        lines = spoken(People(), speakers=4, lines=4)

        once, again = fit(lines, COHORT), fit(lines, COHORT)

        assert (once.slope, once.bias, once.offset) == (again.slope, again.bias, again.offset)

    def test_the_more_alike_the_likelier(self) -> None:
        assert fit(spoken(People(noise=1.5)), COHORT).slope > 0

    def test_lines_of_a_choice_keep_who_said_what_where(self) -> None:
        lines = spoken(People(), speakers=3, lines=2)

        some = lines.take(lines.speakers == 501)

        assert len(some) == 2
        assert set(some.speakers) == {501}
        assert some.recordings.tolist() == [2, 3]
        np.testing.assert_array_equal(some.embeddings, lines.embeddings[2:4])


SCORES = st.lists(st.integers(-50, 50), min_size=1, max_size=20).map(lambda drawn: np.array(drawn, float))


class TestAnyScores:
    @given(SCORES, SCORES)
    @settings(max_examples=25)
    def test_the_rate_is_a_share_and_the_threshold_a_score(
        self, genuine: np.ndarray, impostor: np.ndarray
    ) -> None:
        rate, threshold = equal_error_rate(genuine, impostor)

        assert 0 <= rate <= 1
        assert threshold in np.concatenate([genuine, impostor])

    @given(SCORES, SCORES)
    @settings(max_examples=25)
    def test_the_order_of_trials_does_not_matter(self, genuine: np.ndarray, impostor: np.ndarray) -> None:
        assert equal_error_rate(genuine[::-1], impostor[::-1]) == equal_error_rate(genuine, impostor)

    @given(SCORES, SCORES, st.integers(1, 9), st.integers(-9, 9))
    @settings(max_examples=25)
    def test_another_scale_moves_the_threshold_alone(
        self, genuine: np.ndarray, impostor: np.ndarray, stretch: int, shift: int
    ) -> None:
        rate, threshold = equal_error_rate(genuine, impostor)

        scaled = equal_error_rate(stretch * genuine + shift, stretch * impostor + shift)

        assert scaled == (rate, stretch * threshold + shift)

    @given(SCORES, SCORES)
    @settings(max_examples=25)
    def test_it_does_not_matter_how_many_times_each_was_tried(
        self, genuine: np.ndarray, impostor: np.ndarray
    ) -> None:
        rate, _ = equal_error_rate(genuine, impostor)

        repeated, _ = equal_error_rate(np.repeat(genuine, 3), np.repeat(impostor, 2))

        assert repeated == pytest.approx(rate)

    @given(SCORES, st.integers(101, 200))
    @settings(max_examples=25)
    def test_people_who_are_told_apart_are_never_confused(self, scores: np.ndarray, lead: int) -> None:
        assert equal_error_rate(scores + lead, scores)[0] == 0.0


class TestEqualErrorRate:
    def test_scores_that_do_not_overlap_have_none(self) -> None:
        rate, threshold = equal_error_rate(np.array([2.0, 3.0]), np.array([0.0, 1.0]))

        assert rate == 0.0
        assert threshold == 2.0

    def test_scores_that_say_nothing_are_wrong_half_the_time(self) -> None:
        random = np.random.default_rng(0)

        rate, _ = equal_error_rate(random.standard_normal(2000), random.standard_normal(2000))

        assert rate == pytest.approx(0.5, abs=0.03)

    def test_one_in_four_of_each(self) -> None:
        genuine, impostor = np.array([0.0, 5, 6, 7]), np.array([-3.0, -2, -1, 5.5])

        rate, _ = equal_error_rate(genuine, impostor)

        assert rate == 0.25
