"""CAM++ on CPUs, from FunASR's module: the same function in a quarter of the time.

FunASR's network spends most of its time on what is not multiplication: normalisations as layers of their
own, and a concatenation of everything so far after each of its 52 dense layers. Here normalisations
are folded into the convolutions next to them, the dense layers write side by side into one matrix, time
down and channels across, and their products are 8-bit. In front of them stands `campplus_head`.

Source: Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking", Interspeech 2023; FunASR, `funasr/models/campplus`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.funasr.campplus_head import Head, gain_and_shift
from recognition.int8 import kernels
from recognition.int8.products import Linear, Rows, result

_SEGMENT = 100
"""Frames over which the context of the gates is pooled."""


class CampPlus:
    """Speaker embeddings.

    Args:
        model: FunASR's `CAMPPlus`, at segment level.
    """

    def __init__(self, model: Any) -> None:
        parts = dict(model.xvector.named_children())
        self._head = Head(model.head)
        tdnn = parts.pop("tdnn")
        self._tdnn = _Convolution(tdnn.linear, tdnn.nonlinear)
        self._blocks = [
            _Block(parts[f"block{number}"], parts[f"transit{number}"])
            for number in range(1, 1 + sum(name.startswith("block") for name in parts))
        ]
        self._out: nn.Module = parts["out_nonlinear"]
        self._dense: nn.Module = parts["dense"]

    def __call__(self, features: Tensor) -> Tensor:
        """
        Args:
            features: float32, shape (batch, frames, 80).

        Returns:
            Embeddings, float32, shape (batch, dimension).
        """
        return torch.cat([self.parts(piece, [(0, len(piece))]) for piece in features])

    def parts(self, features: Tensor, parts: Sequence[tuple[int, int]]) -> Tensor:
        """Embed the voice in each part of a recording.

        The front looks only a tenth of a second around, and runs once for all of them.

        Args:
            features: Of the recording, float32, shape (frames, 80).
            parts: Frames `[start, end)`.

        Returns:
            Embeddings, float32, shape (parts, dimension).
        """
        front = self._head(features[None])[0].T
        x, lengths = self._tdnn([front[start:end] for start, end in parts])
        layout = _Layout(lengths)
        for block in self._blocks:
            x = block(x, layout)
        pieces = self._out(torch.from_numpy(x).T[None])[0].split(lengths, dim=1)  # (channels, frames) each
        statistics = torch.stack([torch.cat((piece.mean(1), piece.std(1))) for piece in pieces])
        embeddings: Tensor = self._dense(statistics)
        return embeddings


class _Layout:
    """Parts that stand below each other in one matrix.

    Attributes:
        part: Of each row, the part that it belongs to; int32.
        segment: And the segment; int32. Segments are numbered through.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        counts = [-(-length // _SEGMENT) for length in lengths]
        self.part = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self._first_segments = np.concatenate(([0], np.cumsum(counts)))[:-1]
        place = np.concatenate([np.arange(length) // _SEGMENT for length in lengths])
        self.segment = (place + self._first_segments[self.part]).astype(np.int32)
        self.segments = sum(counts)
        self._counts = counts
        self._rows = np.bincount(self.segment).astype(np.float32)[:, None]
        self._lengths = np.array(lengths, np.float32)[:, None]

    def contexts(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean of each segment and that of its part, from sums over segments."""
        parts = np.add.reduceat(sums, self._first_segments) / self._lengths
        contexts: np.ndarray = sums / self._rows + parts.repeat(self._counts, axis=0)
        return contexts


class _Convolution:
    """A convolution over time, normalised, without negative values; float32 in and out."""

    def __init__(self, convolution: Any, norm: Any) -> None:
        gain, shift = gain_and_shift(norm.batchnorm)
        weight = convolution.weight * gain[:, None, None]  # (out, in, taps)
        self._taps = convolution.kernel_size[0]
        self._stride, self._padding = convolution.stride[0], convolution.padding[0]
        self._linear = Linear(weight.permute(0, 2, 1).flatten(1), shift)

    def __call__(self, parts: Sequence[Tensor]) -> tuple[np.ndarray, list[int]]:
        """(frames, in) each to (frames / stride, out), below each other, and how many are whose."""
        padded = [functional.pad(x, (0, 0, self._padding, self._padding)) for x in parts]
        neighbours = [x.unfold(0, self._taps, self._stride).transpose(1, 2).flatten(1) for x in padded]
        rows = Rows.of(torch.cat(neighbours).numpy())
        return np.maximum(result(self._linear(rows)), 0), [len(part) for part in neighbours]


class _Block:
    """Dense layers, each adding columns, and the transition that halves them."""

    def __init__(self, block: Any, transit: Any) -> None:
        self._layers = [_DenseLayer(layer) for layer in block]
        self._gain, self._shift = _arrays(*gain_and_shift(transit.nonlinear.batchnorm))
        self._linear = Linear(transit.linear.weight[..., 0], transit.linear.bias)

    def __call__(self, x: np.ndarray, layout: _Layout) -> np.ndarray:
        """(frames, channels) to (frames, out)."""
        frames, width = x.shape
        columns = np.empty((frames, len(self._gain)), np.float32)
        columns[:, :width] = x
        for layer in self._layers:
            layer(columns, width, layout)
            width += layer.growth
        rows = _activated(columns, width, self._gain, self._shift)
        return result(self._linear(rows))


class _DenseLayer:
    def __init__(self, layer: Any) -> None:
        self._gain, self._shift = _arrays(*gain_and_shift(layer.nonlinear1.batchnorm))
        gain, shift = gain_and_shift(layer.nonlinear2.batchnorm)
        self._narrow = Linear(layer.linear1.weight[..., 0] * gain[:, None], shift)
        cam = layer.cam_layer
        local = cam.linear_local  # (growth, in, 3): three products side by side, then shifted
        self._local = Linear(local.weight.permute(2, 0, 1).flatten(0, 1), None)
        self._dilation = local.dilation[0]
        self.growth: int = local.out_channels
        self._context = _arrays(cam.linear1.weight[..., 0].T, cam.linear1.bias)
        self._gate = _arrays(cam.linear2.weight[..., 0].T, cam.linear2.bias)

    def __call__(self, columns: np.ndarray, width: int, layout: _Layout) -> None:
        """Fill the `growth` columns after the first `width`."""
        rows = _activated(columns, width, self._gain, self._shift)
        product = self._narrow(rows)
        inner = Rows(len(columns), product.values.shape[1], zero=0)
        sums = np.empty((layout.segments, product.values.shape[1]), np.float32)
        kernels.relu_quantize_sum(product, inner.quantized, layout.segment, sums)
        context = np.maximum(layout.contexts(sums) @ self._context[0] + self._context[1], 0)
        gates = 1 / (1 + np.exp(-(context @ self._gate[0] + self._gate[1])))
        kernels.add_taps_gated(
            self._local(inner), gates, layout.segment, layout.part, self._dilation, columns, width
        )


def _activated(columns: np.ndarray, width: int, gain: np.ndarray, shift: np.ndarray) -> Rows:
    rows = Rows(len(columns), width, zero=0)
    kernels.scale_shift_relu_quantize(columns, gain, shift, rows.quantized)
    return rows


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(np.ascontiguousarray(tensor.detach().float().numpy()) for tensor in tensors)
