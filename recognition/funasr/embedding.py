"""Voices as vectors: CAM++ or ERes2NetV2 over pieces of speech."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from recognition.audio import samples
from recognition.interfaces import Samples

from .arithmetic import Arithmetic
from .features import speaker_features
from .loading import ModelDirectory, load_model

SHORTEST = samples(0.4)
"""Less than that is repeated until it is that long: statistics over time need a few frames."""


class FunasrEmbedder:
    """A `SpeakerEmbedder` on FunASR's CAMPPlus or ERes2NetV2, or on our `TdnnXvector`.

    Args:
        directory: Of the model, as on the hub.
        arithmetic: What it computes in, and where.

    Raises:
        ModelError: If the directory does not hold such a model.

    Source: Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
        Masking", Interspeech 2023; Chen et al., "ERes2NetV2", Interspeech 2024.
    """

    def __init__(self, directory: ModelDirectory, *, arithmetic: Arithmetic | None = None) -> None:
        model = load_model(directory, ["CAMPPlus", "ERes2NetV2", "TdnnXvector"])
        arithmetic = (arithmetic or Arithmetic()).for_model(model)
        self._device = arithmetic.device
        self._model = arithmetic.speaker_network(model)
        self.model_id = f"{directory.path.name}@{_digest(directory.file('weights'))[:12]}"
        self.dimension = self.embed([np.zeros(SHORTEST, np.float32)]).shape[1]

    @torch.inference_mode()
    def embed(self, batch: Sequence[Samples]) -> np.ndarray:
        """One embedding per piece of audio, float32, shape (len(batch), dimension), unit length.

        Pieces of one length run together: the network averages over time and knows no padding.

        Raises:
            ValueError: If a piece is empty.
        """
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        pieces = [_at_least(SHORTEST, piece) for piece in batch]
        for row, piece in enumerate(pieces):
            by_length[len(piece)].append(row)
        embeddings: dict[int, np.ndarray] = {}
        for rows in by_length.values():
            audio = torch.from_numpy(np.stack([pieces[row] for row in rows])).to(self._device)
            found = functional.normalize(self._model(speaker_features(audio)), dim=1).cpu().numpy()
            embeddings.update(zip(rows, found, strict=True))
        if not embeddings:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([embeddings[row] for row in range(len(batch))])


def _at_least(length: int, piece: Samples) -> Samples:
    if not len(piece):
        raise ValueError("there is no voice in an empty piece of audio")
    return np.resize(piece, max(length, len(piece)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
