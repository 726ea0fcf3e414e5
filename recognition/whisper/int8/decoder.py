"""Whisper's decoder in 8-bit integers, for CPUs. Source: Radford et al., 2022 (see `whisper.features`).

A step takes rows of any number of texts: the next token of each hypothesis, all tokens of a prompt, or a
draft that is to be checked. What a token leaves behind for those after it is a node, and a text is a path of
nodes: hypotheses that begin alike share theirs, and none is ever copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch

from recognition.int8 import kernels as common
from recognition.int8.products import Linear, Rows

from . import kernels
from .encoder import Weights, layers, linear, norm

_FIRST_NODES = 128


@dataclass(frozen=True, slots=True)
class Audio:
    """Keys and values of the encoding of a batch, made once for all that is asked about it.

    Attributes:
        keys, values: Of each layer, see `kernels.split_context`.
    """

    keys: Sequence[np.ndarray]
    values: Sequence[np.ndarray]


@dataclass(slots=True)
class Nodes:
    """Tokens that were read: their keys and values in each layer, and what they looked at."""

    keys: np.ndarray
    """float32, shape (layers, nodes, width)."""

    values: np.ndarray
    watching: list[np.ndarray] = field(default_factory=list)
    """Of each node the scores of the heads that align, float32, shape (heads, frames)."""

    def reserve(self, count: int) -> np.ndarray:
        """Return the numbers of so many new nodes."""
        used = len(self.watching)
        while used + count > self.keys.shape[1]:
            more = np.empty_like(self.keys)
            self.keys = np.concatenate([self.keys, more], axis=1)
            self.values = np.concatenate([self.values, more], axis=1)
        return np.arange(used, used + count)


@dataclass(frozen=True, slots=True)
class Next:
    """Tokens that follow each other, to be read."""

    utterance: int
    path: Sequence[int]
    """Nodes before."""

    tokens: Sequence[int]


class _Layer:
    def __init__(self, weights: Weights, name: str, heads: int, watched: Sequence[int]) -> None:
        self.norm1 = norm(weights, f"{name}/self_attention/layer_norm")
        self.qkv = linear(weights, f"{name}/self_attention/linear_0", heads=heads)
        self.out = linear(weights, f"{name}/self_attention/linear_1")
        self.norm2 = norm(weights, f"{name}/attention/layer_norm")
        self.query = linear(weights, f"{name}/attention/linear_0", heads=heads)
        self.key_value = linear(weights, f"{name}/attention/linear_1", many_rows=True)
        self.seen = linear(weights, f"{name}/attention/linear_2")
        self.norm3 = norm(weights, f"{name}/ffn/layer_norm")
        self.w_1 = linear(weights, f"{name}/ffn/linear_0", dtype=torch.bfloat16)
        self.w_2 = linear(weights, f"{name}/ffn/linear_1")
        self.watched = np.array(watched, np.int64)


class Decoder:
    """Tokens and audio to what the next token depends on.

    Args:
        watched: Layer and head of those whose attention aligns tokens with the audio.
    """

    def __init__(self, weights: Weights, watched: Sequence[tuple[int, int]]) -> None:
        self.heads = int(weights["decoder/num_heads"])
        self._embeddings = weights["decoder/embeddings/weight"]
        self.tokens = len(self._embeddings)
        self._positions = weights["decoder/position_encodings/encodings"].astype(np.float32)
        self.width = self._positions.shape[1]
        self._layers = [
            _Layer(weights, name, self.heads, [head for layer, head in watched if layer == number])
            for number, name in enumerate(layers(weights, "decoder"))
        ]
        self._after = norm(weights, "decoder/layer_norm")

    def project(self, tokens: np.ndarray) -> Linear:
        """Return the layer that scores these tokens."""
        return Linear(torch.from_numpy(self._embeddings[tokens].astype(np.float32)), None)

    def listen(self, encoding: np.ndarray) -> Audio:
        """Return what tokens look at, from an encoding as `Encoder.encode` returns it."""
        utterances, frames, width = encoding.shape
        rows = Rows.of(encoding.reshape(-1, width), size=utterances * frames)
        keys, values = [], []
        size = width // self.heads
        for layer in self._layers:
            keys.append(np.empty((utterances, self.heads, size, frames), np.uint16))
            values.append(np.empty((utterances, self.heads, frames, size), np.uint16))
            kernels.split_context(layer.key_value(rows), keys[-1], values[-1])
        return Audio(keys, values)

    def nodes(self) -> Nodes:
        """Return room for the nodes of new texts."""
        keys, values = (np.empty((len(self._layers), _FIRST_NODES, self.width), np.float32) for _ in "kv")
        return Nodes(keys, values)

    def read(self, audio: Audio, nodes: Nodes, batch: Sequence[Next]) -> tuple[Rows, list[list[int]]]:
        """Read tokens, those of one utterance one after the other in the batch.

        Returns:
            A row for each token, by which the one after it is scored, and the nodes of each entry.
        """
        count = sum(len(each.tokens) for each in batch)
        own = nodes.reserve(count)
        paths, lengths, kept = _paths(batch, own)
        x = self._embeddings[np.concatenate([each.tokens for each in batch])].astype(np.float32)
        x += self._positions[lengths - 1]
        rows, watching = self._run(x, audio, nodes, batch, own, paths, lengths)
        nodes.watching += list(watching)
        return rows, kept

    def _run(
        self,
        x: np.ndarray,
        audio: Audio,
        nodes: Nodes,
        batch: Sequence[Next],
        own: np.ndarray,
        paths: np.ndarray,
        lengths: np.ndarray,
    ) -> tuple[Rows, np.ndarray]:
        m, count = len(x), len(self._layers)
        bounds, utterances = _by_utterance(batch)
        rows, attended = Rows(m, self.width), Rows(m, self.width)
        hidden = Rows(m, len(self._layers[0].w_1.bias))
        watching = [
            np.empty((m, len(layer.watched), audio.keys[0].shape[3]), np.float32) for layer in self._layers
        ]
        common.normalize_quantize(x, self._layers[0].norm1, rows.quantized)
        for number, layer in enumerate(self._layers):
            kernels.attend_to_path(
                layer.qkv(rows), self.heads, own, paths, lengths,
                nodes.keys[number], nodes.values[number], attended.quantized,
            )  # fmt: skip
            common.add_normalize_quantize(x, layer.out(attended), layer.norm2, rows.quantized)
            kernels.attend_to_audio(
                layer.query(rows), bounds, utterances, audio.keys[number], audio.values[number],
                layer.watched, attended.quantized, watching[number],
            )  # fmt: skip
            common.add_normalize_quantize(x, layer.seen(attended), layer.norm3, rows.quantized)
            kernels.gelu_quantize(layer.w_1(rows), hidden.quantized)
            following = self._layers[number + 1].norm1 if number + 1 < count else self._after
            common.add_normalize_quantize(x, layer.w_2(hidden), following, rows.quantized)
        return rows, np.concatenate(watching, axis=1)


def _paths(batch: Sequence[Next], own: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Return the nodes that each row sees, how many they are, and the nodes of each entry."""
    longest = max(len(each.path) + len(each.tokens) for each in batch)
    paths = np.zeros((len(own), longest), np.int64)
    lengths = np.empty(len(own), np.int64)
    kept: list[list[int]] = []
    row = 0
    for each in batch:
        before, count = len(each.path), len(each.tokens)
        new = own[row : row + count]
        paths[row : row + count, :before] = each.path
        paths[row : row + count, before : before + count] = new
        lengths[row : row + count] = before + 1 + np.arange(count)
        kept.append(new.tolist())
        row += count
    return paths, lengths, kept


def _by_utterance(batch: Sequence[Next]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each utterance and the end, and the utterances."""
    groups = [
        (utterance, sum(len(each.tokens) for each in own))
        for utterance, own in groupby(batch, lambda each: each.utterance)
    ]
    bounds = np.cumsum([0, *(count for _, count in groups)])
    return bounds, np.array([utterance for utterance, _ in groups])
