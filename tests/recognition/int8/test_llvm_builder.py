"""Instructions are right if a function made of them computes the right numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from recognition.int8.llvm_builder import (
    FLOAT,
    FLOATS,
    INT,
    LANES,
    LONG,
    in_all_lanes,
    load,
    loop,
    moved,
    parts_of,
    row_starts,
    store,
    sums_of_products,
)

from .test_kernels import normal


@intrinsic
def sum_of_powers(typing: Any, base: Any, count: Any) -> Any:
    """Return 1 + base + base ** 2 + ..., so many numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, count = arguments

        def add(index: Any, total: Any, power: Any) -> Any:
            return [builder.add(total, power), builder.mul(power, base)]

        [total, _] = loop(builder, count, [LONG(0), LONG(1)], add)
        return total

    return types.int64(types.int64, types.int64), generate


@intrinsic
def copy_vector(typing: Any, source: Any, source_at: Any, target: Any, target_at: Any) -> Any:
    """Copy sixteen numbers from one place to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = parts_of(context, builder, signature, arguments)
        store(builder, load(builder, source.start, 0, FLOATS), target.start, 0)
        return context.get_dummy_value()

    return types.void(source, source_at, target, target_at), generate


@intrinsic
def fill_second_row(typing: Any, number: Any, target: Any) -> Any:
    """Fill the first sixteen numbers of the second row."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        [target] = parts_of(context, builder, signature, arguments)
        second = row_starts(builder, target, 2)[1]
        store(builder, in_all_lanes(builder, arguments[0], FLOATS), second, 0)
        return context.get_dummy_value()

    return types.void(types.float32, target), generate


@intrinsic
def fourth_byte_on(typing: Any, source: Any) -> Any:
    """Return the number that begins four bytes after the start."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        [source] = parts_of(context, builder, signature, arguments)
        return builder.load(builder.bitcast(moved(builder, source.start, LONG(4)), INT.as_pointer()))

    return types.int32(source), generate


@intrinsic
def tile_2_by_1(typing: Any, left: Any, right: Any, out: Any) -> Any:
    """Compute `out = left @ right` for two rows and sixteen columns, and count the steps in `out[2, 0]`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right, out = parts_of(context, builder, signature, arguments)
        counter = row_starts(builder, out, 3)[2]

        def count(step: Any) -> None:
            at = builder.bitcast(counter, FLOAT.as_pointer())
            builder.store(builder.fadd(builder.load(at), ir.Constant(FLOAT, 1)), at)

        sums = sums_of_products(
            builder,
            (2, 1),
            steps=left.shape[1],
            left=[(row, left.strides[1]) for row in row_starts(builder, left, 2)],
            right=(right.start, right.strides[0]),
            kinds=(FLOAT, FLOATS),
            add=lambda before, a, b: builder.fadd(before, builder.fmul(a, b)),
            each_step=count,
        )
        for row, [total] in zip(row_starts(builder, out, 2), sums, strict=True):
            store(builder, total, row, 0)
        return context.get_dummy_value()

    return types.void(left, right, out), generate


class TestLoop:
    @given(st.integers(1, 20), st.integers(-3, 3))
    def test_values_are_carried_from_round_to_round(self, count: int, base: int) -> None:
        assert powers(base, count) == sum(base**n for n in range(count))

    def test_it_runs_at_least_once(self) -> None:
        assert powers(7, 0) == 1


@njit
def powers(base: Any, count: Any) -> Any:
    return sum_of_powers(base, count)


class TestParts:
    @pytest.mark.parametrize(("at", "to"), [((0, 0), (0, 0)), ((2, 3), (1, 0)), ((3, 1), (2, 4))])
    def test_indices_after_an_array_say_where_its_part_begins(self, at: Any, to: Any) -> None:
        source, target = normal(0, 4, 20), np.zeros((3, 20), np.float32)

        copied(source, at, target, to)

        expected = np.zeros_like(target)
        expected[to[0], to[1] : to[1] + LANES] = source[at[0], at[1] : at[1] + LANES]
        np.testing.assert_array_equal(target, expected)

    def test_rows_may_lie_any_distance_apart(self) -> None:
        target = np.zeros((4, 40), np.float32)

        filled(np.float32(2.5), target[::2, 8:])

        expected = np.zeros_like(target)
        expected[2, 8 : 8 + LANES] = 2.5
        np.testing.assert_array_equal(target, expected)

    def test_pointers_move_by_bytes(self) -> None:
        assert second_number(np.array([11, 22, 33], np.int32)) == 22


@njit
def copied(source: Any, at: Any, target: Any, to: Any) -> None:
    copy_vector(source, at, target, to)


@njit
def filled(number: Any, target: Any) -> None:
    fill_second_row(number, target)


@njit
def second_number(source: Any) -> Any:
    return fourth_byte_on(source)


class TestSumsOfProducts:
    @pytest.mark.parametrize("steps", [1, 2, 37])
    def test_every_number_of_a_row_meets_every_vector(self, steps: int) -> None:
        left, right = normal(0, 2, steps), normal(1, steps, LANES)
        out = np.zeros((3, LANES), np.float32)

        multiplied(left, right, out)

        np.testing.assert_allclose(out[:2], left @ right, atol=1e-4)
        assert out[2, 0] == steps
        assert not out[2, 1:].any()


@njit
def multiplied(left: Any, right: Any, out: Any) -> None:
    tile_2_by_1(left, right, out)
