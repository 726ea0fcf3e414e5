"""Fused steps between the matrix products of the 8-bit networks, each a single pass over memory.

Compiled by Numba when first called and kept on disk; they release the GIL. All of them go row by row and
look at nothing outside a row's own stream or utterance, so no result depends on what is batched with it.

Rows are quantised one by one: 8 bits with a scale of their own (symmetric around 128, or from 0 where
nothing is negative), as dynamic quantisation per token.

Written for the vectoriser: the largest of a row is found in its bit patterns as integers, since a
reduction over floats is not vectorised; loops run over one axis of plain arrays, with several rows
of the other operand held in registers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .llvm_tiles import use_whole_registers

_F = np.float32
_I = np.int32
_BITS_OF_SIGN = _I(0x7FFFFFFF)
_LEAST = _F(1e-20)

_OPTIONS = {"fastmath": True, "nogil": True, "cache": True, "error_model": "numpy"}

compiled = njit(**_OPTIONS)

# What kernels share is inlined. As a call, it may round otherwise just compiled than once it is on disk.
inlined = njit(**_OPTIONS, forceinline=True)
"""Compile by itself, and let LLVM put that into the caller: for what takes literals, or no constants."""

merged = njit(**_OPTIONS, inline="always")
"""Compile as a part of the caller, whose constants make loops of known length: half as long for copies."""


class Quantized(NamedTuple):
    """Rows in 8 bits: `(values - zero) * scale[:, None]`."""

    values: np.ndarray
    """uint8, shape (m, d)."""

    scale: np.ndarray
    """float32, shape (m,)."""


class Product(NamedTuple):
    """A product of quantised rows as it comes: `values * scale[:, None] + bias` is the result.

    Whoever reads it next multiplies and adds on the way.
    """

    values: np.ndarray
    """float32, or the bits of bfloat16 as uint16, shape (m, outputs)."""

    scale: np.ndarray
    """float32, shape (m,)."""

    bias: np.ndarray
    """float32, shape (outputs,)."""


class Norm(NamedTuple):
    """A layer normalisation."""

    gamma: np.ndarray
    """float32, shape (d,)."""

    beta: np.ndarray
    """float32, shape (d,)."""

    eps: np.float32


class Row(NamedTuple):
    """A row to work on, and its largest number; floats can be seen as integers, bit by bit."""

    numbers: np.ndarray
    bits: np.ndarray
    largest: np.ndarray
    largest_bits: np.ndarray


def padded(count: int, step: int) -> int:
    """Return the next multiple of `step`."""
    return -(-count // step) * step


@merged
def empty_row(width):
    """Return a `Row` of so many numbers."""
    numbers, largest = np.empty(width, np.float32), np.empty(1, np.float32)
    return Row(numbers, numbers.view(np.int32), largest, largest.view(np.int32))


@inlined
def widen(bits, m, line_bits):
    """Copy row `m` of bfloat16 to float32, of which it is the upper half, as `line_bits` shows it."""
    for d in range(line_bits.shape[0]):
        line_bits[d] = _I(bits[m, d]) << _I(16)


@merged
def widen_product(y, m, row):
    """Copy row `m` of a product, which is bfloat16, to a row of what it stands for."""
    factor = y.scale[m]
    widen(y.values, m, row.bits)
    for d in range(row.numbers.shape[0]):
        row.numbers[d] = row.numbers[d] * factor + y.bias[d]


@inlined
def quantize_row(row, out, m):
    """Write a row of signed numbers to row `m`, in 8 bits around 128."""
    use_whole_registers()
    top = _I(0)
    for d in range(row.bits.shape[0]):
        top = max(top, row.bits[d] & _BITS_OF_SIGN)
    row.largest_bits[0] = top
    largest = max(row.largest[0], _LEAST)
    out.scale[m] = largest / _F(127)
    factor = _F(127) / largest
    for d in range(row.numbers.shape[0]):
        out.values[m, d] = _I(row.numbers[d] * factor + _F(128.5))


@inlined
def _relu_quantize_row(row, out, m):
    """Write `max(0, row)` to row `m`, in 8 bits from 0."""
    use_whole_registers()
    top = _I(0)
    for d in range(row.bits.shape[0]):
        top = max(top, row.bits[d])  # negative floats are negative integers
    row.largest_bits[0] = top
    largest = max(row.largest[0], _LEAST)
    out.scale[m] = largest / _F(255)
    factor = _F(255) / largest
    for d in range(row.numbers.shape[0]):
        out.values[m, d] = _I(max(row.numbers[d], _F(0)) * factor + _F(0.5))


@compiled
def quantize(x, out):
    """Quantise rows of `x`, float32, shape (m, d), around 128."""
    use_whole_registers()
    row = empty_row(x.shape[1])
    for m in range(x.shape[0]):
        for d in range(x.shape[1]):
            row.numbers[d] = x[m, d]
        quantize_row(row, out, m)


@inlined
def _normalize_row(x, m, norm, h):
    use_whole_registers()
    width = x.shape[1]
    total = _F(0)
    for d in range(width):
        total += x[m, d]
    mean = total / _F(width)
    squares = _F(0)
    for d in range(width):
        centred = x[m, d] - mean
        squares += centred * centred
    factor = _F(1) / np.sqrt(squares / _F(width) + norm.eps)
    for d in range(width):
        h[d] = (x[m, d] - mean) * factor * norm.gamma[d] + norm.beta[d]


@compiled
def normalize(x, norm, out):
    """Normalise each row, float32 to float32."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    for m in range(x.shape[0]):
        _normalize_row(x, m, norm, h)
        for d in range(h.shape[0]):
            out[m, d] = h[d]


@compiled
def normalize_quantize(x, norm, out):
    """Normalise each row, then quantise it around 128."""
    use_whole_registers()
    row = empty_row(x.shape[1])
    for m in range(x.shape[0]):
        _normalize_row(x, m, norm, row.numbers)
        quantize_row(row, out, m)


@compiled
def add(x, y):
    """Add a product: the residual."""
    use_whole_registers()
    for m in range(x.shape[0]):
        factor = y.scale[m]
        for d in range(x.shape[1]):
            x[m, d] += y.values[m, d] * factor + y.bias[d]


@compiled
def add_normalize_quantize(x, y, norm, out):
    """Add a product to `x`, then `normalize_quantize` the sum."""
    use_whole_registers()
    row = empty_row(x.shape[1])
    for m in range(x.shape[0]):
        factor = y.scale[m]
        for d in range(x.shape[1]):
            x[m, d] += y.values[m, d] * factor + y.bias[d]
        _normalize_row(x, m, norm, row.numbers)
        quantize_row(row, out, m)


@compiled
def add_both_normalize_quantize(x, y, more, norm, out):
    """Add a product, which is bfloat16, and `more` to `x`, then `normalize_quantize` the sum."""
    use_whole_registers()
    row = empty_row(x.shape[1])
    for m in range(x.shape[0]):
        factor = y.scale[m]
        widen(y.values, m, row.bits)
        for d in range(x.shape[1]):
            x[m, d] += row.numbers[d] * factor + y.bias[d] + more[m, d]
        _normalize_row(x, m, norm, row.numbers)
        quantize_row(row, out, m)


@compiled
def scale_normalize(y, norm, out):
    """Normalise each row of a product without bias, float32 to float32. Overwrites `y`."""
    use_whole_registers()
    h = np.empty(y.values.shape[1], np.float32)
    for m in range(y.values.shape[0]):
        factor = y.scale[m]
        for d in range(h.shape[0]):
            y.values[m, d] *= factor
        _normalize_row(y.values, m, norm, h)
        for d in range(h.shape[0]):
            out[m, d] = h[d]


@compiled
def relu_quantize(y, out):
    """Quantise what is positive of a product, which is bfloat16, from 0."""
    use_whole_registers()
    row = empty_row(y.values.shape[1])
    for m in range(y.values.shape[0]):
        widen_product(y, m, row)
        _relu_quantize_row(row, out, m)


@compiled
def relu_normalize_quantize(y, norm, out):
    """Normalise what is positive of a product, quantise it around 128. Overwrites `y`."""
    use_whole_registers()
    row = empty_row(y.values.shape[1])
    for m in range(y.values.shape[0]):
        factor = y.scale[m]
        for d in range(row.numbers.shape[0]):
            y.values[m, d] = max(y.values[m, d] * factor + y.bias[d], _F(0))
        _normalize_row(y.values, m, norm, row.numbers)
        quantize_row(row, out, m)


@compiled
def likeliest(y, ids, scores):
    """Find the largest numbers in each row of a product and where they are, in order: as many as fit.

    `scores` comes filled with minus infinity.
    """
    use_whole_registers()
    last = scores.shape[1] - 1
    for m in range(y.values.shape[0]):
        factor = y.scale[m]
        for d in range(y.values.shape[1]):
            value = y.values[m, d] * factor + y.bias[d]
            if value > scores[m, last]:
                at = last
                while at and value > scores[m, at - 1]:
                    scores[m, at], ids[m, at] = scores[m, at - 1], ids[m, at - 1]
                    at -= 1
                scores[m, at], ids[m, at] = value, d


@compiled
def remember(h, bounds, slots, memories, weights, x):
    """Add the memory block of a decoder layer: `x += weighted sum of the tokens around each`.

    Args:
        h: Its input, float32, shape (tokens, width).
        bounds: First token of each stream or utterance, and the end.
        slots: Place of each stream in `memories`.
        memories: Inputs for the tokens before, shape (slots, left, width); replaced by the latest.
        weights: Shape (taps, width), with the token's own part; the first `left` look back.
    """
    use_whole_registers()
    taps, width = weights.shape
    left = memories.shape[1]
    for stream in range(bounds.shape[0] - 1):
        first = bounds[stream]
        length = bounds[stream + 1] - first
        around = np.zeros((length + taps - 1, width), np.float32)
        for w in range(left):
            for d in range(width):
                around[w, d] = memories[slots[stream], w, d]
        for w in range(length):
            for d in range(width):
                around[left + w, d] = h[first + w, d]
        for w in range(length):
            for tap in range(taps):
                for d in range(width):
                    x[first + w, d] += around[w + tap, d] * weights[tap, d]
        for w in range(left):
            for d in range(width):
                memories[slots[stream], w, d] = around[length + w, d]


@compiled
def scale_shift_relu_quantize(x, gain, shift, out):
    """Quantise `max(0, x * gain + shift)` of as many columns as `out` has, from 0."""
    use_whole_registers()
    row = empty_row(out.values.shape[1])
    for m in range(x.shape[0]):
        for d in range(row.numbers.shape[0]):
            row.numbers[d] = x[m, d] * gain[d] + shift[d]
        _relu_quantize_row(row, out, m)


@compiled
def relu_quantize_sum(y, out, segment, sums):
    """Quantise what is positive of a product from 0, and add it up over the rows of each segment.

    Args:
        segment: Of each row, int32, shape (m,).
        sums: To fill, float32, shape (segments, d).
    """
    use_whole_registers()
    row = empty_row(y.values.shape[1])
    sums[:] = _F(0)
    for m in range(y.values.shape[0]):
        factor, place = y.scale[m], segment[m]
        for d in range(row.numbers.shape[0]):
            row.numbers[d] = max(y.values[m, d] * factor + y.bias[d], _F(0))
        for d in range(row.numbers.shape[0]):
            sums[place, d] += row.numbers[d]
        _relu_quantize_row(row, out, m)


@compiled
def add_taps_gated(y, gates, segment, part, dilation, x, at):
    """Write three taps of a convolution over time, gated segment by segment, into columns of `x`.

    Args:
        y: Products of each tap side by side, float32, shape (m, 3 * growth), without bias.
        gates: Shape (segments, growth).
        segment, part: Of each row, int32, shape (m,); the convolution ends where a part ends.
        dilation: Rows from one tap to the next.
        x: To fill from column `at` on.
    """
    use_whole_registers()
    m, growth = y.values.shape[0], gates.shape[1]
    for row in range(m):
        place = segment[row]
        before, after = row - dilation, row + dilation
        for d in range(growth):
            x[row, at + d] = y.values[row, growth + d] * y.scale[row]
        if before >= 0 and part[before] == part[row]:
            for d in range(growth):
                x[row, at + d] += y.values[before, d] * y.scale[before]
        if after < m and part[after] == part[row]:
            for d in range(growth):
                x[row, at + d] += y.values[after, 2 * growth + d] * y.scale[after]
        for d in range(growth):
            x[row, at + d] *= gates[place, d]
