"""segmentation-3.0 on CPUs: the same function in a third of the time.

The recurrent layers are in 8 bits: what they tell is between -1 and 1 and is quantised once, for their own
next step and for the next layer. The filters and convolutions are in float32: in 8 bits they would take as
long, and would move more decisions than the recurrent layers do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recognition.int8 import matmul_vnni, weight_memory
from recognition.int8.kernels import Norm, Product
from recognition.int8.products import Linear, Rows
from recognition.segmentation.network import FILTERS, LAYERS, STRIDE, TAPS, SegmentationNetwork

from . import kernels

_STEPS = 127
"""Of a weight, and of what the recurrent layers remember, to either side of zero."""

_SLOPE = np.float32(0.01)


def is_supported() -> bool:
    """Tell whether this CPU has the instruction that recurrent steps are made of."""
    return matmul_vnni.is_supported()


class Int8Network:
    """Takes the place of `SegmentationNetwork`."""

    def __init__(self, network: SegmentationNetwork) -> None:
        sincnet = network.sincnet
        self._wave_norm = sincnet.wav_norm1d
        self._filters = _Filters(sincnet.conv1d[0].filterbank.filters())  # type: ignore[union-attr, operator]
        self._norms = [_norm(norm) for norm in sincnet.norm1d]
        self._convolutions = [_Convolution(convolution) for convolution in sincnet.conv1d[1:]]
        self._first = _FirstRecurrent(network.lstm)
        self._layers = [_InnerRecurrent(network.lstm, number) for number in range(1, LAYERS)]
        self._classify = network.classify

    def __call__(self, audio: Tensor) -> Tensor:
        """
        Args:
            audio: float32, shape (batch, samples).

        Returns:
            Scores, shape (batch, frames, classes).
        """
        audio = self._wave_norm(audio[:, None])[:, 0]
        return torch.stack([self._scores(one.numpy()) for one in audio])

    def _scores(self, audio: np.ndarray) -> Tensor:
        """Return the scores of a window: one by one, what is computed stays in the cache."""
        rows = self._first(self._frames(audio))
        for layer in self._layers:
            rows = layer(rows)
        values = torch.from_numpy(rows.quantized.values)
        return self._classify((values.float() - rows.zero) / _STEPS)

    def _frames(self, audio: np.ndarray) -> np.ndarray:
        """Return the frames of a window, shape (count, channels)."""
        x = self._filters(audio)
        kernels.normalize_columns(x, self._norms[0], _SLOPE)
        for convolution, norm in zip(self._convolutions, self._norms[1:], strict=True):
            x = convolution(x)
            kernels.normalize_columns(x, norm, _SLOPE)
        return x


class _Filters:
    """The bank of filters: even ones, then odd ones, shape (filters, taps)."""

    def __init__(self, filters: Tensor) -> None:
        self._half = filters.shape[1] // 2
        later = filters[:, self._half :].T.numpy()
        self._even, self._odd = np.zeros((2, self._half + 1, kernels.TILE_COLUMNS), np.float32)
        self._even[:, : FILTERS // 2], self._odd[:, : FILTERS // 2] = np.split(later, 2, axis=1)
        self._even[0] /= 2

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Return magnitudes, shape (frames, filters)."""
        outputs = (len(audio) - 2 * self._half - 1) // STRIDE + 1
        more = kernels.BLOCK * STRIDE + kernels.FOLDED
        audio = np.pad(audio, (0, more))
        reverse = np.pad(audio[::-1], (0, kernels.FOLDED))
        out = np.empty((outputs // kernels.POOLED, FILTERS), np.float32)
        kernels.filter_and_pool(audio, reverse, self._even, self._odd, self._half, STRIDE, out)
        return out


class _Convolution:
    """A convolution over time and what is the largest of three; without bias, which the norm takes away."""

    def __init__(self, convolution: Any) -> None:
        weights = convolution.weight.permute(2, 1, 0).flatten(0, 1).numpy()  # (taps * in, out)
        self._outputs = weights.shape[1]
        self._weights = np.pad(weights, ((0, 0), (0, kernels.CONVOLVED - self._outputs)))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(frames, in) to (frames / 3, out)."""
        out = np.empty(((len(x) - TAPS + 1) // kernels.POOLED, self._outputs), np.float32)
        kernels.convolve_and_pool(x, self._weights, out)
        return out


class _Recurrent:
    """A layer of the LSTM, both directions; gates but those of the cell are halved, see `kernels.recur`."""

    def __init__(self, lstm: Any, number: int) -> None:
        parts = {
            name: torch.stack([getattr(lstm, f"{name}_l{number}{end}").detach() for end in ("", "_reverse")])
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        self._width = lstm.hidden_size
        halves = torch.tensor([0.5, 0.5, 1.0, 0.5]).repeat_interleave(self._width)
        hidden = parts["weight_hh"] * halves[:, None]
        scale = hidden.abs().amax(2).clamp(min=1e-12) / _STEPS
        quantized = (hidden / scale[..., None]).round().to(torch.int8)
        packed = [matmul_vnni.pack(each.numpy()) for each in quantized]
        self._packed = weight_memory.allocate((len(packed), *packed[0].shape))
        self._packed[:] = packed
        self._scale = (scale / _STEPS).numpy()
        self._correction = (kernels.ZERO * quantized.sum(2, dtype=torch.int32)).numpy()
        self.weight = (parts["weight_ih"] * halves[:, None]).flatten(0, 1)
        self.bias = ((parts["bias_ih"] + parts["bias_hh"]) * halves).flatten()

    def run(self, product: Product) -> Rows:
        """Run over the frames of a window, of which this is the product."""
        out = Rows(len(product.values), 2 * self._width)
        out.quantized.scale[:] = 1 / _STEPS
        kernels.recur(product, self._packed, self._scale, self._correction, out.quantized.values)
        return out


class _FirstRecurrent(_Recurrent):
    """The first layer, whose inputs are few and float32."""

    def __init__(self, lstm: Any) -> None:
        super().__init__(lstm, 0)
        self._weight, self._bias = self.weight.T.contiguous(), self.bias.numpy()

    def __call__(self, frames: np.ndarray) -> Rows:
        values = (torch.from_numpy(frames) @ self._weight).numpy()
        return self.run(Product(values, np.ones(len(values), np.float32), self._bias))


class _InnerRecurrent(_Recurrent):
    """One of the layers after it, whose inputs are what the layer before told."""

    def __init__(self, lstm: Any, number: int) -> None:
        super().__init__(lstm, number)
        self._inputs = Linear(self.weight, self.bias, many_rows=True)

    def __call__(self, rows: Rows) -> Rows:
        return self.run(self._inputs(rows))


def _norm(norm: Any) -> Norm:
    weight, bias = (part.detach().numpy().copy() for part in (norm.weight, norm.bias))
    return Norm(weight, bias, np.float32(norm.eps))
