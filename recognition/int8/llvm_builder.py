"""Instructions of LLVM that tiles are put together from.

Every function writes instructions where `builder` stands, and returns LLVM's values, not numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types

LANES = 16
"""Numbers in a register of 512 bits; where registers are smaller, LLVM takes two for one."""

BYTE, SHORT, INT, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT = ir.FloatType()
INTS, FLOATS, SHORTS = (ir.VectorType(kind, LANES) for kind in (INT, FLOAT, SHORT))


@dataclass(frozen=True)
class Part:
    """An array from some element on: LLVM's values."""

    start: Any
    shape: list[Any]
    strides: list[Any]


def parts_of(context, builder, signature, arguments):
    """Take of each array among the arguments the part from the indices on that follow it, if a tuple does."""
    parts = []
    for number, kind in enumerate(signature.args):
        if not isinstance(kind, types.Array):
            continue
        array = context.make_array(kind)(context, builder, arguments[number])
        shape, strides = (
            [builder.extract_value(of_all, axis) for axis in range(kind.ndim)]
            for of_all in (array.shape, array.strides)
        )
        start = builder.bitcast(array.data, BYTE.as_pointer())
        after = signature.args[number + 1 : number + 2]
        for axis in range(len(after[0]) if after and isinstance(after[0], types.BaseTuple) else 0):
            index = builder.extract_value(arguments[number + 1], axis)
            start = builder.gep(start, [builder.mul(index, strides[axis])])
        parts.append(Part(start, shape, strides))
    return parts


def loop(builder, count, first, body):
    """Write a loop that is run at least once.

    Args:
        count: How often.
        first: Values that it begins with.
        body: Of the index and the values before: instructions for the next ones.

    Returns:
        The last values.
    """
    before, again, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(again)
    builder.position_at_end(again)
    index = builder.phi(LONG)
    values = [builder.phi(value.type) for value in first]
    new = body(index, *values)
    following = builder.add(index, LONG(1))
    builder.cbranch(builder.icmp_unsigned("<", following, count), again, after)
    for phi, begin, end in zip([index, *values], [LONG(0), *first], [following, *new], strict=True):
        phi.add_incoming(begin, before)
        phi.add_incoming(end, again)
    builder.position_at_end(after)
    return new


def sums_of_products(builder, size, *, steps, left, right, kinds, add, each_step=None):
    """Write the loop of a tile: in each step one number of every row meets the vectors of `right`.

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
        start = moved(builder, right[0], builder.mul(step, right[1]))
        vectors = [load(builder, start, place, vector) for place in range(registers)]
        added = []
        for row, (begin, stride) in enumerate(left):
            at = builder.bitcast(moved(builder, begin, builder.mul(step, stride)), number.as_pointer())
            everywhere = in_all_lanes(builder, builder.load(at, align=1), vector)
            own = sums[row * registers : (row + 1) * registers]
            added += [add(total, everywhere, one) for total, one in zip(own, vectors, strict=True)]
        return added

    zero = ir.Constant(vector, [0] * LANES)
    sums = loop(builder, steps, [zero] * (height * registers), one_step)
    return [sums[row * registers : (row + 1) * registers] for row in range(height)]


def row_starts(builder, part, count):
    """Find where the first rows of a part begin."""
    return [moved(builder, part.start, builder.mul(part.strides[0], LONG(row))) for row in range(count)]


def moved(builder, pointer, offset):
    """Move a pointer by so many bytes."""
    return builder.gep(builder.bitcast(pointer, BYTE.as_pointer()), [offset])


def load(builder, start, number, kind):
    """Load the vector of this number from `start` on."""
    at = builder.gep(builder.bitcast(start, kind.as_pointer()), [LONG(number)])
    return builder.load(at, align=4)


def store(builder, vector, row, number):
    """Store a vector as that of this number in a row."""
    start = builder.bitcast(row, vector.type.as_pointer())
    builder.store(vector, builder.gep(start, [LONG(number)]), align=2)


def in_all_lanes(builder, number, kind):
    """Spread a number over a vector of this kind."""
    undefined = ir.Constant(kind, ir.Undefined)
    alone = builder.insert_element(undefined, number, INT(0))
    return builder.shuffle_vector(alone, undefined, ir.Constant(INTS, [0] * LANES))
