from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from recognition.int8.kernels import Product
from recognition.whisper.int8 import kernels
from tests.recognition.int8.test_kernels import bfloat16, dequantized, empty_rows, normal

HEADS, SIZE = 2, 8
WIDTH = HEADS * SIZE


def product(values: np.ndarray, seed: int = 0) -> tuple[Product, np.ndarray]:
    """A product, and what it stands for."""
    scale, bias = abs(normal(seed, len(values))) + 0.2, normal(seed + 1, values.shape[1])
    return Product(values, scale, bias), values * scale[:, None] + bias


def wide_product(m: int, d: int) -> tuple[Product, np.ndarray]:
    bits, values = bfloat16(normal(0, m, d))
    scale, bias = abs(normal(1, m)) + 0.2, normal(2, d)
    return Product(bits, scale, bias), values * scale[:, None] + bias


def test_dequantize_gives_what_a_product_stands_for() -> None:
    y, expected = wide_product(5, 40)
    out = np.empty((5, 40), np.float32)
    kernels.dequantize(y, out)
    np.testing.assert_allclose(out, expected, rtol=1e-6)


class TestGelu:
    def test_is_torchs(self) -> None:
        y, x = wide_product(7, 64)
        out = empty_rows(7, 64)
        kernels.gelu_quantize(y, out)
        expected = functional.gelu(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(dequantized(out), expected, atol=0.02 * expected.max())

    @pytest.mark.parametrize("size", [1e-3, 1e2, 1e6, 1e12])
    def test_holds_for_numbers_of_any_size(self, size: float) -> None:
        bits, values = bfloat16(np.array([[-size, 0, size / 2, size]], np.float32))
        out = empty_rows(1, 4)
        y = Product(bits, np.ones(1, np.float32), np.zeros(4, np.float32))
        kernels.gelu_quantize(y, out)
        expected = functional.gelu(torch.from_numpy(values)).numpy()
        np.testing.assert_allclose(dequantized(out), expected, atol=0.01 * expected.max())


class TestAudio:
    @settings(max_examples=20)
    @given(st.integers(1, 41), st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(0, 100))
    def test_tokens_look_at_their_own_utterance_whatever_its_length(
        self, frames: int, counts: list[int], seed: int
    ) -> None:
        counts[0] += 1
        utterances = len(counts)
        context, encoded = product(normal(seed, utterances * frames, 2 * WIDTH))
        keys = np.empty((utterances, HEADS, SIZE, frames), np.uint16)
        values = np.empty((utterances, HEADS, frames, SIZE), np.uint16)
        kernels.split_context(context, keys, values)
        query, q = product(normal(seed + 7, sum(counts), WIDTH))
        out, watching = empty_rows(len(q), WIDTH), np.empty((len(q), 1, frames), np.float32)

        bounds = np.cumsum([0, *counts])
        kernels.attend_to_audio(
            query, bounds, np.arange(utterances), keys, values, np.array([1]), out, watching
        )

        for row, utterance in enumerate(np.repeat(np.arange(utterances), counts)):
            own = encoded[utterance * frames : (utterance + 1) * frames]
            expected, scores = attended(q[row : row + 1], own[:, :WIDTH], own[:, WIDTH:])
            np.testing.assert_allclose(dequantized(out)[row], expected[0], atol=0.05 * abs(expected).max())
            np.testing.assert_allclose(watching[row, 0], scores[1, 0], atol=0.05 * abs(scores).max() + 0.02)


def attended(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Attention by torch, and its scores; queries are scaled already."""
    query, key, value = (torch.from_numpy(x).view(len(x), HEADS, SIZE).transpose(0, 1) for x in (q, k, v))
    scores = query @ key.transpose(1, 2)
    found = (torch.softmax(scores, -1) @ value).transpose(0, 1).reshape(len(q), WIDTH)
    return found.numpy(), scores.numpy()


class TestPath:
    def test_a_token_sees_those_on_its_path_and_no_other(self) -> None:
        keys, values = np.full((9, WIDTH), np.nan, np.float32), np.full((9, WIDTH), np.nan, np.float32)
        before, b = product(normal(3, 2, 3 * WIDTH))
        self.attend(before, np.array([4, 7]), np.array([[4, 0], [4, 7]]), np.array([1, 2]), keys, values)
        y, x = product(normal(5, 2, 3 * WIDTH))

        # Two texts that share their first token; only one of them goes on behind the second.
        found = self.attend(
            y, np.array([1, 2]), np.array([[4, 7, 1], [4, 2, 0]]), np.array([3, 2]), keys, values
        )

        every = {4: b[0], 7: b[1], 1: x[0], 2: x[1]}
        for row, path in enumerate(([4, 7, 1], [4, 2])):
            seen = np.array([every[node] for node in path])
            expected, _ = attended(x[row : row + 1, :WIDTH], seen[:, WIDTH : 2 * WIDTH], seen[:, 2 * WIDTH :])
            np.testing.assert_allclose(found[row], expected[0], atol=0.02 * abs(expected).max())

    def attend(self, y: Product, nodes: Any, paths: Any, lengths: Any, keys: Any, values: Any) -> np.ndarray:
        out = empty_rows(len(nodes), WIDTH)
        kernels.attend_to_path(y, HEADS, nodes, paths, lengths, keys, values, out)
        return dequantized(out)


class TestRank:
    def rank(
        self, scores: np.ndarray, *, hidden: tuple[int, ...] = (), said: tuple[int, ...] = (), count: int = 2
    ) -> tuple[list[int], np.ndarray]:
        y = Product(
            scores[None].astype(np.float32), np.ones(1, np.float32), np.zeros(len(scores), np.float32)
        )
        ids, found = np.zeros((1, count), np.int64), np.full((1, count), -np.inf, np.float32)
        kernels.rank(
            y, np.array(hidden, np.int64), np.array([[*said, -1]], np.int64), np.float32(2.0), ids, found
        )
        return ids[0].tolist(), found[0]

    def test_gives_the_likeliest_in_order_with_their_log_probabilities(self) -> None:
        scores = normal(0, 300) * 5
        ids, found = self.rank(scores, count=4)
        expected = torch.log_softmax(torch.from_numpy(scores), 0).numpy()
        assert ids == np.argsort(-scores)[:4].tolist()
        np.testing.assert_allclose(found, expected[ids], atol=1e-4)

    def test_what_is_hidden_does_not_come(self) -> None:
        ids, _ = self.rank(np.array([1.0, 5.0, 3.0, 2.0]), hidden=(1,))
        assert ids == [2, 3]

    @pytest.mark.parametrize(("scores", "ids"), [([1.0, 4.0, 3.0], [2, 1]), ([-9.0, -2.0, -3.0], [2, 1])])
    def test_what_was_said_is_less_likely(self, scores: list[float], ids: list[int]) -> None:
        assert self.rank(np.array(scores), said=(1,))[0] == ids
