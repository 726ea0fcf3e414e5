"""What a worker hears in a recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recognition.audio import SAMPLE_RATE
from speakers.voiceprints.assessment import (
    Problem,
    Sound,
    likeness_of_parts,
    measure,
    problems,
    speech_stretches,
)
from tests.speakers.voices import People, scoring

FRAME = 160


def speech(seconds: float, loudness: float = 0.1) -> np.ndarray:
    return (loudness * np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE))).astype(
        np.float32
    )


def silence(seconds: float, noise: float = 0.0) -> np.ndarray:
    return (noise * np.random.default_rng(2).standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


def probabilities(*spans: tuple[float, bool]) -> np.ndarray:
    """Frames of (seconds, is speech)."""
    return np.concatenate(
        [np.full(int(s * SAMPLE_RATE) // FRAME, float(is_speech)) for s, is_speech in spans]
    )


class TestMeasure:
    def test_speech_is_counted_without_its_pauses(self) -> None:
        audio = np.concatenate([silence(1), speech(2), silence(1.5), speech(1)])

        sound = measure(audio, probabilities((1, False), (2, True), (1.5, False), (1, True)), FRAME)

        assert sound.speech_s == pytest.approx(3.0, abs=5e-3)

    def test_the_ratio_is_that_of_speech_to_the_noise_between(self) -> None:
        for noise, expected in ((0.01, 20.0), (0.0316, 10.0), (0.1, 0.0)):
            background = silence(6, noise)
            audio = background.copy()
            audio[2 * SAMPLE_RATE : 4 * SAMPLE_RATE] += speech(2, 0.1)

            sound = measure(audio, probabilities((2, False), (2, True), (2, False)), FRAME)

            assert sound.snr_db == pytest.approx(expected, abs=0.5)

    def test_digital_silence_between_is_as_good_as_it_gets(self) -> None:
        audio = np.concatenate([silence(1), speech(2), silence(1)])

        assert measure(audio, probabilities((1, False), (2, True), (1, False)), FRAME).snr_db == 60.0

    def test_without_pauses_the_softest_frames_stand_for_the_noise(self) -> None:
        audio = np.concatenate([speech(2), silence(0.4, 0.001), speech(2)])

        sound = measure(audio, probabilities((2, True), (0.4, False), (2, True)), FRAME)

        assert sound.snr_db > 20

    def test_what_stands_at_full_scale_is_clipped(self) -> None:
        loud = np.clip(speech(2, 0.5), -0.99, 0.99)

        sound = measure(loud, probabilities((2, True)), FRAME)

        assert sound.clipped == pytest.approx(float(np.mean(np.abs(loud) >= 0.985)), abs=5e-4)
        assert sound.clipped > 0.01

    def test_a_recording_without_speech_has_none(self) -> None:
        assert measure(silence(3), probabilities((3, False)), FRAME) == Sound(0.0, 0.0, 0.0)


class TestStretch:
    def test_speech_is_cut_into_stretches_of_three_seconds(self) -> None:
        audio = np.concatenate([speech(4), silence(2), speech(4)])

        spans = speech_stretches(audio, probabilities((4, True), (2, False), (4, True)), FRAME)

        assert [round(len(s) / SAMPLE_RATE, 1) for s in spans] == [3.0, 5.2]

    def test_a_little_is_kept_around_speech(self) -> None:
        audio = np.concatenate([silence(1), speech(1), silence(1)])

        (span,) = speech_stretches(audio, probabilities((1, False), (1, True), (1, False)), FRAME)

        assert len(span) / SAMPLE_RATE == pytest.approx(1.2, abs=5e-3)

    def test_there_is_nothing_in_silence(self) -> None:
        assert speech_stretches(silence(2), probabilities((2, False)), FRAME) == []


class TestLikeness:
    def setup_method(self) -> None:
        self.people = People(noise=1.0)

    def likeness(self, *who: int) -> float:
        embeddings = np.stack([self.people.line(person, 3.0) for person in who])
        return likeness_of_parts(embeddings, np.full(len(who), 3.0), scoring())

    def test_one_person_is_like_themselves(self) -> None:
        assert self.likeness(1, 1, 1, 1, 1, 1) > 0

    @pytest.mark.parametrize(
        "who", [(1, 1, 1, 2, 2, 2), (1, 2, 1, 2, 1, 2), (1, 1, 1, 1, 1, 2), (1, 1, 2, 1, 1, 1)]
    )
    def test_a_second_person_is_noticed_wherever_they_speak(self, who: Any) -> None:
        assert self.likeness(*who) < -1

    def test_one_stretch_alone_is_one_person(self) -> None:
        assert self.likeness(1) > 10


class TestProblem:
    GOOD = Sound(speech_s=12.0, snr_db=25.0, clipped=0.0)

    def problems(self, sound: Sound = GOOD, **changes: object) -> list[Problem]:
        usual: dict[str, object] = {
            "likeness": 5.0,
            "several_below": -1.0,
            "nearest": [],
            "same_from": 3.0,
            "speaker_pk": None,
            "own_score": None,
        }
        return problems(sound, **usual | changes)  # type: ignore[arg-type]

    def test_a_good_recording_has_none(self) -> None:
        assert self.problems() == []

    def test_too_little_speech_is_the_only_one_that_cannot_be_overruled(self) -> None:
        found = self.problems(Sound(2.9, 0.0, 0.5), likeness=-9.0)

        assert found == [Problem.TOO_SHORT]
        assert [problem for problem in Problem if problem.is_fatal] == [Problem.TOO_SHORT]

    def test_everything_that_is_wrong_is_told(self) -> None:
        found = self.problems(
            Sound(4.0, 5.0, 0.02), likeness=-3.0, nearest=[(7, 4.0)], speaker_pk=8, own_score=-2.0
        )

        assert set(found) == set(Problem) - {Problem.TOO_SHORT}

    def test_being_like_oneself_is_no_problem(self) -> None:
        assert self.problems(nearest=[(7, 9.0)], speaker_pk=7, own_score=9.0) == []

    def test_being_a_bit_like_somebody_else_is_no_problem(self) -> None:
        assert self.problems(nearest=[(7, 2.9), (8, -4.0)]) == []
