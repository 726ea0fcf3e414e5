"""One voice as the mean of its lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakers.voiceprints.clustering import Cluster, as_voices, log_odds, without
from speakers.voiceprints.scoring import Cohort, Scoring, Voices
from tests.speakers.voices import AXES, embeddings
from tests.support.arrays import assert_close

X, Y = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
HOUR = 3600.0


class TestCluster:
    def test_long_lines_count_more_than_short_ones(self) -> None:
        cluster = Cluster()

        cluster.add(X, 3.0, memory_s=HOUR)
        cluster.add(Y, 1.0, memory_s=HOUR)

        assert_close(cluster.mean, [0.75, 0.25])
        assert cluster.speech_s == 4.0
        assert cluster.centroid is not None
        assert float(np.linalg.norm(cluster.centroid)) == pytest.approx(1.0, abs=1e-6)

    def test_a_line_that_is_taken_back_leaves_no_trace(self) -> None:
        cluster = Cluster(X, 5.0)

        cluster.add(Y, 2.0, memory_s=HOUR)
        cluster.remove(Y, 2.0)

        assert_close(cluster.mean, X, atol=1e-6)
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

        assert cluster.centroid is not None
        assert float(cluster.centroid @ Y) > float(cluster.centroid @ X)
        assert cluster.speech_s <= 310.0

    def test_an_absorbed_voice_counts_by_its_speech(self) -> None:
        cluster = Cluster(X, 1.0)

        cluster.absorb(Cluster(Y, 3.0), memory_s=HOUR)
        cluster.absorb(Cluster(), memory_s=HOUR)

        assert_close(cluster.mean, [0.25, 0.75])

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


LINES = st.lists(st.tuples(embeddings(), st.floats(0.5, 10.0)), min_size=2, max_size=6)
DrawnLines = list[tuple[np.ndarray, float]]


def cluster_of(lines: DrawnLines, memory_s: float = HOUR) -> Cluster:
    cluster = Cluster()
    for embedding, seconds in lines:
        cluster.add(embedding, seconds, memory_s=memory_s)
    return cluster


def weighted(lines: DrawnLines) -> np.ndarray:
    """The sum of the lines by their seconds: what a cluster's mean is the share of."""
    return np.asarray(np.sum([seconds * embedding for embedding, seconds in lines], axis=0))


def is_clear(lines: DrawnLines) -> bool:
    """They do not cancel each other out, at any place."""
    return all(np.linalg.norm(weighted(lines[:count])) > 0.1 for count in range(1, len(lines) + 1))


class TestAnyLines:
    @given(LINES.filter(is_clear))
    @settings(max_examples=25)
    def test_the_mean_is_that_of_all_lines_by_their_seconds(self, lines: DrawnLines) -> None:
        cluster = cluster_of(lines)
        whole_s = sum(seconds for _, seconds in lines)

        assert cluster.speech_s == pytest.approx(whole_s)
        assert_close(cluster.mean, weighted(lines) / whole_s, atol=1e-5)

    @given(LINES.filter(lambda lines: is_clear(lines) and is_clear(lines[::-1])))
    @settings(max_examples=25)
    def test_in_which_order_lines_come_does_not_matter(self, lines: DrawnLines) -> None:
        assert_close(cluster_of(lines).mean, cluster_of(lines[::-1]).mean, atol=1e-5)

    @given(LINES.filter(is_clear))
    @settings(max_examples=25)
    def test_the_last_line_can_be_taken_back(self, lines: DrawnLines) -> None:
        cluster, before = cluster_of(lines), cluster_of(lines[:-1])

        cluster.remove(*lines[-1])

        assert cluster.speech_s == pytest.approx(before.speech_s, abs=1e-4)
        assert_close(cluster.mean, before.mean, atol=1e-3)

    @given(LINES.filter(is_clear), LINES.filter(is_clear))
    @settings(max_examples=25)
    def test_two_voices_that_are_one_are_as_if_they_had_always_been(
        self, some: DrawnLines, others: DrawnLines
    ) -> None:
        if np.linalg.norm(weighted(some + others)) < 0.1:
            return
        kept = cluster_of(some)

        kept.absorb(cluster_of(others), memory_s=HOUR)

        whole_s = sum(seconds for _, seconds in some + others)
        assert_close(kept.mean, weighted(some + others) / whole_s, atol=1e-4)

    @given(LINES, st.floats(1.0, 5.0))
    @settings(max_examples=25)
    def test_no_voice_remembers_more_than_it_may(self, lines: DrawnLines, memory_s: float) -> None:
        cluster = cluster_of(lines, memory_s)

        assert cluster.speech_s <= memory_s + max(seconds for _, seconds in lines)

    @given(LINES.filter(is_clear))
    @settings(max_examples=25)
    def test_asking_without_a_line_is_what_taking_it_back_would_leave(self, lines: DrawnLines) -> None:
        cluster = cluster_of(lines)
        embedding, seconds = lines[0]
        if np.linalg.norm(weighted(lines[1:])) < 0.1:
            return

        rest, rest_s = without([cluster], embedding[None], np.array([seconds]))
        cluster.remove(embedding, seconds)

        assert_close(rest[0], cluster.centroid, atol=1e-3)
        assert float(rest_s[0]) == pytest.approx(cluster.speech_s, abs=1e-6)

    def test_more_taken_back_than_there_was_leaves_an_unknown_voice(self) -> None:
        cluster = Cluster(X, 1.0)

        cluster.remove(X, 5.0)

        assert (cluster.mean, cluster.centroid, cluster.speech_s) == (None, None, 0.0)

    def test_a_voice_that_was_forgotten_can_be_heard_anew(self) -> None:
        cluster = Cluster(X, 100.0)
        cluster.forget()

        cluster.add(Y, 2.0, memory_s=HOUR)

        np.testing.assert_array_equal(cluster.mean, Y)
        assert cluster.speech_s == 2.0

    def test_a_mean_that_is_nothing_is_no_voice(self) -> None:
        for mean in (np.zeros(AXES, np.float32), np.full(AXES, np.nan, np.float32)):
            assert Cluster(mean, 5.0).mean is None

    def test_only_voices_that_were_heard_well_are_compared(self) -> None:
        scoring = Scoring(Cohort.unknown(2))

        voices = as_voices([Cluster(), Cluster(3 * Y, 4.0)], scoring, 2)

        np.testing.assert_array_equal(voices.rows, [[0, 0], [0, 1]])
        assert voices.reach[0] < voices.reach[1]
