"""The first pass: streaming Paraformer, one forward pass for the next chunk of every stream.

What FunASR keeps per stream in a cache of its own (12 MB of growing tensors) lies here in one pool, a slot
per utterance; streams join, leave and end between any two calls. In float32 the tokens are those of
`AutoModel.generate(..., is_final=False)` on the same chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recognition.interfaces import Samples, SessionContext
from recognition.language_model import CHOICES, LanguageModel

from . import cif
from .deciding import TokenDecider
from .features import (
    FRAME_SHIFT,
    INPUT,
    MEL_BANDS,
    SAMPLES_PER_INPUT,
    STACK_SHIFT,
    STACKED_FRAMES,
    load_recognizer_cmvn,
    recognizer_frames,
)
from .loading import ModelDirectory, load_model
from .precision import Precision
from .sanm import Geometry, position_encoding
from .vocabulary import Vocabulary, WordJoiner

if TYPE_CHECKING:
    from .options import StreamingOptions

_HELD_FRAMES = 2
"""Frames that need samples of the next chunk: a frame is longer than the shift to the next."""
_LEAD = STACKED_FRAMES // 2  # the first frame stands in for those before it


@dataclass(slots=True, eq=False)
class StreamState:
    """One utterance's place in the pool."""

    slot: int
    context: SessionContext | None = None
    chunks: int = 0
    heard: int = 0
    """Frames that the decoder's past holds."""
    written: list[int] = field(default_factory=list)
    """Its tokens so far."""
    words: WordJoiner = field(default_factory=WordJoiner)


class StreamingParaformer:
    """A `StreamingRecognizer` on FunASR's ParaformerStreaming.

    Args:
        directory: Of the model, as on the hub.
        precision: What it computes in, and where.
        language_model: What people are likely to say, if that is known.

    Raises:
        ModelError: If the directory does not hold such a model.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        options: StreamingOptions,
        *,
        precision: Precision | None = None,
        language_model: LanguageModel | None = None,
    ) -> None:
        model = load_model(directory, ["ParaformerStreaming"])
        precision = (precision or Precision()).for_model(model)
        self.options = options
        self.chunk = self.options.chunk * SAMPLES_PER_INPUT
        self._device = precision.device
        self._geometry = _geometry(self.options)
        self._encoder = precision.streaming_encoder(model.encoder, model.predictor, self._geometry)
        self._vocabulary = Vocabulary(directory.tokens, {model.blank_id, model.sos, model.eos})
        self.decider = TokenDecider(self._vocabulary, language_model)
        self._decoder = precision.streaming_decoder(model.decoder, self._geometry, choices=CHOICES)
        self._cmvn = load_recognizer_cmvn(directory.file("cmvn"))
        self._width: int = model.encoder.output_size()
        self._positions = position_encoding(1024, INPUT)
        self._free: list[int] = []
        self._slots = 0
        self._front = _Front(self.options, self._width, self._device)

    def new_state(self, context: SessionContext | None = None) -> StreamState:
        """State of one utterance, in a slot of its own."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._front.clear(slot)
        self._decoder.clear(slot)
        return StreamState(slot, context)

    def release(self, state: StreamState) -> None:
        """Give the state's slot back; a second time it does nothing."""
        if state.slot >= 0:
            self._free.append(state.slot)
            state.slot = -1

    @torch.inference_mode()
    def decode(self, batch: Sequence[tuple[StreamState, Samples]]) -> list[list[str]]:
        """The words that each stream's next chunk completes.

        Raises:
            ValueError: If a chunk has another length than `chunk`, or a state is in the batch twice.
        """
        if not batch:
            return []
        _check(batch, self.chunk)
        states = [state for state, _ in batch]
        slots = np.array([state.slot for state in states])
        chunks = np.array([state.chunks for state in states])
        rows = torch.from_numpy(slots).to(self._device)
        audio = torch.from_numpy(np.stack([samples for _, samples in batch])).to(self._device)

        window = self._next_window(rows, chunks, self._inputs(rows, chunks, audio))
        encoding, weights = self._encoder.step(window, slots, chunks)
        fired, embeddings = self._integrate(slots, rows, encoding, weights)
        ids: list[list[int]] = [[] for _ in states]
        speaking = np.flatnonzero(fired.counts)
        if len(speaking):
            tokens = [embeddings[row][:-1] for row in speaking]
            seen = np.array([states[row].heard for row in speaking])
            found = self._decoder.step(tokens, encoding[torch.from_numpy(speaking)], slots[speaking], seen)
            for row, choices in zip(speaking, found, strict=True):
                state = states[row]
                ids[row] = self.decider.choose(choices, state.context, state.written)
                state.written += ids[row]
                state.heard = min(self._geometry.decoder_past, state.heard + self._geometry.window)
        for state in states:
            state.chunks += 1
        return [
            state.words.receive(self._vocabulary.pieces(row)) for state, row in zip(states, ids, strict=True)
        ]

    def _grow(self) -> None:
        more = max(4, self._slots)
        self._free += range(self._slots + more - 1, self._slots - 1, -1)
        self._slots += more
        for part in (self._front, self._encoder, self._decoder):
            part.grow(self._slots)

    def _inputs(self, slots: Tensor, chunks: np.ndarray, audio: Tensor) -> Tensor:
        """Normalised features of the next chunk, shape (batch, chunk, 560)."""
        front = self._front
        samples = torch.cat((front.samples[slots], audio), dim=1)
        front.samples[slots] = samples[:, -_HELD_FRAMES * FRAME_SHIFT :]
        frames = torch.cat((front.frame[slots], recognizer_frames(samples)), dim=1)
        # A new stream has no held samples: its first frame comes after those, and stands in for its past.
        fresh = torch.from_numpy(chunks == 0).to(self._device)
        frames[fresh, :_LEAD] = frames[fresh, _LEAD : _LEAD + 1]
        front.frame[slots] = frames[:, -1:]
        stacked = frames.unfold(1, STACKED_FRAMES, STACK_SHIFT).transpose(2, 3)
        return self._cmvn(stacked.reshape(len(slots), self.options.chunk, INPUT))

    def _next_window(self, slots: Tensor, chunks: np.ndarray, inputs: Tensor) -> Tensor:
        """The chunk, after what the last window only looked ahead to."""
        chunk = self.options.chunk
        at = chunks[:, None] * chunk + np.arange(chunk)
        if at.max() >= len(self._positions):
            self._positions = position_encoding(2 * int(at.max()), INPUT)
        positions = self._positions[torch.from_numpy(at)].to(self._device)
        window = torch.cat((self._front.overlap[slots], inputs * self._width**0.5 + positions), dim=1)
        self._front.overlap[slots] = window[:, chunk:]
        return window

    def _integrate(
        self, slots: np.ndarray, rows: Tensor, encoding: Tensor, weights: np.ndarray
    ) -> tuple[cif.Fired, list[Tensor]]:
        """Tokens that fire, and each stream's acoustic embeddings, shape (tokens + 1, width), of them and
        of the token that has begun.
        """
        front, chunk = self._front, self.options.chunk
        fired = cif.integrate(np.concatenate((front.left[slots, None], weights[:, :chunk]), axis=1))
        front.left[slots] = fired.left
        frames = torch.cat((front.begun[rows], encoding[:, :chunk]), dim=1)
        shares = torch.from_numpy(fired.shares).to(self._device)
        # One by one: in one product, rounding would depend on how many tokens the others have.
        embeddings = [
            shares[row, : count + 1] @ frames[row] for row, count in enumerate(fired.counts.tolist())
        ]
        begun = torch.stack([tokens[-1] for tokens in embeddings])
        left = torch.from_numpy(fired.left).to(self._device)[:, None]
        front.begun[rows] = torch.where(left > 0, begun / left, 0.0)[:, None]
        return fired, embeddings


class _Front:
    """State of each stream in front of the encoder and between it and the decoder."""

    def __init__(self, options: StreamingOptions, width: int, device: torch.device) -> None:
        self.samples = torch.zeros(0, _HELD_FRAMES * FRAME_SHIFT, device=device)
        self.frame = torch.zeros(0, 1, MEL_BANDS, device=device)
        self.overlap = torch.zeros(0, options.look_ahead, INPUT, device=device)
        self.begun = torch.zeros(0, 1, width, device=device)
        """The token that has begun: the mean of its frames so far."""
        self.left = np.zeros(0, np.float32)
        """And its weight so far."""

    def grow(self, slots: int) -> None:
        """Make room for so many streams."""
        for name in ("samples", "frame", "overlap", "begun"):
            tensor = getattr(self, name)
            new = tensor.new_zeros(slots - len(tensor), *tensor.shape[1:])
            setattr(self, name, torch.cat((tensor, new)))
        self.left = np.concatenate((self.left, np.zeros(slots - len(self.left), np.float32)))

    def clear(self, slot: int) -> None:
        """Forget the stream that had this slot."""
        for tensor in (self.samples, self.overlap, self.begun):
            tensor[slot] = 0
        self.left[slot] = 0


def _geometry(options: StreamingOptions) -> Geometry:
    return Geometry(
        chunk=options.chunk,
        window=options.look_ahead + options.chunk,
        past=options.encoder_look_back * options.chunk,
        decoder_past=options.decoder_look_back * options.chunk,
    )


def _check(batch: Sequence[tuple[StreamState, Samples]], chunk: int) -> None:
    for state, samples in batch:
        if samples.shape != (chunk,):
            raise ValueError(f"a chunk has {chunk} samples, not {samples.shape}")
        if state.slot < 0:
            raise ValueError("the state was released")
    if len({state.slot for state, _ in batch}) < len(batch):
        raise ValueError("a stream is in the batch twice")
