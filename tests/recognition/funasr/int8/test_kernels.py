from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr.int8 import kernels

WIDTH, TAPS = 24, 5


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def normal(seed: int, *shape: int) -> np.ndarray:
    return rng(seed).standard_normal(shape).astype(np.float32)


def bfloat16(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bits that oneDNN writes for these numbers, and the numbers that they stand for."""
    rounded = torch.from_numpy(x).bfloat16()
    return rounded.view(torch.uint16).numpy(), rounded.float().numpy()


def dequantized(values: np.ndarray, scale: np.ndarray, zero: int = 128) -> np.ndarray:
    return np.asarray((values.astype(np.float32) - zero) * scale[:, None])


def reference_memory(value: np.ndarray, weights: np.ndarray, left: int, right: int) -> np.ndarray:
    padded = np.pad(value, ((left, right), (0, 0)))
    taps = range(len(weights))
    return np.asarray(sum(padded[tap : tap + len(value)] * weights[tap] for tap in taps))


class TestQuantize:
    @given(st.integers(0, 1000), st.integers(1, 9), st.sampled_from([1, 15, 16, 100]))
    def test_a_row_comes_back_within_half_a_step(self, seed: int, rows: int, width: int) -> None:
        x = normal(seed, rows, width) * 10
        out, scale = np.empty(x.shape, np.uint8), np.empty(rows, np.float32)

        kernels.quantize(x, out, scale)

        assert (abs(dequantized(out, scale) - x) <= 0.51 * scale[:, None]).all()
        np.testing.assert_allclose(scale * 127, abs(x).max(1), rtol=1e-5)

    def test_a_row_of_zeros_stays_zeros(self) -> None:
        out, scale = np.empty((1, 8), np.uint8), np.empty(1, np.float32)

        kernels.quantize(np.zeros((1, 8), np.float32), out, scale)

        assert out.tolist() == [[128] * 8]
        assert np.isfinite(scale).all()

    def test_relu_uses_all_eight_bits_above_zero(self) -> None:
        y, _ = bfloat16(np.array([[-1, 0, 1, 2]], np.float32))
        out, scale = np.empty((1, 4), np.uint8), np.empty(1, np.float32)

        kernels.relu_quantize(y, np.array([2], np.float32), np.ones(4, np.float32), out, scale)

        assert out.tolist() == [[0, 51, 153, 255]]
        assert float(scale[0]) == pytest.approx(5 / 255)

    def test_relu_of_nothing_positive_is_zero(self) -> None:
        out, scale = np.empty((1, 4), np.uint8), np.empty(1, np.float32)

        kernels.relu_quantize(
            bfloat16(-np.ones((1, 4), np.float32))[0],
            np.ones(1, np.float32),
            np.zeros(4, np.float32),
            out,
            scale,
        )

        assert out.tolist() == [[0, 0, 0, 0]]


class TestNormalize:
    def setup_method(self) -> None:
        self.x, self.y, self.more = normal(0, 6, 40), normal(1, 6, 40), normal(2, 6, 40)
        self.scale, self.bias = abs(normal(3, 6)) + 0.1, normal(4, 40)
        self.gamma, self.beta = normal(5, 40), normal(6, 40)
        self.parts = (self.gamma, self.beta, np.float32(1e-5))
        self.out, self.out_scale = np.empty((6, 40), np.uint8), np.empty(6, np.float32)

    def norm(self, x: np.ndarray) -> np.ndarray:
        return torch.nn.functional.layer_norm(
            torch.from_numpy(x), (40,), torch.from_numpy(self.gamma), torch.from_numpy(self.beta), 1e-5
        ).numpy()

    def assert_quantized(self, expected: np.ndarray) -> None:
        error = abs(dequantized(self.out, self.out_scale) - expected)
        assert (error <= 0.51 * self.out_scale[:, None]).all()

    def test_layer_normalisation_is_that_of_torch(self) -> None:
        out = np.empty_like(self.x)
        kernels.normalize(self.x, *self.parts, out)
        np.testing.assert_allclose(out, self.norm(self.x), atol=1e-5)

        kernels.normalize_quantize(self.x, *self.parts, self.out, self.out_scale)
        self.assert_quantized(self.norm(self.x))

    def test_the_residual_is_added_before(self) -> None:
        expected = self.x + self.y * self.scale[:, None] + self.bias

        kernels.add_normalize_quantize(
            self.x, self.y, self.scale, self.bias, *self.parts, self.out, self.out_scale
        )

        np.testing.assert_allclose(self.x, expected, atol=1e-5)
        self.assert_quantized(self.norm(expected))

    def test_the_memory_is_added_with_it(self) -> None:
        bits, y = bfloat16(self.y)
        expected = self.x + y * self.scale[:, None] + self.bias + self.more

        kernels.add_both_normalize_quantize(
            self.x, bits, self.scale, self.bias, self.more, *self.parts, self.out, self.out_scale
        )

        np.testing.assert_allclose(self.x, expected, atol=1e-5)
        self.assert_quantized(self.norm(expected))

    def test_the_decoders_norms_follow_a_product(self) -> None:
        out = np.empty_like(self.x)
        kernels.scale_normalize(self.y.copy(), self.scale, *self.parts, out)
        np.testing.assert_allclose(out, self.norm(self.y * self.scale[:, None]), atol=1e-5)

        kernels.relu_normalize_quantize(
            self.y.copy(), self.scale, self.bias, *self.parts, self.out, self.out_scale
        )
        self.assert_quantized(self.norm(np.maximum(self.y * self.scale[:, None] + self.bias, 0)))

    def test_the_likeliest_tokens_are_found_in_order_after_scale_and_bias(self) -> None:
        expected = self.y * self.scale[:, None] + self.bias
        for count in (1, 5):
            ids, scores = np.zeros((6, count), np.int64), np.full((6, count), -np.inf, np.float32)

            kernels.likeliest(self.y, self.scale, self.bias, ids, scores)

            np.testing.assert_array_equal(ids, (-expected).argsort(1)[:, :count])
            np.testing.assert_allclose(scores, -np.sort(-expected, 1)[:, :count], rtol=1e-5)


class TestRemember:
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

        kernels.add_taps_gated(products, scale, gates, segment, np.zeros_like(segment), dilation, x, 3)

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

        kernels.add_taps_gated(products, scale, gates, both, both, 2, together, 0)
        one = np.zeros(7, np.int32)
        kernels.add_taps_gated(products[5:].copy(), scale[5:], gates[1:], one, one, 2, alone, 0)

        np.testing.assert_array_equal(together[5:], alone)

    def test_segments_are_added_up_on_the_way(self) -> None:
        y, bias = normal(0, 23, 6), normal(1, 6)
        out, scale = np.empty((23, 6), np.uint8), np.empty(23, np.float32)
        sums, segment = np.empty((3, 6), np.float32), np.repeat(np.arange(3, dtype=np.int32), (10, 10, 3))

        kernels.relu_quantize_sum(y, np.ones(23, np.float32), bias, out, scale, segment, sums)

        h = np.maximum(y + bias, 0)
        np.testing.assert_allclose(sums, [h[:10].sum(0), h[10:20].sum(0), h[20:].sum(0)], atol=1e-4)
        np.testing.assert_allclose(dequantized(out, scale, 0), h, atol=0.02)
