"""Attention of the 8-bit networks: over a stream's past, within an utterance, and of tokens to frames.

Like `kernels`, with products from `llvm_tiles`. Sixteen queries lie side by side, one in each lane, so that
neither their scores nor the softmax over them need a sum across a register.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import literally

from .kernels import compiled, empty_row, inlined, merged, padded, quantize_row, widen_product
from .llvm_builder import LANES
from .llvm_tiles import (
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


class Streams(NamedTuple):
    """Streams of one step, and their places in the past."""

    slots: np.ndarray
    """Of each stream in `Past`."""

    seen: np.ndarray
    """Frames of the past that each has."""

    places: np.ndarray
    """Where in the ring the oldest chunk of each lies."""


class Past(NamedTuple):
    """Keys and values of the frames before, a ring for each slot.

    They are bfloat16, the upper half of a float32: reading them is what costs.
    """

    keys: np.ndarray
    """uint16, shape (slots, past, width)."""

    values: np.ndarray


class _Layout(NamedTuple):
    """Columns of queries, keys and values: in pieces, which lie `apart` from start to start."""

    pieces: int
    size: int
    apart: int


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


@merged
def _take_apart(y, m, layout, row, query, q, key, value, k, around, a):
    """Split row `m` of a product into rows of queries, keys and values; values go to `around` as well."""
    pieces, size, apart = layout
    width = pieces * size
    line = row.numbers
    widen_product(y, m, row)
    for piece in range(pieces):
        at, column = piece * size, piece * apart
        for d in range(size):
            query[q, column + d] = line[at + d]
            key[k, column + d] = line[width + at + d]
            value[k, column + d] = line[2 * width + at + d]
    for d in range(width):
        around[a, d] = line[2 * width + d]


@merged
def _lay_across(rows, columns, across):
    """Rows, shape (m, columns), side by side in lanes, shape (m / LANES * columns, LANES)."""
    for first in range(0, rows.shape[0], LANES):
        at = first // LANES * columns
        for d in range(columns):
            for w in range(min(LANES, rows.shape[0] - first)):
                across[at + d, w] = rows[first + w, d]


@inlined
def _remember_around(around, weights, taps, memory, first, count):
    """Compute the memory block of an encoder layer: rows of `memory` from `first` on."""
    literally(taps)
    width = memory.shape[1]
    for d in range(0, width, LANES):
        at = min(d, width - LANES)
        sum_of_neighbours(taps, count, around, (0, at), weights, (0, at), memory, (first, at))


@merged
def _quantize_found(found, layout, count, out, first):
    """Write so many rows of what was found to rows of `out` from `first` on."""
    pieces, size, apart = layout
    row = empty_row(pieces * size)
    for w in range(count):
        for piece in range(pieces):
            for d in range(size):
                row.numbers[piece * size + d] = found[w, piece * apart + d]
        quantize_row(row, out, first + w)


@merged
def _read_past(past, slot, layout, key_bits, value_bits):
    """Read the keys and values of one slot, bfloat16, into the first rows of float32, seen as integers."""
    pieces, size, apart = layout
    for j in range(past.keys.shape[1]):
        for p in range(pieces):
            at, to = p * size, p * apart
            for d in range(size):
                key_bits[j, to + d] = _I(past.keys[slot, j, at + d]) << _SIXTEEN
            for d in range(size):
                value_bits[j, to + d] = _I(past.values[slot, j, at + d]) << _SIXTEEN


@merged
def _write_past(past, slot, place, layout, key_bits, value_bits, first, count):
    """Write so many rows of keys and values from `first` on to one slot, from `place` on, as bfloat16."""
    pieces, size, apart = layout
    for w in range(count):
        for p in range(pieces):
            at, to = p * size, p * apart
            for d in range(size):
                past.keys[slot, place + w, at + d] = (key_bits[first + w, to + d] + _ROUND) >> _SIXTEEN
            for d in range(size):
                past.values[slot, place + w, at + d] = (value_bits[first + w, to + d] + _ROUND) >> _SIXTEEN


def _layout(heads: int, size: int, apart: int) -> _Layout:
    """Heads that fill their registers lie one after the other as they come: they are one piece."""
    return _Layout(1, heads * size, heads * size) if apart == size else _Layout(heads, size, apart)


@functools.cache
def streaming_attention(heads: int, size: int, window: int, past_frames: int, chunk: int, taps: int) -> Any:
    """Compile the attention of a streaming encoder layer, with its memory block and its past.

    Args:
        heads, size: Number and size of the heads.
        window: Frames of one step; `past_frames` before it; of them `chunk` become past in the next step.
        taps: Of the memory block.
    """
    width, apart = heads * size, padded(size, LANES)
    registers, layout = _registers(apart), _layout(heads, size, apart)
    count, groups = padded(past_frames + window, KEYS), padded(window, LANES) // LANES
    columns = heads * apart + LANES  # rows that are no power of two do not fall onto each other in the cache
    left = (taps - 1) // 2
    kept = chunk if past_frames else 0

    @compiled
    def kernel(y, streams, past, weights, out, memory):
        """
        Args:
            y: Product of queries (scaled), keys and values of all streams, bfloat16, shape
                (streams * window, 3 * width).
            streams, past: See `Streams` and `Past`; what is past in the next step is written there.
            weights: Of the memory block, with the frame's own part, shape (taps, width).
            out: To fill: attended values, quantised.
            memory: To fill: output of the memory block, float32, shape (streams * window, width).
        """
        use_whole_registers()
        query = np.zeros((window, columns), np.float32)
        across = np.zeros((groups * heads * apart, LANES), np.float32)
        found = np.zeros((groups * LANES, columns), np.float32)
        key, value = np.zeros((count, columns), np.float32), np.zeros((count, columns), np.float32)
        key_bits, value_bits = key.view(np.int32), value.view(np.int32)
        around = np.zeros((window + taps - 1, width + LANES), np.float32)
        hidden = np.full(count, _HIDDEN, np.float32)
        hidden[past_frames : past_frames + window] = _F(0)
        row = empty_row(3 * width)
        for stream in range(streams.slots.shape[0]):
            slot, first = streams.slots[stream], stream * window
            for j in range(past_frames):
                hidden[j] = _F(0) if j < streams.seen[stream] else _HIDDEN
            _read_past(past, slot, layout, key_bits, value_bits)
            for w in range(window):
                k = past_frames + w
                _take_apart(y, first + w, layout, row, query, w, key, value, k, around, left + w)
            _lay_across(query, heads * apart, across)
            _attend(across, key, value, heads, apart, hidden, found, registers)
            place = streams.places[stream]
            _write_past(past, slot, place, layout, key_bits, value_bits, past_frames, kept)
            _remember_around(around, weights, taps, memory, first, window)
            _quantize_found(found, layout, window, out, first)

    return kernel


@functools.cache
def utterance_attention(heads: int, size: int, taps: int) -> Any:
    """Compile the attention of an encoder layer over a whole utterance, with its memory block.

    Args:
        heads, size, taps: As of `streaming_attention`.
    """
    width, apart = heads * size, padded(size, LANES)
    registers, layout = _registers(apart), _layout(heads, size, apart)
    columns = heads * apart + LANES
    left = (taps - 1) // 2

    @compiled
    def kernel(y, bounds, weights, out, memory):
        """
        Args:
            y, weights, out, memory: As of `streaming_attention`, for all utterances.
            bounds: First frame of each utterance, and the end.
        """
        use_whole_registers()
        for number in range(bounds.shape[0] - 1):
            first, length = bounds[number], bounds[number + 1] - bounds[number]
            count, groups = _padded(length, KEYS), _padded(length, LANES) // LANES
            query = np.zeros((length, columns), np.float32)
            across = np.zeros((groups * heads * apart, LANES), np.float32)
            found = np.empty((groups * LANES, columns), np.float32)
            key, value = np.zeros((count, columns), np.float32), np.zeros((count, columns), np.float32)
            around = np.zeros((length + taps - 1, width + LANES), np.float32)
            hidden = np.full(count, _HIDDEN, np.float32)
            hidden[:length] = _F(0)
            row = empty_row(3 * width)
            for w in range(length):
                _take_apart(y, first + w, layout, row, query, w, key, value, w, around, left + w)
            _lay_across(query, heads * apart, across)
            _attend(across, key, value, heads, apart, hidden, found, registers)
            _remember_around(around, weights, taps, memory, first, length)
            _quantize_found(found, layout, length, out, first)

    return kernel


@merged
def _read_context(context, start, count, layout, key, value, first):
    """Read so many rows of a product of keys and values to rows from `first` on."""
    pieces, size, apart = layout
    width = pieces * size
    for w in range(count):
        y, factor = context.values[start + w], context.scale[start + w]
        for p in range(pieces):
            at, to = p * size, p * apart
            for d in range(size):
                key[first + w, to + d] = y[at + d] * factor + context.bias[at + d]
            for d in range(width + at, width + at + size):
                value[first + w, to + d - width - at] = y[d] * factor + context.bias[d]


@merged
def _read_before(before, slot, layout, key, value):
    """Read the keys and values of earlier frames of one slot to the first rows."""
    pieces, size, apart = layout
    width = pieces * size
    for w in range(before.shape[1]):
        for p in range(pieces):
            at, to = p * size, p * apart
            for d in range(size):
                key[w, to + d] = before[slot, w, at + d]
                value[w, to + d] = before[slot, w, width + at + d]


@merged
def _write_before(before, slot, layout, key, value, first):
    """Write rows of keys and values from `first` on to one slot, for the next step."""
    pieces, size, apart = layout
    width = pieces * size
    for w in range(before.shape[1]):
        for p in range(pieces):
            at, to = p * size, p * apart
            for d in range(size):
                before[slot, w, at + d] = key[first + w, to + d]
                before[slot, w, width + at + d] = value[first + w, to + d]


@merged
def _lay_queries_across(query, first, count, layout, across):
    """Lay so many rows of a product of queries side by side in lanes, as `_lay_across`."""
    pieces, size, apart = layout
    for w in range(count):
        q, factor = query.values[first + w], query.scale[first + w]
        row, lane = w // LANES * pieces * apart, w % LANES
        for p in range(pieces):
            at, to = p * size, row + p * apart
            for d in range(size):
                across[to + d, lane] = q[at + d] * factor + query.bias[at + d]


@functools.cache
def cross_attention(heads: int, size: int, past: int) -> Any:
    """Compile the attention of a decoder layer to the encoding, and to `past` frames of it before.

    Args:
        heads, size: Number and size of the heads.
        past: Frames of earlier encodings that a stream sees; 0 for whole utterances.
    """
    apart = padded(size, LANES)
    registers, layout = _registers(apart), _Layout(heads, size, apart)
    columns = heads * apart + LANES

    @compiled
    def kernel(query, q_bounds, context, bounds, slots, seen, before, out):
        """
        Args:
            query: Product of queries (scaled), float32, shape (tokens, width).
            q_bounds: First token of each stream or utterance, and the end.
            context: Product of keys and values, float32, shape (frames, 2 * width).
            bounds: First frame of each stream or utterance, and the end.
            slots: Place of each stream in `before`.
            seen: How many of the past frames are there; the latest are the last.
            before: Keys and values of past frames, shape (slots, past, 2 * width); replaced by the latest.
            out: To fill: attended values, quantised.
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
            _read_before(before, slot, layout, key, value)
            _read_context(context, start, length, layout, key, value, past)
            _write_before(before, slot, layout, key, value, length)
            _lay_queries_across(query, first, tokens, layout, across)
            _attend(across, key, value, heads, apart, hidden, found, registers)
            _quantize_found(found, layout, tokens, out, first)

    return kernel
