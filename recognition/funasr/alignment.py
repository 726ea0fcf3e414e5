"""Times of the characters of a text: by a CTC beside the recogniser, or by where there is sound. Pure.

Source: Kürzinger et al., "CTC-Segmentation of Large Corpora for German End-to-End Speech Recognition", SPECOM
2020: the likeliest path through the frames that writes a given text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from recognition.core.text import is_chinese
from recognition.interfaces import Samples, Span

_FRAME = 160
_QUIET_DB = 30.0
"""So much below what is loud is a pause."""

_LETTER = 0.3
"""Of a Chinese character's time."""


def forced_path(scores: np.ndarray, targets: Sequence[int], *, blank: int) -> np.ndarray | None:
    """Return the likeliest path that writes given tokens.

    Args:
        scores: Log probability of each token at each frame, float32, shape (frames, tokens).
        targets: Tokens in the order in which they are written.
        blank: Token that writes nothing.

    Returns:
        Token of each frame, int64, shape (frames,); None if there are too few frames for so many tokens.
    """
    frames = len(scores)
    repeated = sum(one == other for one, other in pairwise(targets))
    if not targets or frames < len(targets) + repeated:
        return None
    states = np.full(2 * len(targets) + 1, blank, np.int64)
    states[1::2] = targets
    # From a token straight to the next: not past the blank between two that are alike.
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    likely = scores[:, states]
    best = np.full(len(states), -np.inf)
    best[:2] = likely[0, :2]
    steps = np.zeros((frames, len(states)), np.int8)
    for frame in range(1, frames):
        ways = np.full((3, len(states)), -np.inf)
        ways[0], ways[1, 1:] = best, best[:-1]
        ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        steps[frame] = ways.argmax(0)
        best = ways.max(0) + likely[frame]
    state = len(states) - 1 if best[-1] > best[-2] else len(states) - 2
    path = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        path[frame] = states[state]
        state -= int(steps[frame, state])
    return path


def of_characters(text: str, tokens: Sequence[bytes], spans: Sequence[Span]) -> list[Span] | None:
    """Return the time of each character of a text that tokens write, each a part of its bytes.

    Args:
        tokens: Bytes of each, which may end within a character.
        spans: Start and end of each.

    Returns:
        Start and end of each character, one that shares a token with others gets its part of it; None if
        the tokens write another text.
    """
    if b"".join(tokens) != text.encode():
        return None
    times: list[Span] = []
    for token, (start, end) in zip(tokens, spans, strict=True):
        edges = [start + (end - start) * at // len(token) for at in range(len(token) + 1)]
        times += list(pairwise(edges))
    found, at = [], 0
    for character in text:
        size = len(character.encode())
        found.append((times[at][0], times[at + size - 1][1]))
        at += size
    return found


def by_sound(text: str, audio: Samples) -> list[Span]:
    """Return a guess at the time of each character: they fill the sound evenly, and pauses hold none."""
    weights = np.array([_weight(character) for character in text])
    total = weights.sum()
    if not total:
        return [(0, 0)] * len(text)
    shares = np.concatenate(([0.0], np.cumsum(weights))) / total
    heard = np.concatenate(([0.0], np.cumsum(_is_loud(audio), dtype=float)))
    heard /= heard[-1]
    # The later edge of a pause begins a character, the earlier one ends it.
    starts = _reached(heard, shares[:-1], np.searchsorted(heard, shares[:-1], side="right") - 1)
    ends = _reached(heard, shares[1:], np.searchsorted(heard, shares[1:], side="left") - 1)
    bounds = np.stack((starts, np.maximum(starts, ends)), axis=1).clip(0, len(audio))
    return [(start, end) for start, end in bounds.astype(int).tolist()]


def _reached(heard: np.ndarray, shares: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return the samples at which so much was heard, each within its frame."""
    frames = frames.clip(0, len(heard) - 2)
    within = (shares - heard[frames]) / np.maximum(heard[frames + 1] - heard[frames], 1e-12)
    found: np.ndarray = (frames + within.clip(0, 1)) * _FRAME
    return found


def _weight(character: str) -> float:
    if is_chinese(character):
        return 1.0
    return _LETTER if character.isalnum() else 0.0


def _is_loud(audio: Samples) -> np.ndarray:
    """Return of each frame of 10 ms whether there is sound, bool; all of it where nothing stands out."""
    frames = np.pad(audio, (0, -len(audio) % _FRAME)).reshape(-1, _FRAME)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    return np.asarray(level >= np.quantile(level, 0.95) - _QUIET_DB)
