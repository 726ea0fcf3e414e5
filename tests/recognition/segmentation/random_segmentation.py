"""segmentation-3.0 at full size with random weights: what it finds is nonsense, what it costs is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from recognition.interfaces import Samples
from recognition.segmentation.network import SegmentationNetwork
from recognition.segmentation.options import PyannoteOptions


def random_network(seed: int = 0) -> SegmentationNetwork:
    """Return a network whose frames differ from each other, as those of a trained one do."""
    torch.manual_seed(seed)
    network = SegmentationNetwork()
    with torch.no_grad():
        for name, weight in network.lstm.named_parameters():
            weight.mul_(2 if name.startswith("weight") else 1)
        network.classifier.weight.mul_(20)
    return network


def write_weights(folder: Path, network: SegmentationNetwork | None = None, **beside: Any) -> Path:
    """Write a file as pyannote publishes it, with something beside the weights; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PyannoteOptions.weights
    torch.save({"state_dict": (network or random_network()).state_dict(), **beside}, path)
    return path


def babble(seed: int, length: int = 160_000) -> Samples:
    """Return noise in bands that come and go."""
    rng = np.random.default_rng(seed)
    time = np.arange(length) / 16_000
    voice = sum(np.sin(2 * np.pi * pitch * time) for pitch in rng.uniform(90, 3000, 12))
    loudness = np.abs(np.sin(2 * np.pi * rng.uniform(0.2, 2) * time))
    audio = 0.02 * voice * loudness + 0.01 * rng.standard_normal(length)
    found: Samples = audio.astype(np.float32)
    return found
