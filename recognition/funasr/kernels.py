"""What lies between the matrix products of the 8-bit networks, each a single pass over memory.

Compiled by Numba when first called and kept on disk; they release the GIL. All of them go row by row and
look at nothing outside a row's own stream or utterance, so no result depends on what is batched with it.

Rows are quantised one by one: 8 bits with a scale of their own (symmetric around 128, or from 0 where
nothing is negative), as dynamic quantisation per token.

Written for the vectoriser: the largest of a row is found in its bit patterns as integers, since a
reduction over floats is not vectorised; loops run over one axis of plain arrays, with several rows
of the other operand held in registers.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import njit

_F = np.float32
_I = np.int32
_BITS_OF_SIGN = _I(0x7FFFFFFF)
_LEAST = _F(1e-20)
_ROUND = _I(0x8000)  # half of the last place of a bfloat16
_HIDDEN = _F(-1e30)

compiled = njit(fastmath=True, nogil=True, cache=True, error_model="numpy")
inlined = njit(fastmath=True, nogil=True, cache=True, error_model="numpy", forceinline=True)

QUERIES = 3
"""Rows of queries that `_attend` takes at a time."""

VALUES = 5
"""Rows of values that `_attend` takes at a time."""

LANES = 16


def padded(count: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-count // step) * step


_padded = njit(cache=True)(padded)


@inlined
def _widen(bits, m, at, line_bits):
    """Columns of row `m` from `at` on, bfloat16 to float32: its upper half, as `line_bits` shows it."""
    for d in range(line_bits.shape[0]):
        line_bits[d] = _I(bits[m, at + d]) << _I(16)


@compiled
def _quantize_row(h, hi, one, onei, out, scale, m):
    """Row `h` of signed values to 8 bits around 128; `hi` and `onei` are `h` and `one` seen as integers."""
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
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        for d in range(h.shape[0]):
            h[d] = x[m, d]
        _quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def _normalize_row(x, m, gamma, beta, eps, h):
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
    h = np.empty(x.shape[1], np.float32)
    for m in range(x.shape[0]):
        _normalize_row(x, m, gamma, beta, eps, h)
        for d in range(h.shape[0]):
            out[m, d] = h[d]


@compiled
def normalize_quantize(x, gamma, beta, eps, out, scale):
    """Layer normalisation, then 8 bits around 128."""
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        _normalize_row(x, m, gamma, beta, eps, h)
        _quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def add(x, y, y_scale, bias):
    """`x += y * y_scale + bias`: the residual of a product of quantised rows."""
    for m in range(x.shape[0]):
        factor = y_scale[m]
        for d in range(x.shape[1]):
            x[m, d] += y[m, d] * factor + bias[d]


@compiled
def add_normalize_quantize(x, y, y_scale, bias, gamma, beta, eps, out, scale):
    """`add`, then `normalize_quantize` of the sum."""
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        factor = y_scale[m]
        for d in range(h.shape[0]):
            x[m, d] += y[m, d] * factor + bias[d]
        _normalize_row(x, m, gamma, beta, eps, h)
        _quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def add_both_normalize_quantize(x, y, y_scale, bias, more, gamma, beta, eps, out, scale):
    """`x += y * y_scale + bias + more`, then `normalize_quantize` of the sum; `y` is bfloat16."""
    h = np.empty(x.shape[1], np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(x.shape[0]):
        factor = y_scale[m]
        _widen(y, m, 0, hi)
        for d in range(h.shape[0]):
            x[m, d] += h[d] * factor + bias[d] + more[m, d]
        _normalize_row(x, m, gamma, beta, eps, h)
        _quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def scale_normalize(y, y_scale, gamma, beta, eps, out):
    """Layer normalisation of `y * y_scale`, float32 to float32. Overwrites `y`."""
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
    width = y.shape[1]
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(y.shape[0]):
        factor = y_scale[m]
        _widen(y, m, 0, hi)
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
    width = y.shape[1]
    h = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    hi, onei = h.view(np.int32), one.view(np.int32)
    for m in range(y.shape[0]):
        factor = y_scale[m]
        for d in range(width):
            y[m, d] = max(y[m, d] * factor + bias[d], _F(0))
        _normalize_row(y, m, gamma, beta, eps, h)
        _quantize_row(h, hi, one, onei, out, scale, m)


@compiled
def likeliest(y, y_scale, bias, ids, scores):
    """The largest of `y * y_scale + bias` in each row and their indices, in order: as many as fit.

    `scores` comes filled with minus infinity.
    """
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
def _softmax(scores, row, powers, powersf):
    """In place, with exp(x) = 2^n (1 + f ln 2 + ...) for f in [-1/2, 1/2]: 2e-6 off at most."""
    count = scores.shape[1]
    for lane in range(LANES):
        powersf[lane] = scores[row, lane]
    for j in range(LANES, count, LANES):
        for lane in range(LANES):
            score = scores[row, j + lane]
            powersf[lane] = score if score > powersf[lane] else powersf[lane]
    largest = powersf[0]
    for lane in range(1, LANES):
        largest = max(largest, powersf[lane])
    total = _F(0)
    for j in range(count):
        x = (scores[row, j] - largest) * _F(1.4426950408889634)
        x = x if x > _F(-120) else _F(-120)
        n = _I(x - _F(0.5))  # rounds half down: x is never positive
        f = x - _F(n)
        powers[j] = (n + _I(127)) << _I(23)
        scores[row, j] = _F(1) + f * (
            _F(0.69314718)
            + f * (_F(0.24022651) + f * (_F(0.05550411) + f * (_F(0.00961813) + f * _F(0.00133336))))
        )
    for j in range(count):
        power = scores[row, j] * powersf[j]
        scores[row, j] = power
        total += power
    factor = _F(1) / total
    for j in range(count):
        scores[row, j] *= factor


@inlined
def _attend(queries, keys, values, hidden, scores, powers, powersf, out, size, count, some):
    """Scaled queries over all keys of one stream, for one head.

    Args:
        queries: Shape (rows, size); rows a multiple of `QUERIES`.
        keys: Shape (size, count), size a multiple of 4, count of `LANES`.
        values: Shape (some, size), some a multiple of `VALUES` and at most count.
        hidden: Added to the scores: 0, or `_HIDDEN` where there is no key, shape (count,).
        scores, powers, powersf: To work in, shapes (QUERIES, count), (count,), (count,).
        out: Shape (rows, size).
        size, count, some: As said. Where the caller knows them at compilation, it runs a third faster.
    """
    for w in range(0, queries.shape[0], QUERIES):
        for j in range(count):
            scores[0, j] = hidden[j]
            scores[1, j] = hidden[j]
            scores[2, j] = hidden[j]
        for d in range(0, size, 4):
            a0, a1, a2, a3 = queries[w, d], queries[w, d + 1], queries[w, d + 2], queries[w, d + 3]
            b0, b1 = queries[w + 1, d], queries[w + 1, d + 1]
            b2, b3 = queries[w + 1, d + 2], queries[w + 1, d + 3]
            c0, c1 = queries[w + 2, d], queries[w + 2, d + 1]
            c2, c3 = queries[w + 2, d + 2], queries[w + 2, d + 3]
            for j in range(count):
                k0, k1, k2, k3 = keys[d, j], keys[d + 1, j], keys[d + 2, j], keys[d + 3, j]
                scores[0, j] += a0 * k0 + a1 * k1 + a2 * k2 + a3 * k3
                scores[1, j] += b0 * k0 + b1 * k1 + b2 * k2 + b3 * k3
                scores[2, j] += c0 * k0 + c1 * k1 + c2 * k2 + c3 * k3
        for row in range(QUERIES):
            _softmax(scores, row, powers, powersf)
        for d in range(size):
            out[w, d] = _F(0)
            out[w + 1, d] = _F(0)
            out[w + 2, d] = _F(0)
        for j in range(0, some, VALUES):
            a0, a1, a2 = scores[0, j], scores[0, j + 1], scores[0, j + 2]
            a3, a4 = scores[0, j + 3], scores[0, j + 4]
            b0, b1, b2 = scores[1, j], scores[1, j + 1], scores[1, j + 2]
            b3, b4 = scores[1, j + 3], scores[1, j + 4]
            c0, c1, c2 = scores[2, j], scores[2, j + 1], scores[2, j + 2]
            c3, c4 = scores[2, j + 3], scores[2, j + 4]
            for d in range(size):
                v0, v1, v2 = values[j, d], values[j + 1, d], values[j + 2, d]
                v3, v4 = values[j + 3, d], values[j + 4, d]
                out[w, d] += a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3 + a4 * v4
                out[w + 1, d] += b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3 + b4 * v4
                out[w + 2, d] += c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3 + c4 * v4


@compiled
def _remember_around(around, weights, memory, first):
    """The memory block of an encoder layer: rows of `memory` from `first` on."""
    taps, width = weights.shape
    for w in range(around.shape[0] - taps + 1):
        for d in range(width):
            memory[first + w, d] = around[w, d] * weights[0, d]
        for tap in range(1, taps):
            for d in range(width):
                memory[first + w, d] += around[w + tap, d] * weights[tap, d]


@functools.cache
def streaming_attention(heads: int, size: int, window: int, past: int, chunk: int, taps: int) -> Any:
    """The attention of a streaming encoder layer, its memory block and its ring of keys and values.

    The ring holds bfloat16, the upper half of a float32: reading it is what costs.

    Args:
        heads, size: Number and size of the heads.
        window: Frames of one step; `past` frames before it; of them `chunk` become past in the next step.
        taps: Of the memory block.
    """
    width = heads * size
    whole = padded(size, 4)
    some = padded(past + window, VALUES)
    count = padded(some, LANES)
    rows = padded(window, QUERIES)
    left = (taps - 1) // 2

    @compiled
    def kernel(y, y_scale, bias, slots, seen, places, keys, values, weights, out, scale, memory):
        """
        Args:
            y: Raw product of queries (scaled), keys and values of all streams, bfloat16, shape
                (streams * window, 3 * width); its factors `y_scale` per row and `bias` per column.
            slots: Place of each stream in `keys` and `values`.
            seen: Frames of the past that each stream has.
            places: Where in the ring the oldest chunk of each stream lies.
            keys: uint16, shape (slots, heads, size, past).
            values: uint16, shape (slots, heads, past, size).
            weights: Of the memory block, with the frame's own part, shape (taps, width).
            out, scale: Attended values as quantised rows.
            memory: Output of the memory block, float32, shape (streams * window, width).
        """
        query = np.zeros((rows, whole), np.float32)
        found = np.zeros((rows, whole), np.float32)
        key = np.zeros((whole, count), np.float32)
        value = np.zeros((some, whole), np.float32)
        key_bits, value_bits = key.view(np.int32), value.view(np.int32)
        # Rows a little apart from a power of two do not fall onto each other in the cache.
        around = np.zeros((window + taps - 1, width + LANES), np.float32)
        lines = np.zeros((window, width), np.float32)
        line = np.empty(width, np.float32)
        one = np.empty(1, np.float32)
        line_bits, one_bits = line.view(np.int32), one.view(np.int32)
        scores = np.empty((QUERIES, count), np.float32)
        powers = np.empty(count, np.int32)
        powersf = powers.view(np.float32)
        hidden = np.full(count, _HIDDEN, np.float32)
        part = np.empty(size, np.float32)
        part_bits = part.view(np.int32)
        for j in range(past, past + window):
            hidden[j] = _F(0)
        for stream in range(slots.shape[0]):
            slot, first, place = slots[stream], stream * window, places[stream]
            for j in range(past):
                hidden[j] = _F(0) if j < seen[stream] else _HIDDEN
            for h in range(heads):
                at = h * size
                for d in range(size):
                    for j in range(past):
                        key_bits[d, j] = _I(keys[slot, h, d, j]) << _I(16)
                for j in range(past):
                    for d in range(size):
                        value_bits[j, d] = _I(values[slot, h, j, d]) << _I(16)
                for w in range(window):
                    factor = y_scale[first + w]
                    _widen(y, first + w, at, part_bits)
                    for d in range(size):
                        query[w, d] = part[d] * factor + bias[at + d]
                    _widen(y, first + w, width + at, part_bits)
                    for d in range(size):
                        key[d, past + w] = part[d] * factor + bias[width + at + d]
                    _widen(y, first + w, 2 * width + at, part_bits)
                    for d in range(size):
                        own = part[d] * factor + bias[2 * width + at + d]
                        value[past + w, d] = own
                        around[left + w, at + d] = own
                _attend(query, key, value, hidden, scores, powers, powersf, found, whole, count, some)
                for w in range(window):
                    for d in range(size):
                        lines[w, at + d] = found[w, d]
                if past:
                    for d in range(size):
                        for w in range(chunk):
                            keys[slot, h, d, place + w] = (key_bits[d, past + w] + _ROUND) >> _I(16)
                    for w in range(chunk):
                        for d in range(size):
                            values[slot, h, place + w, d] = (value_bits[past + w, d] + _ROUND) >> _I(16)
            _remember_around(around, weights, memory, first)
            for w in range(window):
                for d in range(width):
                    line[d] = lines[w, d]
                _quantize_row(line, line_bits, one, one_bits, out, scale, first + w)

    return kernel


@compiled
def heads_apart(y, y_scale, bias, query, key, value):
    """What an encoder layer attends with, head after head.

    Args:
        y, y_scale, bias: As in `streaming_attention`, of one utterance.
        query, key, value: To fill, float32, shape (heads, m, size).
    """
    heads, length, size = query.shape
    width = heads * size
    part = np.empty(size, np.float32)
    part_bits = part.view(np.int32)
    for w in range(length):
        factor = y_scale[w]
        for h in range(heads):
            at = h * size
            _widen(y, w, at, part_bits)
            for d in range(size):
                query[h, w, d] = part[d] * factor + bias[at + d]
            _widen(y, w, width + at, part_bits)
            for d in range(size):
                key[h, w, d] = part[d] * factor + bias[width + at + d]
            _widen(y, w, 2 * width + at, part_bits)
            for d in range(size):
                value[h, w, d] = part[d] * factor + bias[2 * width + at + d]


@compiled
def heads_together(found, value, weights, out, scale, memory):
    """What was attended as quantised rows, and the memory block over the values.

    Args:
        found, value: float32, shape (heads, m, size).
        weights, out, scale, memory: As in `streaming_attention`, of one utterance.
    """
    heads, length, size = found.shape
    taps, width = weights.shape
    left = (taps - 1) // 2
    around = np.zeros((length + taps - 1, width), np.float32)
    line = np.empty(width, np.float32)
    one = np.empty(1, np.float32)
    line_bits, one_bits = line.view(np.int32), one.view(np.int32)
    for h in range(heads):
        for w in range(length):
            for d in range(size):
                around[left + w, h * size + d] = value[h, w, d]
    _remember_around(around, weights, memory, 0)
    for w in range(length):
        for h in range(heads):
            for d in range(size):
                line[h * size + d] = found[h, w, d]
        _quantize_row(line, line_bits, one, one_bits, out, scale, w)


@functools.cache
def cross_attention(heads: int, size: int, past: int) -> Any:
    """The attention of a decoder layer to the encoding, and to `past` frames of it before.

    Args:
        heads, size: Number and size of the heads.
        past: Frames of earlier encodings that a stream sees; 0 for whole utterances.
    """
    width = heads * size
    whole = padded(size, 4)

    @compiled
    def kernel(q, q_scale, q_bias, q_bounds, y, y_scale, bias, bounds, slots, seen, before, out, scale):
        """
        Args:
            q, q_scale, q_bias: Raw product of queries (scaled), float32, shape (tokens, width).
            q_bounds: First token of each stream or utterance, and the end.
            y, y_scale, bias: Raw product of keys and values, float32, shape (frames, 2 * width).
            bounds: First frame of each stream or utterance, and the end.
            slots: Place of each stream in `before`.
            seen: How many of the past frames are there; the latest are the last.
            before: Keys and values of past frames, shape (slots, past, 2 * width); replaced by the latest.
            out, scale: Attended values as quantised rows.
        """
        line = np.empty(width, np.float32)
        one = np.empty(1, np.float32)
        line_bits, one_bits = line.view(np.int32), one.view(np.int32)
        for stream in range(bounds.shape[0] - 1):
            start, first = bounds[stream], q_bounds[stream]
            length, tokens = bounds[stream + 1] - start, q_bounds[stream + 1] - first
            rows = _padded(tokens, QUERIES)
            some = _padded(past + length, VALUES)
            count = _padded(some, LANES)
            query = np.zeros((rows, whole), np.float32)
            found = np.zeros((rows, whole), np.float32)
            key = np.zeros((whole, count), np.float32)
            value = np.zeros((some, whole), np.float32)
            lines = np.empty((tokens, width), np.float32)
            scores = np.empty((QUERIES, count), np.float32)
            powers = np.empty(count, np.int32)
            powersf = powers.view(np.float32)
            hidden = np.full(count, _HIDDEN, np.float32)
            context = np.empty((past + length, 2 * width), np.float32)
            for w in range(past):
                hidden[w] = _F(0) if w >= past - seen[stream] else _HIDDEN
                for d in range(2 * width):
                    context[w, d] = before[slots[stream], w, d]
            for w in range(length):
                hidden[past + w] = _F(0)
                factor = y_scale[start + w]
                for d in range(2 * width):
                    context[past + w, d] = y[start + w, d] * factor + bias[d]
            for h in range(heads):
                at = h * size
                for w in range(past + length):
                    for d in range(size):
                        key[d, w] = context[w, at + d]
                    for d in range(size):
                        value[w, d] = context[w, width + at + d]
                for w in range(tokens):
                    factor = q_scale[first + w]
                    for d in range(size):
                        query[w, d] = q[first + w, at + d] * factor + q_bias[at + d]
                _attend(query, key, value, hidden, scores, powers, powersf, found, whole, count, some)
                for w in range(tokens):
                    for d in range(size):
                        lines[w, at + d] = found[w, d]
            for w in range(past):
                for d in range(2 * width):
                    before[slots[stream], w, d] = context[length + w, d]
            for w in range(tokens):
                for d in range(width):
                    line[d] = lines[w, d]
                _quantize_row(line, line_bits, one, one_bits, out, scale, first + w)

    return kernel


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
