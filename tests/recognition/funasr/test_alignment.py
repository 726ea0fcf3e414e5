"""When the characters of a text were said."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr import ctc
from recognition.funasr.alignment import by_sound, forced_path, of_characters


def written(path: np.ndarray) -> list[int]:
    return [piece.id for piece in ctc.pieces(path)]


class TestForcedPath:
    def test_a_token_stands_where_it_is_likely(self) -> None:
        scores = np.full((6, 3), -9.0)
        scores[:, 0] = -1.0
        scores[2, 1] = scores[4, 2] = -0.1

        path = forced_path(scores, [1, 2], blank=0)

        assert path is not None
        assert path.tolist() == [0, 0, 1, 0, 2, 0]

    def test_the_text_is_written_however_unlikely_it_is(self) -> None:
        scores = np.full((4, 3), -9.0)
        scores[:, 0] = 0.0

        path = forced_path(scores, [2, 2], blank=0)

        assert path is not None
        assert written(path) == [2, 2]

    @given(st.data())
    def test_no_other_path_that_writes_the_text_is_likelier(self, data: st.DataObject) -> None:
        frames = data.draw(st.integers(1, 6))
        targets = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
        scores = np.log(np.random.default_rng(data.draw(st.integers(0, 99))).dirichlet(np.ones(3), frames))
        others = [np.array(path) for path in product(range(3), repeat=frames)]
        likelihoods = [scores[range(frames), path].sum() for path in others if written(path) == targets]

        found = forced_path(scores, targets, blank=0)

        if found is None:
            assert likelihoods == []
        else:
            assert written(found) == targets
            assert scores[range(frames), found].sum() == pytest.approx(max(likelihoods))

    def test_nothing_to_write_has_no_path(self) -> None:
        assert forced_path(np.zeros((3, 2)), [], blank=0) is None


class TestOfCharacters:
    def test_a_character_of_one_token_has_its_time(self) -> None:
        assert of_characters("一二", ["一".encode(), "二".encode()], [(0, 9), (12, 20)]) == [(0, 9), (12, 20)]

    def test_one_of_several_tokens_has_the_time_of_them_all(self) -> None:
        data = "一".encode()
        assert of_characters("一", [data[:1], data[1:]], [(5, 10), (10, 30)]) == [(5, 30)]

    def test_characters_of_one_token_share_its_time(self) -> None:
        assert of_characters("ab一", ["ab一".encode()], [(0, 50)]) == [(0, 10), (10, 20), (20, 50)]

    def test_a_token_may_end_within_a_character(self) -> None:
        data = "一二".encode()
        assert of_characters("一二", [data[:4], data[4:]], [(0, 40), (40, 60)]) == [(0, 30), (30, 60)]

    def test_tokens_of_another_text_are_not_believed(self) -> None:
        assert of_characters("一二", ["一".encode()], [(0, 9)]) is None


class TestBySound:
    def test_what_is_said_fills_the_sound_evenly_and_no_pause(self) -> None:
        audio = np.concatenate([np.zeros(16_000), np.ones(8_000), np.zeros(16_000), np.ones(8_000)])

        found = by_sound("一二三四", audio.astype(np.float32))

        assert found == [(16_000, 20_000), (20_000, 24_000), (40_000, 44_000), (44_000, 48_000)]

    def test_marks_and_spaces_take_no_time(self) -> None:
        found = by_sound("一，二 。", np.ones(1_600, np.float32))

        assert (found[0], found[2]) == ((0, 800), (800, 1_600))

    def test_letters_take_less_than_characters(self) -> None:
        found = by_sound("一ab", np.ones(16_000, np.float32))

        assert found[0] == (0, 10_000)
        assert found[1] == (10_000, 13_000)

    def test_in_silence_all_of_it_counts(self) -> None:
        assert by_sound("一二", np.zeros(3_200, np.float32)) == [(0, 1_600), (1_600, 3_200)]

    def test_a_text_without_words_has_no_time(self) -> None:
        assert by_sound("。？", np.ones(1_600, np.float32)) == [(0, 0), (0, 0)]
        assert by_sound("", np.ones(1_600, np.float32)) == []

    @given(st.integers(1, 20_000), st.text("一二a ，", max_size=40), st.integers(0, 9))
    def test_words_follow_each_other_within_the_audio(self, length: int, text: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        audio = (
            rng.standard_normal(length) * (rng.random(length // 999 + 1) > 0.5).repeat(999)[:length]
        ).astype(np.float32)

        spoken = [
            span for character, span in zip(text, by_sound(text, audio), strict=True) if character.isalnum()
        ]

        assert all(0 <= start <= end <= length for start, end in spoken)
        assert all(one[1] <= other[0] for one, other in pairwise(spoken))
