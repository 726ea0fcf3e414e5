"""Tiles of matrix products that stay in registers while their operands stream by.

They are given as LLVM's instructions, for Numba has no word for a vector: its loops keep sums in memory, and
none becomes a `vpdpbusd` (four products of bytes, added up in 32 bits: `matmul_vnni`). The size of a tile is
known when it is compiled.

Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
"""

from __future__ import annotations

import functools
import math

import numba
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from .llvm_builder import (
    FLOAT,
    FLOATS,
    INT,
    INTS,
    LANES,
    in_all_lanes,
    load,
    loop,
    moved,
    parts_of,
    row_starts,
    store,
    sums_of_products,
)

ROUND = 0x8000
"""Half of the last place of a bfloat16, in the bits of a float32."""

_POWER_OF_2 = (1.0, 0.69314718, 0.24022651, 0.05550411, 0.00961813, 0.00133336)


@functools.cache
def cpu_has(*features: str) -> bool:
    """Tell whether code for this CPU may use all of these, by LLVM's names."""
    found = binding.get_host_cpu_features()
    return not numba.config.CPU_NAME and all(found.get(name, False) for name in features)


@intrinsic
def use_whole_registers(typing):
    """Compile the loops of the function that calls this for registers of 512 bits where the CPU has them.

    LLVM prefers half of them on most Intel CPUs, lest their clock slows down; products slow it down anyway.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite checks names of attributes, and does not know those of targets.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic(prefer_literal=True)
def tile_of_floats(typing, height, registers, steps, left, left_at, right, right_at, out, out_at):
    """Compute `out = left @ right`.

    After each array comes where in it the tile begins, a tuple of indices: slices would cost as much as it.

    Args:
        height, registers: Rows, and vectors of columns; literals.
        steps: Columns of `left`, and rows of `right`.
        left: float32, shape (height, steps), in any order of memory.
        right: float32, shape (steps, registers * LANES); rows contiguous.
        out: To fill, float32, shape (height, registers * LANES); rows contiguous.
    """
    signature = types.void(height, registers, steps, left, left_at, right, right_at, out, out_at)

    def generate(context, builder, signature, arguments):
        left, right, out = parts_of(context, builder, signature, arguments)
        sums = sums_of_products(
            builder,
            (height.literal_value, registers.literal_value),
            steps=arguments[2],
            left=[(row, left.strides[1]) for row in row_starts(builder, left, height.literal_value)],
            right=(right.start, right.strides[0]),
            kinds=(FLOAT, FLOATS),
            add=lambda before, a, b: builder.fadd(
                before, builder.fmul(a, b, flags=["contract"]), flags=["contract"]
            ),
        )
        for row, own in zip(row_starts(builder, out, len(sums)), sums, strict=True):
            for number, total in enumerate(own):
                store(builder, total, row, number)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def softmax_down(typing, scores, hidden):
    """Compute a softmax down each column, in place, 2e-6 off at most.

    exp(x) = 2^n (1 + f ln 2 + ...), |f| <= 1/2.

    Args:
        scores: float32, shape (count, LANES), contiguous.
        hidden: Added to the scores of each row, float32, shape (count,), contiguous.
    """
    signature = types.void(scores, hidden)

    def generate(context, builder, signature, arguments):
        scores, hidden = parts_of(context, builder, signature, arguments)
        rows = builder.bitcast(scores.start, FLOATS.as_pointer())
        marks = builder.bitcast(hidden.start, FLOAT.as_pointer())
        count = scores.shape[0]
        largest = _hide_and_find_largest(builder, rows, marks, count)
        total = _raise_and_add_up(builder, rows, largest, count)
        _divide(builder, rows, total, count)
        return context.get_dummy_value()

    return signature, generate


def _hide_and_find_largest(builder, rows, marks, count):
    """Write the loop that adds its mark to each row, and return the largest numbers by column."""

    def one_row(j, largest):
        mark = in_all_lanes(builder, builder.load(builder.gep(marks, [j])), FLOATS)
        score = builder.fadd(builder.load(builder.gep(rows, [j]), align=4), mark)
        builder.store(score, builder.gep(rows, [j]), align=4)
        return [_larger(builder, score, largest)]

    [largest] = loop(builder, count, [_of_all(-3e38)], one_row)
    return largest


def _raise_and_add_up(builder, rows, largest, count):
    """Write the loop that sets each row to exp(row - largest), and return the sums by column."""

    def one_row(j, total):
        below = builder.fsub(builder.load(builder.gep(rows, [j]), align=4), largest)
        power = _power_of_e(builder, below)
        builder.store(power, builder.gep(rows, [j]), align=4)
        return [builder.fadd(total, power)]

    [total] = loop(builder, count, [_of_all(0)], one_row)
    return total


def _power_of_e(builder, exponent):
    """Return exp of numbers that are never positive."""
    x = _larger(builder, builder.fmul(exponent, _of_all(math.log2(math.e))), _of_all(-120))
    n = builder.fptosi(builder.fsub(x, _of_all(0.5)), INTS)  # rounds half down: x is never positive
    f = builder.fsub(x, builder.sitofp(n, FLOATS))
    power = _of_all(_POWER_OF_2[-1])
    for factor in _POWER_OF_2[-2::-1]:
        product = builder.fmul(power, f, flags=["contract"])
        power = builder.fadd(product, _of_all(factor), flags=["contract"])
    shifted = builder.shl(n, in_all_lanes(builder, INT(23), INTS))
    return builder.bitcast(builder.add(builder.bitcast(power, INTS), shifted), FLOATS)


def _divide(builder, rows, total, count):
    """Write the loop that divides each row."""
    share = builder.fdiv(_of_all(1), total)

    def one_row(j):
        part = builder.fmul(builder.load(builder.gep(rows, [j]), align=4), share)
        builder.store(part, builder.gep(rows, [j]), align=4)
        return []

    loop(builder, count, [], one_row)


def _of_all(number):
    return ir.Constant(FLOATS, [number] * LANES)


def _larger(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@intrinsic(prefer_literal=True)
def sum_of_neighbours(typing, taps, count, rows, rows_at, weights, weights_at, out, out_at):
    """Set `out[m, d]` to the sum of `rows[m + tap, d] * weights[tap, d]` over all taps, for sixteen columns.

    Args:
        taps: A literal.
        count: Rows of `out`.
        rows: float32, shape (count + taps - 1, LANES); rows contiguous here and below.
        weights: float32, shape (taps, LANES).
        out: To fill, float32, shape (count, LANES).
    """
    signature = types.void(taps, count, rows, rows_at, weights, weights_at, out, out_at)

    def generate(context, builder, signature, arguments):
        rows, weights, out = parts_of(context, builder, signature, arguments)
        factors = [load(builder, row, 0, FLOATS) for row in row_starts(builder, weights, taps.literal_value)]

        def one_row(m):
            start = builder.mul(m, rows.strides[0])
            total = None
            for row, factor in zip(row_starts(builder, rows, len(factors)), factors, strict=True):
                own = load(builder, moved(builder, row, start), 0, FLOATS)
                product = builder.fmul(own, factor, flags=["contract"])
                total = builder.fadd(total, product, flags=["contract"]) if total else product
            store(builder, total, moved(builder, out.start, builder.mul(m, out.strides[0])), 0)
            return []

        loop(builder, arguments[1], [], one_row)
        return context.get_dummy_value()

    return signature, generate
