"""When each token was said."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.audio import samples
from recognition.interfaces import Span
from recognition.whisper import timing
from recognition.whisper.timing import FRAME, pauses, quietest


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """Noise of each level for so many seconds."""
    rng = np.random.default_rng(0)
    return np.concatenate([level * rng.standard_normal(samples(length)) for level, length in parts]).astype(
        np.float32
    )


def path(*seconds: float) -> list[tuple[int, int]]:
    """An alignment of tokens that begin then; the last is the end of the text."""
    return [(token, round(samples(second - 0.25) / FRAME)) for token, second in enumerate(seconds)]


def spans(
    audio: np.ndarray, alignment: list[tuple[int, int]], lengths: list[int], *, torn: tuple[int, ...] = ()
) -> list[Span]:
    """As they are where every token ends a word but those that are torn."""
    return timing.spans(audio, alignment, lengths, [number not in torn for number in range(len(lengths))])


def in_seconds(found: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(round(start / 16_000, 2), round(end / 16_000, 2)) for start, end in found]


class TestSpans:
    def test_follow_each_other_where_nobody_pauses(self) -> None:
        found = in_seconds(spans(sound((0.1, 2)), path(0.51, 1.01, 1.51), [3, 3]))
        assert found == [(0.51, 1.01), (1.01, 1.51)]

    def test_are_drawn_to_a_pause_close_by(self) -> None:
        audio = sound((0.1, 1.0), (0.0001, 0.5), (0.1, 1.0))
        found = in_seconds(spans(audio, path(0.41, 0.91, 2.21), [3, 3]))
        assert found == [(0.41, 1.0), (1.5, 2.21)]

    def test_a_pause_lies_between_two_words_rather_than_within_one(self) -> None:
        audio = sound((0.1, 1.0), (0.0001, 0.3), (0.1, 1.0))
        alignment = path(0.4, 0.7, 1.15, 1.45, 2.3)
        found = in_seconds(spans(audio, alignment, [3, 3, 3, 3]))
        assert found[1][1] == 1.0 and found[2][0] == 1.3
        found = in_seconds(spans(audio, alignment, [3, 3, 3, 3], torn=(1,)))
        assert found[2][1] == 1.0 and found[3][0] == 1.3

    def test_leave_out_silence_at_both_ends(self) -> None:
        audio = sound((0.0001, 0.5), (0.1, 1.0), (0.0001, 0.5))
        found = in_seconds(spans(audio, path(0.35, 1.0, 1.75), [3, 3]))
        assert (found[0][0], found[-1][1]) == (0.5, 1.5)

    def test_a_pause_far_from_all_bounds_draws_none(self) -> None:
        audio = sound((0.1, 2.0), (0.0001, 0.3), (0.1, 2.0))
        found = in_seconds(spans(audio, path(0.51, 1.01, 1.21), [3, 3]))
        assert found[-1][1] == 1.21

    def test_longer_tokens_take_longer(self) -> None:
        (_, first), (second, _) = spans(sound((0.1, 2)), path(0.5, 1.0, 1.5), [9, 1])
        assert first == second > samples(1.0)

    def test_tokens_that_fall_together_get_a_little_each(self) -> None:
        found = spans(sound((0.1, 2)), path(0.5, 0.5, 0.5, 0.5, 1.5), [0, 0, 0, 1])
        assert all(end - start >= samples(0.04) for start, end in found)

    @pytest.mark.parametrize("seed", range(20))
    def test_are_in_order_and_within_the_audio_whatever_comes(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        levels = rng.choice([0.0, 0.0001, 0.1], 6)
        audio = sound(*((float(level), float(rng.uniform(0.05, 0.6))) for level in levels))
        count = int(rng.integers(1, 12))
        frames = np.sort(rng.integers(0, 200, count + 1)).tolist()
        found = spans(audio, list(enumerate(frames)), rng.integers(0, 5, count).tolist())
        bounds = np.array(found).ravel()
        assert len(found) == count
        assert (np.diff(bounds) >= 0).all() and bounds[0] >= 0 and bounds[-1] <= len(audio)

    def test_tokens_that_the_path_does_not_reach_are_said_at_the_end(self) -> None:
        audio = sound((0.1, 2))
        assert spans(audio, path(0.5), [1, 1])[-1][1] == len(audio)

    def test_no_tokens_have_none(self) -> None:
        assert spans(sound((0.1, 1)), [], []) == []


class TestPauses:
    def test_are_found_with_those_at_the_ends(self) -> None:
        audio = sound((0.0, 0.3), (0.1, 1.0), (0.0001, 0.2), (0.1, 1.0))
        assert in_seconds(pauses(audio)) == [(0.0, 0.3), (1.3, 1.5)]

    def test_short_ones_are_parts_of_sounds(self) -> None:
        assert pauses(sound((0.1, 1.0), (0.0001, 0.08), (0.1, 1.0))) == []

    @pytest.mark.parametrize("length", [0, 100, 16_000])
    def test_silence_alone_is_none(self, length: int) -> None:
        assert pauses(np.zeros(length, np.float32)) == []


class TestQuietest:
    def test_is_the_middle_of_the_dip(self) -> None:
        audio = sound((0.1, 1.0), (0.01, 0.2), (0.1, 1.0))
        assert quietest(audio, 0, len(audio)) == samples(1.1)

    def test_looks_only_where_it_is_told(self) -> None:
        audio = sound((0.1, 1.0), (0.01, 0.2), (0.1, 1.0))
        assert samples(1.4) <= quietest(audio, samples(1.4), len(audio)) <= len(audio)

    def test_too_little_audio_is_cut_in_the_middle(self) -> None:
        assert quietest(sound((0.1, 1.0)), 100, 300) == 200
