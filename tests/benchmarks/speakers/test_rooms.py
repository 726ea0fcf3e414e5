"""Made meetings of people who talk over each other."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.speakers import rooms
from benchmarks.speakers.acoustics import Acoustics
from benchmarks.speakers.diarization_error import Segment
from benchmarks.speakers.meetings import overlap_s

from .made_voices import silence, speech

PEOPLE = {f"P{number}": [speech(number, 6.0, seed=take) for take in range(2)] for number in range(5)}
DRY = Acoustics((np.ones(1),), (np.full(100, 1e-3),))


def made(seed: int = 0, length_s: float = 60.0) -> tuple[np.ndarray, list[Segment]]:
    return rooms.made(PEOPLE, DRY, seed=seed, length_s=length_s)


def test_four_of_the_people_speak_for_as_long_as_asked() -> None:
    audio, truth = made()

    assert len(audio) == 60 * 16_000
    assert len({segment.speaker for segment in truth}) == rooms.PEOPLE
    assert all(0 <= segment.start < segment.end <= 60.0 for segment in truth)
    assert max(segment.end for segment in truth) > 59.0


def test_the_same_seed_makes_the_same_meeting_and_another_one_another() -> None:
    audio, truth = made(seed=3)

    again, same = made(seed=3)
    other, _ = made(seed=4)

    np.testing.assert_array_equal(audio, again)
    assert truth == same
    assert not np.array_equal(audio, other)


def test_some_of_the_speech_is_beside_somebody_elses_and_most_is_not() -> None:
    _, truth = made(length_s=240.0)

    share = overlap_s(truth, 240.0) / sum(segment.end - segment.start for segment in truth)
    assert 0.03 < share < 0.3


def test_it_is_loud_where_somebody_speaks_and_quiet_where_nobody_does() -> None:
    audio, truth = made()
    is_spoken = np.zeros(len(audio), bool)
    for segment in truth:
        is_spoken[round(segment.start * 16_000) : round(segment.end * 16_000)] = True

    assert np.std(audio[is_spoken]) > 3 * np.std(audio[~is_spoken])
    assert np.abs(audio).max() == pytest.approx(0.6, rel=1e-3)


def test_recordings_that_begin_with_silence_are_told_by_when_the_voice_begins() -> None:
    late = {name: [np.concatenate([silence(1.0), take]) for take in takes] for name, takes in PEOPLE.items()}

    audio, truth = rooms.made(late, DRY, seed=0, length_s=30.0)

    first = min(segment.start for segment in truth)
    begins = np.flatnonzero(np.abs(audio) > 0.1)[0] / 16_000
    assert begins == pytest.approx(first, abs=0.1)
