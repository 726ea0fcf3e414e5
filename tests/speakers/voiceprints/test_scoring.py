"""From cosines to log-odds."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakers.voiceprints.scoring import (
    MAX_S,
    MIN_S,
    Cohort,
    Scoring,
    Voices,
    from_probability,
    probability,
    reach,
)
from tests.speakers.voices import AXES, DIMENSION, People, embeddings, speech_lengths


class TestCohort:
    def setup_method(self) -> None:
        people = People()
        self.strangers = np.stack([people.person(n) for n in range(100, 400)])
        self.cohort = Cohort.of(self.strangers)

    def test_its_statistics_are_those_of_comparing_with_everybody_in_it(self) -> None:
        """The point of it: S-norm against 300 people without keeping the voice of one."""
        voices = np.stack([People().line(n) for n in range(5)])
        cosines = voices @ self.strangers.T

        means, deviations = self.cohort.statistics(voices)

        np.testing.assert_allclose(means, cosines.mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(deviations, cosines.std(axis=1), atol=1e-5)

    def test_log_odds_are_those_of_symmetric_normalisation(self) -> None:
        a, b = np.stack([People().line(1)]), np.stack([People(seed=5).line(2)])
        scoring = Scoring(self.cohort, slope=1.0, bias=0.0, offset=0.0)
        cohort_a, cohort_b = a @ self.strangers.T, b @ self.strangers.T
        cosine = float(a[0] @ b[0])
        expected = 0.5 * (
            (cosine - cohort_a.mean()) / cohort_a.std() + (cosine - cohort_b.mean()) / cohort_b.std()
        )

        many = np.array([1e9])
        found = scoring.log_odds(scoring.voices(a, many), scoring.voices(b, many))

        assert float(found[0, 0]) == pytest.approx(expected * float(reach(many)[0]) ** 2, abs=5e-4)

    def test_a_voice_like_everybodys_needs_a_higher_cosine(self) -> None:
        everybody = np.zeros(DIMENSION, np.float32)
        everybody[0] = 1.0
        common = self.strangers + 2 * everybody
        cohort = Cohort.of(common / np.linalg.norm(common, axis=1, keepdims=True))
        scoring = Scoring(cohort)
        plain = np.eye(DIMENSION, dtype=np.float32)[5]
        own = np.array([10.0])

        usual = scoring.log_odds(scoring.voices(everybody[None], own), scoring.voices(everybody[None], own))
        special = scoring.log_odds(scoring.voices(plain[None], own), scoring.voices(plain[None], own))

        assert float(special[0, 0]) > float(usual[0, 0])

    def test_a_mean_and_a_covariance_of_different_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="3 dimensions"):
            Cohort(np.zeros(3), np.eye(4))


class TestLogOdds:
    def setup_method(self) -> None:
        self.scoring = Scoring(Cohort.unknown(DIMENSION, 0.125))
        self.people = People(noise=0.7)

    def odds(self, a: int, b: int, seconds: float) -> float:
        some = self.scoring.voices(self.people.line(a, seconds)[None], np.array([seconds]))
        others = self.scoring.voices(self.people.line(b, seconds)[None], np.array([seconds]))
        return float(self.scoring.log_odds(some, others)[0, 0])

    def test_one_person_is_likely_and_two_are_not(self) -> None:
        assert self.odds(1, 1, 5.0) > 1
        assert self.odds(1, 2, 5.0) < -1

    def test_little_speech_says_little_either_way(self) -> None:
        short = [self.odds(1, other, 1.0) for other in (1, 2)]
        long = [self.odds(1, other, 20.0) for other in (1, 2)]

        assert long[0] - long[1] > short[0] - short[1]

    def test_it_does_not_matter_which_voice_comes_first(self) -> None:
        a = self.scoring.voices(np.stack([self.people.line(n) for n in (1, 2, 3)]), np.array([1.0, 4.0, 9.0]))
        b = self.scoring.voices(np.stack([self.people.line(n) for n in (1, 2)]), np.array([2.0, 30.0]))

        np.testing.assert_allclose(
            self.scoring.log_odds(a, b), self.scoring.log_odds(b, a).T, rtol=1e-4, atol=1e-4
        )

    def test_pairs_are_the_diagonal_of_all_against_all(self) -> None:
        a = self.scoring.voices(np.stack([self.people.line(n) for n in (1, 2, 3)]), np.array([1.0, 4.0, 9.0]))
        b = self.scoring.voices(np.stack([self.people.line(n) for n in (1, 3, 3)]), np.array([2.0, 2.0, 2.0]))

        np.testing.assert_allclose(
            self.scoring.log_odds_of_pairs(a, b), np.diag(self.scoring.log_odds(a, b)), rtol=1e-4, atol=1e-4
        )

    def test_nobody_against_somebody_is_an_empty_answer(self) -> None:
        nobody = self.scoring.voices(np.empty((0, DIMENSION), np.float32), np.empty(0))
        somebody = self.scoring.voices(self.people.line(1)[None], np.array([3.0]))

        assert self.scoring.log_odds(somebody, nobody).shape == (1, 0)
        assert self.scoring.log_odds(nobody, somebody).shape == (0, 1)


class TestProbability:
    def test_even_odds_are_one_half(self) -> None:
        assert probability(0.0) == 0.5

    def test_it_is_a_number_between_0_and_1_for_any_odds(self) -> None:
        for odds in (-np.inf, -1000.0, 1000.0, np.inf):
            assert 0 < probability(odds) < 1

    def test_there_and_back(self) -> None:
        for value in (0.02, 0.5, 0.98):
            assert probability(from_probability(value)) == pytest.approx(value)

    @given(st.floats(-25, 25), st.floats(-25, 25))
    def test_better_odds_are_never_less_probable(self, one: float, other: float) -> None:
        low, high = sorted((one, other))

        assert probability(low) <= probability(high)

    @given(st.floats(-25, 25))
    def test_for_and_against_are_the_whole(self, odds: float) -> None:
        assert probability(odds) + probability(-odds) == pytest.approx(1.0)

    @given(st.floats(0.001, 0.999))
    def test_what_a_person_sets_as_a_probability_comes_back(self, value: float) -> None:
        assert probability(from_probability(value)) == pytest.approx(value)


TABLE = Scoring(Cohort.unknown(AXES, 0.3))
"""Weights for voices of `embeddings`."""

VOICES = st.lists(st.tuples(embeddings(), speech_lengths()), min_size=1, max_size=6)
DrawnVoices = list[tuple[np.ndarray, float]]


def prepared(drawn: DrawnVoices, scoring: Scoring = TABLE) -> Voices:
    return scoring.voices(np.stack([voice for voice, _ in drawn]), np.array([s for _, s in drawn]))


class TestReach:
    @given(speech_lengths(), speech_lengths())
    def test_more_speech_never_shows_less_of_a_voice(self, one: float, other: float) -> None:
        less, more = reach(np.array(sorted((one, other))))

        assert 0 < less <= more < 1

    def test_beyond_its_limits_it_stays_as_it_is(self) -> None:
        shown = reach(np.array([0.0, MIN_S, MAX_S, 10 * MAX_S]))

        assert shown[0] == shown[1] < shown[2] == shown[3]

    def test_at_the_half_of_it_half_of_the_variance_is_the_voice(self) -> None:
        assert float(reach(np.array([2.0]))[0]) ** 2 == pytest.approx(0.5)


class TestAnyVoices:
    """What holds whoever speaks, and for however long."""

    @given(VOICES, VOICES)
    @settings(max_examples=25)
    def test_it_does_not_matter_who_is_compared_with_whom(
        self, some: DrawnVoices, others: DrawnVoices
    ) -> None:
        one, other = prepared(some), prepared(others)

        np.testing.assert_allclose(TABLE.log_odds(one, other), TABLE.log_odds(other, one).T, atol=1e-4)

    @given(VOICES, st.randoms(use_true_random=False))
    @settings(max_examples=25)
    def test_another_order_gives_the_same_odds_in_that_order(
        self, drawn: DrawnVoices, random: Random
    ) -> None:
        order = list(range(len(drawn)))
        random.shuffle(order)
        odds = TABLE.log_odds(prepared(drawn), prepared(drawn))

        shuffled = prepared([drawn[at] for at in order])

        expected = odds[np.ix_(order, order)]
        np.testing.assert_allclose(TABLE.log_odds(shuffled, shuffled), expected, atol=1e-4)

    @given(VOICES, VOICES)
    @settings(max_examples=25)
    def test_voices_that_are_joined_are_compared_as_before(
        self, some: DrawnVoices, others: DrawnVoices
    ) -> None:
        one, other = prepared(some), prepared(others)
        both = one.joined(other)

        assert len(both) == len(one) + len(other)
        expected = np.concatenate([TABLE.log_odds(one, one), TABLE.log_odds(other, one)])
        np.testing.assert_allclose(TABLE.log_odds(both, one), expected, atol=1e-4)
        np.testing.assert_array_equal(both.take(slice(len(one), None)).rows, other.rows)

    @given(embeddings(), embeddings(), speech_lengths(), speech_lengths())
    @settings(max_examples=25)
    def test_more_speech_never_turns_the_answer_round(
        self, one: np.ndarray, other: np.ndarray, own_s: float, other_s: float
    ) -> None:
        """It only says more surely what it says, for or against."""
        leanings = []
        for longer in (1.0, 2.0, 8.0):
            pair = prepared([(one, own_s * longer)]), prepared([(other, other_s)])
            leanings.append(float(TABLE.log_odds(*pair)[0, 0]) - TABLE.offset)

        assert np.abs(leanings[0]) <= np.abs(leanings[1]) + 1e-4
        assert np.abs(leanings[1]) <= np.abs(leanings[2]) + 1e-4
        assert min(leanings) >= -1e-4 or max(leanings) <= 1e-4

    @given(embeddings(), embeddings(), embeddings())
    @settings(max_examples=25)
    def test_of_two_voices_the_more_alike_one_is_the_likelier(
        self, voice: np.ndarray, one: np.ndarray, other: np.ndarray
    ) -> None:
        """Strangers' cosines lie alike around all of them here, so nothing but the cosine decides."""
        farther, nearer = sorted((one, other), key=lambda candidate: float(candidate @ voice))

        odds = TABLE.log_odds(prepared([(voice, 5.0)]), prepared([(farther, 5.0), (nearer, 5.0)]))[0]

        assert odds[0] <= odds[1] + 1e-4

    @given(VOICES, st.integers(0, 1000))
    @settings(max_examples=25)
    def test_how_the_axes_lie_does_not_matter(self, drawn: DrawnVoices, seed: int) -> None:
        """A model may name its dimensions as it likes: turned with their cohort, voices score the same."""
        turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((AXES, AXES)))[0]
        spread = np.diag(np.linspace(0.2, 1.0, AXES)) * 0.1
        mean = np.full(AXES, 0.1)
        plain = Scoring(Cohort(mean, spread))
        turned = Scoring(Cohort(turn @ mean, turn @ spread @ turn.T))
        as_drawn = prepared(drawn, plain)
        as_turned = prepared([((turn @ voice).astype(np.float32), s) for voice, s in drawn], turned)

        np.testing.assert_allclose(
            turned.log_odds(as_turned, as_turned), plain.log_odds(as_drawn, as_drawn), atol=5e-3
        )


class TestAnyCohort:
    @given(st.lists(embeddings(), min_size=2, max_size=8), st.randoms(use_true_random=False))
    @settings(max_examples=25)
    def test_neither_order_nor_repetition_changes_what_people_have_in_common(
        self, people: list[np.ndarray], random: Random
    ) -> None:
        shuffled = list(people)
        random.shuffle(shuffled)
        cohort = Cohort.of(np.stack(people))

        again = Cohort.of(np.stack([*shuffled, *shuffled]))

        np.testing.assert_allclose(again.mean, cohort.mean, atol=1e-6)
        np.testing.assert_allclose(again.covariance, cohort.covariance, atol=1e-6)

    @given(st.lists(embeddings(), min_size=2, max_size=8))
    @settings(max_examples=25)
    def test_its_axes_stand_square_and_the_most_telling_comes_first(self, people: list[np.ndarray]) -> None:
        cohort = Cohort.of(np.stack(people))
        axes = cohort.axes

        np.testing.assert_allclose(axes.T @ axes, np.eye(AXES), atol=1e-5)
        spread = np.mean((np.stack(people) @ axes) ** 2, axis=0)
        assert all(earlier >= later - 1e-5 for earlier, later in itertools.pairwise(spread))

    def test_people_who_are_all_the_same_divide_by_nothing(self) -> None:
        everybody = np.tile(np.eye(AXES, dtype=np.float32)[0], (5, 1))
        scoring = Scoring(Cohort.of(everybody))
        voices = scoring.voices(everybody[:2], np.array([5.0, 5.0]))

        assert np.isfinite(scoring.log_odds(voices, voices)).all()
