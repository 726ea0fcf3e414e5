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

import numpy as np
from numba import njit

from .llvm_tiles import use_whole_registers

_F = np.float32
_I = np.int32
_BITS_OF_SIGN = _I(0x7FFFFFFF)
_LEAST = _F(1e-20)

compiled = njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
inlined = njit(fastmath=True, nogil=True, cache=True, error_model="numpy", forceinline=True)


def padded(count: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-count // step) * step


@inlined
def widen(bits, m, at, line_bits):
    """Columns of row `m` from `at` on, bfloat16 to float32: its upper half, as `line_bits` shows it."""
    for d in range(line_bits.shape[0]):
        line_bits[d] = _I(bits[m, at + d]) << _I(16)


@compiled
def quantize_row(h, hi, one, onei, out, scale, m):
    """Row `h` of signed values to 8 bits around 128; `hi` and `onei` are `h` and `one` seen as integers."""
    use_whole_registers()
    top = _I(0)
    for d in range(h.shape[0]):
        top = max(top, hi[d] & _BITS_OF_SIGN)
    onei[0] = top
    largest = max(one[0], _LEAST)
    scale[m] = largest / _F(127)
    factor = _F(127) / largest
    for d in range(h.shape[0]):
        out[m, d] = _I(h[d] * factor + _F(128.5))


@compiled
def quantize(x, out, scale):
    """Rows of `x`, float32, shape (m, d), to 8 bits around 128."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        for d in range(h.shape[0]):
            h[d] = x[m, d]
        quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def _normalize_row(x, m, gamma, beta, eps, h):
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
    factor = _F(1) / np.sqrt(squares / _F(width) + eps)
    for d in range(width):
        h[d] = (x[m, d] - mean) * factor * gamma[d] + beta[d]


@compiled
def normalize(x, gamma, beta, eps, out):
    """Layer normalisation of each row, float32 to float32."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    for m in range(x.shape[0]):
        _normalize_row(x, m, gamma, beta, eps, h)
        for d in range(h.shape[0]):
            out[m, d] = h[d]


@compiled
def normalize_quantize(x, gamma, beta, eps, out, scale):
    """Layer normalisation, then 8 bits around 128."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        _normalize_row(x, m, gamma, beta, eps, h)
        quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def add(x, y, y_scale, bias):
    """`x += y * y_scale + bias`: the residual of a product of quantised rows."""
    use_whole_registers()
    for m in range(x.shape[0]):
        factor = y_scale[m]
        for d in range(x.shape[1]):
            x[m, d] += y[m, d] * factor + bias[d]


@compiled
def add_normalize_quantize(x, y, y_scale, bias, gamma, beta, eps, out, scale):
    """`add`, then `normalize_quantize` of the sum."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        factor = y_scale[m]
        for d in range(h.shape[0]):
            x[m, d] += y[m, d] * factor + bias[d]
        _normalize_row(x, m, gamma, beta, eps, h)
        quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def add_both_normalize_quantize(x, y, y_scale, bias, more, gamma, beta, eps, out, scale):
    """`x += y * y_scale + bias + more`, then `normalize_quantize` of the sum; `y` is bfloat16."""
    use_whole_registers()
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        factor = y_scale[m]
        widen(y, m, 0, hi)
        for d in range(h.shape[0]):
            x[m, d] += h[d] * factor + bias[d] + more[m, d]
        _normalize_row(x, m, gamma, beta, eps, h)
        quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def scale_normalize(y, y_scale, gamma, beta, eps, out):
    """Layer normalisation of `y * y_scale`, float32 to float32. Overwrites `y`."""
    use_whole_registers()
    h = np.empty(y.shape[1], np.float32)
    for m in range(y.shape[0]):
        factor = y_scale[m]
        for d in range(h.shape[0]):
            y[m, d] *= factor
        _normalize_row(y, m, gamma, beta, eps, h)
        for d in range(h.shape[0]):
            out[m, d] = h[d]


@compiled
def relu_quantize(y, y_scale, bias, out, scale):
    """`max(0, y * y_scale + bias)` to 8 bits from 0; `y` is bfloat16."""
    use_whole_registers()
    width = y.shape[1]
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(y.shape[0]):
        factor = y_scale[m]
        widen(y, m, 0, hi)
        for d in range(width):
            h[d] = h[d] * factor + bias[d]
        top = _I(0)
        for d in range(width):
            top = max(top, hi[d])  # negative floats are negative integers
        onei[0] = top
        largest = max(one[0], _LEAST)
        scale[m] = largest / _F(255)
        back = _F(255) / largest
        for d in range(width):
            out[m, d] = _I(max(h[d], _F(0)) * back + _F(0.5))


@compiled
def relu_normalize_quantize(y, y_scale, bias, gamma, beta, eps, out, scale):
    """`max(0, y * y_scale + bias)`, layer normalisation, 8 bits around 128. Overwrites `y`."""
    use_whole_registers()
    width = y.shape[1]
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(y.shape[0]):
        factor = y_scale[m]
        for d in range(width):
            y[m, d] = max(y[m, d] * factor + bias[d], _F(0))
        _normalize_row(y, m, gamma, beta, eps, h)
        quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def likeliest(y, y_scale, bias, ids, scores):
    """The largest of `y * y_scale + bias` in each row and their indices, in order: as many as fit.

    `scores` comes filled with minus infinity.
    """
    use_whole_registers()
    last = scores.shape[1] - 1
    for m in range(y.shape[0]):
        factor = y_scale[m]
        for d in range(y.shape[1]):
            value = y[m, d] * factor + bias[d]
            if value > scores[m, last]:
                at = last
                while at and value > scores[m, at - 1]:
                    scores[m, at], ids[m, at] = scores[m, at - 1], ids[m, at - 1]
                    at -= 1
                scores[m, at], ids[m, at] = value, d


@compiled
def remember(h, bounds, slots, memories, weights, x):
    """The memory block of a decoder layer: `x += weighted sum of the tokens around each`.

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
def scale_shift_relu_quantize(x, width, gain, shift, out, scale):
    """`max(0, x * gain + shift)` of the first `width` columns, to 8 bits from 0."""
    use_whole_registers()
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        for d in range(width):
            h[d] = x[m, d] * gain[d] + shift[d]
        top = _I(0)
        for d in range(width):
            top = max(top, hi[d])
        onei[0] = top
        largest = max(one[0], _LEAST)
        scale[m] = largest / _F(255)
        back = _F(255) / largest
        for d in range(width):
            out[m, d] = _I(max(h[d], _F(0)) * back + _F(0.5))


@compiled
def relu_quantize_sum(y, y_scale, bias, out, scale, segment, sums):
    """`relu_quantize`, and the sum over the rows of each segment.

    Args:
        segment: Of each row, int32, shape (m,).
        sums: To fill, float32, shape (segments, d).
    """
    use_whole_registers()
    width = y.shape[1]
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    sums[:] = _F(0)
    for m in range(y.shape[0]):
        factor, place = y_scale[m], segment[m]
        for d in range(width):
            h[d] = max(y[m, d] * factor + bias[d], _F(0))
        top = _I(0)
        for d in range(width):
            sums[place, d] += h[d]
            top = max(top, hi[d])
        onei[0] = top
        largest = max(one[0], _LEAST)
        scale[m] = largest / _F(255)
        back = _F(255) / largest
        for d in range(width):
            out[m, d] = _I(h[d] * back + _F(0.5))


@compiled
def add_taps_gated(y, y_scale, gates, segment, part, dilation, x, at):
    """Three taps of a convolution over time, gated segment by segment, into columns of `x`.

    Args:
        y: Raw products of each tap side by side, float32, shape (m, 3 * growth), with `y_scale` per row.
        gates: Shape (segments, growth).
        segment, part: Of each row, int32, shape (m,); the convolution ends where a part ends.
        dilation: Rows from one tap to the next.
        x: To fill from column `at` on.
    """
    use_whole_registers()
    m, growth = y.shape[0], gates.shape[1]
    for row in range(m):
        place = segment[row]
        before, after = row - dilation, row + dilation
        for d in range(growth):
            x[row, at + d] = y[row, growth + d] * y_scale[row]
        if before >= 0 and part[before] == part[row]:
            for d in range(growth):
                x[row, at + d] += y[before, d] * y_scale[before]
        if after < m and part[after] == part[row]:
            for d in range(growth):
                x[row, at + d] += y[after, 2 * growth + d] * y_scale[after]
        for d in range(growth):
            x[row, at + d] *= gates[place, d]
