"""From cosines to log-odds."""

from __future__ import annotations

import numpy as np
import pytest

from speakers.voiceprints.scoring import Cohort, Scoring, from_probability, probability, reach
from tests.speakers.voices import DIMENSION, People


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
