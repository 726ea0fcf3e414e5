"""Meetings of hours in simulation: minutes of them here."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.speakers import long_meetings
from benchmarks.speakers.long_meetings import LongMeeting
from speakers.voiceprints.fitting import Lines
from tests.speakers.voices import People, gallery_of, spoken

from .made_voices import BANDS, ColourEmbedder, speech

LENGTH_S = 3600.0


@pytest.fixture(scope="module")
def lines() -> Lines:
    return spoken(People(), speakers=4, lines=8)


@pytest.mark.parametrize("hold", [long_meetings.three_hours, long_meetings.talking_over])
class TestHours:
    def hold(self, hold: object, lines: Lines, seed: int = 0) -> LongMeeting:
        assert callable(hold)
        found = hold(gallery_of({}), lines, seed=seed, length_s=LENGTH_S)
        assert isinstance(found, LongMeeting)
        return found

    def test_voices_that_are_easily_told_apart_stay_right(self, hold: object, lines: Lines) -> None:
        found = self.hold(hold, lines)

        assert found.right == pytest.approx(1.0, abs=0.01)
        assert found.voices == 4
        assert found.lines > 600
        assert found.kept_lines <= 200
        assert found.cost_ratio > 0

    def test_voices_that_say_nothing_are_told_no_better_than_by_chance(
        self, hold: object, lines: Lines
    ) -> None:
        random = np.random.default_rng(0).standard_normal(lines.embeddings.shape)
        noise = (random / np.linalg.norm(random, axis=1, keepdims=True)).astype(np.float32)
        hushed = Lines(noise, lines.seconds, lines.speakers, lines.recordings)

        assert self.hold(hold, hushed).right < 0.6


def test_lines_are_cut_of_what_people_say_and_none_is_too_short() -> None:
    found = long_meetings.lines_of({"P1": [speech(1, 9.0)], "P2": [speech(2, 0.5)]}, ColourEmbedder())

    assert set(found.speakers) == {"P1"}
    assert found.embeddings.shape[1] == BANDS
    assert found.seconds.min() >= 0.6
    assert found.seconds.sum() <= 9.0
