"""Voices as vectors: CAM++ or ERes2NetV2 over pieces of speech."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recognition.core.turns import MIN_VOICE
from recognition.interfaces import Samples, Span

from .features import FRAME_SHIFT, MEL_BANDS, frame_count, speaker_features
from .loading import ModelDirectory, load_model
from .precision import Precision


class FunasrEmbedder:
    """A `SpeakerEmbedder` on FunASR's CAMPPlus or ERes2NetV2, or on our `TdnnXvector`.

    Args:
        directory: Of the model, as on the hub.
        precision: What it computes in, and where.
        name: First part of the model's id, before the hash of its weights; by default the directory's.

    Raises:
        ModelError: If the directory does not hold such a model.

    Source: Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
        Masking", Interspeech 2023; Chen et al., "ERes2NetV2", Interspeech 2024.
    """

    def __init__(
        self, directory: ModelDirectory, *, precision: Precision | None = None, name: str = ""
    ) -> None:
        model = load_model(directory, ["CAMPPlus", "ERes2NetV2", "TdnnXvector"])
        precision = (precision or Precision()).for_model(model)
        self._device = precision.device
        self._network = precision.speaker_network(model)
        self.model_id = f"{name or directory.path.name}@{_digest(directory.file('weights'))[:12]}"
        silence = torch.zeros(1, frame_count(MIN_VOICE), MEL_BANDS, device=self._device)
        with torch.inference_mode():
            self.dimension: int = self._network(silence).shape[1]

    @torch.inference_mode()
    def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
        """The voice in each span of each recording, float32, shape (spans, dimension), unit length.

        Raises:
            ValueError: If a span is empty.
        """
        checked = [_long_enough(recording, spans) for recording, spans in batch]
        if embed_parts := getattr(self._network, "parts", None):
            return [_as_parts(recording, spans, embed_parts) for recording, spans in checked]
        pieces = [recording[start:end] for recording, spans in checked for start, end in spans]
        bounds = np.cumsum([len(spans) for _, spans in batch])[:-1]
        return np.split(self._one_by_one(pieces), bounds) if batch else []

    def _one_by_one(self, pieces: Sequence[Samples]) -> np.ndarray:
        """Those of one length run together: the network averages over time and knows no padding."""
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        for row, piece in enumerate(pieces):
            by_length[len(piece)].append(row)
        embeddings = np.empty((len(pieces), self.dimension), np.float32)
        for rows in by_length.values():
            audio = torch.from_numpy(np.stack([pieces[row] for row in rows])).to(self._device)
            embeddings[rows] = _unit(self._network(speaker_features(audio)))
        return embeddings


def _as_parts(
    recording: Samples,
    spans: Sequence[Span],
    embed_parts: Callable[[Tensor, Sequence[tuple[int, int]]], Tensor],
) -> np.ndarray:
    """By a network that computes once what spans of a recording share."""
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    features = speaker_features(torch.from_numpy(recording[None, first:last]))[0]
    starts = [(start - first) // FRAME_SHIFT for start, _ in spans]
    frames = [(at, at + frame_count(end - start)) for at, (start, end) in zip(starts, spans, strict=True)]
    return _unit(embed_parts(features, frames))


def _unit(raw: Tensor) -> np.ndarray:
    return functional.normalize(raw, dim=1).cpu().numpy()


def _long_enough(recording: Samples, spans: Sequence[Span]) -> tuple[Samples, Sequence[Span]]:
    """Return audio and spans of sufficient length: short ones get their surroundings, or are said again."""
    if any(start >= end for start, end in spans):
        raise ValueError("there is no voice in an empty piece of audio")
    recording = np.resize(recording, max(MIN_VOICE, len(recording)))
    latest = len(recording) - MIN_VOICE
    longer = [(min(start, latest), end) for start, end in spans]
    return recording, [(start, max(end, start + MIN_VOICE)) for start, end in longer]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
