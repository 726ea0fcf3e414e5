"""Whisper's network on CTranslate2: the only module that calls it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np

from recognition.exceptions import ModelError

from .network import WEIGHTS, Encoded, Hypothesis, Search, check_files

_FASTEST = {"cpu": "int8", "cuda": "float16"}

_BY_DEFAULT = -1
"""Stands for the tokens that config.json says are never to be written."""


class CTranslate2Network:
    """A `Network` in the library that its weights were converted for.

    Args:
        directory: Holds `FILES`.
        compute_type: "auto", or one that CTranslate2 has on this device.
        device: "cpu" or "cuda".

    Raises:
        ModelError: If a file is missing or damaged, or the device cannot compute so.
    """

    def __init__(self, directory: Path, *, compute_type: str = "auto", device: str = "cpu") -> None:
        check_files(directory)
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
        batch = np.ascontiguousarray(np.stack(features), dtype=np.float32)
        return self._model.encode(ctranslate2.StorageView.from_array(batch))

    def decode(
        self,
        encoded: Encoded,
        prompts: Sequence[Sequence[int]],
        search: Search,
        *,
        max_tokens: int,
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[list[Hypothesis]]:
        """The likeliest texts; the library has no use for drafts."""
        results = self._model.generate(
            encoded,
            [list(prompt) for prompt in prompts],
            beam_size=search.beam,
            num_hypotheses=search.beam,
            repetition_penalty=search.repetition_penalty,
            suppress_tokens=[_BY_DEFAULT, *search.suppressed],
            max_length=2 * max_tokens,  # of which the library leaves half to the text
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            [
                Hypothesis(list(ids), score, result.no_speech_prob)
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ]
            for result in results
        ]

    def align(
        self, encoded: Encoded, start: Sequence[int], hypotheses: Sequence[Hypothesis], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        if not any(each.ids for each in hypotheses):
            return [[] for _ in hypotheses]
        # The library aligns no empty text.
        texts = [each.ids or [start[0]] for each in hypotheses]
        results = self._model.align(encoded, list(start), texts, list(frames))
        return [
            [(int(token), int(frame)) for token, frame in result.alignments] if each.ids else []
            for each, result in zip(hypotheses, results, strict=True)
        ]

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        return [
            {token.strip("<|>"): probability for token, probability in found}
            for found in self._model.detect_language(encoded)
        ]
