"""Paraformer's encoder and decoder in float, over a batch of streams or utterances.

The layers are FunASR's own (memory-equipped self-attention, SANM); what is written anew is how they are
called. FunASR keeps keys, values and memories in dictionaries of growing tensors, one stream at a time;
here they lie in tensors of fixed shape, a slot for each stream, so that many streams share a matrix
product. `int8` has the same classes in 8-bit precision.

Source: Gao et al., "SAN-M: Memory Equipped Self-Attention for End-to-End Speech Recognition", Interspeech
2020; Gao et al., "Paraformer", Interspeech 2022; FunASR, `funasr/models/{sanm,scama,paraformer}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from recognition.exceptions import ModelError
from recognition.language_model import Choices


@dataclass(frozen=True, slots=True)
class Geometry:
    """Field of view of a streaming network in one step, in inputs of 60 ms."""

    chunk: int
    window: int
    """The chunk and what is only looked ahead to."""
    past: int
    """Frames before the window that the encoder sees: whole chunks."""
    decoder_past: int
    """Frames before the window that the decoder sees."""


class Network(nn.Module):
    """A network that takes and gives float32, whatever it computes in."""

    dtype = torch.float32

    def placed(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same on `device`, computing in `dtype`."""
        self.dtype = dtype
        return self.to(device, dtype)


class StreamingEncoder(Network):
    """One window of every stream, each seeing the keys and values of its past.

    Args:
        encoder: FunASR's `SANMEncoderChunkOpt`.
        predictor: FunASR's CIF predictor, whose weights come out with the encoding.
    """

    def __init__(self, encoder: Any, predictor: Any, geometry: Geometry) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList([*encoder.encoders0, *encoder.encoders])
        self.after_norm: Any = encoder.after_norm
        self.weigh = FrameWeights(predictor)  # always in float32: small errors add up
        self.width: int = encoder.output_size()
        self.geometry = geometry
        # Keys and values side by side, shape (layers, slots, past, 2 * width): a ring, for attention
        # does not see in which order it finds its past.
        past = torch.zeros(len(self.layers), 0, geometry.past, 2 * self.width)
        self.register_buffer("past", past, persistent=False)
        self.past: Tensor

    def placed(self, device: torch.device, dtype: torch.dtype) -> Self:
        placed = super().placed(device, dtype)
        placed.weigh.float()
        return placed

    def grow(self, slots: int) -> None:
        """Make room for so many streams."""
        self.past = _widened(self.past, slots)

    def step(self, window: Tensor, slots: np.ndarray, chunks: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Encode the next window of some streams.

        Args:
            window: Scaled features with their position encoding, float32, shape (batch, window, features).
            slots: Place of each stream, int64, shape (batch,).
            chunks: Chunks that each stream has seen before, int64, shape (batch,).

        Returns:
            Encoding, shape (batch, window, width); CIF weight of each frame, float32, shape (batch, window).
        """
        chunk, past = self.geometry.chunk, self.geometry.past
        device = window.device
        rows = torch.from_numpy(slots).to(device)
        seen = torch.from_numpy(np.minimum(chunks * chunk, past)).to(device)
        mask = _mask(torch.arange(past, device=device) < seen[:, None], window.shape[1])
        before = self.past[:, rows]
        present = []
        x = window.to(self.dtype)
        for number, layer in enumerate(self.layers):
            attention = layer.self_attn
            query, key_value = _query_key_value(attention, layer.norm1(x))
            present.append(key_value[:, :chunk])
            context = torch.cat((before[number], key_value), dim=1)
            value = key_value[..., self.width :]
            attended = attention.linear_out(_attend(attention.h, query, context, mask))
            attended = attended + _fsmn(attention, value)
            x = x + attended if layer.in_size == layer.size else attended
            x = x + layer.feed_forward(layer.norm2(x))
        if past:
            places = torch.from_numpy(chunks * chunk % past).to(device)
            self.past[:, rows[:, None], places[:, None] + torch.arange(chunk, device=device)] = torch.stack(
                present
            )
        encoding = self.after_norm(x).float()
        return encoding, self.weigh(encoding).cpu().numpy()


class StreamingDecoder(Network):
    """The tokens of one chunk of every stream, each remembering the tokens before.

    Args:
        decoder: FunASR's `ParaformerSANMDecoder`, whose memory looks back only.
        choices: Tokens to give for each place.

    Raises:
        ModelError: If the decoder has layers that FunASR's large Paraformers do not have.
    """

    def __init__(self, decoder: Any, geometry: Geometry, *, choices: int = 1) -> None:
        super().__init__()
        check_decoder(decoder, streaming=True)
        self.choices = choices
        self.layers: Any = decoder.decoders
        self.last: Any = decoder.decoders3
        self.after_norm: Any = decoder.after_norm
        self.output_layer: Any = decoder.output_layer
        width = decoder.output_layer.in_features
        # Inputs of the memory blocks for the tokens before, and keys and values of frames before.
        memories = torch.zeros(len(self.layers), 0, decoder.decoders[0].self_attn.pad_fn.padding[0], width)
        past = torch.zeros(len(self.layers), 0, geometry.decoder_past, 2 * width)
        self.register_buffer("memories", memories, persistent=False)
        self.register_buffer("past", past, persistent=False)
        self.memories: Tensor
        self.past: Tensor

    def grow(self, slots: int) -> None:
        """Make room for so many streams."""
        self.memories, self.past = _widened(self.memories, slots), _widened(self.past, slots)

    def clear(self, slot: int) -> None:
        """Forget the tokens of the stream that had this slot."""
        self.memories[:, slot] = 0

    def step(
        self, tokens: list[Tensor], encoding: Tensor, slots: np.ndarray, seen: np.ndarray
    ) -> list[Choices]:
        """Decode the next tokens of some streams.

        Args:
            tokens: Acoustic embeddings of each stream's tokens, float32, shape (n, width), n at least 1.
            encoding: The windows that they came from, float32, shape (batch, window, width).
            slots: Place of each stream, int64, shape (batch,).
            seen: How many frames of the past each stream has, int64, shape (batch,).

        Returns:
            The likeliest tokens of each stream.
        """
        device, encoding = encoding.device, encoding.to(self.dtype)
        rows = torch.from_numpy(slots).to(device)
        counts = [len(embeddings) for embeddings in tokens]
        x = pad_sequence(tokens, batch_first=True).to(self.dtype)
        past = self.past.shape[2]
        there = torch.arange(past) >= past - torch.from_numpy(seen)[:, None]
        mask = _mask(there.to(device), encoding.shape[1])
        kept = torch.tensor(counts)[:, None] + torch.arange(self.memories.shape[2])
        kept = kept[..., None].expand(-1, -1, x.shape[-1]).to(device)
        for number, layer in enumerate(self.layers):
            h = layer.norm2(layer.feed_forward(layer.norm1(x)))
            remembered = torch.cat((self.memories[number, rows], h), dim=1)
            self.memories[number, rows] = remembered.gather(1, kept)
            x = x + layer.self_attn.fsmn_block(remembered.transpose(1, 2)).transpose(1, 2) + h

            source = layer.src_attn
            context = torch.cat((self.past[number, rows], source.linear_k_v(encoding)), dim=1)
            self.past[number, rows] = context[:, context.shape[1] - past :]
            query = source.linear_q(layer.norm3(x))
            x = x + source.linear_out(_attend(source.h, query, context, mask))
        return _choices(self, _hidden(self, x), counts)


class OfflineEncoder(Network):
    """Whole sequences at once, the short ones padded.

    Args:
        encoder: FunASR's `SANMEncoder`.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList([*encoder.encoders0, *encoder.encoders])
        self.after_norm: Any = encoder.after_norm

    def encode(self, sequences: Sequence[Tensor]) -> list[Tensor]:
        """
        Args:
            sequences: Scaled inputs with their position encoding, float32, shape (t, features) each.

        Returns:
            Encoding of each, shape (t, width).
        """
        lengths = [len(inputs) for inputs in sequences]
        x = pad_sequence(list(sequences), batch_first=True).to(self.dtype)
        there = _present(lengths, x.device)
        frames = there.to(self.dtype)[..., None]
        mask = _mask(there, 0)
        for layer in self.layers:
            attention = layer.self_attn
            query, key_value = _query_key_value(attention, layer.norm1(x))
            value = key_value[..., key_value.shape[-1] // 2 :] * frames
            attended = attention.linear_out(_attend(attention.h, query, key_value, mask))
            attended = attended + _fsmn(attention, value) * frames
            x = x + attended if layer.in_size == layer.size else attended
            x = x + layer.feed_forward(layer.norm2(x))
        x = self.after_norm(x).float()
        return [row[:length] for row, length in zip(x, lengths, strict=True)]


class OfflineDecoder(Network):
    """All tokens of whole utterances at once.

    Args:
        decoder: FunASR's `ParaformerSANMDecoder`.
        choices: Tokens to give for each place.
    """

    def __init__(self, decoder: Any, *, choices: int = 1) -> None:
        super().__init__()
        check_decoder(decoder, streaming=False)
        self.choices = choices
        self.layers: Any = decoder.decoders
        self.last: Any = decoder.decoders3
        self.after_norm: Any = decoder.after_norm
        self.output_layer: Any = decoder.output_layer

    def decode(self, tokens: Sequence[Tensor], encodings: Sequence[Tensor]) -> list[Choices]:
        """
        Args:
            tokens: Acoustic embeddings of each utterance, float32, shape (n, width), n at least 1.
            encodings: Of each utterance, float32, shape (t, width).

        Returns:
            The likeliest tokens of each utterance.
        """
        return self.decode_with_hidden(tokens, encodings)[0]

    def decode_with_hidden(
        self, tokens: Sequence[Tensor], encodings: Sequence[Tensor]
    ) -> tuple[list[Choices], list[Tensor]]:
        """Return also what the output layer is given of each utterance, float32, shape (n, width)."""
        counts = [len(embeddings) for embeddings in tokens]
        x = pad_sequence(list(tokens), batch_first=True).to(self.dtype)
        encoding = pad_sequence(list(encodings), batch_first=True).to(self.dtype)
        there = _present(counts, x.device).to(self.dtype)[..., None]
        mask = _mask(_present([len(rows) for rows in encodings], x.device), 0)
        for layer in self.layers:
            h = layer.norm2(layer.feed_forward(layer.norm1(x))) * there
            x = x + _fsmn(layer.self_attn, h) * there
            source = layer.src_attn
            query = source.linear_q(layer.norm3(x))
            x = x + source.linear_out(_attend(source.h, query, source.linear_k_v(encoding), mask))
        hidden = _hidden(self, x)
        rows = [row[:count].float() for row, count in zip(hidden, counts, strict=True)]
        return _choices(self, hidden, counts), rows


class FrameWeights(nn.Module):
    """Shares of a token that each frame holds (the weights of continuous integrate-and-fire).

    Source: Dong and Xu, "CIF: Continuous Integrate-and-Fire for End-to-End Speech Recognition", ICASSP 2020.
    """

    def __init__(self, predictor: Any) -> None:
        super().__init__()
        self.pad: Any = predictor.pad
        self.cif_conv1d: Any = predictor.cif_conv1d
        self.cif_output: Any = predictor.cif_output
        self.smooth_factor = float(predictor.smooth_factor)
        self.noise_threshold = float(predictor.noise_threshold)

    def forward(self, encoding: Tensor) -> Tensor:
        """Weights in [0, 1], shape (batch, t), of an encoding of shape (batch, t, width)."""
        h = torch.relu(self.cif_conv1d(self.pad(encoding.transpose(1, 2)))).transpose(1, 2)
        weights = torch.sigmoid(self.cif_output(h)).squeeze(-1)
        return torch.relu(weights * self.smooth_factor - self.noise_threshold)

    def weigh(self, encodings: Sequence[Tensor]) -> list[np.ndarray]:
        """CIF weight of each frame of each utterance, float32."""
        return [self(encoding[None])[0].cpu().numpy() for encoding in encodings]


def position_encoding(count: int, dimension: int) -> Tensor:
    """Sinusoidal encodings of positions 1 to `count`, float32, shape (count, dimension).

    Source: FunASR, `SinusoidalPositionEncoder`: sines in the first half, cosines in the second.
    """
    positions = torch.arange(1, count + 1, dtype=torch.float32)
    step = torch.log(torch.tensor([10000.0])) / (dimension / 2 - 1)
    scales = torch.exp(torch.arange(dimension / 2, dtype=torch.float32) * -step)
    angles = positions[:, None] * scales
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=1)


def check_decoder(decoder: Any, *, streaming: bool) -> None:
    """
    Raises:
        ModelError: If the decoder is not of the form of FunASR's large Paraformers, or cannot stream.
    """
    if decoder.decoders2 is not None or not decoder.normalize_before or decoder.output_layer is None:
        raise ModelError(
            "only Paraformer decoders with attention in every layer are supported: "
            "att_layer_num must be num_blocks"
        )
    ahead = decoder.decoders[0].self_attn.pad_fn.padding[1]
    if streaming and ahead:
        raise ModelError(f"the decoder's memory looks {ahead} tokens ahead: it cannot stream")


def _query_key_value(attention: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    projected = attention.linear_q_k_v(x)
    width = projected.shape[-1] // 3
    return projected[..., :width], projected[..., width:]


def _attend(heads: int, query: Tensor, key_value: Tensor, mask: Tensor) -> Tensor:
    """Multi-head attention, shape (batch, queries, width), where `mask` is true."""
    batch, queries, width = query.shape
    size = width // heads
    keys = key_value.view(batch, -1, 2, heads, size).permute(2, 0, 3, 1, 4)  # (2, batch, heads, keys, size)
    attended = functional.scaled_dot_product_attention(
        query.view(batch, queries, heads, size).transpose(1, 2), keys[0], keys[1], attn_mask=mask
    )
    return attended.transpose(1, 2).reshape(batch, queries, width)


def _fsmn(attention: Any, value: Tensor) -> Tensor:
    """The memory block: what was said around each frame, plus the frame itself."""
    memory: Tensor = attention.fsmn_block(attention.pad_fn(value.transpose(1, 2))).transpose(1, 2)
    return memory + value


def _hidden(decoder: Any, x: Tensor) -> Tensor:
    """The rows that the output layer is given."""
    for layer in decoder.last:
        x = layer.feed_forward(layer.norm1(x))
    hidden: Tensor = decoder.after_norm(x)
    return hidden


def _choices(decoder: Any, hidden: Tensor, counts: Sequence[int]) -> list[Choices]:
    """The likeliest tokens of each row's first `counts` places."""
    logits = decoder.output_layer(hidden).float()
    found = logits.max(-1, keepdim=True) if decoder.choices == 1 else logits.topk(decoder.choices)
    scores, ids = found.values.cpu().numpy(), found.indices.cpu().numpy()
    return [Choices(ids[row, :count], scores[row, :count]) for row, count in enumerate(counts)]


def _mask(there: Tensor, more: int) -> Tensor:
    """Return attention's mask: the frames that are `there`, and `more` after them; (batch, 1, 1, frames)."""
    return functional.pad(there, (0, more), value=True)[:, None, None]


def _present(lengths: Sequence[int], device: torch.device) -> Tensor:
    """True up to each length, shape (batch, max(lengths))."""
    return (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).to(device)


def _widened(state: Tensor, slots: int) -> Tensor:
    """The same, with room for so many slots."""
    new = state.new_zeros(state.shape[0], slots, *state.shape[2:])
    new[:, : state.shape[1]] = state
    return new
