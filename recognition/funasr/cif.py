"""Continuous integrate-and-fire: frame weights to tokens. Numbers only.

Weights are added up frame by frame; each time the sum reaches 1 a token fires, and the frame is shared
between it and the next. A token's acoustic embedding is the weighted sum of its frames, so all that is
needed of this sequential rule is a matrix of shares, and the sum itself is one matrix product.

Source: Dong and Xu, "CIF: Continuous Integrate-and-Fire for End-to-End Speech Recognition", ICASSP 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ONE = np.float32(1.0)


@dataclass(frozen=True, slots=True)
class Fired:
    """Shares of frames in tokens, for a batch.

    Attributes:
        counts: Tokens of each row, int64, shape (batch,).
        shares: float32, shape (batch, max(counts) + 1, t). Row `counts[i]` is the token that has begun.
        left: Weight of the token that has begun, float32 in [0, 1), shape (batch,).
    """

    counts: np.ndarray
    shares: np.ndarray
    left: np.ndarray


def integrate(weights: np.ndarray) -> Fired:
    """Share frames out to tokens, in float32 and in the order in which FunASR adds.

    Args:
        weights: float32 in [0, 1], shape (batch, t). A stream puts the weight left over before first.
    """
    batch, t = weights.shape
    rows = np.arange(batch)
    counts = np.zeros(batch, np.int64)
    total = np.zeros(batch, np.float32)
    shares = np.zeros((batch, t + 1, t), np.float32)
    for frame in range(t):
        weight = weights[:, frame]
        fires = weight + total >= _ONE
        shares[rows, counts, frame] = np.where(fires, _ONE - total, weight)
        total = total + weight
        total = np.where(fires, total - _ONE, total)
        counts = counts + fires
        shares[rows[fires], counts[fires], frame] = total[fires]
    return Fired(counts, shares[:, : int(counts.max(initial=0)) + 1], total)


@dataclass(frozen=True, slots=True)
class TokenSpans:
    """The tokens of one whole utterance.

    Attributes:
        shares: Shares of frames in tokens, float32, shape (tokens, t).
        bounds: Where each token begins and ends, in frames and parts of them, float64, shape (tokens, 2).
    """

    shares: np.ndarray
    bounds: np.ndarray


def share_out(weights: np.ndarray, *, count: int, single_precision: bool = False) -> TokenSpans:
    """Share the frames of a whole utterance out to its tokens.

    Args:
        weights: float32 in [0, 1], shape (t,), a tail that lets the last token fire included.
        count: Tokens to make; those that do not fire get no share.
        single_precision: Add up as FunASR's `CifPredictorV3` does, frame by frame in float32, instead of in
            float64 as its `CifPredictorV2`.
    """
    if single_precision:
        fired = integrate(weights[None])
        shares = np.zeros((count, len(weights)), np.float32)
        whole = min(count, int(fired.counts[0]))
        shares[:whole] = fired.shares[0, :whole]
    else:
        reached = np.cumsum(weights, dtype=np.float64).astype(np.float32)
        before = np.append(np.float32(0), reached[:-1])
        tokens = np.arange(count, dtype=np.float32)[:, None]
        shares = np.maximum(np.minimum(reached, tokens + 1) - np.maximum(before, tokens), 0)
    return TokenSpans(shares, _bounds(np.cumsum(weights, dtype=np.float64), count))


SETTLED_SHARE = 0.1
"""Part of a token's weight that is cut off on either side when telling when it was said."""


def _bounds(reached: np.ndarray, count: int) -> np.ndarray:
    """Frames at which each token had gathered its first and all but its last tenth."""
    t = len(reached)
    sums = np.concatenate(([0.0], reached))
    # Where the sum stands still no time can be told from it: keep it strictly rising.
    sums = sums + np.arange(t + 1) * 1e-9
    tokens = np.arange(count)[:, None] + np.array([SETTLED_SHARE, 1 - SETTLED_SHARE])
    bounds: np.ndarray = np.interp(tokens, sums, np.arange(t + 1, dtype=np.float64))
    return bounds
