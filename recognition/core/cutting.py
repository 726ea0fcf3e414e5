"""The place at which an utterance is cut that has grown too long, so that no word is torn. Pure.

Nobody paused, or it would have ended there. Its words are known by then, with their times: it is cut
between two of them, and what lies behind is heard once more as the beginning of the next utterance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import samples
from recognition.interfaces import Samples, Token

from .words import word_ends

FRAME = samples(0.01)

SLACK = samples(0.08)
"""How far the times of words may be wrong."""

GAP = samples(0.05)
"""Gaps that differ by less are alike; then the quieter place is better."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place between two words."""

    tokens: int
    """Number of tokens before it."""

    at: int
    """Samples from the start of the utterance."""


def best_cut(tokens: Sequence[Token], audio: Samples, *, search: int) -> Cut | None:
    """Return the widest gap between two words of the last seconds, of equals the quietest.

    Args:
        tokens: What was said, with times from the start of `audio`. The last may be torn by the end.
        audio: Of the utterance, shape (n,).
        search: Samples before the end of the audio in which to look.

    Returns:
        None if no two words lie there.
    """
    ends = word_ends([token.text for token in tokens])
    levels = _levels(audio)
    places = [
        (gap // GAP, -level, at, count)
        for count, (before, after, is_end) in enumerate(zip(tokens, tokens[1:], ends, strict=False), 1)
        if is_end and after.start >= len(audio) - search
        for gap, level, at in [_gap(before, after, levels)]
    ]
    if not places:
        return None
    *_, at, count = max(places)
    return Cut(count, at)


def _gap(before: Token, after: Token, levels: np.ndarray) -> tuple[int, float, int]:
    """Return the samples between two words, and the level and position of the quietest place there."""
    first = max(before.end - SLACK, (before.start + before.end) // 2) // FRAME
    last = min(after.start + SLACK, (after.start + after.end) // 2) // FRAME
    first = min(first, len(levels) - 1)
    quietest = first + int(np.argmin(levels[first : max(first, last) + 1]))
    return max(0, after.start - before.end), float(levels[quietest]), quietest * FRAME + FRAME // 2


def _levels(audio: Samples) -> np.ndarray:
    """Return the mean square of each frame and its neighbours, float64, shape (frames,)."""
    frames = max(1, len(audio) // FRAME)
    squares = np.resize(audio, frames * FRAME).astype(np.float64).reshape(frames, FRAME) ** 2
    return np.convolve(squares.mean(1), np.ones(3) / 3, "same")
