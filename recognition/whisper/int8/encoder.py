"""Whisper's encoder in 8-bit integers, for CPUs. Source: Radford et al., 2022 (see `whisper.features`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recognition.int8 import kernels as common
from recognition.int8.kernels import Norm, Product, padded
from recognition.int8.llvm_tiles import cpu_has
from recognition.int8.products import Linear, Rows

from . import kernels

Weights = Mapping[str, np.ndarray]

EPSILON = np.float32(1e-5)


def layers(weights: Weights, half: str) -> list[str]:
    """Return the names of all layers of the "encoder" or "decoder", in order."""
    numbers = {name.split("/")[1] for name in weights if name.startswith(f"{half}/layer_")} - {"layer_norm"}
    return [f"{half}/layer_{number}" for number in range(len(numbers))]


def _tensor(weights: Weights, name: str) -> Tensor:
    return torch.from_numpy(weights[name].astype(np.float32))


def norm(weights: Weights, name: str) -> Norm:
    """Return the layer normalisation of this name."""
    gamma, beta = (weights[f"{name}/{part}"].astype(np.float32) for part in ("gamma", "beta"))
    return Norm(gamma, beta, EPSILON)


def linear(
    weights: Weights,
    name: str,
    *,
    heads: int = 0,
    dtype: torch.dtype = torch.float32,
    many_rows: bool = False,
) -> Linear:
    """Return the linear layer of this name.

    Args:
        heads: Their number where the first outputs are queries: they are scaled.
        dtype, many_rows: See `Linear`.
    """
    weight, bias = _tensor(weights, f"{name}/weight"), _tensor(weights, f"{name}/bias")
    if heads:
        width = weight.shape[1]
        scale = (width // heads) ** -0.5
        weight[:width] *= scale
        bias[:width] *= scale
    return Linear(weight, bias, dtype=dtype, many_rows=many_rows)


_AT_THE_END = 2
"""Frames of the convolutions that look behind the end, where there is nothing."""

_SPARE = 8
"""Frames of the same sound that are convolved: two make the one frame that is repeated, four the end."""

_STEP = 64
"""Frames; convolutions are compiled for each number of them."""


def _differing(features: np.ndarray) -> int:
    """Return how many frames are to be convolved, an even number: behind them all are the same."""
    frames: int = features.shape[2]
    differs = (features != features[:, :, -1:]).any(axis=(0, 1))
    sounding = frames - int(np.argmax(differs[::-1])) if differs.any() else 0
    return min(frames, int(padded(sounding + _SPARE, _STEP)))


def _continued(convolved: np.ndarray, frames: int) -> np.ndarray:
    """Return so many frames, the last that does not look behind the end again and again."""
    before, end = convolved[:, :-_AT_THE_END], convolved[:, -_AT_THE_END:]
    missing = before[:, -1:].repeat(frames - convolved.shape[1], axis=1)
    return np.concatenate([before, missing, end], axis=1)


class _Layer:
    def __init__(self, weights: Weights, name: str, heads: int) -> None:
        wide = torch.bfloat16
        self.norm1 = norm(weights, f"{name}/self_attention/layer_norm")
        self.qkv = linear(weights, f"{name}/self_attention/linear_0", heads=heads, dtype=wide, many_rows=True)
        self.out = linear(weights, f"{name}/self_attention/linear_1", many_rows=True)
        self.norm2 = norm(weights, f"{name}/ffn/layer_norm")
        self.w_1 = linear(weights, f"{name}/ffn/linear_0", dtype=wide, many_rows=True)
        self.w_2 = linear(weights, f"{name}/ffn/linear_1", many_rows=True)


class Encoder:
    """Features of utterances to what the decoder looks at."""

    def __init__(self, weights: Weights) -> None:
        self.heads = int(weights["encoder/num_heads"])
        self._convolutions = [
            (_tensor(weights, f"encoder/{name}/weight"), _tensor(weights, f"encoder/{name}/bias"))
            for name in ("conv1", "conv2")
        ]
        self._positions = weights["encoder/position_encodings/encodings"].astype(np.float32)
        self.width = self._positions.shape[1]
        self._layers = [_Layer(weights, name, self.heads) for name in layers(weights, "encoder")]
        self._after = norm(weights, "encoder/layer_norm")
        self._attention_dtype = torch.bfloat16 if cpu_has("amx-bf16") else torch.float32

    def encode(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Return the encoding, float32, shape (utterances, frames, width).

        Args:
            features: Of one length, float32, shape (bands, 2 * frames).
        """
        x = self._convolved(np.stack(features))
        utterances, frames, width = x.shape
        encoding = self._run(x.reshape(-1, width), utterances)
        return encoding.reshape(utterances, frames, width)

    def _convolved(self, features: np.ndarray) -> np.ndarray:
        # In 8 bits these two would add a fifth to the error of all layers behind them.
        frames = features.shape[2]
        x = torch.from_numpy(np.ascontiguousarray(features[:, :, : _differing(features)]))
        for stride, (weight, bias) in zip((1, 2), self._convolutions, strict=True):
            x = functional.gelu(functional.conv1d(x, weight, bias, padding=1, stride=stride))
        convolved = _continued(x.transpose(1, 2).numpy(), frames // 2)
        positioned: np.ndarray = convolved + self._positions[: frames // 2]
        return np.ascontiguousarray(positioned)

    def _run(self, x: np.ndarray, utterances: int) -> np.ndarray:
        m, first = len(x), self._layers[0]
        rows, hidden = Rows(m, self.width, size=m), Rows(m, len(first.w_1.bias), size=m)
        common.normalize_quantize(x, first.norm1, rows.quantized)
        for layer, following in zip(self._layers, [*self._layers[1:], None], strict=True):
            attended = Rows.of(self._attended(layer.qkv(rows), utterances), size=m)
            common.add_normalize_quantize(x, layer.out(attended), layer.norm2, rows.quantized)
            kernels.gelu_quantize(layer.w_1(rows), hidden.quantized)
            product = layer.w_2(hidden)
            if following:
                common.add_normalize_quantize(x, product, following.norm1, rows.quantized)
            else:
                common.add(x, product)
        encoding = np.empty_like(x)
        common.normalize(x, self._after, encoding)
        return encoding

    def _attended(self, y: Product, utterances: int) -> np.ndarray:
        """Return what all frames of an utterance see of each other, float32, shape (m, width)."""
        m = len(y.values)
        whole = np.empty((m, 3 * self.width), np.float32)
        kernels.dequantize(y, whole)
        shape = (utterances, m // utterances, 3, self.heads, self.width // self.heads)
        parts: Tensor = torch.from_numpy(whole).to(self._attention_dtype).view(shape).permute(2, 0, 3, 1, 4)
        # Queries are scaled already.
        query, key, value = parts
        found = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return found.transpose(1, 2).reshape(m, self.width).float().numpy()
