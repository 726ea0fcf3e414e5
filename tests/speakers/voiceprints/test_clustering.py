"""One voice as the mean of its lines."""

from __future__ import annotations

import numpy as np
import pytest

from speakers.voiceprints.clustering import Cluster, log_odds, without
from speakers.voiceprints.scoring import Cohort, Scoring, Voices

X, Y = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
HOUR = 3600.0


class TestCluster:
    def test_long_lines_count_more_than_short_ones(self) -> None:
        cluster = Cluster()

        cluster.add(X, 3.0, memory_s=HOUR)
        cluster.add(Y, 1.0, memory_s=HOUR)

        np.testing.assert_allclose(cluster.mean, [0.75, 0.25])
        assert cluster.speech_s == 4.0
        np.testing.assert_allclose(np.linalg.norm(cluster.centroid), 1.0, atol=1e-6)

    def test_a_line_that_is_taken_back_leaves_no_trace(self) -> None:
        cluster = Cluster(X, 5.0)

        cluster.add(Y, 2.0, memory_s=HOUR)
        cluster.remove(Y, 2.0)

        np.testing.assert_allclose(cluster.mean, X, atol=1e-6)
        assert cluster.speech_s == pytest.approx(5.0)

    def test_a_voice_without_its_only_line_is_unknown(self) -> None:
        cluster = Cluster(X, 2.0)

        cluster.remove(X, 2.0)

        assert cluster.mean is None
        assert cluster.centroid is None
        assert cluster.speech_s == 0.0

    def test_after_hours_the_latest_speech_still_counts(self) -> None:
        cluster = Cluster(X, 3 * HOUR)

        for _ in range(30):
            cluster.add(Y, 10.0, memory_s=300.0)

        assert float(cluster.centroid @ Y) > float(cluster.centroid @ X)
        assert cluster.speech_s <= 310.0

    def test_an_absorbed_voice_counts_by_its_speech(self) -> None:
        cluster = Cluster(X, 1.0)

        cluster.absorb(Cluster(Y, 3.0), memory_s=HOUR)
        cluster.absorb(Cluster(), memory_s=HOUR)

        np.testing.assert_allclose(cluster.mean, [0.25, 0.75])

    def test_opposite_lines_make_an_unknown_voice_instead_of_a_division_by_zero(self) -> None:
        cluster = Cluster(X, 1.0)

        cluster.add(-X, 1.0, memory_s=HOUR)

        assert cluster.centroid is None


class TestLogOdds:
    def setup_method(self) -> None:
        self.scoring = Scoring(Cohort.unknown(2))

    def lines(self, *embeddings: np.ndarray) -> Voices:
        return self.scoring.voices(np.stack(embeddings), np.full(len(embeddings), 5.0))

    def test_each_line_is_compared_with_each_voice(self) -> None:
        odds = log_odds(self.lines(X, Y), [Cluster(X, 5.0), Cluster(Y, 5.0)], self.scoring)

        np.testing.assert_array_equal(odds > 0, [[True, False], [False, True]])

    def test_an_unknown_voice_is_like_nothing(self) -> None:
        np.testing.assert_array_equal(log_odds(self.lines(X), [Cluster()], self.scoring), [[-np.inf]])

    def test_without_voices_there_is_nothing_to_compare(self) -> None:
        assert log_odds(self.lines(X), [], self.scoring).shape == (1, 0)

    def test_a_voice_can_be_asked_for_without_one_of_its_lines(self) -> None:
        cluster = Cluster(X, 5.0)
        cluster.add(Y, 5.0, memory_s=HOUR)

        rest, rest_s = without([cluster, cluster], np.stack([Y, X]), np.array([5.0, 5.0]))

        np.testing.assert_allclose(rest, [X, Y], atol=1e-6)
        np.testing.assert_array_equal(rest_s, [5.0, 5.0])
        assert cluster.speech_s == 10.0

    def test_without_its_only_line_nothing_is_left_of_a_voice(self) -> None:
        rest, rest_s = without([Cluster(X, 5.0), Cluster()], np.stack([X, X]), np.array([5.0, 5.0]))

        np.testing.assert_array_equal(rest, np.zeros((2, len(X))))
        np.testing.assert_array_equal(rest_s, [0.0, 0.0])
