from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.int8 import attention
from recognition.int8.attention import Past, Streams
from recognition.int8.kernels import Product

from .test_kernels import bfloat16, dequantized, empty_rows, is_near, normal, reference_memory

HEADS, SIZE, TAPS = 2, 12, 5
WIDTH = HEADS * SIZE


def reference_attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, there: np.ndarray | None = None, heads: int = HEADS
) -> np.ndarray:
    """Attention by torch; queries are scaled already. Shapes (rows, width)."""
    q, k, v = (torch.from_numpy(x).view(len(x), heads, -1).transpose(0, 1) for x in (query, key, value))
    scores = q @ k.transpose(1, 2)
    if there is not None:
        scores = scores.masked_fill(~torch.from_numpy(there), float("-inf"))
    return (torch.softmax(scores, -1) @ v).transpose(0, 1).reshape(query.shape).numpy()


def queries_keys_values(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    query, key, value = np.split(y, 3, axis=1)
    return query, key, value


class TestUtteranceAttention:
    @settings(max_examples=30)
    @given(
        st.integers(1, 60),
        st.sampled_from([(2, 12), (3, 43), (2, 32), (1, 128)]),
        st.integers(0, 100),
    )
    def test_every_frame_sees_the_whole_utterance_whatever_the_size_of_a_head(
        self, length: int, shape: Any, seed: int
    ) -> None:
        heads, size = shape
        width = heads * size
        bits, y = bfloat16(normal(seed, length, 3 * width) * 0.5)
        scale, bias = abs(normal(1, length)) + 0.2, normal(2, 3 * width) * 0.5
        weights = normal(3, TAPS, width)
        out, memory = empty_rows(length, width), np.empty((length, width), np.float32)

        attend = attention.utterance_attention(heads, size, TAPS)
        attend(Product(bits, scale, bias), np.array([0, length]), weights, out, memory)

        query, key, value = np.split(y * scale[:, None] + bias, 3, axis=1)
        assert is_near(out, reference_attention(query, key, value, heads=heads), 1e-4)
        np.testing.assert_allclose(memory, reference_memory(value, weights, 2, 2), atol=1e-4)

    def test_utterances_below_each_other_do_not_see_each_other(self) -> None:
        lengths = (1, 20, 7)
        bounds = np.array([0, 1, 21, 28])
        bits, _ = bfloat16(normal(0, 28, 3 * WIDTH))
        scale, bias, weights = abs(normal(1, 28)) + 0.2, normal(2, 3 * WIDTH), normal(3, TAPS, WIDTH)
        attend = attention.utterance_attention(HEADS, SIZE, TAPS)
        out, memory = empty_rows(28, WIDTH), np.empty((28, WIDTH), np.float32)

        attend(Product(bits, scale, bias), bounds, weights, out, memory)

        for first, length in zip(bounds, lengths, strict=False):
            rows = slice(first, first + length)
            alone, own_memory = empty_rows(length, WIDTH), np.empty((length, WIDTH), np.float32)
            own = Product(bits[rows].copy(), scale[rows].copy(), bias)
            attend(own, np.array([0, length]), weights, alone, own_memory)
            np.testing.assert_array_equal(out.values[rows], alone.values)
            np.testing.assert_array_equal(out.scale[rows], alone.scale)
            np.testing.assert_array_equal(memory[rows], own_memory)

    def test_scores_that_no_exponential_can_hold_do_no_harm(self) -> None:
        bits, y = bfloat16(normal(0, 20, 3 * WIDTH) * 1000)
        scale, bias = np.ones(20, np.float32), np.zeros(3 * WIDTH, np.float32)
        weights, memory = np.zeros((TAPS, WIDTH), np.float32), np.empty((20, WIDTH), np.float32)
        out = empty_rows(20, WIDTH)

        attend = attention.utterance_attention(HEADS, SIZE, TAPS)
        attend(Product(bits, scale, bias), np.array([0, 20]), weights, out, memory)

        assert is_near(out, reference_attention(*queries_keys_values(y)), 1)


class TestStreamingAttention:
    def test_a_stream_sees_its_last_chunks_and_no_other_stream(self) -> None:
        window, chunk, chunks = 5, 3, 4
        past = 2 * chunk
        attend = attention.streaming_attention(HEADS, SIZE, window, past, chunk, TAPS)
        keys = np.full((3, past, WIDTH), 0x4480, np.uint16)  # what others left there: 1024
        values = keys.copy()
        weights, bias = normal(9, TAPS, WIDTH), normal(8, 3 * WIDTH)
        slots = np.array([2, 0])
        history: list[list[tuple[np.ndarray, np.ndarray]]] = [[], []]
        for step in range(chunks):
            bits, y = bfloat16(normal(step, 2 * window, 3 * WIDTH) * 0.5)
            scale = abs(normal(50 + step, 2 * window)) + 0.2
            out, memory = empty_rows(2 * window, WIDTH), np.empty((2 * window, WIDTH), np.float32)
            seen, places = np.full(2, min(step * chunk, past)), np.full(2, step * chunk % past)
            streams = Streams(slots, seen, places)

            attend(Product(bits, scale, bias), streams, Past(keys, values), weights, out, memory)

            projected = (y * scale[:, None] + bias).reshape(2, window, 3 * WIDTH)
            found = dequantized(out).reshape(2, window, WIDTH)
            for stream in range(2):
                query, key, value = np.split(projected[stream], 3, axis=1)
                before = history[stream][-2:]
                key_all = np.concatenate([*(k for k, _ in before), key])
                value_all = np.concatenate([*(v for _, v in before), value])
                expected = reference_attention(query, key_all, value_all)
                np.testing.assert_allclose(found[stream], expected, atol=0.05)
                np.testing.assert_allclose(
                    memory.reshape(2, window, WIDTH)[stream],
                    reference_memory(value, weights, 2, 2),
                    atol=1e-4,
                )
                history[stream].append((key[:chunk], value[:chunk]))

    @pytest.mark.parametrize("shape", [(2, 12), (3, 43), (1, 16)])
    def test_no_stream_depends_on_what_it_is_batched_with(self, shape: Any) -> None:
        heads, size = shape
        width, window, chunk, past = heads * size, 5, 3, 6
        attend = attention.streaming_attention(heads, size, window, past, chunk, TAPS)
        weights, bias = normal(9, TAPS, width), normal(8, 3 * width)
        ring = Past(*(np.zeros((4, past, width), np.uint16) for _ in "kv"))
        own_ring = Past(*(part.copy() for part in ring))
        slots = np.array([3, 0, 1])
        for step in range(4):
            bits, _ = bfloat16(normal(step, 3 * window, 3 * width))
            scale = abs(normal(50 + step, 3 * window)) + 0.2
            seen, places = np.full(3, min(step * chunk, past)), np.full(3, step * chunk % past)
            out, memory = empty_rows(3 * window, width), np.empty((3 * window, width), np.float32)
            attend(Product(bits, scale, bias), Streams(slots, seen, places), ring, weights, out, memory)
            for row in range(3):
                one, frames = slice(row, row + 1), slice(row * window, (row + 1) * window)
                alone, own_memory = empty_rows(window, width), np.empty((window, width), np.float32)

                attend(
                    Product(bits[frames].copy(), scale[frames].copy(), bias),
                    Streams(slots[one].copy(), seen[one].copy(), places[one].copy()),
                    own_ring, weights, alone, own_memory,
                )  # fmt: skip

                np.testing.assert_array_equal(out.values[frames], alone.values)
                np.testing.assert_array_equal(out.scale[frames], alone.scale)
                np.testing.assert_array_equal(memory[frames], own_memory)
        np.testing.assert_array_equal(ring.keys, own_ring.keys)
        np.testing.assert_array_equal(ring.values, own_ring.values)
        assert not ring.keys[2].any()

    def test_what_is_past_in_the_next_step_is_kept_in_bfloat16_where_the_oldest_chunk_was(self) -> None:
        window, chunk, past = 5, 3, 6
        attend = attention.streaming_attention(HEADS, SIZE, window, past, chunk, TAPS)
        ring = Past(*(np.zeros((1, past, WIDTH), np.uint16) for _ in "kv"))
        bits, y = bfloat16(normal(0, window, 3 * WIDTH))
        ones, zeros = np.ones(window, np.float32), np.zeros(3 * WIDTH, np.float32)
        streams = Streams(np.zeros(1, int), np.array([past]), np.array([chunk]))
        out, memory = empty_rows(window, WIDTH), np.empty((window, WIDTH), np.float32)

        attend(Product(bits, ones, zeros), streams, ring, np.zeros((TAPS, WIDTH), np.float32), out, memory)

        _, key, value = np.split(y, 3, axis=1)
        for kept, expected in zip(ring, (key, value), strict=True):
            assert not kept[0, :chunk].any()
            floats = (kept[0, chunk:].astype(np.uint32) << 16).view(np.float32)
            np.testing.assert_array_equal(floats, expected[:chunk])

    def test_without_a_past_nothing_is_kept(self) -> None:
        window = 5
        attend = attention.streaming_attention(HEADS, SIZE, window, 0, 3, TAPS)
        empty = Past(*(np.zeros((1, 0, WIDTH), np.uint16) for _ in "kv"))
        bits, y = bfloat16(normal(0, window, 3 * WIDTH) * 0.5)
        first, ones = np.zeros(1, int), np.ones(window, np.float32)
        out, memory = empty_rows(window, WIDTH), np.empty((window, WIDTH), np.float32)
        product = Product(bits, ones, np.zeros(3 * WIDTH, np.float32))

        attend(product, Streams(first, first, first), empty, normal(1, TAPS, WIDTH), out, memory)

        assert is_near(out, reference_attention(*queries_keys_values(y)), 1e-4)

    def test_a_window_may_be_longer_than_a_register(self) -> None:
        window, past = 21, 18
        attend = attention.streaming_attention(HEADS, SIZE, window, past, past, TAPS)
        keys = np.zeros((1, past, WIDTH), np.uint16)
        values = keys.copy()
        weights, bias = np.zeros((TAPS, WIDTH), np.float32), np.zeros(3 * WIDTH, np.float32)
        slots, scale = np.zeros(1, np.int64), np.ones(window, np.float32)
        before: list[np.ndarray] = []
        for step in range(2):
            bits, y = bfloat16(normal(step, window, 3 * WIDTH) * 0.5)
            out, memory = empty_rows(window, WIDTH), np.empty((window, WIDTH), np.float32)
            streams = Streams(slots, np.array([step * past]), slots)

            attend(Product(bits, scale, bias), streams, Past(keys, values), weights, out, memory)

            query, key, value = np.split(np.concatenate([*before, y]), 3, axis=1)
            assert is_near(out, reference_attention(query[-window:], key, value), 1e-4)
            before = [y[:past]]


class TestCrossAttention:
    def attend_alone(self, tokens: int, frames: int, seen: int, past: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what attention found, and what torch finds with as much of the past."""
        attend = attention.cross_attention(HEADS, SIZE, past)
        q, y, before = normal(0, tokens, WIDTH), normal(1, frames, 2 * WIDTH), normal(2, 1, past, 2 * WIDTH)
        everything = np.concatenate((before[0, past - seen :], y))
        ones, zeros = np.ones(max(tokens, frames), np.float32), np.zeros(2 * WIDTH, np.float32)
        out, first = empty_rows(tokens, WIDTH), np.zeros(1, int)

        attend(
            Product(q, ones[:tokens].copy(), zeros[:WIDTH].copy()), np.array([0, tokens]),
            Product(y, ones[:frames].copy(), zeros), np.array([0, frames]),
            first, np.array([seen]), before, out,
        )  # fmt: skip

        key, value = np.split(everything, 2, axis=1)
        assert is_near(out, reference_attention(q, key, value), 1e-4)
        return before[0], everything

    @pytest.mark.parametrize("tokens", [1, 15, 16, 17, 33])
    @pytest.mark.parametrize("frames", [1, 14, 15, 29])
    def test_any_numbers_of_tokens_and_frames_fit(self, tokens: Any, frames: int) -> None:
        self.attend_alone(tokens, frames, seen=0, past=0)

    @pytest.mark.parametrize("seen", [0, 1, 4])
    @pytest.mark.parametrize("frames", [1, 4, 9])
    def test_the_latest_frames_become_the_past(self, seen: Any, frames: int) -> None:
        before, everything = self.attend_alone(3, frames, seen, past=4)

        kept = min(4, len(everything))
        np.testing.assert_allclose(before[4 - kept :], everything[len(everything) - kept :], atol=1e-5)

    def test_an_utterance_may_have_more_tokens_than_a_register(self) -> None:
        tokens, frames = 37, 90
        attend = attention.cross_attention(HEADS, SIZE, 0)
        q, y = normal(0, tokens, WIDTH), normal(1, frames, 2 * WIDTH)
        ones, zeros = np.ones(frames, np.float32), np.zeros(2 * WIDTH, np.float32)
        query, context = Product(q, ones[:tokens], zeros[:WIDTH]), Product(y, ones, zeros)
        first, out = np.zeros(1, np.int64), empty_rows(tokens, WIDTH)

        attend(
            query, np.array([0, tokens]), context, np.array([0, frames]),
            first, first, np.zeros((1, 0, 2 * WIDTH), np.float32), out,
        )  # fmt: skip

        key, value = np.split(y, 2, axis=1)
        assert is_near(out, reference_attention(q, key, value), 1e-4)

    def test_tokens_look_at_their_own_frames_and_at_those_before(self) -> None:
        past, lengths = 4, [6, 5]
        attend = attention.cross_attention(HEADS, SIZE, past)
        q, q_scale, q_bias = normal(0, 6, WIDTH), abs(normal(1, 6)) + 0.2, normal(2, WIDTH)
        y, scale, bias = normal(3, 11, 2 * WIDTH), abs(normal(4, 11)) + 0.2, normal(5, 2 * WIDTH)
        before = normal(6, 4, past, 2 * WIDTH)
        kept = before.copy()
        out, slots, seen = empty_rows(6, WIDTH), np.array([3, 1]), np.array([3, 1])

        attend(
            Product(q, q_scale, q_bias), np.array([0, 2, 6]), Product(y, scale, bias), np.array([0, 6, 11]),
            slots, seen, before, out,
        )  # fmt: skip

        queries, context = q * q_scale[:, None] + q_bias, y * scale[:, None] + bias
        found = dequantized(out)
        for stream, (rows, frames) in enumerate(((slice(0, 2), slice(0, 6)), (slice(2, 6), slice(6, 11)))):
            everything = np.concatenate((kept[slots[stream]], context[frames]))
            key, value = np.split(everything, 2, axis=1)
            there = np.arange(len(everything)) >= past - seen[stream]
            error = abs(found[rows] - reference_attention(queries[rows], key, value, there))
            assert (error <= 0.52 * out.scale[rows, None]).all()
            np.testing.assert_allclose(before[slots[stream]], everything[lengths[stream] :], atol=1e-5)
        np.testing.assert_array_equal(before[[0, 2]], kept[[0, 2]])
