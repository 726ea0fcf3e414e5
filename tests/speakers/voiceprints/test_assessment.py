"""What a worker hears in a recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.audio import SAMPLE_RATE, samples
from speakers.voiceprints.assessment import (
    ENOUGH_SPEECH_S,
    MAX_CLIPPED,
    MIN_SNR_DB,
    MIN_SPEECH_S,
    STRETCH_S,
    SURE,
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

    def test_a_frame_at_the_threshold_is_speech(self) -> None:
        half = np.full(100, 0.5, np.float32)

        assert measure(speech(1), half, FRAME).speech_s == pytest.approx(1.0)
        assert measure(speech(1), half - 1e-3, FRAME).speech_s == 0.0

    def test_a_tail_that_is_no_whole_frame_counts_as_nothing(self) -> None:
        audio = np.concatenate([speech(1), np.ones(FRAME - 1, np.float32)])

        sound = measure(audio, probabilities((1, True)), FRAME)

        assert (sound.speech_s, sound.clipped) == (1.0, 0.0)

    def test_more_probabilities_than_audio_are_no_speech(self) -> None:
        assert measure(speech(1), probabilities((3, True)), FRAME).speech_s == 1.0

    @pytest.mark.parametrize("count", [1, 2, 20, 21, 22])
    def test_a_recording_of_a_moment_has_figures_too(self, count: int) -> None:
        """Shorter than what is looked at around speech: too little, and said to be so."""
        audio = speech(1)[: count * FRAME]

        sound = measure(audio, np.ones(count, np.float32), FRAME)

        assert sound.speech_s == pytest.approx(count * FRAME / SAMPLE_RATE)

    @pytest.mark.parametrize("gain", [0.01, 0.3, 1.0])
    def test_how_far_the_microphone_was_turned_up_changes_no_ratio(self, gain: float) -> None:
        audio = silence(3, 0.01)
        audio[SAMPLE_RATE : 2 * SAMPLE_RATE] += speech(1, 0.1)
        spans = probabilities((1, False), (1, True), (1, False))

        soft = measure((gain * audio).astype(np.float32), spans, FRAME)

        assert soft.snr_db == pytest.approx(measure(audio, spans, FRAME).snr_db, abs=0.05)

    @given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 9))
    @settings(max_examples=25)
    def test_whatever_is_recorded_the_figures_are_figures(self, frames: list[bool], seed: int) -> None:
        audio = np.random.default_rng(seed).uniform(-1, 1, len(frames) * FRAME).astype(np.float32)

        sound = measure(audio, np.array(frames, np.float32), FRAME)

        assert sound.speech_s == pytest.approx(sum(frames) * FRAME / SAMPLE_RATE)
        assert -20 <= sound.snr_db <= 60
        assert 0 <= sound.clipped <= 1


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

    @given(st.lists(st.tuples(st.floats(0.05, 4.0), st.booleans()), min_size=1, max_size=6))
    @settings(max_examples=25)
    def test_no_speech_is_lost_or_said_twice(self, drawn: list[tuple[float, bool]]) -> None:
        spans = probabilities(*drawn)
        audio = np.arange(len(spans) * FRAME, dtype=np.float32)  # each sample says where it is

        pieces = speech_stretches(audio, spans, FRAME)

        heard = np.concatenate([np.empty(0, np.float32), *pieces]).astype(int)
        assert (np.diff(heard) > 0).all()
        spoken = np.flatnonzero(np.repeat(spans >= 0.5, FRAME))
        assert np.isin(spoken, heard).all()

    @given(st.floats(0.05, 20.0))
    @settings(max_examples=25)
    def test_every_piece_is_long_enough_to_tell_a_voice(self, seconds: float) -> None:
        audio = speech(seconds)

        pieces = speech_stretches(audio, np.ones(len(audio) // FRAME), FRAME)

        lengths = [len(piece) for piece in pieces]
        assert all(length == samples(STRETCH_S) for length in lengths[:-1])
        assert lengths[-1] < 2 * samples(STRETCH_S)
        if sum(lengths) >= samples(STRETCH_S):
            assert min(lengths) >= samples(STRETCH_S)

    def test_of_no_audio_there_is_none(self) -> None:
        assert speech_stretches(np.empty(0, np.float32), np.empty(0), FRAME) == []


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

    def test_in_which_order_people_speak_makes_no_difference(self) -> None:
        lines = np.stack([self.people.line(person, 3.0) for person in (1, 1, 1, 2, 2)])
        lengths = np.array([3.0, 2.0, 4.0, 3.0, 5.0])

        for seed in range(5):
            order = np.random.default_rng(seed).permutation(len(lines))
            shuffled = likeness_of_parts(lines[order], lengths[order], scoring())
            assert shuffled == pytest.approx(likeness_of_parts(lines, lengths, scoring()), abs=1e-3)

    def test_without_any_speech_nobody_is_two(self) -> None:
        assert likeness_of_parts(np.empty((0, 64), np.float32), np.empty(0), scoring()) == SURE

    def test_the_same_piece_twice_is_one_person(self) -> None:
        twice = np.stack([self.people.line(1, 3.0)] * 2)

        assert likeness_of_parts(twice, np.array([3.0, 3.0]), scoring()) > 0


class TestProblem:
    GOOD = Sound(speech_s=12.0, snr_db=25.0, clipped=0.0)

    def problems(self, sound: Sound = GOOD, **changes: Any) -> list[Problem]:
        usual: dict[str, Any] = {
            "likeness": 5.0,
            "several_below": -1.0,
            "nearest": [],
            "same_from": 3.0,
            "speaker_pk": None,
            "own_score": None,
        }
        return problems(sound, **usual | changes)

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

    @pytest.mark.parametrize(
        ("sound", "expected"),
        [
            (Sound(MIN_SPEECH_S, 25.0, 0.0), [Problem.LITTLE_SPEECH]),
            (Sound(ENOUGH_SPEECH_S, 25.0, 0.0), []),
            (Sound(ENOUGH_SPEECH_S - 0.01, 25.0, 0.0), [Problem.LITTLE_SPEECH]),
            (Sound(12.0, MIN_SNR_DB, 0.0), []),
            (Sound(12.0, MIN_SNR_DB - 0.01, 0.0), [Problem.NOISY]),
            (Sound(12.0, 25.0, MAX_CLIPPED), []),
            (Sound(12.0, 25.0, MAX_CLIPPED + 1e-4), [Problem.CLIPPED]),
        ],
    )
    def test_a_limit_itself_is_good_enough(self, sound: Sound, expected: list[Problem]) -> None:
        assert self.problems(sound) == expected

    def test_at_even_odds_it_may_still_be_the_speaker(self) -> None:
        assert self.problems(speaker_pk=7, own_score=0.0) == []
        assert self.problems(speaker_pk=7, own_score=-0.01) == [Problem.UNLIKE_OWN]

    def test_from_the_limit_on_it_is_somebody_else(self) -> None:
        assert self.problems(nearest=[(8, 3.0)], speaker_pk=7) == [Problem.LIKE_ANOTHER]

    def test_somebody_new_must_not_sound_like_anybody(self) -> None:
        """A person who is enrolled already, under another name perhaps."""
        assert self.problems(nearest=[(7, 3.5)]) == [Problem.LIKE_ANOTHER]

    def test_the_second_most_alike_counts_as_well(self) -> None:
        assert self.problems(nearest=[(7, 9.0), (8, 4.0)], speaker_pk=7) == [Problem.LIKE_ANOTHER]
