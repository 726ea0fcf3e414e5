from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.funasr.int8 import attention

from .test_kernels import bfloat16, dequantized, normal, reference_memory

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


class TestUtteranceAttention:
    @settings(max_examples=30)
    @given(
        st.integers(1, 60),
        st.sampled_from([(2, 12), (3, 43), (1, 16), (2, 32), (2, 48), (1, 128)]),
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
        out, out_scale = np.empty((length, width), np.uint8), np.empty(length, np.float32)
        memory = np.empty((length, width), np.float32)

        attention.utterance_attention(heads, size, TAPS)(bits, scale, bias, weights, out, out_scale, memory)

        query, key, value = np.split(y * scale[:, None] + bias, 3, axis=1)
        error = abs(dequantized(out, out_scale) - reference_attention(query, key, value, heads=heads))
        assert (error <= 0.52 * out_scale[:, None] + 1e-4).all()
        np.testing.assert_allclose(memory, reference_memory(value, weights, 2, 2), atol=1e-4)

    def test_scores_that_no_exponential_can_hold_do_no_harm(self) -> None:
        bits, y = bfloat16(normal(0, 20, 3 * WIDTH) * 1000)
        scale, bias = np.ones(20, np.float32), np.zeros(3 * WIDTH, np.float32)
        out, out_scale = np.empty((20, WIDTH), np.uint8), np.empty(20, np.float32)
        weights, memory = np.zeros((TAPS, WIDTH), np.float32), np.empty((20, WIDTH), np.float32)

        attention.utterance_attention(HEADS, SIZE, TAPS)(bits, scale, bias, weights, out, out_scale, memory)

        found = dequantized(out, out_scale)
        query, key, value = np.split(y, 3, axis=1)
        expected = reference_attention(query, key, value)
        assert (abs(found - expected) <= 0.52 * out_scale[:, None] + 1).all()


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
            out, out_scale = np.empty((2 * window, WIDTH), np.uint8), np.empty(2 * window, np.float32)
            memory = np.empty((2 * window, WIDTH), np.float32)
            seen, places = np.full(2, min(step * chunk, past)), np.full(2, step * chunk % past)

            attend(bits, scale, bias, slots, seen, places, keys, values, weights, out, out_scale, memory)

            projected = (y * scale[:, None] + bias).reshape(2, window, 3 * WIDTH)
            found = dequantized(out, out_scale).reshape(2, window, WIDTH)
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
            out, out_scale = np.empty((window, WIDTH), np.uint8), np.empty(window, np.float32)
            memory = np.empty((window, WIDTH), np.float32)

            attend(
                bits, scale, bias, slots, np.array([step * past]), slots, keys, values, weights,
                out, out_scale, memory,
            )  # fmt: skip

            query, key, value = np.split(np.concatenate([*before, y]), 3, axis=1)
            expected = reference_attention(query[-window:], key, value)
            error = abs(dequantized(out, out_scale) - expected)
            assert (error <= 0.52 * out_scale[:, None] + 1e-4).all()
            before = [y[:past]]


class TestCrossAttention:
    def test_an_utterance_may_have_more_tokens_than_a_register(self) -> None:
        tokens, frames = 37, 90
        attend = attention.cross_attention(HEADS, SIZE, 0)
        q, y = normal(0, tokens, WIDTH), normal(1, frames, 2 * WIDTH)
        ones, zeros = np.ones(frames, np.float32), np.zeros(2 * WIDTH, np.float32)
        out, out_scale = np.empty((tokens, WIDTH), np.uint8), np.empty(tokens, np.float32)
        first = np.zeros(1, np.int64)

        attend(
            q, ones[:tokens], zeros[:WIDTH], np.array([0, tokens]), y, ones, zeros, np.array([0, frames]),
            first, first, np.zeros((1, 0, 2 * WIDTH), np.float32), out, out_scale,
        )  # fmt: skip

        key, value = np.split(y, 2, axis=1)
        error = abs(dequantized(out, out_scale) - reference_attention(q, key, value))
        assert (error <= 0.52 * out_scale[:, None] + 1e-4).all()

    def test_tokens_look_at_their_own_frames_and_at_those_before(self) -> None:
        past, lengths = 3, [6, 5]
        attend = attention.cross_attention(HEADS, SIZE, past)
        q, q_scale, q_bias = normal(0, 6, WIDTH), abs(normal(1, 6)) + 0.2, normal(2, WIDTH)
        y, scale, bias = normal(3, 11, 2 * WIDTH), abs(normal(4, 11)) + 0.2, normal(5, 2 * WIDTH)
        before = normal(6, 4, past, 2 * WIDTH)
        kept = before.copy()
        out, out_scale = np.empty((6, WIDTH), np.uint8), np.empty(6, np.float32)
        slots, seen = np.array([3, 1]), np.array([3, 1])

        attend(
            q, q_scale, q_bias, np.array([0, 2, 6]), y, scale, bias, np.array([0, 6, 11]),
            slots, seen, before, out, out_scale,
        )  # fmt: skip

        queries, context = q * q_scale[:, None] + q_bias, y * scale[:, None] + bias
        found = dequantized(out, out_scale)
        for stream, (rows, frames) in enumerate(((slice(0, 2), slice(0, 6)), (slice(2, 6), slice(6, 11)))):
            everything = np.concatenate((kept[slots[stream]], context[frames]))
            key, value = np.split(everything, 2, axis=1)
            there = np.arange(len(everything)) >= past - seen[stream]
            error = abs(found[rows] - reference_attention(queries[rows], key, value, there))
            assert (error <= 0.52 * out_scale[rows, None]).all()
            np.testing.assert_allclose(before[slots[stream]], everything[lengths[stream] :], atol=1e-5)
        np.testing.assert_array_equal(before[[0, 2]], kept[[0, 2]])
