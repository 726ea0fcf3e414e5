"""The file of pyannote's segmentation-3.0, read without running anything that it brings along."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor

from recognition.exceptions import ModelError

_NAMES = (
    "pyannote.audio.core.task.Specifications",
    "pyannote.audio.core.task.Resolution",
    "pyannote.audio.core.task.Problem",
    "torch.torch_version.TorchVersion",
)
"""Classes of objects that lie beside the weights, of a package that is not needed."""


class _Ignored:
    """Takes their place, and whatever they are made of."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights by name.

    Raises:
        ModelError: If the file is missing, damaged or another.
    """
    try:
        with torch.serialization.safe_globals([(_Ignored, name) for name in _NAMES]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}") from error
    except (RuntimeError, ValueError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} holds no weights, or was cut short: {error}") from error
    weights = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(weights, dict):
        raise ModelError(f"{path} holds no weights by name: take pyannote's segmentation-3.0")
    return weights
