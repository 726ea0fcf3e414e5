"""The two-dimensional front of CAM++ on CPUs, which takes most of the time of a small network.

Its normalisations are folded into the convolutions before them, and it runs in bfloat16 where the CPU has it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from recognition.shapes import filled_up


class HeadedNetwork:
    """FunASR's `CAMPPlus` behind this front: for networks so small that 8 bits gain nothing."""

    def __init__(self, model: Any) -> None:
        self._head = Head(model.head)
        self._rest = model.xvector

    def __call__(self, features: Tensor) -> Tensor:
        """
        Args:
            features: float32, shape (batch, frames, 80).

        Returns:
            Embeddings, float32, shape (batch, dimension).
        """
        embeddings: Tensor = self._rest(self._head(features))
        return embeddings


class Head:
    """Residual convolutions over bands and time."""

    def __init__(self, head: Any) -> None:
        # oneDNN also takes bfloat16 where it must emulate it, which is slower than float32.
        self._dtype = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
        self._first = self._fused(head.conv1, head.bn1)
        self._blocks = [
            (
                self._fused(block.conv1, block.bn1),
                self._fused(block.conv2, block.bn2),
                self._fused(*block.shortcut) if len(block.shortcut) else None,
            )
            for block in [*head.layer1, *head.layer2]
        ]
        self._last = self._fused(head.conv2, head.bn2)

    def _fused(self, convolution: Any, norm: Any) -> _Fused:
        return _Fused(convolution, norm, self._dtype)

    def __call__(self, features: Tensor) -> Tensor:
        """(batch, frames, bands) to (batch, channels * bands / 8, frames), float32."""
        frames = features.shape[1]
        x = functional.pad(features, (0, 0, 0, filled_up(frames) - frames)).transpose(1, 2)[:, None]
        x = x.to(self._dtype).contiguous(memory_format=torch.channels_last)
        x = _ending(self._first(x), frames)
        for first, second, shortcut in self._blocks:
            inner = _ending(first(x), frames)
            x = _ending(second(inner).add_(shortcut(x) if shortcut else x), frames)
        x = self._last(x).relu_()
        return x[..., :frames].flatten(1, 2).float()


def _ending(x: Tensor, frames: int) -> Tensor:
    """Return what is positive, with silence behind so many frames, as the next convolution expects it."""
    x = x.relu_()
    x[..., frames:] = 0
    return x


class _Fused:
    """A convolution with the normalisation after it."""

    def __init__(self, convolution: Any, norm: Any, dtype: torch.dtype) -> None:
        gain, shift = gain_and_shift(norm)
        weight = (convolution.weight * gain[:, None, None, None]).to(dtype)
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = shift.to(dtype)
        self._stride, self._padding = convolution.stride, convolution.padding

    def __call__(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self._weight, self._bias, self._stride, self._padding)


def gain_and_shift(norm: Any) -> tuple[Tensor, Tensor]:
    """A batch normalisation at inference: `x * gain + shift`."""
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return gain, norm.bias - norm.running_mean * gain
