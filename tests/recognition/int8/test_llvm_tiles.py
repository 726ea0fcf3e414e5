from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from recognition.int8.kernels import compiled
from recognition.int8.llvm_builder import LANES
from recognition.int8.llvm_tiles import (
    cpu_has,
    softmax_down,
    sum_of_neighbours,
    tile_of_floats,
    use_whole_registers,
)

from .test_kernels import normal, reference_memory


@compiled  # type: ignore[untyped-decorator]
def tile_4_by_3(left: Any, right: Any, out: Any, out_at: Any) -> None:
    tile_of_floats(4, 3, left.shape[1], left, (0, 0), right, (0, 0), out, out_at)


@compiled  # type: ignore[untyped-decorator]
def softmax(scores: Any, hidden: Any) -> None:
    softmax_down(scores, hidden)


@compiled  # type: ignore[untyped-decorator]
def sum_of_11(rows: Any, weights: Any, out: Any, column: Any) -> None:
    sum_of_neighbours(11, len(out), rows, (0, column), weights, (0, column), out, (0, column))


def double(values: Any) -> None:
    use_whole_registers()
    for number in range(len(values)):
        values[number] *= 2


class TestWholeRegister:
    def test_loops_are_as_wide_as_the_cpu_and_mean_the_same(self) -> None:
        compiled_now = njit(double)
        values = np.arange(37, dtype=np.float32)

        compiled_now(values)

        np.testing.assert_array_equal(values, 2 * np.arange(37, dtype=np.float32))
        [assembly] = compiled_now.inspect_asm().values()
        assert ("zmm" in assembly) == cpu_has("avx512f")


class TestFloatTile:
    def test_a_tile_is_the_product_of_its_rows_and_columns_and_touches_nothing_else(self) -> None:
        left, right, out = normal(0, 6, 37), normal(1, 37, 60), np.full((6, 60), 7, np.float32)

        tile_4_by_3(left, right, out, (1, 5))

        expected = np.full_like(out, 7)
        expected[1:5, 5:53] = left[:4] @ right[:, :48]
        np.testing.assert_allclose(out, expected, atol=1e-4)

    def test_its_rows_may_lie_across_and_all_may_be_parts_of_larger_arrays(self) -> None:
        left, right, out = normal(0, 9, 8), normal(1, 12, 99), np.zeros((5, 70), np.float32)

        tile_4_by_3(left.T[2:, 1:], right[2:10, 5:], out, (1, 3))

        np.testing.assert_allclose(out[1:, 3:51], left.T[2:6, 1:] @ right[2:10, 5:53], atol=1e-4)


class TestSoftmax:
    @given(st.integers(1, 70), st.sampled_from([0.1, 1.0, 30.0, 1e4]), st.integers(0, 1000))
    def test_every_column_is_a_softmax_without_its_hidden_rows(
        self, count: int, size: int, seed: int
    ) -> None:
        scores = normal(seed, count, LANES) * np.float32(size)
        hidden = np.where(np.arange(count) % 3 == 1, -1e30, 0).astype(np.float32)
        expected = torch.softmax(torch.from_numpy(scores + hidden[:, None]), 0).numpy()

        softmax(scores, hidden)

        np.testing.assert_allclose(scores, expected, atol=4e-6)


class TestNeighbours:
    def test_sixteen_columns_are_a_weighted_sum_of_the_rows_around(self) -> None:
        rows, weights, out = normal(0, 30, 40), normal(1, 11, 40), np.zeros((20, 40), np.float32)

        sum_of_11(rows, weights, out, 8)

        expected = reference_memory(rows, weights, 0, 10)[:20]
        np.testing.assert_allclose(out[:, 8:24], expected[:, 8:24], atol=1e-4)
        assert not (out[:, :8].any() or out[:, 24:].any())


class TestCpu:
    def test_a_feature_that_no_processor_has_is_missing(self) -> None:
        assert not cpu_has("sse2", "no such feature")

    def test_where_numba_is_told_to_compile_for_another_processor_nothing_is_taken_for_granted(self) -> None:
        with mock.patch("numba.config.CPU_NAME", "generic"):
            cpu_has.cache_clear()
            assert not cpu_has("sse2")
        cpu_has.cache_clear()
