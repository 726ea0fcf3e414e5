"""Attention of the 8-bit networks: over a stream's past, within an utterance, and of tokens to frames.

Like `kernels`, with products from `tiles`. Sixteen queries lie side by side, one in each lane, so that
neither their scores nor the softmax over them need a sum across a register.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import literally

from .kernels import compiled, inlined, padded, quantize_row, widen
from .llvm_tiles import (
    LANES,
    ROUND,
    cpu_has,
    softmax_down,
    sum_of_neighbours,
    tile_of_floats,
    use_whole_registers,
)

_F = np.float32
_I = np.int32
_SIXTEEN = _I(16)  # bits of a bfloat16, the upper half of a float32
_ROUND = _I(ROUND)
_HIDDEN = _F(-1e30)

_WIDE = cpu_has("avx512f")

KEYS = 14 if _WIDE else 6
"""Rows of a tile of scores."""

WEIGHED = 4
"""Rows of a tile of weighted values; its columns are as many registers as divide a head, four at most."""

_padded = compiled(padded)


def _registers(apart: int) -> int:
    most = 4 if _WIDE else 1
    return max(count for count in range(1, most + 1) if apart // LANES % count == 0)


@inlined
def _attend(queries, keys, values, heads, size, hidden, found, registers):
    """Scaled queries over all keys, head by head and sixteen at a time.

    Args:
        queries: Of each sixteen a row for each column of `keys`, shape (groups * heads * size, LANES).
        keys, values: Shape (count, heads * size), or with more columns; count a multiple of `KEYS`.
        heads, size: Number and size of the heads, size a multiple of `registers * LANES`.
        hidden: Added to the scores: 0, or `_HIDDEN` where there is no key, shape (count,).
        found: To fill, shape (groups * LANES, heads * size), or with more columns.
    """
    scores = np.empty((keys.shape[0], LANES), np.float32)
    weights = scores.T
    for head in range(0, heads * size, size):
        for group in range(found.shape[0] // LANES):
            first, row = group * heads * size + head, group * LANES
            for j in range(0, keys.shape[0], KEYS):
                tile_of_floats(KEYS, 1, size, keys, (j, head), queries, (first, 0), scores, (j, 0))
            softmax_down(scores, hidden)
            _weigh(weights, values, head, size, found, row, registers)


@inlined
def _weigh(weights, values, head, size, found, row, registers):
    """Sums of one head's values, for sixteen queries, to `found` from `row` on."""
    literally(registers)
    for w in range(0, LANES, WEIGHED):
        for d in range(head, head + size, registers * LANES):
            tile_of_floats(
                WEIGHED, registers, values.shape[0], weights, (w, 0), values, (0, d), found, (row + w, d)
            )


@inlined
def _take_apart(
    y, m, y_scale, bias, pieces, size, apart, line, query, to_query, key, value, to_key, around, to
):
    """Row `m` of a raw product as rows of queries, keys and values: pieces of `size` columns in `apart`."""
    width = pieces * size
    line_bits = line.view(np.int32)
    factor = y_scale[m]
    widen(y, m, 0, line_bits)
    for d in range(3 * width):
        line[d] = line[d] * factor + bias[d]
    for piece in range(pieces):
        at, column = piece * size, piece * apart
        for d in range(size):
            query[to_query, column + d] = line[at + d]
            key[to_key, column + d] = line[width + at + d]
            value[to_key, column + d] = line[2 * width + at + d]
    for d in range(width):
        around[to, d] = line[2 * width + d]


@inlined
def _lay_across(rows, columns, across):
    """Rows, shape (m, columns), side by side in lanes, shape (m / LANES * columns, LANES)."""
    for first in range(0, rows.shape[0], LANES):
        at = first // LANES * columns
        for d in range(columns):
            for w in range(min(LANES, rows.shape[0] - first)):
                across[at + d, w] = rows[first + w, d]


@inlined
def _remember_around(around, weights, taps, memory, first, count):
    """The memory block of an encoder layer: rows of `memory` from `first` on."""
    literally(taps)
    width = memory.shape[1]
    for d in range(0, width, LANES):
        at = min(d, width - LANES)
        sum_of_neighbours(taps, count, around, (0, at), weights, (0, at), memory, (first, at))


@inlined
def _quantize_found(found, rows, pieces, size, apart, out, scale):
    line = np.empty(pieces * size, np.float32)
    one = np.empty(1, np.float32)
    line_bits, one_bits = line.view(np.int32), one.view(np.int32)
    for w in range(rows):
        for piece in range(pieces):
            for d in range(size):
                line[piece * size + d] = found[w, piece * apart + d]
        quantize_row(line, line_bits, one, one_bits, out, scale, w)


@functools.cache
def streaming_attention(heads: int, size: int, window: int, past: int, chunk: int, taps: int) -> Any:
    """The attention of a streaming encoder layer, its memory block and its ring of keys and values.

    The ring holds bfloat16, the upper half of a float32: reading it is what costs.

    Args:
        heads, size: Number and size of the heads.
        window: Frames of one step; `past` frames before it; of them `chunk` become past in the next step.
        taps: Of the memory block.
    """
    width, apart = heads * size, padded(size, LANES)
    registers = _registers(apart)
    # Heads that fill their registers lie one after the other as they come.
    pieces, piece = (1, width) if apart == size else (heads, size)
    count, groups = padded(past + window, KEYS), padded(window, LANES) // LANES
    columns = heads * apart + LANES  # rows that are no power of two do not fall onto each other in the cache
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
            keys, values: uint16, shape (slots, past, width).
            weights: Of the memory block, with the frame's own part, shape (taps, width).
            out, scale: Attended values as quantised rows.
            memory: Output of the memory block, float32, shape (streams * window, width).
        """
        use_whole_registers()
        query = np.zeros((window, columns), np.float32)
        across = np.zeros((groups * heads * apart, LANES), np.float32)
        found = np.zeros((groups * LANES, columns), np.float32)
        key, value = np.zeros((count, columns), np.float32), np.zeros((count, columns), np.float32)
        key_bits, value_bits = key.view(np.int32), value.view(np.int32)
        around = np.zeros((window + taps - 1, width + LANES), np.float32)
        hidden = np.full(count, _HIDDEN, np.float32)
        hidden[past : past + window] = _F(0)
        line = np.empty(3 * width, np.float32)
        for stream in range(slots.shape[0]):
            slot, first, place = slots[stream], stream * window, places[stream]
            for j in range(past):
                hidden[j] = _F(0) if j < seen[stream] else _HIDDEN
                for p in range(pieces):
                    at, to = p * piece, p * apart
                    for d in range(piece):
                        key_bits[j, to + d] = _I(keys[slot, j, at + d]) << _SIXTEEN
                    for d in range(piece):
                        value_bits[j, to + d] = _I(values[slot, j, at + d]) << _SIXTEEN
            for w in range(window):
                _take_apart(
                    y, first + w, y_scale, bias, pieces, piece, apart,
                    line, query, w, key, value, past + w, around, left + w,
                )  # fmt: skip
            _lay_across(query, heads * apart, across)
            _attend(across, key, value, heads, apart, hidden, found, registers)
            for w in range(chunk if past else 0):
                for p in range(pieces):
                    at, to = p * piece, p * apart
                    for d in range(piece):
                        keys[slot, place + w, at + d] = (key_bits[past + w, to + d] + _ROUND) >> _SIXTEEN
                    for d in range(piece):
                        values[slot, place + w, at + d] = (value_bits[past + w, to + d] + _ROUND) >> _SIXTEEN
            rows = slice(first, first + window)
            _remember_around(around, weights, taps, memory, first, window)
            _quantize_found(found, window, pieces, piece, apart, out[rows], scale[rows])

    return kernel


@functools.cache
def utterance_attention(heads: int, size: int, taps: int) -> Any:
    """The attention of an encoder layer over a whole utterance, and its memory block.

    Args:
        heads, size, taps: As of `streaming_attention`.
    """
    width, apart = heads * size, padded(size, LANES)
    registers = _registers(apart)
    pieces, piece = (1, width) if apart == size else (heads, size)
    columns = heads * apart + LANES
    left = (taps - 1) // 2

    @compiled
    def kernel(y, y_scale, bias, weights, out, scale, memory):
        """Arguments are those of `streaming_attention` for one utterance."""
        use_whole_registers()
        length = y.shape[0]
        count, groups = _padded(length, KEYS), _padded(length, LANES) // LANES
        query = np.zeros((length, columns), np.float32)
        across = np.zeros((groups * heads * apart, LANES), np.float32)
        found = np.empty((groups * LANES, columns), np.float32)
        key, value = np.zeros((count, columns), np.float32), np.zeros((count, columns), np.float32)
        around = np.zeros((length + taps - 1, width + LANES), np.float32)
        hidden = np.full(count, _HIDDEN, np.float32)
        hidden[:length] = _F(0)
        line = np.empty(3 * width, np.float32)
        for w in range(length):
            _take_apart(
                y, w, y_scale, bias, pieces, piece, apart,
                line, query, w, key, value, w, around, left + w,
            )  # fmt: skip
        _lay_across(query, heads * apart, across)
        _attend(across, key, value, heads, apart, hidden, found, registers)
        _remember_around(around, weights, taps, memory, 0, length)
        _quantize_found(found, length, pieces, piece, apart, out, scale)

    return kernel


@functools.cache
def cross_attention(heads: int, size: int, past: int) -> Any:
    """The attention of a decoder layer to the encoding, and to `past` frames of it before.

    Args:
        heads, size: Number and size of the heads.
        past: Frames of earlier encodings that a stream sees; 0 for whole utterances.
    """
    width, apart = heads * size, padded(size, LANES)
    registers = _registers(apart)
    columns = heads * apart + LANES

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
        use_whole_registers()
        for stream in range(bounds.shape[0] - 1):
            start, first, slot = bounds[stream], q_bounds[stream], slots[stream]
            length, tokens = bounds[stream + 1] - start, q_bounds[stream + 1] - first
            count, groups = _padded(past + length, KEYS), _padded(tokens, LANES) // LANES
            across = np.zeros((groups * heads * apart, LANES), np.float32)
            found = np.empty((groups * LANES, columns), np.float32)
            key, value = np.zeros((count, columns), np.float32), np.zeros((count, columns), np.float32)
            hidden = np.full(count, _HIDDEN, np.float32)
            hidden[past - seen[stream] : past + length] = _F(0)
            for h in range(heads):
                at, to = h * size, h * apart
                for w in range(past):
                    for d in range(size):
                        key[w, to + d] = before[slot, w, at + d]
                        value[w, to + d] = before[slot, w, width + at + d]
                for w in range(length):
                    factor = y_scale[start + w]
                    for d in range(size):
                        key[past + w, to + d] = y[start + w, at + d] * factor + bias[at + d]
                    for d in range(width + at, width + at + size):
                        value[past + w, to + d - width - at] = y[start + w, d] * factor + bias[d]
                for w in range(past):
                    for d in range(size):
                        before[slot, w, at + d] = key[length + w, to + d]
                        before[slot, w, width + at + d] = value[length + w, to + d]
                for w in range(tokens):
                    factor = q_scale[first + w]
                    for d in range(size):
                        across[w // LANES * heads * apart + to + d, w % LANES] = (
                            q[first + w, at + d] * factor + q_bias[at + d]
                        )
            _attend(across, key, value, heads, apart, hidden, found, registers)
            rows = slice(first, first + tokens)
            _quantize_found(found, tokens, heads, size, apart, out[rows], scale[rows])

    return kernel
