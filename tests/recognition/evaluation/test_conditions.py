"""Conditions under which people are recorded."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation.conditions import by_telephone, in_a_room, nobody_speaks, noisy, without_pauses


def tone(hertz: float, length: int = 16_000) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(length) / 16_000)).astype(np.float32)


def level(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(audio**2)))


class TestNoise:
    @pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
    def test_lies_as_far_below_as_was_asked_for(self, snr_db: float) -> None:
        audio, noise = tone(440), np.random.default_rng(0).standard_normal(5000).astype(np.float32)
        added = noisy(audio, noise, snr_db) - audio
        assert level(audio) - level(added) == pytest.approx(snr_db, abs=0.1)

    def test_of_silence_changes_nothing(self) -> None:
        np.testing.assert_array_equal(noisy(tone(440), np.zeros(100, np.float32), 10), tone(440))


class TestRoom:
    def test_repeats_what_was_said(self) -> None:
        response = np.zeros(4000, np.float32)
        response[[0, 3000]] = 1.0, 0.5
        click = np.zeros(8000, np.float32)
        click[1000] = 1.0
        heard = in_a_room(click, response)
        assert np.flatnonzero(np.abs(heard) > 0.01).tolist() == [1000, 4000]
        assert heard[1000] == pytest.approx(0.3)
        assert heard[4000] == pytest.approx(0.15)

    def test_rings_for_a_moment_behind_the_end(self) -> None:
        assert len(in_a_room(tone(440), np.ones(8000, np.float32))) == 16_000 + 4000


class TestTelephone:
    @pytest.mark.parametrize(
        ("hertz", "is_heard"), [(1000, True), (3000, True), (5000, False), (7000, False)]
    )
    def test_carries_only_low_sounds(self, hertz: float, is_heard: bool) -> None:
        heard = by_telephone(tone(hertz))
        assert len(heard) == 16_000
        assert (level(heard) > level(tone(hertz)) - 6) == is_heard


class TestWithoutPauses:
    def test_of_a_pause_an_eighth_of_a_second_is_left(self) -> None:
        spoken = np.concatenate(
            [tone(300), np.zeros(16_000, np.float32), tone(300), np.zeros(8_000, np.float32)]
        )
        assert len(without_pauses(spoken)) == pytest.approx(2 * 16_000 + 2 * 0.12 * 16_000, abs=320)

    def test_what_is_said_without_pauses_stays_whole(self) -> None:
        assert len(without_pauses(tone(300))) == 16_000

    def test_all_come_at_one_level(self) -> None:
        assert level(without_pauses(0.01 * tone(300))) == pytest.approx(
            level(without_pauses(tone(300))), abs=0.1
        )


class TestNobodySpeaks:
    def test_comes_in_three_lengths_of_each_kind(self) -> None:
        pieces = list(nobody_speaks([tone(50, 1000), tone(50, 100_000)]))
        assert sorted({len(piece) for piece in pieces}) == [16_000, 48_000, 128_000]
        assert len(pieces) == 3 * (6 + 2)
        assert all(piece.dtype == np.float32 and np.abs(piece).max() <= 1 for piece in pieces)

    def test_is_the_same_each_time(self) -> None:
        for first, second in zip(nobody_speaks([]), nobody_speaks([]), strict=True):
            np.testing.assert_array_equal(first, second)

    def test_is_another_with_another_seed(self) -> None:
        [_, first, *_], [_, second, *_] = nobody_speaks([], 1), nobody_speaks([], 2)
        assert not np.array_equal(first, second)
