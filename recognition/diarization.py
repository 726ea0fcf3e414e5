"""Whose turn it is inside one utterance: people interrupt each other without a pause. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .audio import samples
from .interfaces import Token

SHORTEST_VOICE = samples(0.4)
"""Less audio than this says nothing about a voice."""

LONGEST_VOICE = samples(6.0)
"""More audio than this says little more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of speech by one speaker: which tokens, and the voice."""

    first_token: int
    last_token: int
    embedding: np.ndarray | None
    speech: int
    """Samples that the embedding was made of."""


def stretches_to_embed(tokens: Sequence[Token], length: int) -> tuple[tuple[int, int], ...]:
    """The stretches `[start, end)` of an utterance whose voices to compare.

    Args:
        tokens: What was said, with times from the start of the utterance; not empty.
        length: Samples of the utterance.
    """
    start, end = max(0, tokens[0].start), min(length, tokens[-1].end)
    if end - start < SHORTEST_VOICE:
        start, end = 0, length
    if end - start < SHORTEST_VOICE:
        return ()
    return ((start, min(end, start + LONGEST_VOICE)),)


def speaker_turns(
    tokens: Sequence[Token], stretches: Sequence[tuple[int, int]], embeddings: np.ndarray
) -> list[Turn]:
    """Split an utterance where the speaker changes.

    Args:
        tokens: As for `stretches_to_embed`.
        stretches: What it returned.
        embeddings: One per stretch, float32, shape (len(stretches), dimension), unit length.

    Returns:
        Turns in order that cover all tokens.
    """
    if not stretches:
        return [Turn(0, len(tokens) - 1, None, 0)]
    start, end = stretches[0]
    return [Turn(0, len(tokens) - 1, embeddings[0], end - start)]
