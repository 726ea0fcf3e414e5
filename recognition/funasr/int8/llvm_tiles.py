"""Tiles of matrix products that stay in registers while their operands stream by.

They are given as LLVM's instructions, for Numba has no word for a vector: its loops keep sums in memory, and
none becomes a `vpdpbusd` (four products of bytes, added up in 32 bits). The size of a tile is known when it
is compiled.

Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numba
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

LANES = 16
"""Numbers in a register of 512 bits; where registers are smaller, LLVM takes two for one."""

LINE = 64
"""Bytes that come from memory together."""

ROWS = 6
"""The most of a tile of bytes: with four registers of sums each, and the weights, nearly all 32 are used."""

AHEAD = (1, 2, 4)
"""Lines that a tile of bytes may fetch in each step."""

ROUND = 0x8000
"""Half of the last place of a bfloat16, in the bits of a float32."""

_BYTE, _SHORT, _INT, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_INTS, _FLOATS = ir.VectorType(_INT, LANES), ir.VectorType(ir.FloatType(), LANES)
_SHORTS = ir.VectorType(_SHORT, LANES)
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
def tile_of_bytes(
    typing, height, registers, left, left_at, right, right_at, soon, ahead, scale, scale_at, correction,
    correction_at, out, out_at,
):  # fmt: skip
    """`out = (left @ right - correction) * scale`, for CPUs with AVX512-VNNI.

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
        left, right, scale, correction, out = _parts(context, builder, signature, arguments)
        dot = builder.module.declare_intrinsic(
            "llvm.x86.avx512.vpdpbusd.512", (), ir.FunctionType(_INTS, [_INTS] * 3)
        )
        later = _moved(builder, right.start, arguments[6])

        def write(height, ahead):
            sums = _sums(
                builder,
                (height, registers.literal_value),
                each_step=lambda step: _prefetch(builder, later, step, ahead),
                steps=right.shape[-3],
                left=[(row, _LONG(4)) for row in _rows(builder, left, height)],
                right=(right.start, _LONG(4 * LANES * registers.literal_value)),
                kinds=(_INT, _INTS),
                add=lambda before, a, b: builder.call(dot, [before, a, b]),
            )
            scales = [_vector(builder, scale.start, number, _FLOATS) for number in range(len(sums[0]))]
            corrections = [
                _vector(builder, correction.start, number, _INTS) for number in range(len(sums[0]))
            ]
            for row, own in zip(_rows(builder, out, height), sums, strict=True):
                for number, total in enumerate(own):
                    corrected = builder.sitofp(builder.sub(total, corrections[number]), _FLOATS)
                    result = builder.fmul(corrected, scales[number])
                    if signature.args[-2].dtype == types.uint16:
                        result = _rounded(builder, result)
                    _store(builder, result, row, number)

        _switch(
            builder,
            arguments[0],
            range(1, ROWS + 1),
            lambda height: _switch(builder, arguments[7], AHEAD, lambda ahead: write(height, ahead)),
        )
        return context.get_dummy_value()

    return signature, generate


@intrinsic(prefer_literal=True)
def tile_of_floats(typing, height, registers, steps, left, left_at, right, right_at, out, out_at):
    """`out = left @ right`, where of each array only a part is meant, as in `tile_of_bytes`.

    Args:
        height, registers: Rows, and vectors of columns; literals.
        steps: Columns of `left`, and rows of `right`.
        left: float32, shape (height, steps), in any order of memory.
        right: float32, shape (steps, registers * LANES); rows contiguous.
        out: To fill, float32, shape (height, registers * LANES); rows contiguous.
    """
    signature = types.void(height, registers, steps, left, left_at, right, right_at, out, out_at)

    def generate(context, builder, signature, arguments):
        left, right, out = _parts(context, builder, signature, arguments)
        sums = _sums(
            builder,
            (height.literal_value, registers.literal_value),
            steps=arguments[2],
            left=[(row, left.strides[1]) for row in _rows(builder, left, height.literal_value)],
            right=(right.start, right.strides[0]),
            kinds=(ir.FloatType(), _FLOATS),
            add=lambda before, a, b: builder.fadd(
                before, builder.fmul(a, b, flags=["contract"]), flags=["contract"]
            ),
        )
        for row, own in zip(_rows(builder, out, len(sums)), sums, strict=True):
            for number, total in enumerate(own):
                _store(builder, total, row, number)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def softmax_down(typing, scores, hidden):
    """Softmax down each column, in place, 2e-6 off at most: exp(x) = 2^n (1 + f ln 2 + ...), |f| <= 1/2.

    Args:
        scores: float32, shape (count, LANES), contiguous.
        hidden: Added to the scores of each row, float32, shape (count,), contiguous.
    """
    signature = types.void(scores, hidden)

    def generate(context, builder, signature, arguments):
        scores, hidden = _parts(context, builder, signature, arguments)
        rows = builder.bitcast(scores.start, _FLOATS.as_pointer())
        marks = builder.bitcast(hidden.start, ir.FloatType().as_pointer())
        count = scores.shape[0]

        def of_all(number):
            return ir.Constant(_FLOATS, [number] * LANES)

        def larger(a, b):
            return builder.select(builder.fcmp_ordered(">", a, b), a, b)

        def hide(j, largest):
            mark = _in_all_lanes(builder, builder.load(builder.gep(marks, [j])), _FLOATS)
            score = builder.fadd(builder.load(builder.gep(rows, [j]), align=4), mark)
            builder.store(score, builder.gep(rows, [j]), align=4)
            return [larger(score, largest)]

        [largest] = _loop(builder, count, [of_all(-3e38)], hide)

        def raise_(j, total):
            below = builder.fsub(builder.load(builder.gep(rows, [j]), align=4), largest)
            x = larger(builder.fmul(below, of_all(math.log2(math.e))), of_all(-120))
            n = builder.fptosi(builder.fsub(x, of_all(0.5)), _INTS)  # rounds half down: x is never positive
            f = builder.fsub(x, builder.sitofp(n, _FLOATS))
            power = of_all(_POWER_OF_2[-1])
            for factor in _POWER_OF_2[-2::-1]:
                product = builder.fmul(power, f, flags=["contract"])
                power = builder.fadd(product, of_all(factor), flags=["contract"])
            exponent = builder.shl(n, _in_all_lanes(builder, _INT(23), _INTS))
            power = builder.bitcast(builder.add(builder.bitcast(power, _INTS), exponent), _FLOATS)
            builder.store(power, builder.gep(rows, [j]), align=4)
            return [builder.fadd(total, power)]

        [total] = _loop(builder, count, [of_all(0)], raise_)
        share = builder.fdiv(of_all(1), total)

        def divide(j):
            part = builder.fmul(builder.load(builder.gep(rows, [j]), align=4), share)
            builder.store(part, builder.gep(rows, [j]), align=4)
            return []

        _loop(builder, count, [], divide)
        return context.get_dummy_value()

    return signature, generate


@intrinsic(prefer_literal=True)
def sum_of_neighbours(typing, taps, count, rows, rows_at, weights, weights_at, out, out_at):
    """`out[m, d]` is the sum of `rows[m + tap, d] * weights[tap, d]` over all taps, for sixteen columns.

    Args:
        taps: A literal.
        count: Rows of `out`.
        rows: float32, shape (count + taps - 1, LANES); rows contiguous here and below.
        weights: float32, shape (taps, LANES).
        out: To fill, float32, shape (count, LANES).
    """
    signature = types.void(taps, count, rows, rows_at, weights, weights_at, out, out_at)

    def generate(context, builder, signature, arguments):
        rows, weights, out = _parts(context, builder, signature, arguments)
        factors = [_vector(builder, row, 0, _FLOATS) for row in _rows(builder, weights, taps.literal_value)]

        def one_row(m):
            start = builder.mul(m, rows.strides[0])
            total = None
            for row, factor in zip(_rows(builder, rows, len(factors)), factors, strict=True):
                own = _vector(builder, _moved(builder, row, start), 0, _FLOATS)
                product = builder.fmul(own, factor, flags=["contract"])
                total = builder.fadd(total, product, flags=["contract"]) if total else product
            _store(builder, total, _moved(builder, out.start, builder.mul(m, out.strides[0])), 0)
            return []

        _loop(builder, arguments[1], [], one_row)
        return context.get_dummy_value()

    return signature, generate


def _sums(builder, size, *, steps, left, right, kinds, add, each_step=None):
    """The loop of a tile: in each step one number of every row meets the vectors of `right`.

    Args:
        size: Rows, and vectors in each.
        left: Of each row, where it begins and how many bytes are from step to step.
        right: The same, of the vectors.
        kinds: Of a number, and of a vector.
        add: Of a sum, a number in all lanes and a vector: the instructions for the new sum.
        each_step: Of the step: more instructions.

    Returns:
        The sums, a list for each row.
    """
    height, registers = size
    number, vector = kinds

    def one_step(step, *sums):
        if each_step:
            each_step(step)
        start = _moved(builder, right[0], builder.mul(step, right[1]))
        vectors = [_vector(builder, start, place, vector) for place in range(registers)]
        added = []
        for row, (begin, stride) in enumerate(left):
            at = builder.bitcast(_moved(builder, begin, builder.mul(step, stride)), number.as_pointer())
            everywhere = _in_all_lanes(builder, builder.load(at, align=1), vector)
            own = sums[row * registers : (row + 1) * registers]
            added += [add(total, everywhere, one) for total, one in zip(own, vectors, strict=True)]
        return added

    zero = ir.Constant(vector, [0] * LANES)
    sums = _loop(builder, steps, [zero] * (height * registers), one_step)
    return [sums[row * registers : (row + 1) * registers] for row in range(height)]


def _switch(builder, value, choices, write):
    """Instructions for each of the values that `value` may have, a literal to `write`."""
    after = builder.append_basic_block()
    switch = builder.switch(value, after)
    for choice in choices:
        block = builder.append_basic_block()
        switch.add_case(_LONG(choice), block)
        builder.position_at_end(block)
        write(choice)
        builder.branch(after)
    builder.position_at_end(after)


def _loop(builder, count, first, body):
    """A loop that is run at least once.

    Args:
        count: How often.
        first: Values that it begins with.
        body: Of the index and the values before: instructions for the next ones.

    Returns:
        The last values.
    """
    before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(_LONG)
    values = [builder.phi(value.type) for value in first]
    new = body(index, *values)
    following = builder.add(index, _LONG(1))
    builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)
    for phi, begin, end in zip([index, *values], [_LONG(0), *first], [following, *new], strict=True):
        phi.add_incoming(begin, before)
        phi.add_incoming(end, loop)
    builder.position_at_end(after)
    return new


@dataclass(frozen=True)
class _Part:
    """An array from some element on: LLVM's values."""

    start: Any
    shape: list[Any]
    strides: list[Any]


def _parts(context, builder, signature, arguments):
    """Return the arguments, of an array that a tuple of indices follows only the part from there on."""
    parts = []
    for number, kind in enumerate(signature.args):
        if not isinstance(kind, types.Array):
            continue
        array = context.make_array(kind)(context, builder, arguments[number])
        shape, strides = (
            [builder.extract_value(of_all, axis) for axis in range(kind.ndim)]
            for of_all in (array.shape, array.strides)
        )
        start = builder.bitcast(array.data, _BYTE.as_pointer())
        after = signature.args[number + 1 : number + 2]
        for axis in range(len(after[0]) if after and isinstance(after[0], types.BaseTuple) else 0):
            index = builder.extract_value(arguments[number + 1], axis)
            start = builder.gep(start, [builder.mul(index, strides[axis])])
        parts.append(_Part(start, shape, strides))
    return parts


def _rows(builder, part, count):
    """Return the places at which the first rows of a part begin."""
    return [_moved(builder, part.start, builder.mul(part.strides[0], _LONG(row))) for row in range(count)]


def _moved(builder, pointer, offset):
    return builder.gep(builder.bitcast(pointer, _BYTE.as_pointer()), [offset])


def _vector(builder, start, number, kind):
    at = builder.gep(builder.bitcast(start, kind.as_pointer()), [_LONG(number)])
    return builder.load(at, align=4)


def _store(builder, vector, row, number):
    start = builder.bitcast(row, vector.type.as_pointer())
    builder.store(vector, builder.gep(start, [_LONG(number)]), align=2)


def _prefetch(builder, start, step, lines):
    """Fetch lines into the second cache."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT, _INT, _INT])
    fetch = builder.module.declare_intrinsic("llvm.prefetch.p0", (), kind)
    first = _moved(builder, start, builder.mul(step, _LONG(LINE * lines)))
    for line in range(lines):
        builder.call(fetch, [_moved(builder, first, _LONG(LINE * line)), _INT(0), _INT(2), _INT(1)])


def _in_all_lanes(builder, number, kind):
    undefined = ir.Constant(kind, ir.Undefined)
    alone = builder.insert_element(undefined, number, _INT(0))
    return builder.shuffle_vector(alone, undefined, ir.Constant(_INTS, [0] * LANES))


def _rounded(builder, floats):
    """To bfloat16: the upper half of each."""
    half, places = (_in_all_lanes(builder, _INT(number), _INTS) for number in (ROUND, 16))
    return builder.trunc(builder.lshr(builder.add(builder.bitcast(floats, _INTS), half), places), _SHORTS)
