"""Products of 8-bit matrices on CPUs with AVX512-VNNI, for few rows and weights that come from memory.

A step of the streaming model multiplies a few dozen rows with 300 matrices. A call of oneDNN through torch
takes 45 microseconds besides the product; this one takes one. Weights lie in the order in which they are
read: panels of 64 outputs, in each four inputs of all outputs, then the next four. What stands here serves
these products alone: without the module all are oneDNN's (docs/decisions/0016).
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from . import weight_memory
from .kernels import compiled, padded
from .llvm_builder import (
    BYTE,
    FLOATS,
    INT,
    INTS,
    LANES,
    LONG,
    SHORTS,
    in_all_lanes,
    load,
    moved,
    parts_of,
    row_starts,
    store,
    sums_of_products,
)
from .llvm_tiles import ROUND, cpu_has
from .weight_memory import LINE

ROWS = 6
"""The most of a tile: with four registers of sums each, and the weights, nearly all 32 are used."""

AHEAD = (1, 2, 4)
"""Lines that a tile may fetch in each step."""

REGISTERS = 4
PANEL = REGISTERS * LANES
"""Outputs of a tile."""

INPUTS = 4
"""The instruction adds up so many products: inputs must divide by it."""


def is_supported() -> bool:
    """Tell whether this CPU has the instruction."""
    return cpu_has("avx512f", "avx512bw", "avx512vnni")


def pack(weight: np.ndarray) -> np.ndarray:
    """Return weights in the order in which `multiply` reads them.

    Args:
        weight: int8, shape (outputs, inputs).

    Returns:
        int8, shape (panels, inputs / 4, 64, 4); the last panel is filled up with zeros.
    """
    outputs, inputs = weight.shape
    panels = padded(outputs, PANEL) // PANEL
    steps = inputs // INPUTS
    whole = np.zeros((panels * PANEL, inputs), np.int8)
    whole[:outputs] = weight
    packed = weight_memory.allocate((panels, steps, PANEL, INPUTS))
    # Four inputs move as one number of 32 bits.
    packed.view(np.int32)[..., 0] = whole.view(np.int32).reshape(panels, PANEL, steps).transpose(0, 2, 1)
    return packed


@intrinsic(prefer_literal=True)
def tile_of_bytes(
    typing, height, registers, left, left_at, right, right_at, soon, ahead, scale, scale_at, correction,
    correction_at, out, out_at,
):  # fmt: skip
    """Compute `out = (left @ right - correction) * scale`.

    After each array comes where in it the tile begins, a tuple of indices: slices would cost as much as it.

    Args:
        height: Rows, one to `ROWS`.
        registers: Vectors of columns, a literal. All sums of a tile are in registers at once.
        left: uint8, shape (height, 4 * steps).
        right: int8, shape (steps, registers * LANES, 4), contiguous, at an address that divides by 64.
        soon, ahead: So many bytes after the start of `right` what is read next begins; so many lines of it,
            one of `AHEAD`, are fetched from memory in each step.
        scale, correction: Of each column, float32 and int32.
        out: To fill, shape (height, registers * LANES): float32, or uint16 for the bits of bfloat16.
    """
    signature = types.void(
        height, registers, left, left_at, right, right_at, soon, ahead, scale, scale_at, correction,
        correction_at, out, out_at,
    )  # fmt: skip

    def generate(context, builder, signature, arguments):
        left, right, scale, correction, out = parts_of(context, builder, signature, arguments)
        dot = builder.module.declare_intrinsic(
            "llvm.x86.avx512.vpdpbusd.512", (), ir.FunctionType(INTS, [INTS] * 3)
        )
        later = moved(builder, right.start, arguments[6])
        dtype = signature.args[-2].dtype

        def write(height, ahead):
            sums = sums_of_products(
                builder,
                (height, registers.literal_value),
                each_step=lambda step: _prefetch(builder, later, step, ahead),
                steps=right.shape[-3],
                left=[(row, LONG(4)) for row in row_starts(builder, left, height)],
                right=(right.start, LONG(4 * LANES * registers.literal_value)),
                kinds=(INT, INTS),
                add=lambda before, a, b: builder.call(dot, [before, a, b]),
            )
            _store_results(builder, sums, scale, correction, out, dtype)

        _switch(
            builder,
            arguments[0],
            range(1, ROWS + 1),
            lambda height: _switch(builder, arguments[7], AHEAD, lambda ahead: write(height, ahead)),
        )
        return context.get_dummy_value()

    return signature, generate


def _store_results(builder, sums, scale, correction, out, dtype):
    """Write the instructions for `out = (sums - correction) * scale`, of this type."""
    registers = range(len(sums[0]))
    scales = [load(builder, scale.start, number, FLOATS) for number in registers]
    corrections = [load(builder, correction.start, number, INTS) for number in registers]
    for row, own in zip(row_starts(builder, out, len(sums)), sums, strict=True):
        for number, total in enumerate(own):
            corrected = builder.sitofp(builder.sub(total, corrections[number]), FLOATS)
            result = builder.fmul(corrected, scales[number])
            store(builder, _rounded(builder, result) if dtype == types.uint16 else result, row, number)


def _switch(builder, value, choices, write):
    """Write instructions for each of the values that `value` may have, a literal to `write`."""
    after = builder.append_basic_block()
    switch = builder.switch(value, after)
    for choice in choices:
        block = builder.append_basic_block()
        switch.add_case(LONG(choice), block)
        builder.position_at_end(block)
        write(choice)
        builder.branch(after)
    builder.position_at_end(after)


def _prefetch(builder, start, step, lines):
    """Fetch lines into the second cache."""
    kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT, INT, INT])
    fetch = builder.module.declare_intrinsic("llvm.prefetch.p0", (), kind)
    first = moved(builder, start, builder.mul(step, LONG(LINE * lines)))
    for line in range(lines):
        builder.call(fetch, [moved(builder, first, LONG(LINE * line)), INT(0), INT(2), INT(1)])


def _rounded(builder, floats):
    """Round to bfloat16: the upper half of each."""
    half, places = (in_all_lanes(builder, INT(number), INTS) for number in (ROUND, 16))
    return builder.trunc(builder.lshr(builder.add(builder.bitcast(floats, INTS), half), places), SHORTS)


@compiled
def multiply(rows, packed, scale, correction, out):
    """Compute `(rows @ weight.T - correction) * scale`.

    Args:
        rows: uint8, shape (m, inputs).
        packed: What `pack` made of the weights.
        scale, correction: Of each output, float32 and int32, shape (panels * 64,).
        out: To fill, shape (m, outputs): float32, or uint16 for the bits of bfloat16.
    """
    count, outputs = out.shape
    tiles = (count + ROWS - 1) // ROWS
    spare = np.empty((ROWS, PANEL), out.dtype)
    # The tiles of a panel fetch the next one from memory, each its share.
    size, steps = PANEL * packed.shape[1] * INPUTS, packed.shape[1]
    ahead = 1 if tiles >= 4 else 2 if tiles >= 2 else 4
    for panel in range(packed.shape[0]):
        at = panel * PANEL
        width = min(PANEL, outputs - at)
        row = 0
        for tile in range(tiles):
            height = (count - row + tiles - tile - 1) // (tiles - tile)
            soon = size + tile * ahead * steps * LINE
            to, to_at = (out, (row, at)) if width == PANEL else (spare, (0, 0))
            tile_of_bytes(
                height, REGISTERS, rows, (row, 0), packed, (panel,), soon, ahead,
                scale, (at,), correction, (at,), to, to_at,
            )  # fmt: skip
            if width < PANEL:
                for r in range(height):
                    for c in range(width):
                        out[row + r, at + c] = spare[r, c]
            row += height
