"""Kernels of the segmentation besides products of 8 bits: its filters, its norms, its recurrent steps.

As `recognition.int8.kernels`, and by its rules: nothing of a window depends on what is batched with it.
"""

from __future__ import annotations

import numpy as np

from recognition.int8.kernels import compiled, inlined, merged
from recognition.int8.llvm_builder import LANES
from recognition.int8.llvm_tiles import tile_of_floats, use_whole_registers
from recognition.int8.matmul_vnni import PANEL, REGISTERS, tile_of_bytes

_F = np.float32
_I = np.int32

TILE_ROWS = 8
TILE_COLUMNS = 3 * LANES
"""Of a product of folded audio and filters; there are 40 of them."""

POOLED = 3
TWICE_POOLED = 2 * POOLED
BLOCK = TILE_ROWS * POOLED
"""Outputs of the filters that are computed at once, `TILE_ROWS` after pooling."""

CONVOLVED = 4 * LANES
"""Columns of a product of frames and a convolution's weights; there are 60 of them."""

FOLDED = 128
"""Columns of folded audio: 126 are used."""

ZERO = 128
"""What stands for 0 in what the recurrent layers remember; `ZERO - 127` to `ZERO + 127` for -1 to 1."""


@merged
def _fold(after, before, sums, differences):
    """Add what lies equally far behind and before the middle of a filter, and take the difference.

    All of them are slices: an index that might be below 0 would keep these loops from being vectorised.
    """
    for j in range(FOLDED):
        sums[j] = after[j] + before[j]
    for j in range(FOLDED):
        differences[j] = after[j] - before[j]


@merged
def _multiply_folded(folded, steps, filters, products, column):
    for row in range(0, BLOCK, TILE_ROWS):
        tile_of_floats(TILE_ROWS, 3, steps, folded, (row, 0), filters, (0, 0), products, (row, column))


@compiled
def filter_and_pool(audio, reverse, even, odd, half, stride, out):
    """Compute the largest magnitude of each three neighbouring outputs of a bank of filters.

    Filters are even or odd, so they are applied to sums and differences of what they are folded over: half
    the products.

    Args:
        audio: float32, with zeros behind it for the rest of the last block and a filter.
        reverse: The same backwards, with `FOLDED` zeros behind it.
        even, odd: The filters' later halves from the middle on, shape (half + 1, TILE_COLUMNS). The middle of
            the even ones counts half, as it is added to itself.
        half: Samples to either side of a filter's middle.
        stride: Samples from one output to the next.
        out: To fill, float32, shape (outputs / 3, 2 * bands).
    """
    use_whole_registers()
    bands = out.shape[1] // 2
    latest = audio.shape[0] - 1
    sums, differences = np.empty((BLOCK, FOLDED), np.float32), np.empty((BLOCK, FOLDED), np.float32)
    products = np.empty((BLOCK, 2 * TILE_COLUMNS), np.float32)
    for first in range(0, out.shape[0], TILE_ROWS):
        for row in range(BLOCK):
            middle = (first * POOLED + row) * stride + half
            mirror = latest - middle
            after, before = audio[middle : middle + FOLDED], reverse[mirror : mirror + FOLDED]
            _fold(after, before, sums[row], differences[row])
        _multiply_folded(sums, half + 1, even, products, 0)
        _multiply_folded(differences, half + 1, odd, products, TILE_COLUMNS)
        for place in range(min(TILE_ROWS, out.shape[0] - first)):
            for band in range(bands):
                out[first + place, band] = _largest_of_three(products, POOLED * place, band)
            for band in range(bands):
                out[first + place, bands + band] = _largest_of_three(
                    products, POOLED * place, TILE_COLUMNS + band
                )


@inlined
def _largest_of_three(x, row, column):
    return max(max(abs(x[row, column]), abs(x[row + 1, column])), abs(x[row + 2, column]))


@compiled
def convolve_and_pool(x, weights, out):
    """Compute the largest of each three neighbouring outputs of a convolution over time, without bias.

    Rows lie one behind the other, so that a row and those that follow it are one long row.

    Args:
        x: float32, shape (frames, channels).
        weights: Shape (taps * channels, CONVOLVED).
        out: To fill, shape (outputs / 3, at most CONVOLVED).
    """
    use_whole_registers()
    steps = weights.shape[0]
    products = np.empty((TWICE_POOLED, CONVOLVED), np.float32)
    for place in range(0, out.shape[0], 2):
        row = POOLED * place
        if place + 1 < out.shape[0]:
            tile_of_floats(TWICE_POOLED, 4, steps, x, (row, 0), weights, (0, 0), products, (0, 0))
        else:
            tile_of_floats(POOLED, 4, steps, x, (row, 0), weights, (0, 0), products, (0, 0))
        for number in range(min(2, out.shape[0] - place)):
            for d in range(out.shape[1]):
                one, two = products[POOLED * number, d], products[POOLED * number + 1, d]
                out[place + number, d] = max(max(one, two), products[POOLED * number + 2, d])


@compiled
def normalize_columns(x, norm, slope):
    """Normalise each column over all rows, in place, then multiply what is negative by `slope`."""
    use_whole_registers()
    count, width = x.shape
    mean, gain = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for m in range(count):
        for d in range(width):
            mean[d] += x[m, d]
    for d in range(width):
        mean[d] /= _F(count)
    for m in range(count):
        for d in range(width):
            gain[d] += (x[m, d] - mean[d]) * (x[m, d] - mean[d])
    for d in range(width):
        gain[d] = norm.gamma[d] / np.sqrt(gain[d] / _F(count) + norm.eps)
        mean[d] = norm.beta[d] - mean[d] * gain[d]
    for m in range(count):
        for d in range(width):
            normal = x[m, d] * gain[d] + mean[d]
            x[m, d] = max(normal, normal * slope)


@inlined
def _tanh(x):
    """Lambert's continued fraction, 1e-4 off at most."""
    x = min(max(x, _F(-4.97)), _F(4.97))
    square = x * x
    above = x * (_F(135135) + square * (_F(17325) + square * (_F(378) + square)))
    below = _F(135135) + square * (_F(62370) + square * (_F(3150) + square * _F(28)))
    return above / below


@merged
def _multiply_hidden(hidden, packed, direction, scale, correction, gates):
    """Multiply what is remembered with the weights of one direction."""
    size = PANEL * packed.shape[2] * 4
    for panel in range(packed.shape[1]):
        at = panel * PANEL
        tile_of_bytes(
            1, REGISTERS, hidden, (0, 0), packed, (direction, panel), size, 1,
            scale, (direction, at), correction, (direction, at), gates, (0, at),
        )  # fmt: skip


@merged
def _step(gates, inputs, factor, bias, cells, told, hidden):
    """Go on by a frame: from gates to what is remembered."""
    width = cells.shape[0]
    for u in range(4 * width):
        gates[u] += inputs[u] * factor
    for u in range(4 * width):
        gates[u] = _tanh(gates[u] + bias[u])
    for u in range(width):
        kept = (_F(1) + gates[width + u]) * cells[u]
        cells[u] = _F(0.5) * (kept + (_F(1) + gates[u]) * gates[2 * width + u])
    for u in range(width):
        told[u] = (_F(1) + gates[3 * width + u]) * _tanh(cells[u])
    for u in range(width):
        hidden[u] = _I(told[u] * _F(63.5) + _F(ZERO + 0.5))


@compiled
def recur(y, packed, scale, correction, out):
    """Run a recurrent layer over the frames of a window, forwards and backwards.

    Gates stand in the order input, forget, cell, output; all but those of the cell are given half of what
    their sigmoid takes, which is (1 + tanh) / 2.

    Several windows side by side would share the weights, but those are in the cache anyway, and what they are
    multiplied with no longer is: it would take as long.

    Args:
        y: Product of the layer's inputs, float32, shape (frames, 2 * 4 * width), forward gates first.
        packed: Weights of both directions, each as `matmul_vnni.pack` has them.
        scale, correction: Of each output, shape (2, 4 * width).
        out: To fill: what it tells of each frame, uint8 around `ZERO`, shape (frames, 2 * width).
    """
    use_whole_registers()
    frames, width = out.shape[0], out.shape[1] // 2
    hidden, gates = np.empty((1, width), np.uint8), np.empty((1, 4 * width), np.float32)
    cells, told = np.empty(width, np.float32), np.empty(width, np.float32)
    for direction in range(2):
        hidden[:] = ZERO
        cells[:] = _F(0)
        first = direction * 4 * width
        bias = y.bias[first : first + 4 * width]
        for number in range(frames):
            m = number if direction == 0 else frames - 1 - number
            _multiply_hidden(hidden, packed, direction, scale, correction, gates)
            inputs = y.values[m, first : first + 4 * width]
            _step(gates[0], inputs, y.scale[m], bias, cells, told, hidden[0])
            out[m, direction * width : (direction + 1) * width] = hidden[0]
