"""The networks of `sanm` in 8-bit integers, for CPUs: the same classes, the same calls.

What lies between the products is fused in `kernels` and `attention`, for with products this fast the rest
would take as long. Utterances and tokens of different lengths stand in one matrix, row after row: there is no
padding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recognition.funasr.sanm import Geometry, check_decoder
from recognition.int8 import attention, kernels
from recognition.int8.attention import Past, Streams
from recognition.int8.kernels import Norm, Product, Quantized
from recognition.int8.products import FROM_0, Linear, Rows, result
from recognition.language_model import Choices


def _norm(norm: Any) -> Norm:
    weight, bias = (part.detach().float().numpy().copy() for part in (norm.weight, norm.bias))
    return Norm(weight, bias, np.float32(norm.eps))


class _EncoderLayer:
    """Weights of an encoder layer; attention is what the subclass of `_Encoder` makes of it."""

    def __init__(self, layer: Any) -> None:
        attention, feed = layer.self_attn, layer.feed_forward
        width = attention.linear_out.out_features
        scale = attention.d_k**-0.5
        weight, bias = attention.linear_q_k_v.weight.clone(), attention.linear_q_k_v.bias.clone()
        weight[:width] *= scale
        bias[:width] *= scale
        self.norm1, self.norm2 = _norm(layer.norm1), _norm(layer.norm2)
        self.qkv = Linear(weight, bias, dtype=torch.bfloat16)
        self.out = Linear(attention.linear_out.weight, attention.linear_out.bias, dtype=torch.bfloat16)
        self.memory = _memory_weights(attention)
        self.w_1 = Linear(feed.w_1.weight, feed.w_1.bias, dtype=torch.bfloat16)
        self.w_2 = Linear(feed.w_2.weight, feed.w_2.bias)
        self.is_residual = layer.in_size == layer.size


class _Encoder:
    """Layers of attention with memory, over rows of any streams or utterances."""

    def __init__(self, encoder: Any) -> None:
        layers = [*encoder.encoders0, *encoder.encoders]
        attention = layers[0].self_attn
        self.heads, self.size = attention.h, attention.d_k
        self.taps = attention.fsmn_block.kernel_size[0]
        self.width: int = encoder.output_size()
        self.layers = [_EncoderLayer(layer) for layer in layers]
        self.after_norm = _norm(encoder.after_norm)

    def _run(
        self, inputs: np.ndarray, attend: Callable[[int, Product, Quantized, np.ndarray], None]
    ) -> Tensor:
        """Run all layers.

        Args:
            inputs: float32, shape (m, features), contiguous.
            attend: Called as `attend(layer number, product, rows to fill, memory to fill)`.

        Returns:
            Encoding, float32, shape (m, width).
        """
        m = len(inputs)
        x = np.zeros((m, self.width), np.float32)
        memory = np.empty((m, self.width), np.float32)
        rows, attended = Rows(m, self.width), Rows(m, self.width)
        hidden = Rows(m, len(self.layers[0].w_1.bias), FROM_0)
        first = self.layers[0]
        if first.is_residual:
            x = inputs.copy()
        else:
            rows = Rows(m, inputs.shape[1])
        kernels.normalize_quantize(inputs, first.norm1, rows.quantized)
        for number, layer in enumerate(self.layers):
            attend(number, layer.qkv(rows), attended.quantized, memory)
            if rows.quantized.values.shape[1] != self.width:
                rows = Rows(m, self.width)
            kernels.add_both_normalize_quantize(x, layer.out(attended), memory, layer.norm2, rows.quantized)
            kernels.relu_quantize(layer.w_1(rows), hidden.quantized)
            product = layer.w_2(hidden)
            if number + 1 < len(self.layers):
                kernels.add_normalize_quantize(x, product, self.layers[number + 1].norm1, rows.quantized)
            else:
                kernels.add(x, product)
        encoding = torch.empty(m, self.width)
        kernels.normalize(x, self.after_norm, encoding.numpy())
        return encoding


class StreamingEncoder(_Encoder):
    """See `sanm.StreamingEncoder`."""

    def __init__(self, encoder: Any, predictor: Any, geometry: Geometry) -> None:
        super().__init__(encoder)
        self.geometry = geometry
        self.weigh = FrameWeights(predictor)
        self._attend = attention.streaming_attention(
            self.heads, self.size, geometry.window, geometry.past, geometry.chunk, self.taps
        )
        nothing = np.zeros((0, geometry.past, self.width), np.uint16)
        self._past = [Past(nothing, nothing)] * len(self.layers)

    def grow(self, slots: int) -> None:
        self._past = [Past(*(_widened(part, slots) for part in past)) for past in self._past]

    def step(self, window: Tensor, slots: np.ndarray, chunks: np.ndarray) -> tuple[Tensor, np.ndarray]:
        batch, frames, _ = window.shape
        chunk, past = self.geometry.chunk, self.geometry.past
        seen = np.minimum(chunks * chunk, past)
        streams = Streams(slots, seen, chunks * chunk % past if past else chunks)

        def attend(number: int, y: Product, rows: Quantized, memory: np.ndarray) -> None:
            self._attend(y, streams, self._past[number], self.layers[number].memory, rows, memory)

        encoding = self._run(window.reshape(batch * frames, -1).numpy(), attend)
        encoding = encoding.view(batch, frames, self.width)
        return encoding, np.stack(self.weigh.weigh(list(encoding)))


class OfflineEncoder(_Encoder):
    """See `sanm.OfflineEncoder`."""

    def __init__(self, encoder: Any) -> None:
        super().__init__(encoder)
        self._attend = attention.utterance_attention(self.heads, self.size, self.taps)

    def encode(self, sequences: Sequence[Tensor]) -> list[Tensor]:
        lengths = [len(inputs) for inputs in sequences]
        bounds = _bounds(lengths)

        def attend(number: int, y: Product, rows: Quantized, memory: np.ndarray) -> None:
            self._attend(y, bounds, self.layers[number].memory, rows, memory)

        encoding = self._run(torch.cat(list(sequences)).numpy(), attend)
        return list(torch.split(encoding, lengths))


class FrameWeights:
    """See `sanm.FrameWeights`."""

    def __init__(self, predictor: Any) -> None:
        convolution = predictor.cif_conv1d
        # A convolution is a linear layer over neighbouring frames side by side.
        weight = convolution.weight.permute(0, 2, 1).reshape(convolution.out_channels, -1)
        self._linear = Linear(weight, convolution.bias)
        self._padding = tuple(predictor.pad.padding)
        self._taps = convolution.kernel_size[0]
        self._output = predictor.cif_output.weight[0].detach().float().numpy().copy()
        self._bias = float(predictor.cif_output.bias)
        self._smooth_factor = float(predictor.smooth_factor)
        self._noise_threshold = float(predictor.noise_threshold)

    def weigh(self, encodings: Sequence[Tensor]) -> list[np.ndarray]:
        """Weigh each frame of each utterance or window."""
        neighbours = [
            torch.nn.functional.pad(frames, (0, 0, *self._padding)).unfold(0, self._taps, 1)
            for frames in encodings
        ]
        rows = Rows.of(torch.cat(neighbours).transpose(1, 2).flatten(1).numpy())
        hidden = np.maximum(result(self._linear(rows)), 0)
        # Row by row: in a matrix product the order of addition would depend on the number of rows.
        scores = (hidden * self._output).sum(axis=1) + np.float32(self._bias)
        weights = 1 / (1 + np.exp(-scores)) * np.float32(self._smooth_factor)
        weights = np.maximum(weights - np.float32(self._noise_threshold), 0).astype(np.float32)
        return np.split(weights, np.cumsum([len(frames) for frames in encodings])[:-1])


class _DecoderLayer:
    def __init__(self, layer: Any) -> None:
        source = layer.src_attn
        scale = source.d_k**-0.5
        self.feed = _DecoderFeed(layer)
        self.norm2, self.norm3 = _norm(layer.norm2), _norm(layer.norm3)
        self.memory = _memory_weights(layer.self_attn)
        self.query = Linear(source.linear_q.weight * scale, source.linear_q.bias * scale)
        self.key_value = Linear(source.linear_k_v.weight, source.linear_k_v.bias)
        self.out = Linear(source.linear_out.weight, source.linear_out.bias)


class _DecoderFeed:
    """The feed-forward part of a decoder layer, its norm in front."""

    def __init__(self, layer: Any) -> None:
        feed = layer.feed_forward
        self.norm1, self.norm = _norm(layer.norm1), _norm(feed.norm)
        self.w_1 = Linear(feed.w_1.weight, feed.w_1.bias)
        self.w_2 = Linear(feed.w_2.weight, None)

    def __call__(self, rows: Rows, hidden: Rows) -> Product:
        """Return the product of normalised rows; `hidden` is to work on."""
        kernels.relu_normalize_quantize(self.w_1(rows), self.norm, hidden.quantized)
        return self.w_2(hidden)


class _Decoder:
    """All layers of a decoder over rows of tokens of any streams or utterances."""

    def __init__(self, decoder: Any, *, past: int, choices: int) -> None:
        self._choices = choices
        layers = list(decoder.decoders)
        source = layers[0].src_attn
        self.layers = [_DecoderLayer(layer) for layer in layers]
        self.last = _DecoderFeed(decoder.decoders3[0])
        self.after_norm = _norm(decoder.after_norm)
        self.output = Linear(decoder.output_layer.weight, decoder.output_layer.bias)
        self.width: int = decoder.output_layer.in_features
        self.back = layers[0].self_attn.pad_fn.padding[0]
        self._attend = attention.cross_attention(source.h, source.d_k, past)

    def _run(
        self,
        tokens: Sequence[Tensor],
        frames: np.ndarray,
        frame_counts: Sequence[int],
        slots: np.ndarray,
        seen: np.ndarray,
        memories: np.ndarray,
        past: np.ndarray,
    ) -> tuple[list[Choices], list[np.ndarray]]:
        """
        Args:
            tokens: Acoustic embeddings of each stream or utterance.
            frames: Encodings of all of them, float32, shape (frames, width); `frame_counts` of each.
            slots, seen, memories, past: What streams remember; see `kernels`.

        Returns:
            The likeliest tokens of each, and what the output layer was given, float32, shape (n, width).
        """
        counts = [len(embeddings) for embeddings in tokens]
        token_bounds, frame_bounds = _bounds(counts), _bounds(frame_counts)
        x = torch.cat(list(tokens)).numpy()
        m = len(x)
        encoding = Rows.of(frames)
        rows, attended = Rows(m, self.width), Rows(m, self.width)
        hidden = Rows(m, len(self.last.w_1.bias))
        h = np.empty((m, self.width), np.float32)
        feeds = [*(layer.feed for layer in self.layers), self.last]
        kernels.normalize_quantize(x, feeds[0].norm1, rows.quantized)
        for number, layer in enumerate(self.layers):
            kernels.scale_normalize(layer.feed(rows, hidden), layer.norm2, h)
            kernels.remember(h, token_bounds, slots, memories[number], layer.memory, x)
            kernels.normalize_quantize(x, layer.norm3, rows.quantized)
            self._attend(
                layer.query(rows), token_bounds, layer.key_value(encoding), frame_bounds,
                slots, seen, past[number], attended.quantized,
            )  # fmt: skip
            kernels.add_normalize_quantize(x, layer.out(attended), feeds[number + 1].norm1, rows.quantized)
        kernels.scale_normalize(self.last(rows, hidden), self.after_norm, h)
        ids = np.zeros((m, self._choices), np.int64)
        scores = np.full((m, self._choices), -np.inf, np.float32)
        kernels.likeliest(self.output(Rows.of(h)), ids, scores)
        of_each = [np.split(of_all, token_bounds[1:-1]) for of_all in (ids, scores, h)]
        return [Choices(*own) for own in zip(*of_each[:2], strict=True)], of_each[2]


class StreamingDecoder(_Decoder):
    """See `sanm.StreamingDecoder`."""

    def __init__(self, decoder: Any, geometry: Geometry, *, choices: int = 1) -> None:
        check_decoder(decoder, streaming=True)
        super().__init__(decoder, past=geometry.decoder_past, choices=choices)
        layers = len(self.layers)
        self._memories = np.zeros((layers, 0, self.back, self.width), np.float32)
        self._past = np.zeros((layers, 0, geometry.decoder_past, 2 * self.width), np.float32)

    def grow(self, slots: int) -> None:
        self._memories, self._past = _widened(self._memories, slots), _widened(self._past, slots)

    def clear(self, slot: int) -> None:
        self._memories[:, slot] = 0

    def step(
        self, tokens: list[Tensor], encoding: Tensor, slots: np.ndarray, seen: np.ndarray
    ) -> list[Choices]:
        batch, frames, width = encoding.shape
        rows = encoding.reshape(batch * frames, width).numpy()
        return self._run(tokens, rows, [frames] * batch, slots, seen, self._memories, self._past)[0]


class OfflineDecoder(_Decoder):
    """See `sanm.OfflineDecoder`."""

    def __init__(self, decoder: Any, *, choices: int = 1) -> None:
        check_decoder(decoder, streaming=False)
        super().__init__(decoder, past=0, choices=choices)

    def decode(self, tokens: Sequence[Tensor], encodings: Sequence[Tensor]) -> list[Choices]:
        return self.decode_with_hidden(tokens, encodings)[0]

    def decode_with_hidden(
        self, tokens: Sequence[Tensor], encodings: Sequence[Tensor]
    ) -> tuple[list[Choices], list[Tensor]]:
        slots = np.arange(len(tokens))
        frames = torch.cat(list(encodings)).numpy()
        counts = [len(rows) for rows in encodings]
        # Whole utterances remember nothing: what was before them is silence.
        memories = np.zeros((len(self.layers), len(tokens), self.back, self.width), np.float32)
        past = np.zeros((len(self.layers), len(tokens), 0, 2 * self.width), np.float32)
        choices, hidden = self._run(tokens, frames, counts, slots, np.zeros_like(slots), memories, past)
        return choices, [torch.from_numpy(rows) for rows in hidden]


def _memory_weights(attention: Any) -> np.ndarray:
    """Weights of a memory block with the row's own part in them, float32, shape (taps, width)."""
    weights: np.ndarray = attention.fsmn_block.weight[:, 0].T.float().numpy().copy()
    weights[attention.pad_fn.padding[0]] += 1
    return weights


def _bounds(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def _widened(state: np.ndarray, slots: int) -> np.ndarray:
    """Return the same, shape (..., slots, frames or tokens, width), with room for so many slots."""
    new = np.zeros((*state.shape[:-3], slots, *state.shape[-2:]), state.dtype)
    new[..., : state.shape[-3], :, :] = state
    return new
