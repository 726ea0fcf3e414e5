"""Alignment of tokens with the audio, from what the decoder looked at when it read them. Numbers only."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view

_MEDIAN = 7
"""Frames over which attention is smoothed."""


def path(scores: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs of a token's number and a frame, a way through both.

    Args:
        scores: Of attention, float32, shape (tokens + 1, heads, frames); the last row is that of the end.

    Source:
        Radford et al., 2022, as OpenAI's implementation aligns words: dynamic time warping over the mean of
        the heads that look at what is said.
    """
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    deviation = weights.std(axis=0, keepdims=True)
    standard = (weights - weights.mean(axis=0, keepdims=True)) / np.maximum(deviation, 1e-10)
    smooth = _median(standard)
    return _cheapest_way(-smooth.mean(axis=1).astype(np.float64))


def _median(x: np.ndarray) -> np.ndarray:
    """Return the median of neighbouring frames, mirrored at the ends."""
    margin = _MEDIAN // 2
    if x.shape[2] <= margin:
        return x
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin)), mode="reflect")
    median: np.ndarray = np.partition(sliding_window_view(padded, _MEDIAN, axis=2), margin, axis=-1)[
        ..., margin
    ]
    return median


def _cheapest_way(costs: np.ndarray) -> list[tuple[int, int]]:
    steps = _steps(costs)
    token, frame = costs.shape[0], costs.shape[1]
    way = []
    while token > 0 or frame > 0:
        way.append((int(token) - 1, int(frame) - 1))
        back = steps[token, frame]
        token -= back != 2
        frame -= back != 1
    return way[::-1]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _steps(costs: np.ndarray) -> np.ndarray:
    """Return where the cheapest way to each place comes from: 0 both, 1 the token, 2 the frame."""
    tokens, frames = costs.shape
    total = np.full((tokens + 1, frames + 1), np.inf)
    steps = np.ones((tokens + 1, frames + 1), np.int8)
    steps[0, :] = 2
    total[0, 0] = 0.0
    for j in range(1, frames + 1):
        for i in range(1, tokens + 1):
            both, token, frame = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
            best = 2
            cheapest = frame
            if both < token and both < frame:
                best, cheapest = 0, both
            elif token < both and token < frame:
                best, cheapest = 1, token
            total[i, j] = costs[i - 1, j - 1] + cheapest
            steps[i, j] = best
    return steps
