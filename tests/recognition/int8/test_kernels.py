from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recognition.int8 import kernels
from recognition.int8.kernels import Norm, Product, Quantized

WIDTH, TAPS = 24, 5


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def normal(seed: int, *shape: int) -> np.ndarray:
    return rng(seed).standard_normal(shape).astype(np.float32)


def bfloat16(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bits that oneDNN writes for these numbers, and the numbers that they stand for."""
    rounded = torch.from_numpy(x).bfloat16()
    return rounded.view(torch.uint16).numpy(), rounded.float().numpy()


def empty_rows(m: int, d: int) -> Quantized:
    return Quantized(np.empty((m, d), np.uint8), np.empty(m, np.float32))


def dequantized(rows: Quantized, zero: int = 128) -> np.ndarray:
    return np.asarray((rows.values.astype(np.float32) - zero) * rows.scale[:, None])


def is_near(rows: Quantized, expected: np.ndarray, slack: float = 0.0) -> bool:
    """Return whether rows hold these numbers as well as 8 bits can."""
    return bool((abs(dequantized(rows) - expected) <= 0.52 * rows.scale[:, None] + slack).all())


def reference_memory(value: np.ndarray, weights: np.ndarray, left: int, right: int) -> np.ndarray:
    padded = np.pad(value, ((left, right), (0, 0)))
    taps = range(len(weights))
    return np.asarray(sum(padded[tap : tap + len(value)] * weights[tap] for tap in taps))


class TestQuantize:
    @given(st.integers(0, 1000), st.integers(1, 9), st.sampled_from([1, 15, 16, 100]))
    def test_a_row_comes_back_within_half_a_step(self, seed: int, rows: int, width: int) -> None:
        x = normal(seed, rows, width) * 10
        out = empty_rows(rows, width)

        kernels.quantize(x, out)

        assert is_near(out, x)
        np.testing.assert_allclose(out.scale * 127, abs(x).max(1), rtol=1e-5)

    def test_a_row_of_zeros_stays_zeros(self) -> None:
        out = empty_rows(1, 8)

        kernels.quantize(np.zeros((1, 8), np.float32), out)

        assert out.values.tolist() == [[128] * 8]
        assert np.isfinite(out.scale).all()

    def test_relu_uses_all_eight_bits_above_zero(self) -> None:
        y, _ = bfloat16(np.array([[-1, 0, 1, 2]], np.float32))
        out = empty_rows(1, 4)

        kernels.relu_quantize(Product(y, np.array([2], np.float32), np.ones(4, np.float32)), out)

        assert out.values.tolist() == [[0, 51, 153, 255]]
        assert float(out.scale[0]) == pytest.approx(5 / 255)

    def test_relu_of_nothing_positive_is_zero(self) -> None:
        y, _ = bfloat16(-np.ones((1, 4), np.float32))
        out = empty_rows(1, 4)

        kernels.relu_quantize(Product(y, np.ones(1, np.float32), np.zeros(4, np.float32)), out)

        assert out.values.tolist() == [[0, 0, 0, 0]]

    def test_scale_and_shift_come_before_relu_and_only_as_many_columns_as_fit_are_taken(self) -> None:
        x, gain, shift = normal(0, 5, 20), normal(1, 12), normal(2, 12)
        out = empty_rows(5, 12)

        kernels.scale_shift_relu_quantize(x, gain, shift, out)

        expected = np.maximum(x[:, :12] * gain + shift, 0)
        error = abs(dequantized(out, 0) - expected)
        assert (error <= 0.52 * out.scale[:, None]).all()

    @given(st.integers(0, 100), st.floats(1e-12, 1e12))
    def test_rows_of_any_loudness_keep_their_shape(self, seed: int, loudness: float) -> None:
        x = normal(seed, 1, 40) * np.float32(loudness)
        out = empty_rows(1, 40)

        kernels.quantize(x, out)

        assert is_near(out, x)

    def test_no_row_depends_on_the_others(self) -> None:
        x = normal(0, 30, 37)
        together, alone = empty_rows(30, 37), empty_rows(1, 37)

        kernels.quantize(x, together)

        for row in range(30):
            kernels.quantize(x[row : row + 1].copy(), alone)
            np.testing.assert_array_equal(together.values[row], alone.values[0])
            assert together.scale[row] == alone.scale[0]

    def test_no_rows_are_no_work(self) -> None:
        out = empty_rows(0, 8)

        kernels.quantize(np.empty((0, 8), np.float32), out)

        assert out.values.shape == (0, 8)

    def test_the_largest_number_of_a_row_uses_the_last_step_on_its_side(self) -> None:
        out = empty_rows(2, 3)

        kernels.quantize(np.array([[-4, 0, 2], [1, 0, -0.5]], np.float32), out)

        assert out.values[0].tolist() == [1, 128, 192]
        assert out.values[1].tolist() == [255, 128, 65]


class TestPadded:
    @given(st.integers(0, 1000), st.integers(1, 64))
    def test_it_is_the_next_multiple(self, count: int, step: int) -> None:
        found = kernels.padded(count, step)

        assert found % step == 0
        assert count <= found < count + step


class TestNormalize:
    def setup_method(self) -> None:
        self.x, self.y, self.more = normal(0, 6, 40), normal(1, 6, 40), normal(2, 6, 40)
        self.scale, self.bias = abs(normal(3, 6)) + 0.1, normal(4, 40)
        self.gamma, self.beta = normal(5, 40), normal(6, 40)
        self.norm = Norm(self.gamma, self.beta, np.float32(1e-5))
        self.out = empty_rows(6, 40)

    def normalized(self, x: np.ndarray) -> np.ndarray:
        return torch.nn.functional.layer_norm(
            torch.from_numpy(x), (40,), torch.from_numpy(self.gamma), torch.from_numpy(self.beta), 1e-5
        ).numpy()

    def product(self, values: np.ndarray) -> Product:
        return Product(values.copy(), self.scale, self.bias)

    def test_layer_normalisation_is_that_of_torch(self) -> None:
        out = np.empty_like(self.x)
        kernels.normalize(self.x, self.norm, out)
        np.testing.assert_allclose(out, self.normalized(self.x), atol=1e-5)

        kernels.normalize_quantize(self.x, self.norm, self.out)
        assert is_near(self.out, self.normalized(self.x))

    def test_a_residual_is_a_product_with_scale_and_bias(self) -> None:
        expected = self.x + self.y * self.scale[:, None] + self.bias

        kernels.add(self.x, self.product(self.y))

        np.testing.assert_allclose(self.x, expected, atol=1e-5)

    def test_the_residual_is_added_before(self) -> None:
        expected = self.x + self.y * self.scale[:, None] + self.bias

        kernels.add_normalize_quantize(self.x, self.product(self.y), self.norm, self.out)

        np.testing.assert_allclose(self.x, expected, atol=1e-5)
        assert is_near(self.out, self.normalized(expected))

    def test_the_memory_is_added_with_it(self) -> None:
        bits, y = bfloat16(self.y)
        expected = self.x + y * self.scale[:, None] + self.bias + self.more

        kernels.add_both_normalize_quantize(self.x, self.product(bits), self.more, self.norm, self.out)

        np.testing.assert_allclose(self.x, expected, atol=1e-5)
        assert is_near(self.out, self.normalized(expected))

    def test_the_decoders_norms_follow_a_product(self) -> None:
        out = np.empty_like(self.x)
        kernels.scale_normalize(self.product(self.y), self.norm, out)
        np.testing.assert_allclose(out, self.normalized(self.y * self.scale[:, None]), atol=1e-5)

        kernels.relu_normalize_quantize(self.product(self.y), self.norm, self.out)
        positive = np.maximum(self.y * self.scale[:, None] + self.bias, 0)
        assert is_near(self.out, self.normalized(positive))

    def test_the_likeliest_tokens_are_found_in_order_after_scale_and_bias(self) -> None:
        expected = self.y * self.scale[:, None] + self.bias
        for count in (1, 5):
            ids, scores = np.zeros((6, count), np.int64), np.full((6, count), -np.inf, np.float32)

            kernels.likeliest(self.product(self.y), ids, scores)

            np.testing.assert_array_equal(ids, (-expected).argsort(1)[:, :count])
            np.testing.assert_allclose(scores, -np.sort(-expected, 1)[:, :count], rtol=1e-5)

    def test_a_row_without_any_difference_is_normalised_to_its_shift(self) -> None:
        out = np.empty((1, 40), np.float32)

        kernels.normalize(np.full((1, 40), 3, np.float32), self.norm, out)

        np.testing.assert_allclose(out[0], self.beta, atol=1e-3)

    def test_no_row_depends_on_the_others(self) -> None:
        expected = empty_rows(6, 40)
        kernels.normalize_quantize(self.x, self.norm, expected)
        for row in range(6):
            found = empty_rows(1, 40)

            kernels.normalize_quantize(self.x[row : row + 1].copy(), self.norm, found)

            np.testing.assert_array_equal(found.values[0], expected.values[row])
            assert found.scale[0] == expected.scale[row]


class TestLikeliest:
    def find(self, numbers: list[float], count: int) -> tuple[list[int], list[float]]:
        y = Product(
            np.array([numbers], np.float32), np.ones(1, np.float32), np.zeros(len(numbers), np.float32)
        )
        ids, scores = np.zeros((1, count), np.int64), np.full((1, count), -np.inf, np.float32)
        kernels.likeliest(y, ids, scores)
        return ids[0].tolist(), scores[0].tolist()

    def test_of_two_alike_the_first_comes_first(self) -> None:
        assert self.find([1, 3, 3, 2], 3) == ([1, 2, 3], [3, 3, 2])

    def test_all_of_them_may_be_asked_for(self) -> None:
        assert self.find([-2, -1, -3], 3) == ([1, 0, 2], [-1, -2, -3])

    def test_a_row_in_rising_order_ends_with_its_last(self) -> None:
        assert self.find(list(range(50)), 2)[0] == [49, 48]


class TestRemember:
    def test_streams_of_different_lengths_do_not_mix(self) -> None:
        h, weights = normal(0, 9, WIDTH), normal(1, TAPS, WIDTH)
        memories = normal(2, 4, TAPS - 1, WIDTH)
        together, alone = memories.copy(), memories.copy()
        x, bounds, slots = normal(3, 9, WIDTH), np.array([0, 1, 7, 9]), np.array([3, 0, 2])
        expected = x.copy()

        kernels.remember(h, bounds, slots, together, weights, x)

        for first, end, slot in zip(bounds, bounds[1:], slots, strict=False):
            own = expected[first:end].copy()
            one = np.array([0, end - first])
            kernels.remember(h[first:end].copy(), one, np.array([slot]), alone, weights, own)
            np.testing.assert_array_equal(x[first:end], own)
        np.testing.assert_array_equal(together, alone)
        np.testing.assert_array_equal(together[1], memories[1])

    def test_a_memory_that_looks_ahead_sees_nothing_behind_the_end(self) -> None:
        h, weights = normal(0, 6, WIDTH), normal(1, TAPS, WIDTH)
        x = np.zeros_like(h)

        kernels.remember(
            h, np.array([0, 6]), np.zeros(1, int), np.zeros((1, 2, WIDTH), np.float32), weights, x
        )

        np.testing.assert_allclose(x, reference_memory(h, weights, 2, 2), atol=1e-5)

    def test_a_stream_cut_anywhere_remembers_what_a_whole_one_does(self) -> None:
        h, weights = normal(0, 9, WIDTH), normal(1, TAPS, WIDTH)
        expected = reference_memory(h, weights, TAPS - 1, 0)

        memories = np.zeros((2, TAPS - 1, WIDTH), np.float32)
        parts = []
        for rows in (slice(0, 1), slice(1, 7), slice(7, 9)):
            x = np.zeros_like(h[rows])
            bounds = np.array([0, len(x)])
            kernels.remember(h[rows].copy(), bounds, np.array([1]), memories, weights, x)
            parts.append(x)

        np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)
        assert not memories[0].any()


class TestGatedTaps:
    def test_equals_a_dilated_convolution_and_a_gate_per_segment(self) -> None:
        rows, growth, dilation = 23, 4, 2
        segment = np.repeat(np.arange(3, dtype=np.int32), (10, 10, 3))
        h, weight = normal(0, rows, 6), normal(1, growth, 6, 3)
        scale, gates = abs(normal(2, rows)) + 0.2, normal(3, 3, growth)
        products = np.concatenate([h @ weight[:, :, tap].T for tap in range(3)], axis=1)
        x = np.full((rows, 9), 7, np.float32)

        one = np.zeros_like(segment)
        kernels.add_taps_gated(without_bias(products, scale), gates, segment, one, dilation, x, 3)

        expected = torch.nn.functional.conv1d(
            torch.from_numpy(h * scale[:, None]).T[None],
            torch.from_numpy(weight),
            padding=dilation,
            dilation=dilation,
        )[0].T.numpy()
        expected *= gates[segment]
        np.testing.assert_allclose(x[:, 3:7], expected, atol=1e-4)
        assert (x[:, [0, 1, 2, 7, 8]] == 7).all()

    def test_a_convolution_does_not_reach_into_another_part(self) -> None:
        products, scale = normal(0, 12, 6), np.ones(12, np.float32)
        gates, both = normal(1, 2, 2), np.repeat(np.arange(2, dtype=np.int32), (5, 7))
        together, alone = np.empty((12, 2), np.float32), np.empty((7, 2), np.float32)

        kernels.add_taps_gated(without_bias(products, scale), gates, both, both, 2, together, 0)
        one, own = np.zeros(7, np.int32), without_bias(products[5:].copy(), scale[5:])
        kernels.add_taps_gated(own, gates[1:], one, one, 2, alone, 0)

        np.testing.assert_array_equal(together[5:], alone)

    @pytest.mark.parametrize("dilation", [1, 2, 3, 11])
    def test_taps_that_reach_beyond_a_short_recording_add_nothing(self, dilation: int) -> None:
        products, one = normal(0, 3, 6), np.zeros(3, np.int32)
        x = np.empty((3, 2), np.float32)

        kernels.add_taps_gated(
            without_bias(products, np.ones(3, np.float32)),
            np.ones((1, 2), np.float32),
            one,
            one,
            dilation,
            x,
            0,
        )

        expected = products[:, 2:4].copy()
        if dilation < 3:
            expected[dilation:] += products[:-dilation, :2]
            expected[:-dilation] += products[dilation:, 4:]
        np.testing.assert_allclose(x, expected, atol=1e-6)

    def test_a_closed_gate_lets_nothing_through(self) -> None:
        products, one = normal(0, 5, 6), np.zeros(5, np.int32)
        x = np.full((5, 2), 7, np.float32)

        kernels.add_taps_gated(
            without_bias(products, np.ones(5, np.float32)), np.zeros((1, 2), np.float32), one, one, 1, x, 0
        )

        assert not x.any()

    def test_segments_are_added_up_on_the_way(self) -> None:
        y, bias = normal(0, 23, 6), normal(1, 6)
        out = empty_rows(23, 6)
        sums, segment = np.empty((3, 6), np.float32), np.repeat(np.arange(3, dtype=np.int32), (10, 10, 3))

        kernels.relu_quantize_sum(Product(y, np.ones(23, np.float32), bias), out, segment, sums)

        h = np.maximum(y + bias, 0)
        np.testing.assert_allclose(sums, [h[:10].sum(0), h[10:20].sum(0), h[20:].sum(0)], atol=1e-4)
        np.testing.assert_allclose(dequantized(out, 0), h, atol=0.02)


def without_bias(values: np.ndarray, scale: np.ndarray) -> Product:
    return Product(values, scale, np.zeros(values.shape[1], np.float32))
