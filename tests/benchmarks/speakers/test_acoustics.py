"""Rooms and noise that recordings are put into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.speakers.acoustics import AUGMENT, Acoustics

from .made_voices import speech


@pytest.fixture
def acoustics() -> Acoustics:
    room = np.zeros(4000)
    room[[0, 1000]] = (0.8, 0.6)
    return Acoustics((np.ones(1), room), (np.random.default_rng(0).standard_normal(500),))


def snr_db(spoken: np.ndarray, heard: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(spoken**2) / np.mean((heard - spoken) ** 2)))


def test_a_room_adds_what_comes_back_from_its_walls(acoustics: Acoustics) -> None:
    click = np.zeros(2000, np.float32)
    click[10] = 1.0

    heard = acoustics.heard_in(1, click)

    assert len(heard) == len(click)
    assert heard[[10, 1010]] == pytest.approx([0.8, 0.6], abs=1e-6)


def test_a_room_without_walls_changes_nothing(acoustics: Acoustics) -> None:
    spoken = speech(1, 0.5)

    assert acoustics.heard_in(0, spoken) == pytest.approx(spoken, abs=1e-6)


def test_after_the_last_room_the_first_comes_again(acoustics: Acoustics) -> None:
    spoken = speech(1, 0.5)

    np.testing.assert_array_equal(acoustics.heard_in(3, spoken), acoustics.heard_in(1, spoken))


@pytest.mark.parametrize("wanted", [0.0, 10.0, 15.0])
def test_noise_is_as_far_below_speech_as_asked(acoustics: Acoustics, wanted: float) -> None:
    spoken = speech(1, 1.0)

    assert snr_db(spoken, acoustics.noisy(0, spoken, wanted)) == pytest.approx(wanted, abs=0.1)


def test_files_are_read_from_the_direct_sound_on(tmp_path: Path) -> None:
    folder = tmp_path / AUGMENT
    folder.mkdir(parents=True)
    answer = np.zeros(800)
    answer[[300, 500]] = (0.5, 0.25)
    soundfile.write(folder / "RIRs_1.wav", answer, 16_000)
    soundfile.write(folder / "noise_1.wav", np.full(100, 0.1), 16_000)

    acoustics = Acoustics.read(tmp_path)

    assert len(acoustics.rooms[0]) == 500
    assert float(np.sum(acoustics.rooms[0] ** 2)) == pytest.approx(1.0)
    assert acoustics.rooms[0][200] == pytest.approx(acoustics.rooms[0][0] / 2, rel=1e-3)
    assert len(acoustics.noises) == 1
