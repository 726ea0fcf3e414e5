"""Products of 8-bit matrices on CPUs with AVX512-VNNI, for few rows and weights that come from memory.

A step of the streaming model multiplies a few dozen rows with 300 matrices. A call of oneDNN through torch takes
50 microseconds besides the product; this one takes two. Weights lie in the order in which they are read: panels
of 64 outputs, in each four inputs of all outputs, then the next four. A tile of six rows and a panel
stays in registers while the panel streams by, so that nothing is written but the result.

The tile is given as LLVM's instructions, for no Python expression becomes `vpdpbusd` (four products of bytes,
added up in 32 bits); around it is Numba like in `kernels`.

Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import functools
from itertools import chain

import numba
import numpy as np
import torch
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from .kernels import compiled, inlined, padded

ROWS = 6
"""Of a tile: with four registers of outputs each, and the weights, all 32 are in use."""

LANES = 16
"""Outputs in a register."""

REGISTERS = 4
PANEL = REGISTERS * LANES
"""Outputs of a tile."""

INPUTS = 4
"""The instruction adds up so many products: inputs must divide by it."""

_BYTE, _SHORT, _INT, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_INTS, _FLOATS = ir.VectorType(_INT, LANES), ir.VectorType(ir.FloatType(), LANES)
_SHORTS = ir.VectorType(_SHORT, LANES)
_ROUND = 0x8000  # half of the last place of a bfloat16


@functools.cache
def is_supported() -> bool:
    """Whether this CPU has the instruction, and nothing better: with AMX, oneDNN takes that."""
    features = binding.get_host_cpu_features()
    has_it = all(features.get(name) for name in ("avx512f", "avx512bw", "avx512vnni"))
    return bool(has_it and not features.get("amx-int8") and not numba.config.CPU_NAME)


def pack(weight: np.ndarray) -> np.ndarray:
    """Weights in the order in which `multiply` reads them.

    Args:
        weight: int8, shape (outputs, inputs).

    Returns:
        int8, shape (panels, inputs / 4, 64, 4); the last panel is filled up with zeros.
    """
    outputs, inputs = weight.shape
    panels = padded(outputs, PANEL) // PANEL
    whole = np.zeros((panels * PANEL, inputs), np.int8)
    whole[:outputs] = weight
    ordered = whole.reshape(panels, PANEL, inputs // INPUTS, INPUTS).transpose(0, 2, 1, 3)
    aligned: np.ndarray = torch.empty(ordered.shape, dtype=torch.int8).numpy()  # to a line of the cache
    aligned[...] = ordered
    return aligned


@compiled
def multiply(rows, packed, scale, correction, out):
    """`(rows @ weight.T - correction) * scale`.

    Args:
        rows: uint8, shape (m, inputs).
        packed: What `pack` made of the weights.
        scale, correction: Of each output, float32 and int32, shape (panels * 64,).
        out: To fill, shape (m, outputs): float32, or uint16 for the bits of bfloat16.
    """
    count, outputs = out.shape
    tiles = (count + ROWS - 1) // ROWS
    spare = np.empty((ROWS, PANEL), out.dtype)
    for panel in range(packed.shape[0]):
        column = panel * PANEL
        width = min(PANEL, outputs - column)
        row = 0
        for tile in range(tiles):
            height = (count - row + tiles - tile - 1) // (tiles - tile)
            if width == PANEL:
                _tile(height, rows[row:], packed[panel], scale[column:], correction[column:], out[row:, column:])
            else:
                _tile(height, rows[row:], packed[panel], scale[column:], correction[column:], spare)
                for r in range(height):
                    for c in range(width):
                        out[row + r, column + c] = spare[r, c]
            row += height


@inlined
def _tile(height, rows, panel, scale, correction, out):
    """Its number of rows must be known when it is compiled."""
    if height == 6:
        _tile_of(6, rows, panel, scale, correction, out)
    elif height == 5:
        _tile_of(5, rows, panel, scale, correction, out)
    elif height == 4:
        _tile_of(4, rows, panel, scale, correction, out)
    elif height == 3:
        _tile_of(3, rows, panel, scale, correction, out)
    elif height == 2:
        _tile_of(2, rows, panel, scale, correction, out)
    else:
        _tile_of(1, rows, panel, scale, correction, out)


@intrinsic(prefer_literal=True)
def _tile_of(typing, height, rows, panel, scale, correction, out):
    """A tile of `height` rows, a literal; arguments else as of `multiply`, from where the tile begins."""
    signature = types.void(height, rows, panel, scale, correction, out)

    def generate(context, builder, signature, arguments):
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[1:], arguments[1:], strict=True)
        ]
        sums = _sum_products(builder, height.literal_value, *arrays[:2])
        _write_results(builder, sums, *arrays[2:], halved=out.dtype == types.uint16)
        return context.get_dummy_value()

    return signature, generate


def _sum_products(builder, height, rows, panel):
    """Instructions of the loop over the inputs; its sums are four registers for each row."""
    dot = builder.module.declare_intrinsic(
        "llvm.x86.avx512.vpdpbusd.512", (), ir.FunctionType(_INTS, [_INTS] * 3)
    )
    starts = [builder.bitcast(_row(builder, rows, number), _INT.as_pointer()) for number in range(height)]
    weights = builder.bitcast(panel.data, _INTS.as_pointer())
    steps = builder.extract_value(panel.shape, 0)
    before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)

    builder.position_at_end(loop)
    step = builder.phi(_LONG)
    sums = [[builder.phi(_INTS) for _ in range(REGISTERS)] for _ in starts]
    first = builder.mul(step, _LONG(REGISTERS))
    own = [_load(builder, weights, builder.add(first, _LONG(n)), align=64) for n in range(REGISTERS)]
    results = []
    for start, before_it in zip(starts, sums, strict=True):
        inputs = _in_all_lanes(builder, _load(builder, start, step, align=1))
        results.append([builder.call(dot, [sum_, inputs, w]) for sum_, w in zip(before_it, own, strict=True)])
    following = builder.add(step, _LONG(1))
    builder.cbranch(builder.icmp_unsigned("<", following, steps), loop, after)

    zero = ir.Constant(_INTS, [0] * LANES)
    for phi, begin, end in [
        (step, _LONG(0), following),
        *((phi, zero, end) for phi, end in zip(chain(*sums), chain(*results), strict=True)),
    ]:
        phi.add_incoming(begin, before)
        phi.add_incoming(end, loop)
    builder.position_at_end(after)
    return results


def _write_results(builder, sums, scale, correction, out, *, halved):
    """Instructions that correct, scale and store sums; `halved` to bfloat16."""
    scales = builder.bitcast(scale.data, _FLOATS.as_pointer())
    corrections = builder.bitcast(correction.data, _INTS.as_pointer())
    kind = _SHORTS if halved else _FLOATS
    for register in range(REGISTERS):
        at = _LONG(register)
        factor = _load(builder, scales, at, align=4)
        correct = _load(builder, corrections, at, align=4)
        for number, own in enumerate(sums):
            result = builder.fmul(builder.sitofp(builder.sub(own[register], correct), _FLOATS), factor)
            if halved:
                bits = builder.add(builder.bitcast(result, _INTS), _in_all_lanes(builder, _INT(_ROUND)))
                result = builder.trunc(builder.lshr(bits, _in_all_lanes(builder, _INT(16))), _SHORTS)
            start = builder.bitcast(_row(builder, out, number), kind.as_pointer())
            builder.store(result, builder.gep(start, [at])).align = 2


def _row(builder, array, number):
    """Where a row of an array begins."""
    start = builder.bitcast(array.data, _BYTE.as_pointer())
    return builder.gep(start, [builder.mul(builder.extract_value(array.strides, 0), _LONG(number))])


def _load(builder, pointer, at, *, align):
    loaded = builder.load(builder.gep(pointer, [at]))
    loaded.align = align
    return loaded


def _in_all_lanes(builder, number):
    undefined = ir.Constant(_INTS, ir.Undefined)
    alone = builder.insert_element(undefined, number, _INT(0))
    return builder.shuffle_vector(alone, undefined, ir.Constant(_INTS, [0] * LANES))
