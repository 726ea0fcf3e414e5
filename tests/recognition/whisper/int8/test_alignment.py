from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recognition.whisper.int8 import alignment


def attention(frames_of: list[range], frames: int, *, heads: int = 2) -> np.ndarray:
    """Scores of tokens that look at these frames."""
    scores = np.zeros((len(frames_of), heads, frames), np.float32)
    for token, own in enumerate(frames_of):
        scores[token, :, list(own)] = 8.0
    return scores


def firsts(path: list[tuple[int, int]]) -> dict[int, int]:
    return dict(reversed(path))


class TestPath:
    def test_tokens_lie_where_the_decoder_looked(self) -> None:
        spoken = [range(20), range(20, 50), range(50, 60), range(60, 80)]
        found = firsts(alignment.path(attention(spoken, 80)))
        for token, frames in enumerate(spoken):
            assert abs(found[token] - frames.start) <= 2

    def test_a_head_that_looks_elsewhere_is_outvoted(self) -> None:
        spoken = [range(20), range(20, 50), range(50, 80)]
        scores = attention(spoken, 80, heads=4)
        scores[:, 3] = scores[::-1, 3]
        assert abs(firsts(alignment.path(scores))[1] - 20) <= 2

    @given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 1000))
    def test_goes_from_corner_to_corner_without_a_jump(self, tokens: int, frames: int, seed: int) -> None:
        scores = np.random.default_rng(seed).normal(size=(tokens, 3, frames)).astype(np.float32)
        path = alignment.path(scores)
        assert path[0] == (0, 0)
        assert path[-1] == (tokens - 1, frames - 1)
        for (token, frame), (later_token, later_frame) in itertools.pairwise(path):
            assert (later_token - token, later_frame - frame) in {(0, 1), (1, 0), (1, 1)}

    @given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 1000))
    def test_no_other_way_is_cheaper(self, tokens: int, frames: int, seed: int) -> None:
        costs = np.random.default_rng(seed).normal(size=(tokens, frames))

        def cheapest(token: int, frame: int) -> float:
            before = [
                cheapest(token - down, frame - right)
                for down, right in ((1, 0), (0, 1), (1, 1))
                if token >= down and frame >= right
            ]
            return float(costs[token, frame]) + min(before, default=0.0)

        way = alignment._cheapest_way(costs)
        assert np.isclose(sum(costs[place] for place in way), cheapest(tokens - 1, frames - 1))
