"""Whisper's network on CTranslate2: the only module that calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np

from recognition.exceptions import ModelError

Encoded = Any
"""What the encoder has made of a batch, kept where the network computes."""

WEIGHTS = "model.bin"
TOKENS = "tokenizer.json"
FILES = ("config.json", WEIGHTS, TOKENS, "vocabulary.txt")

_FASTEST = {"cpu": "int8", "cuda": "float16"}

_BY_DEFAULT = -1
"""Stands for the tokens that config.json says are never to be written."""


@dataclass(frozen=True, slots=True)
class Search:
    """The way tokens are searched for."""

    beam: int = 3
    repetition_penalty: float = 1.1
    suppressed: tuple[int, ...] = ()
    """Tokens that are not wanted."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Tokens that were found, and how sure of them the network is."""

    ids: list[int]
    log_probability: float
    """Mean of its tokens."""

    no_speech: float
    """Probability that nobody speaks."""


class Network:
    """A multilingual Whisper as CTranslate2 converts it, on one thread of the processor.

    Args:
        directory: Holds `FILES`.
        compute_type: "auto", or one that CTranslate2 has on this device.
        device: "cpu" or "cuda".

    Raises:
        ModelError: If a file is missing or damaged, or the device cannot compute so.
    """

    def __init__(self, directory: Path, *, compute_type: str = "auto", device: str = "cpu") -> None:
        for name in FILES:
            if not (directory / name).is_file():
                raise ModelError(f"{directory} holds no Whisper for CTranslate2: it has no {name}")
        kind = _FASTEST[device] if compute_type == "auto" else compute_type
        known = ctranslate2.get_supported_compute_types(device)
        if kind not in known:
            raise ModelError(f"Whisper cannot compute in {kind} here; it can in {', '.join(sorted(known))}")
        try:
            # One thread: batch after batch is computed, and more would only fight with other models.
            self._model = ctranslate2.models.Whisper(
                str(directory), device=device, compute_type=kind, inter_threads=1, intra_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{directory / WEIGHTS} cannot be loaded: {error}") from error

    def encode(self, features: Sequence[np.ndarray]) -> Encoded:
        """Encode features of one length, float32, shape (80, frames) each; frames are even, at most 3000."""
        batch = np.ascontiguousarray(np.stack(features), dtype=np.float32)
        return self._model.encode(ctranslate2.StorageView.from_array(batch))

    def decode(
        self, encoded: Encoded, prompts: Sequence[Sequence[int]], search: Search, *, max_tokens: int
    ) -> list[Hypothesis]:
        """Return the likeliest text behind each prompt; prompts are of one length."""
        results = self._model.generate(
            encoded,
            [list(prompt) for prompt in prompts],
            beam_size=search.beam,
            repetition_penalty=search.repetition_penalty,
            suppress_tokens=[_BY_DEFAULT, *search.suppressed],
            max_length=2 * max_tokens,  # of which the library leaves half to the text
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            Hypothesis(list(result.sequences_ids[0]), result.scores[0], result.no_speech_prob)
            for result in results
        ]

    def align(
        self, encoded: Encoded, start: Sequence[int], texts: Sequence[Sequence[int]], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        """Return for each text a path of pairs: a token's number, a frame of the encoder.

        Args:
            start: The tokens before each text.
            texts: None of them empty.
            frames: Features of each that have audio.
        """
        results = self._model.align(encoded, list(start), [list(text) for text in texts], list(frames))
        return [[(int(token), int(frame)) for token, frame in result.alignments] for result in results]

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        """Return for each utterance the probability of each language, by its code."""
        return [
            {token.strip("<|>"): probability for token, probability in found}
            for found in self._model.detect_language(encoded)
        ]
