"""Features as Whisper was trained with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recognition.whisper import features
from recognition.whisper.features import MEL_BANDS, log_mel


def noise(length: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(length).standard_normal(length)).astype(np.float32)


def by_torch(audio: np.ndarray, frames: int) -> np.ndarray:
    """The same by OpenAI's definition, with torch's transform."""
    padded = torch.from_numpy(np.pad(audio, (0, frames * 160 - len(audio))))
    spectrum = torch.stft(padded, 400, 160, window=torch.hann_window(400), return_complex=True)
    energies = torch.from_numpy(features._mel_filters()) @ spectrum[:, :-1].abs() ** 2
    logarithms = energies.clamp(min=1e-10).log10()
    return ((logarithms.maximum(logarithms.max() - 8.0) + 4.0) / 4.0).numpy()


class TestLogMel:
    @pytest.mark.parametrize("length", [0, 1, 100, 199, 200, 201, 3000, 16_000, 47_999])
    def test_is_what_a_transform_of_the_padded_audio_gives(self, length: int) -> None:
        audio = noise(length)
        np.testing.assert_allclose(log_mel(audio, 400), by_torch(audio, 400), atol=1e-5)

    def test_has_the_shape_that_was_asked_for(self) -> None:
        found = log_mel(noise(16_000), 800)
        assert found.shape == (MEL_BANDS, 800)
        assert found.dtype == np.float32

    def test_audio_longer_than_the_frames_is_cut_off(self) -> None:
        assert log_mel(noise(16_000), 50).shape == (MEL_BANDS, 50)

    def test_silence_is_as_quiet_as_it_gets(self) -> None:
        assert np.unique(log_mel(np.zeros(16_000, np.float32), 200)) == pytest.approx(-1.5)

    def test_nothing_lies_more_than_eighty_decibels_below_the_loudest(self) -> None:
        found = log_mel(noise(16_000), 800)
        assert found.max() - found.min() == pytest.approx(2.0)

    @pytest.mark.parametrize("hz", [300, 1000, 3000, 7000])
    def test_a_tone_is_loudest_in_a_band_around_its_frequency(self, hz: int) -> None:
        tone = np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000).astype(np.float32)
        loudest = int(log_mel(tone, 100)[:, 50].argmax())
        centres = features._mel_filters().argmax(axis=1) * 40
        assert abs(centres[loudest] - hz) <= 0.06 * hz + 40


class TestFilters:
    def test_are_those_that_whisper_was_trained_with(self) -> None:
        # From OpenAI's table of them: band, bin, weight.
        filters = features._mel_filters()
        known = [(0, 1, 0.02486259), (1, 1, 0.00199082), (20, 20, 0.01389039), (40, 43, 0.01473557)]
        for band, place, weight in [*known, (60, 93, 0.00659109), (79, 192, 0.00316471)]:
            assert filters[band, place] == pytest.approx(weight, abs=1e-7)

    def test_each_hears_something(self) -> None:
        assert (features._mel_filters().sum(axis=1) > 0).all()
