"""Whisper's network as the two passes ask it, whoever computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recognition.exceptions import ModelError

Encoded = Any
"""What the encoder has made of a batch, kept where the network computes."""

CONFIG = "config.json"
WEIGHTS = "model.bin"
TOKENS = "tokenizer.json"
NAMES = "vocabulary.txt"
FILES = (CONFIG, WEIGHTS, TOKENS, NAMES)


@dataclass(frozen=True, slots=True)
class Search:
    """The way tokens are searched for."""

    beam: int = 3
    repetition_penalty: float = 1.1
    suppressed: frozenset[int] = frozenset()
    """Tokens that are not wanted."""

    between: frozenset[int] = frozenset()
    """If there are any, texts are their drafts, with those of these tokens between that are likelier than all
    others. A network that cannot be held to a draft writes freely."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Tokens that were found, and how sure of them the network is."""

    ids: list[int]
    log_probability: float
    """Mean of its tokens."""

    no_speech: float
    """Probability that nobody speaks."""

    watching: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32), compare=False)
    """Scores of the attention that aligns, if they were kept, float32, shape (tokens + 1, heads, frames)."""


class Network(Protocol):
    """A multilingual Whisper as CTranslate2 converts it, on one thread of the processor or on a GPU."""

    def encode(self, features: Sequence[np.ndarray]) -> Encoded:
        """Encode features of one length, float32, shape (80, frames) each; frames are even, at most 3000."""

    def decode(
        self,
        encoded: Encoded,
        prompts: Sequence[Sequence[int]],
        search: Search,
        *,
        max_tokens: int,
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[list[Hypothesis]]:
        """Return the likeliest texts behind each prompt, the likeliest first; prompts are of one length.

        There is at least one, and no more than a few for each hypothesis that the search follows.

        Args:
            drafts: What the texts are like, if that is known: it makes a search without beam faster, and
                changes nothing of what it finds.
        """

    def align(
        self, encoded: Encoded, start: Sequence[int], hypotheses: Sequence[Hypothesis], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        """Return for each text a path of pairs, a token's number and a frame; none without text.

        Args:
            start: The tokens before each text.
            hypotheses: As they were decoded of the same batch, or their beginnings.
            frames: Features of each that have audio; the encoder has half as many frames.
        """

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        """Return for each utterance the probability of each language, by its code."""


def check_files(directory: Path) -> None:
    """Refuse a directory that lacks a file.

    Raises:
        ModelError: Names the file.
    """
    for name in FILES:
        if not (directory / name).is_file():
            raise ModelError(f"{directory} holds no Whisper for CTranslate2: it has no {name}")
