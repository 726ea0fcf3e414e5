from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.int8 import matmul_vnni, products

from .test_kernels import normal


def random_bytes(seed: int, outputs: int, inputs: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
    return weight, rng.integers(0, 256, (rows, inputs)).astype(np.uint8)


@pytest.mark.skipif(not matmul_vnni.is_supported(), reason="this CPU has no AVX512-VNNI")
class TestProduct:
    @settings(max_examples=60)
    @given(
        st.integers(1, 27),
        st.integers(1, 150),
        st.integers(1, 20).map(lambda quads: 4 * quads),
        st.sampled_from([0, 128]),
        st.integers(0, 1000),
    )
    def test_a_product_is_exact(self, rows: int, outputs: int, inputs: int, zero: int, seed: int) -> None:
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
        rows = products.Rows(9, 64)
        rows.quantized.values[:] = x
        for dtype in (torch.float32, torch.bfloat16):
            ours, theirs = (
                multiplier(torch.from_numpy(weight), scale, dtype)(rows)
                for multiplier in (products.Vnni, products.OneDnn)
            )
            assert ours.dtype == theirs.dtype
            if dtype == torch.float32:
                np.testing.assert_allclose(ours, theirs, rtol=1e-5)
            else:  # half a last place is rounded up here, to even there
                assert abs(ours.astype(int) - theirs.astype(int)).max() <= 1

    def test_weights_are_aligned_to_lines_of_the_cache(self) -> None:
        for outputs in (1, 64, 65, 200):
            assert matmul_vnni.pack(np.ones((outputs, 12), np.int8)).ctypes.data % 64 == 0


@pytest.mark.skipif(not matmul_vnni.is_supported(), reason="this CPU has no AVX512-VNNI")
class TestEdges:
    """Of tiles: the last row, the last panel, and how far ahead weights are fetched."""

    def product(
        self, rows: int, outputs: int, inputs: int, dtype: type[np.float32 | np.uint16] = np.float32
    ) -> tuple[np.ndarray, np.ndarray]:
        weight, x = random_bytes(rows, outputs, inputs, rows)
        packed = matmul_vnni.pack(weight)
        width = matmul_vnni.PANEL * len(packed)
        out: np.ndarray = np.empty((rows, outputs), dtype)
        matmul_vnni.multiply(x, packed, np.ones(width, np.float32), np.zeros(width, np.int32), out)
        return out, x.astype(np.int64) @ weight.T.astype(np.int64)

    @pytest.mark.parametrize("rows", [1, 5, 6, 7, 12, 13, 18, 19, 24, 25, 61])
    def test_any_number_of_rows_is_cut_into_tiles(self, rows: int) -> None:
        out, expected = self.product(rows, 128, 64)

        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("outputs", [1, 15, 16, 63, 64, 65, 127, 129])
    def test_the_last_panel_may_be_narrow(self, outputs: int) -> None:
        out, expected = self.product(9, outputs, 32)

        np.testing.assert_array_equal(out, expected)

    def test_one_quad_of_inputs_is_enough(self) -> None:
        out, expected = self.product(3, 64, 4)

        np.testing.assert_array_equal(out, expected)

    def test_numbers_are_rounded_to_the_nearest_bfloat16(self) -> None:
        out, expected = self.product(6, 64, 128, np.uint16)

        floats = (out.astype(np.uint32) << 16).view(np.float32)
        nearest = torch.from_numpy(expected.astype(np.float32)).bfloat16().float().numpy()
        step = np.spacing(np.abs(nearest).astype(np.float32)) * 2**16
        assert (abs(floats - nearest) <= step).all()
        assert (abs(floats - expected) <= step / 2 + 1e-3).all()

    def test_nothing_is_written_beside_the_rows(self) -> None:
        weight, x = random_bytes(1, 70, 32, 7)
        packed = matmul_vnni.pack(weight)
        width = matmul_vnni.PANEL * len(packed)
        whole = np.full((9, 70), 7, np.float32)

        matmul_vnni.multiply(x, packed, np.ones(width, np.float32), np.zeros(width, np.int32), whole[1:8])

        assert (whole[[0, 8]] == 7).all()
        np.testing.assert_array_equal(whole[1:8], x.astype(np.int64) @ weight.T.astype(np.int64))

    def test_no_row_depends_on_the_others(self) -> None:
        weight, x = random_bytes(2, 100, 64, 23)
        packed = matmul_vnni.pack(weight)
        width = matmul_vnni.PANEL * len(packed)
        scale, correction = abs(normal(0, width)), np.zeros(width, np.int32)
        together, alone = np.empty((23, 100), np.float32), np.empty((1, 100), np.float32)

        matmul_vnni.multiply(x, packed, scale, correction, together)

        for row in range(23):
            matmul_vnni.multiply(x[row : row + 1], packed, scale, correction, alone)
            np.testing.assert_array_equal(together[row], alone[0])


class TestPack:
    def test_four_inputs_of_sixty_four_outputs_lie_side_by_side(self) -> None:
        weight = np.arange(128 * 8).reshape(128, 8).astype(np.int8)

        packed = matmul_vnni.pack(weight)

        assert packed.shape == (2, 2, 64, 4)
        np.testing.assert_array_equal(packed[1, 0, 3], weight[67, :4])
        np.testing.assert_array_equal(packed[0, 1, 5], weight[5, 4:])

    def test_the_last_panel_is_filled_up_with_zeros(self) -> None:
        packed = matmul_vnni.pack(np.ones((65, 4), np.int8))

        assert packed.shape == (2, 1, 64, 4)
        assert packed[1, 0, 0].all()
        assert not packed[1, 0, 1:].any()

    def test_the_weights_given_stay_as_they_are(self) -> None:
        weight = np.arange(64, dtype=np.int8).reshape(16, 4)
        before = weight.copy()

        packed = matmul_vnni.pack(weight)
        packed[:] = 0

        np.testing.assert_array_equal(weight, before)


class TestChoice:
    """Whose products a layer has."""

    def multiplier(self, inputs: int, *, many_rows: bool) -> str:
        return type(products.Linear(torch.ones(8, inputs), None, many_rows=many_rows)._multiply).__name__

    @pytest.mark.parametrize(
        ("has_vnni", "has_amx", "many_rows", "expected"),
        [
            (True, False, False, "Vnni"),
            (True, False, True, "Vnni"),
            (True, True, False, "Vnni"),
            (True, True, True, "OneDnn"),
            (False, False, False, "OneDnn"),
            (False, True, False, "OneDnn"),
        ],
    )
    def test_they_are_our_own_with_vnni_unless_many_rows_meet_amx(
        self, has_vnni: bool, has_amx: bool, many_rows: bool, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not products.is_supported():
            pytest.skip("this CPU has no 8-bit products")
        monkeypatch.setattr(matmul_vnni, "is_supported", lambda: has_vnni)
        monkeypatch.setattr(products, "cpu_has", lambda *features: has_amx)

        assert self.multiplier(64, many_rows=many_rows) == expected

    def test_rows_that_do_not_divide_by_four_are_left_to_onednn(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(matmul_vnni, "is_supported", lambda: True)
        monkeypatch.setattr(products, "cpu_has", lambda *features: False)

        assert products.takes_vnni(64)
        assert not products.takes_vnni(66)
