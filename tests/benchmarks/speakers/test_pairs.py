"""Pieces of speech compared one against one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.speakers import pairs
from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.scoring import Cohort, Scoring
from tests.speakers.voices import People

from .made_voices import BANDS, ColourEmbedder, speech

SCORING = Scoring(Cohort.unknown(BANDS))


def recording(person: int, take: int, seconds: float = 3.5) -> pairs.Spoken:
    return f"P{person}", f"P{person}-{take}", speech(person, seconds, seed=take)


class TestCut:
    def test_pieces_follow_each_other_and_the_rest_is_left(self) -> None:
        lines = pairs.cut([recording(1, 1)], 1.0, 9, ColourEmbedder())

        assert lines.seconds.tolist() == [1.0] * 3
        assert set(lines.speakers) == {"P1"}
        assert set(lines.recordings) == {"P1-1"}

    def test_of_one_recording_no_more_are_taken_than_asked(self) -> None:
        lines = pairs.cut([recording(1, 1), recording(2, 1)], 1.0, 2, ColourEmbedder())

        assert lines.speakers.tolist() == ["P1", "P1", "P2", "P2"]

    def test_a_recording_that_is_too_short_gives_none(self) -> None:
        lines = pairs.cut([recording(1, 1), recording(2, 1, seconds=1.5)], 2.0, 3, ColourEmbedder())

        assert lines.speakers.tolist() == ["P1"]

    def test_one_of_exactly_that_length_gives_one(self) -> None:
        assert len(pairs.cut([recording(1, 1, seconds=2.0)], 2.0, 3, ColourEmbedder())) == 1


class TestSingleErrorRate:
    def test_voices_that_are_easily_told_apart_have_no_errors(self) -> None:
        spoken = [recording(person, take) for person in range(4) for take in range(2)]

        lines = pairs.cut(spoken, 1.0, 3, ColourEmbedder())

        assert pairs.single_error_rate(lines, SCORING) == 0.0

    def test_voices_that_say_nothing_are_told_by_chance(self) -> None:
        random = np.random.default_rng(0)
        lines = self.lines(random.standard_normal((60, BANDS)))

        assert pairs.single_error_rate(lines, SCORING) == pytest.approx(0.5, abs=0.08)

    def test_pieces_of_one_recording_are_not_compared(self) -> None:
        """Each recording sounds like itself alone, and says nothing of who it is."""
        random = np.random.default_rng(0)
        lines = self.lines(np.repeat(random.standard_normal((30, BANDS)), 2, axis=0))

        assert pairs.single_error_rate(lines, SCORING) > 0.3

    def test_more_noise_is_more_errors(self) -> None:
        rates = []
        for noise in (0.5, 3.0):
            people = People(noise=noise, dimension=BANDS)
            lines = self.lines(np.stack([people.line(row // 6) for row in range(60)]))
            rates.append(pairs.single_error_rate(lines, SCORING))

        assert rates[0] < rates[1]

    def lines(self, rows: np.ndarray) -> Lines:
        """Rows of six by one person, two by two of one recording."""
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        number = np.arange(len(rows))
        return Lines(unit.astype(np.float32), np.full(len(rows), 3.0), number // 6, number // 2)
