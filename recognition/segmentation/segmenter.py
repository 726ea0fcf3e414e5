"""Segmenter that tells who speaks when within ten seconds, by pyannote's segmentation-3.0."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recognition.interfaces import Samples

from .network import POOLED, SETS, SPEAKERS, STRIDE, SegmentationNetwork
from .weights import read_weights

Network = Callable[[Tensor], Tensor]
"""From audio, float32, shape (batch, samples), to scores, shape (batch, frames, classes)."""


class PyannoteSegmenter:
    """A `SpeakerSegmenter`.

    Args:
        network: Computes the scores.
        model_id: Name and version of its weights.
        device: Of the network.
    """

    window = 160_000
    """It was trained on windows of ten seconds, and hears worse in shorter ones."""

    frame = STRIDE * POOLED**3
    first = 495
    """A frame is made of 991 samples."""

    speakers = SPEAKERS

    def __init__(self, network: Network, model_id: str, device: str = "cpu") -> None:
        self.model_id = model_id
        self._network = network
        self._device = device
        speaks = torch.zeros(len(SETS), SPEAKERS)
        for row, who in enumerate(SETS):
            speaks[row, list(who)] = 1
        self._speaks = speaks.to(device)

    @torch.inference_mode()
    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        """Return who is active when: float32, 0 or 1, shape (589, 3), per window.

        Active are the speakers of the likeliest class. To add up how probable each speaker is would lose an
        eighth of what is said at once, where it is clear that two speak, but not which two.

        Raises:
            ValueError: If one is longer than `window`.
        """
        if not batch:
            return []
        audio = np.stack([self._filled(samples) for samples in batch])
        scores = self._network(torch.from_numpy(audio).to(self._device))
        return list(self._speaks[scores.argmax(-1)].cpu().numpy())

    def _filled(self, samples: Samples) -> Samples:
        if len(samples) > self.window:
            raise ValueError(f"a window has {self.window} samples at most, and this {len(samples)}")
        return np.pad(samples.astype(np.float32, copy=False), (0, self.window - len(samples)))


def read_network(path: Path) -> tuple[SegmentationNetwork, str]:
    """Return the network of a file, and its model's id.

    Raises:
        ModelError: If the file is missing, damaged or another.
    """
    network = SegmentationNetwork.with_weights(read_weights(path))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return network, f"segmentation-3.0@{digest[:12]}"
