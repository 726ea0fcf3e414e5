"""Augmented audio keeps its length and stays audio; what is asked for is what comes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import augmentation

seeds = st.integers(0, 10**6)


def speech(samples: int = 32_000, seed: int = 0) -> np.ndarray:
    """Bursts of tone with pauses between them."""
    time = np.arange(samples) / 16_000
    gate = (np.sin(2 * np.pi * 2 * time) > -0.3).astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal(samples) * 1e-4
    return (0.2 * gate * np.sin(2 * np.pi * 300 * time) + noise).astype(np.float32)


def frames(count: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(12, 3, (count, 80)).astype(np.float32)


class TestMixture:
    @pytest.mark.parametrize("snr", [-5.0, 0.0, 10.0, 30.0])
    def test_the_ratio_of_speech_to_noise_is_the_one_asked_for(self, snr: float) -> None:
        audio, noise = speech(), augmentation.coloured_noise(32_000, np.random.default_rng(1))
        added = augmentation.mix(audio, noise, snr) - audio

        ratio = 10 * np.log10(augmentation.speech_power(audio) / np.mean(added**2))
        assert ratio == pytest.approx(snr, abs=0.05)

    def test_the_level_is_that_of_the_speech_and_not_of_its_pauses(self) -> None:
        leveled = augmentation.at_level(speech(), -20.0)

        assert 10 * np.log10(augmentation.speech_power(leveled)) == pytest.approx(-20.0, abs=0.05)

    def test_a_level_that_is_too_high_is_clipped(self) -> None:
        assert float(np.abs(augmentation.at_level(speech(), 6.0)).max()) == 1.0

    @given(seeds)
    @settings(max_examples=30)
    def test_surroundings_keep_length_type_and_range(self, seed: int) -> None:
        audio = speech(20_000, seed)

        heard = augmentation.surroundings(audio, np.random.default_rng(seed), [speech(9000, 1)])

        assert heard.dtype == np.float32
        assert heard.shape == audio.shape
        assert np.isfinite(heard).all()
        assert float(np.abs(heard).max()) <= 1.0

    def test_the_same_seed_gives_the_same_surroundings(self) -> None:
        once, again = (augmentation.surroundings(speech(), np.random.default_rng(3)) for _ in range(2))

        np.testing.assert_array_equal(once, again)


class TestRoom:
    def test_no_room_is_the_same_audio(self) -> None:
        audio = speech(5000)

        np.testing.assert_allclose(augmentation.reverberate(audio, np.ones(1, np.float32)), audio, atol=1e-6)

    def test_a_room_keeps_the_direct_sound_in_its_place(self) -> None:
        click = np.zeros(8000, np.float32)
        click[3000] = 1.0

        heard = augmentation.reverberate(click, augmentation.room_response(np.random.default_rng(4)))

        assert len(heard) == 8000
        assert np.allclose(heard[:3000], 0, atol=1e-6)
        assert int(np.argmax(np.abs(heard))) == 3000

    @given(seeds)
    @settings(max_examples=30)
    def test_rooms_decay(self, seed: int) -> None:
        response = augmentation.room_response(np.random.default_rng(seed))
        half = len(response) // 2

        assert np.isfinite(response).all()
        assert np.sum(response[:half] ** 2) > 30 * np.sum(response[half:] ** 2)


class TestChannel:
    @pytest.mark.parametrize(("hz", "kept"), [(100, False), (1000, True), (6000, False)])
    def test_a_telephone_takes_away_low_and_high_tones(self, hz: int, kept: bool) -> None:
        time = np.arange(16_000) / 16_000
        tone = np.sin(2 * np.pi * hz * time).astype(np.float32)
        power = float(np.mean(augmentation.narrow_band(tone, 300, 3400) ** 2)) / 0.5
        assert (power > 0.5) == kept

    def test_noises_have_the_length_asked_for(self) -> None:
        rng = np.random.default_rng(5)
        for length in (160, 4001, 50_000):
            for noise in (
                augmentation.coloured_noise(length, rng),
                augmentation.clicks(length, rng),
                augmentation.babble(length, [speech(3000), speech(700)], rng),
            ):
                assert noise.dtype == np.float32
                assert len(noise) == length
                assert np.isfinite(noise).all()


class TestFrame:
    """Variations of log mel energies."""

    def test_stretching_changes_the_length_only(self) -> None:
        assert augmentation.span(frames(100), 1.2).shape == (120, 80)
        np.testing.assert_allclose(augmentation.span(frames(100), 1.0), frames(100), atol=1e-5)

    def test_warping_by_one_changes_nothing(self) -> None:
        np.testing.assert_allclose(augmentation.warp_bands(frames(), 1.0), frames(), atol=1e-5)

    def test_a_longer_vocal_tract_moves_a_peak_down(self) -> None:
        peaked = np.zeros((5, 80), np.float32)
        peaked[:, 44] = 10

        assert int(np.argmax(augmentation.warp_bands(peaked, 1.1)[0])) == 40

    def test_noise_only_adds_energy_and_about_as_much_as_asked_for(self) -> None:
        clean = frames()

        noisy = augmentation.add_noise(clean, np.random.default_rng(6), 10.0)

        assert (noisy >= clean - 1e-4).all()
        added = np.exp(noisy.astype(np.float64)).mean() / np.exp(clean.astype(np.float64)).mean() - 1
        assert added == pytest.approx(0.1, abs=0.03)

    def test_masks_leave_the_original_alone_and_most_of_it_unmasked(self) -> None:
        original = frames()
        copy = original.copy()

        masked = augmentation.mask(original, np.random.default_rng(7))

        np.testing.assert_array_equal(original, copy)
        assert float(np.mean(masked == original)) > 0.6

    @given(seeds)
    @settings(max_examples=40)
    def test_every_variation_is_finite_and_of_a_like_length(self, seed: int) -> None:
        original = frames(150, seed)

        varied = augmentation.vary_frames(original, np.random.default_rng(seed))

        assert varied.dtype == np.float32
        assert varied.shape[1] == 80
        assert 0.8 * 150 < len(varied) < 1.25 * 150
        assert np.isfinite(varied).all()

    def test_variations_differ_from_pass_to_pass(self) -> None:
        once, again = (augmentation.vary_frames(frames(), np.random.default_rng(seed)) for seed in (1, 2))

        assert not (once.shape == again.shape and np.allclose(once, again))
