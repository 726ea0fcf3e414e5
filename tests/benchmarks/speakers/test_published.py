"""The ways that others publish, with models that hear colours of noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.speakers import published
from benchmarks.speakers.diarization_error import Segment, errors
from recognition.audio import samples
from recognition.interfaces import Samples

from .made_voices import ColourEmbedder, silence, speech

FRAME = samples(0.02)


class LoudnessSegmenter:
    """Hears the bands of two people, and tells them apart in an order that changes with each window."""

    model_id = "loudness"
    window = samples(10.0)
    frame = FRAME
    first = FRAME // 2
    speakers = 3

    def __init__(self, people: tuple[int, int]) -> None:
        self._people = people
        self._calls = 0

    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        return [self._activity(audio) for audio in batch]

    def _activity(self, audio: Samples) -> np.ndarray:
        frames = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
        edges = np.linspace(0, power.shape[1], 17).astype(int)
        bands = np.stack([power[:, edges[p] : edges[p + 1]].mean(axis=1) for p in self._people])
        self._calls += 1
        activity = np.stack([*(bands > 0.1 * bands.max()), np.zeros(len(frames), bool)], axis=1)
        return np.roll(activity, self._calls, axis=1).astype(np.float32)


def meeting(*spoken: tuple[int, float, float], length_s: float) -> tuple[Samples, list[Segment]]:
    audio = silence(length_s)
    for person, start, end in spoken:
        piece = speech(person, end - start)
        audio[samples(start) : samples(start) + len(piece)] += piece
    return audio, [Segment(start, end, person) for person, start, end in spoken]


TURNS = ((2, 0.0, 5.0), (9, 4.0, 9.0), (2, 10.0, 14.0))


class TestWays:
    @pytest.mark.parametrize("way", [published.clustered, published.incremental])
    def test_two_people_who_talk_over_each_other_are_told_apart(self, way: object) -> None:
        assert callable(way)
        audio, truth = meeting(*TURNS, length_s=15.0)

        told = way(LoudnessSegmenter((2, 9)), ColourEmbedder(), audio)

        assert len({segment.speaker for segment in told}) == 2
        assert errors(truth, told, 15.0).rate < 0.05

    @pytest.mark.parametrize("way", [published.clustered, published.incremental])
    def test_a_recording_shorter_than_a_window_is_told_as_well(self, way: object) -> None:
        assert callable(way)
        audio, truth = meeting((2, 0.5, 3.0), length_s=4.0)

        assert errors(truth, way(LoudnessSegmenter((2, 9)), ColourEmbedder(), audio), 4.0).rate < 0.1

    @pytest.mark.parametrize("way", [published.clustered, published.incremental])
    def test_of_silence_nothing_is_told(self, way: object) -> None:
        assert callable(way)
        assert way(LoudnessSegmenter((2, 9)), ColourEmbedder(), silence(12.0)) == []


class TestWindow:
    def test_only_speech_beside_nobody_else_counts_as_clear(self) -> None:
        active = np.zeros((200, 3), bool)
        active[:150, 0] = True
        active[100:, 1] = True

        assert published.Window(0, active, [None] * 3).alone_s.tolist() == pytest.approx([1.0, 0.5, 0.0])
