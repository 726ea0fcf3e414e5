from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from recognition.funasr.int8 import matmul_vnni, networks
from recognition.funasr.int8.kernels import compiled
from recognition.funasr.int8.llvm_tiles import (
    LANES,
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
def sum_of_11(rows: int, weights: Any, out: Any, column: Any) -> None:
    sum_of_neighbours(11, len(out), rows, (0, column), weights, (0, column), out, (0, column))


def random_bytes(seed: int, outputs: int, inputs: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
    return weight, rng.integers(0, 256, (rows, inputs)).astype(np.uint8)


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


@pytest.mark.skipif(not matmul_vnni.is_supported(), reason="this CPU has no AVX512-VNNI, or has AMX")
class TestByteProduct:
    @settings(max_examples=60)
    @given(
        st.integers(1, 27),
        st.integers(1, 150),
        st.integers(1, 20).map(lambda quads: 4 * quads),
        st.sampled_from([0, 128]),
        st.integers(0, 1000),
    )
    def test_a_product_is_exact(self, rows: int, outputs: int, inputs: int, zero: Any, seed: int) -> None:
        weight, x = random_bytes(seed, outputs, inputs, rows)
        packed = matmul_vnni.pack(weight)
        scale = np.zeros(matmul_vnni.PANEL * len(packed), np.float32)
        correction = np.zeros(len(scale), np.int32)
        scale[:outputs] = abs(normal(seed, outputs)) + 0.1
        correction[:outputs] = zero * weight.sum(1, dtype=np.int32)
        expected = ((x.astype(np.int64) - zero) @ weight.T.astype(np.int64)) * scale[:outputs]

        out = np.empty((rows, outputs), np.float32)
        matmul_vnni.multiply(x, packed, scale, correction, out)
        bits = np.empty((rows, outputs), np.uint16)
        matmul_vnni.multiply(x, packed, scale, correction, bits)

        np.testing.assert_allclose(out, expected, rtol=1e-6)
        halved = (bits.astype(np.uint32) << 16).view(np.float32)
        np.testing.assert_allclose(halved, expected, rtol=1 / 256)

    def test_the_largest_products_of_long_rows_fit(self) -> None:
        packed = matmul_vnni.pack(np.full((64, 4096), -127, np.int8))
        out = np.empty((1, 64), np.float32)

        matmul_vnni.multiply(
            np.full((1, 4096), 255, np.uint8), packed, np.ones(64, np.float32), np.zeros(64, np.int32), out
        )

        np.testing.assert_array_equal(out, -127.0 * 255 * 4096)

    def test_it_is_the_product_of_onednn(self) -> None:
        weight, x = random_bytes(0, 100, 64, 9)
        scale = torch.rand(100) + 0.1
        rows = networks.Rows(9, 64)
        rows.quantized.values[:] = x
        for dtype in (torch.float32, torch.bfloat16):
            ours, theirs = (
                multiplier(torch.from_numpy(weight), scale, dtype)(rows)
                for multiplier in (networks.Vnni, networks.OneDnn)
            )
            assert ours.dtype == theirs.dtype
            if dtype == torch.float32:
                np.testing.assert_allclose(ours, theirs, rtol=1e-5)
            else:  # half a last place is rounded up here, to even there
                assert abs(ours.astype(int) - theirs.astype(int)).max() <= 1

    def test_weights_are_aligned_to_lines_of_the_cache(self) -> None:
        for outputs in (1, 64, 65, 200):
            assert matmul_vnni.pack(np.ones((outputs, 12), np.int8)).ctypes.data % 64 == 0


class TestCpu:
    def test_a_feature_that_no_processor_has_is_missing(self) -> None:
        assert not cpu_has("sse2", "no such feature")

    def test_where_numba_is_told_to_compile_for_another_processor_nothing_is_taken_for_granted(self) -> None:
        with mock.patch("numba.config.CPU_NAME", "generic"):
            cpu_has.cache_clear()
            assert not cpu_has("sse2")
        cpu_has.cache_clear()
