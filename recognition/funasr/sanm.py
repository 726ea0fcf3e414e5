"""Paraformer's encoder and decoder over a batch of streams or utterances, as functions of tensors alone.

The layers are FunASR's own (memory-equipped self-attention, SANM); what is written anew is how they are
called. FunASR keeps keys, values and memories in dictionaries that grow, one stream at a time; here
all that a stream remembers comes in as tensors of fixed shape and goes out the same way, so that many
streams share a matrix product, and a whole network can be handed to another runtime.

Source: Gao et al., "SAN-M: Memory Equipped Self-Attention for End-to-End Speech Recognition", Interspeech
2020; Gao et al., "Paraformer", Interspeech 2022; FunASR, `funasr/models/{sanm,scama,paraformer}`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.exceptions import ModelError


class StreamingEncoder(nn.Module):
    """One window of every stream, each seeing the keys and values of its past.

    Args:
        encoder: FunASR's `SANMEncoderChunkOpt`.
        predictor: FunASR's CIF predictor, whose weights come out with the encoding.
    """

    def __init__(self, encoder: Any, predictor: Any) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList([*encoder.encoders0, *encoder.encoders])
        self.after_norm: Any = encoder.after_norm
        self.weigh = FrameWeights(predictor)

    def forward(self, window: Tensor, past: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            window: Scaled features with their position encoding, float32, shape (batch, w, features).
            past: Keys and values side by side, float32, shape (layers, batch, p, 2 * width), in any
                order: attention does not see where they come from.
            mask: 0 where a frame of past and window may be looked at, else minus infinity, float32,
                shape (batch, 1, 1, p + w).

        Returns:
            Encoding, shape (batch, w, width); CIF weight of each frame, shape (batch, w); keys and values
            of the window, shape (layers, batch, w, 2 * width).
        """
        x = window
        present = []
        for number, layer in enumerate(self.layers):
            attention = layer.self_attn
            query, key_value = _query_key_value(attention, layer.norm1(x))
            present.append(key_value)
            context = torch.cat((past[number], key_value), dim=1)
            value = key_value[..., key_value.shape[-1] // 2 :]
            attended = attention.linear_out(_attend(attention.h, query, context, mask))
            attended = attended + _fsmn(attention, value)
            x = x + attended if layer.in_size == layer.size else attended
            x = x + layer.feed_forward(layer.norm2(x))
        x = self.after_norm(x)
        return x, self.weigh(x), torch.stack(present)


class StreamingDecoder(nn.Module):
    """The tokens of one chunk of every stream, each remembering the tokens before.

    Args:
        decoder: FunASR's `ParaformerSANMDecoder`, whose memory looks back only.

    Raises:
        ModelError: If the decoder has layers that FunASR's large Paraformers do not have.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        _check_decoder(decoder)
        self.layers: Any = decoder.decoders
        self.last: Any = decoder.decoders3
        self.after_norm: Any = decoder.after_norm
        self.output_layer: Any = decoder.output_layer
        left, right = decoder.decoders[0].self_attn.pad_fn.padding
        if right:
            raise ModelError(f"the decoder's memory looks {right} tokens ahead: it cannot stream")
        self.memory = int(left)

    def forward(
        self, tokens: Tensor, counts: Tensor, encoding: Tensor, memories: Tensor, past: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            tokens: Acoustic embedding of each token, float32, shape (batch, n, width).
            counts: How many of the n are there, int64, shape (batch,).
            encoding: The window that they came from, float32, shape (batch, w, width).
            memories: Inputs of the memory blocks for the tokens before, float32, shape
                (layers, batch, memory, width).
            past: Keys and values of encodings before, side by side, float32, shape
                (layers, batch, p, 2 * width).
            mask: 0 where a frame of past and window may be looked at, else minus infinity, float32,
                shape (batch, 1, 1, p + w).

        Returns:
            Token ids, int64, shape (batch, n); memories and past for the next chunk, shapes as they came.
        """
        x = tokens
        kept = torch.arange(self.memory, device=tokens.device)
        last_tokens = (counts[:, None] + kept)[..., None].expand(-1, -1, tokens.shape[-1])
        next_memories, next_past = [], []
        for number, layer in enumerate(self.layers):
            h = layer.norm2(layer.feed_forward(layer.norm1(x)))
            remembered = torch.cat((memories[number], h), dim=1)
            next_memories.append(remembered.gather(1, last_tokens))
            x = x + layer.self_attn.fsmn_block(remembered.transpose(1, 2)).transpose(1, 2) + h

            source = layer.src_attn
            context = torch.cat((past[number], source.linear_k_v(encoding)), dim=1)
            next_past.append(context[:, context.shape[1] - past.shape[2] :])
            query = source.linear_q(layer.norm3(x))
            x = x + source.linear_out(_attend(source.h, query, context, mask))
        return self._token_ids(x), torch.stack(next_memories), torch.stack(next_past)

    def _token_ids(self, x: Tensor) -> Tensor:
        for layer in self.last:
            x = layer.feed_forward(layer.norm1(x))
        ids: Tensor = self.output_layer(self.after_norm(x)).argmax(-1)
        return ids


class OfflineEncoder(nn.Module):
    """Whole sequences side by side, the short ones padded.

    Args:
        encoder: FunASR's `SANMEncoder`.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList([*encoder.encoders0, *encoder.encoders])
        self.after_norm: Any = encoder.after_norm

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """
        Args:
            x: Scaled inputs with their position encoding, float32, shape (batch, t, features).
            present: 1 for inputs, 0 for padding, float32, shape (batch, t).

        Returns:
            Encoding, shape (batch, t, width), 0 in the padding.
        """
        there = present[..., None]
        mask = _additive(present)
        for layer in self.layers:
            attention = layer.self_attn
            query, key_value = _query_key_value(attention, layer.norm1(x))
            value = key_value[..., key_value.shape[-1] // 2 :] * there
            attended = attention.linear_out(_attend(attention.h, query, key_value, mask))
            attended = attended + _fsmn(attention, value) * there
            x = x + attended if layer.in_size == layer.size else attended
            x = x + layer.feed_forward(layer.norm2(x))
        encoding: Tensor = self.after_norm(x) * there
        return encoding


class UtteranceEncoder(nn.Module):
    """`OfflineEncoder` of speech, with the CIF weight of each frame.

    Args:
        encoder: FunASR's `SANMEncoder`.
        predictor: FunASR's CIF predictor.
    """

    def __init__(self, encoder: Any, predictor: Any) -> None:
        super().__init__()
        self.encoder = OfflineEncoder(encoder)
        self.weigh = FrameWeights(predictor)

    def forward(self, features: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """As `OfflineEncoder`; beside the encoding the weights, shape (batch, t), 0 in the padding."""
        encoding = self.encoder(features, present)
        return encoding, self.weigh(encoding) * present


class OfflineDecoder(nn.Module):
    """All tokens of whole utterances at once.

    Args:
        decoder: FunASR's `ParaformerSANMDecoder`.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        _check_decoder(decoder)
        self.layers: Any = decoder.decoders
        self.last: Any = decoder.decoders3
        self.after_norm: Any = decoder.after_norm
        self.output_layer: Any = decoder.output_layer

    def forward(self, tokens: Tensor, token_present: Tensor, encoding: Tensor, present: Tensor) -> Tensor:
        """
        Args:
            tokens: Acoustic embedding of each token, float32, shape (batch, n, width).
            token_present: 1 for tokens, 0 for padding, float32, shape (batch, n).
            encoding: float32, shape (batch, t, width).
            present: 1 for frames, 0 for padding, float32, shape (batch, t).

        Returns:
            Token ids, int64, shape (batch, n).
        """
        x = tokens
        there = token_present[..., None]
        mask = _additive(present)
        for layer in self.layers:
            h = layer.norm2(layer.feed_forward(layer.norm1(x))) * there
            x = x + _fsmn(layer.self_attn, h) * there
            source = layer.src_attn
            query = source.linear_q(layer.norm3(x))
            attended = _attend(source.h, query, source.linear_k_v(encoding), mask)
            x = x + source.linear_out(attended)
        for layer in self.last:
            x = layer.feed_forward(layer.norm1(x))
        ids: Tensor = self.output_layer(self.after_norm(x)).argmax(-1)
        return ids


class FrameWeights(nn.Module):
    """How much of a token each frame holds (the weights of continuous integrate-and-fire).

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


def position_encoding(count: int, dimension: int) -> Tensor:
    """Sinusoidal encodings of positions 1 to `count`, float32, shape (count, dimension).

    Source: FunASR, `SinusoidalPositionEncoder`: sines in the first half, cosines in the second.
    """
    positions = torch.arange(1, count + 1, dtype=torch.float32)
    step = torch.log(torch.tensor([10000.0])) / (dimension / 2 - 1)
    scales = torch.exp(torch.arange(dimension / 2, dtype=torch.float32) * -step)
    angles = positions[:, None] * scales
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=1)


def _query_key_value(attention: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    projected = attention.linear_q_k_v(x)
    width = projected.shape[-1] // 3
    return projected[..., :width], projected[..., width:]


def _attend(heads: int, query: Tensor, key_value: Tensor, mask: Tensor) -> Tensor:
    """Multi-head attention, shape (batch, queries, width); `mask` is added to the scores."""
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


def _additive(present: Tensor) -> Tensor:
    """An attention mask, shape (batch, 1, 1, t), from 1 for frames and 0 for padding."""
    return torch.zeros_like(present).masked_fill(present == 0, float("-inf"))[:, None, None]


def _check_decoder(decoder: Any) -> None:
    if decoder.decoders2 is not None or not decoder.normalize_before or decoder.output_layer is None:
        raise ModelError(
            "only Paraformer decoders with attention in every layer are supported: "
            "att_layer_num must be num_blocks"
        )
