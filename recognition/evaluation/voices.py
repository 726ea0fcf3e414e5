"""Pairs of voices to tell apart, and how alike an embedder finds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recognition.audio import samples
from recognition.core import turns
from recognition.interfaces import SpeakerEmbedder


def trial_pieces(
    voices: Sequence[Sequence[np.ndarray]], seconds: float, crops: int = 3
) -> tuple[list[np.ndarray], np.ndarray]:
    """Cut recordings into pieces of one length, float32 in [-1, 1].

    Args:
        voices: The recordings of each voice, float32 or int16.
        seconds: Length of a piece; recordings that are shorter are left out.
        crops: At most so many from one recording, one after the other.

    Returns:
        The pieces, and the numbers of the voice and of its recording for each, shape (n, 2).
    """
    length = samples(seconds)
    pieces: list[np.ndarray] = []
    origin: list[tuple[int, int]] = []
    for voice, spoken in enumerate(voices):
        for number, audio in enumerate(spoken):
            scale = 1 / 32768 if audio.dtype == np.int16 else 1.0
            for start in range(0, min(crops * length, len(audio) - length + 1), length):
                pieces.append(audio[start : start + length].astype(np.float32) * scale)
                origin.append((voice, number))
    return pieces, np.array(origin).reshape(-1, 2)


def pair_scores(embeddings: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score all pairs of one voice, and all of two; never two pieces of one recording.

    Args:
        embeddings: float32, shape (n, dimension), unit length.
        origin: As `trial_pieces` gives it.
    """
    scores = embeddings @ embeddings.T
    above = np.triu(np.ones_like(scores, dtype=bool), 1)
    one_voice = origin[:, None, 0] == origin[None, :, 0]
    one_recording = one_voice & (origin[:, None, 1] == origin[None, :, 1])
    return scores[above & one_voice & ~one_recording], scores[above & ~one_voice]


def trial_scores(
    embedder: SpeakerEmbedder, voices: Sequence[Sequence[np.ndarray]], seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Score pairs of pieces of that length, of one voice and of two; both empty if there is no piece."""
    pieces, origin = trial_pieces(voices, seconds)
    if not pieces:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    embeddings = np.stack([turns.voice_in(piece, embedder) for piece in pieces])
    return pair_scores(embeddings, origin)
