"""The network of FunASR's FSMN-VAD in compiled loops, for CPUs: it is so small that torch's calls cost more.

In float32, like `kernels` and `attention`, with products from `llvm_tiles`; no frame's probability depends on
what it is batched with.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recognition.funasr.fsmn import Affine, FsmnNetwork
from recognition.int8.kernels import compiled, inlined, padded
from recognition.int8.llvm_builder import LANES
from recognition.int8.llvm_tiles import cpu_has, tile_of_floats, use_whole_registers

_F = np.float32

ROWS = 5
"""Of a tile: frames come by twenty."""

REGISTERS = 4
_COLUMNS = REGISTERS * LANES


def is_supported() -> bool:
    """Tell whether this CPU holds a tile in its registers."""
    return cpu_has("avx512f")


class CompiledFsmn:
    """Takes the place of `FsmnNetwork`."""

    def __init__(self, network: FsmnNetwork) -> None:
        self._into, self._out_of = _padded_weights(network.into), _padded_weights(network.out_of)
        self._projects = [_padded_weights(project) for project in network.project]
        self._affines = [_padded_weights(affine) for affine in network.affine]
        self._classes = len(network.out_of.bias)
        self._silence = np.array(network.silence)
        self._dilation = network.dilation
        self._taps = network.taps[:, :, 0].permute(0, 2, 1).contiguous().numpy()  # (layers, order, width)
        layer_count, width, past = network.memory_shape
        self.memory_shape = (layer_count, past, width)
        """Of what it remembers of a stream: inputs of its memory blocks."""

    def __call__(self, features: Tensor, memory: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            features: Normalised, float32, shape (batch, t, 400).
            memory: Inputs of the memory blocks before, float32, shape (layers, batch, past, width).
            there: 1 for frames, 0 for those before the start of a stream, float32, shape (batch, t).

        Returns:
            Speech probabilities, shape (batch, t), and the memory after the last frame.
        """
        batch, t, width = features.shape
        marks = there.numpy()
        x = np.zeros((padded(batch * t, ROWS), width), np.float32)
        x[: batch * t] = features.reshape(batch * t, width).numpy()
        x = _affine_relu(x, *self._into)
        kept = torch.empty_like(memory)
        layers = zip(memory.numpy(), kept.numpy(), self._projects, self._affines, self._taps, strict=True)
        for past, after, project, affine, taps in layers:
            remembered = _remember(_affine(x, *project), past, after, marks, taps, self._dilation)
            x = _affine_relu(remembered, *affine)
        speech = np.empty((batch, t), np.float32)
        _speech(_affine(x, *self._out_of), self._classes, self._silence, speech)
        return torch.from_numpy(speech), kept


def _padded_weights(affine: Affine) -> tuple[np.ndarray, np.ndarray]:
    """Weight, shape (inputs, columns), and bias, filled up with zeros to a multiple of a tile's columns."""
    more = -len(affine.bias) % _COLUMNS
    return np.pad(affine.weight.numpy(), ((0, 0), (0, more))), np.pad(affine.bias.numpy(), (0, more))


@inlined
def _product(x, weight, bias):
    """`x @ weight + bias`, where `x` has a multiple of `ROWS` rows, and may have more columns than needed."""
    y = np.empty((x.shape[0], weight.shape[1]), np.float32)
    for column in range(0, weight.shape[1], _COLUMNS):
        for row in range(0, x.shape[0], ROWS):
            tile_of_floats(
                ROWS, REGISTERS, weight.shape[0], x, (row, 0), weight, (0, column), y, (row, column)
            )
    for m in range(y.shape[0]):
        for d in range(y.shape[1]):
            y[m, d] += bias[d]
    return y


@compiled
def _affine(x, weight, bias):
    use_whole_registers()
    return _product(x, weight, bias)


@compiled
def _affine_relu(x, weight, bias):
    use_whole_registers()
    y = _product(x, weight, bias)
    for m in range(y.shape[0]):
        for d in range(y.shape[1]):
            y[m, d] = max(y[m, d], _F(0))
    return y


@compiled
def _remember(x, past, after, there, taps, dilation):
    """Compute a memory block: for each frame the weighted sum of those up to it.

    Args:
        x: Its input, shape (at least batch * t, width).
        past, after: Input before the first frame and before the next step's, shape (batch, frames, width).
        there: Shape (batch, t): input where it is 0 counts as 0.
        taps: Shape (order, width).
    """
    use_whole_registers()
    order, width = taps.shape
    batch, frames = there.shape
    before = past.shape[1]
    around = np.empty((before + frames, width), np.float32)
    out = np.zeros(x.shape, np.float32)
    for stream in range(batch):
        first = stream * frames
        for t in range(before):
            for d in range(width):
                around[t, d] = past[stream, t, d]
        for t in range(frames):
            for d in range(width):
                around[before + t, d] = x[first + t, d] * there[stream, t]
        for t in range(frames):
            for tap in range(order):
                for d in range(width):
                    out[first + t, d] += around[t + tap * dilation, d] * taps[tap, d]
        for t in range(before):
            for d in range(width):
                after[stream, t, d] = around[frames + t, d]
    return out


@compiled
def _speech(scores, classes, silence, speech):
    """Compute what a softmax over the first `classes` scores leaves for those that are no silence."""
    use_whole_registers()
    batch, frames = speech.shape
    for stream in range(batch):
        for t in range(frames):
            row = scores[stream * frames + t]
            largest = row[0]
            for d in range(1, classes):
                largest = max(largest, row[d])
            total = _F(0)
            for d in range(classes):
                total += np.exp(row[d] - largest)
            still = _F(0)
            for d in silence:
                still += np.exp(row[d] - largest)
            speech[stream, t] = _F(1) - still / total
