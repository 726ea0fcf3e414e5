"""The first pass: streaming Paraformer, one forward pass for the next chunk of every stream.

What FunASR keeps per stream in a cache of its own (12 MB of growing tensors) lies here in one pool, a slot
per utterance; streams join, leave and end between any two calls. In float32 the tokens are those of
`AutoModel.generate(..., is_final=False)` on the same chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from recognition.exceptions import ModelError
from recognition.interfaces import Samples

from . import cif
from .features import FRAME_SHIFT, MEL_BANDS, STACK_SHIFT, STACKED_FRAMES, load_cmvn, recognizer_frames
from .loading import ModelDirectory, load_model
from .sanm import StreamingDecoder, StreamingEncoder, position_encoding
from .vocabulary import Vocabulary, WordJoiner

_INPUT = STACKED_FRAMES * MEL_BANDS
_SAMPLES_PER_INPUT = STACK_SHIFT * FRAME_SHIFT  # 960, 60 ms
_HELD_FRAMES = 2
"""Frames that need samples of the next chunk: a frame is longer than the shift to the next."""
_LEAD = STACKED_FRAMES // 2  # the first frame stands in for those before it


@dataclass(frozen=True, slots=True)
class StreamingOptions:
    """How a stream is cut, in inputs of 60 ms. FunASR writes [0, chunk, look_ahead]."""

    chunk: int = 10
    look_ahead: int = 5
    encoder_look_back: int = 4
    """Chunks that the encoder sees before its window."""
    decoder_look_back: int = 1
    """Chunks that the decoder sees before its window."""


@dataclass(slots=True, eq=False)
class StreamState:
    """One utterance's place in the pool."""

    slot: int
    chunks: int = 0
    heard: int = 0
    """Inputs that the decoder's past holds."""
    words: WordJoiner = field(default_factory=WordJoiner)


class StreamingParaformer:
    """A `StreamingRecognizer` on FunASR's ParaformerStreaming.

    Args:
        directory: Of the model, as on the hub.
        device: Where it runs.

    Raises:
        ModelError: If the directory does not hold such a model.
    """

    def __init__(
        self, directory: ModelDirectory, options: StreamingOptions | None = None, *, device: str = "cpu"
    ) -> None:
        model = load_model(directory, ["ParaformerStreaming"])
        self.options = options or StreamingOptions()
        self.chunk = self.options.chunk * _SAMPLES_PER_INPUT
        self._device = torch.device(device)
        self._encoder = StreamingEncoder(model.encoder, model.predictor).to(self._device)
        self._decoder = StreamingDecoder(model.decoder).to(self._device)
        self._cmvn = load_cmvn(directory.file("cmvn"))
        if len(self._cmvn.shift) != _INPUT:
            raise ModelError(f"{directory.file('cmvn')} has {len(self._cmvn.shift)} values, not {_INPUT}")
        self._vocabulary = Vocabulary(directory.tokens, {model.blank_id, model.sos, model.eos})
        self._scale = model.encoder.output_size() ** 0.5
        self._positions = position_encoding(1024, _INPUT)
        self._pool = _Pool(self._encoder, self._decoder, self.options, self._device)

    def new_state(self) -> StreamState:
        return StreamState(self._pool.take())

    def release(self, state: StreamState) -> None:
        """Give the state's slot back; a second time it does nothing."""
        if state.slot >= 0:
            self._pool.give_back(state.slot)
            state.slot = -1

    @torch.inference_mode()
    def decode(self, batch: Sequence[tuple[StreamState, Samples]]) -> list[list[str]]:
        """The words that each stream's next chunk completes.

        Raises:
            ValueError: If a chunk has another length than `chunk`, or a state is in the batch twice.
        """
        if not batch:
            return []
        states = [state for state, _ in batch]
        _check(batch, self.chunk)
        slots = torch.tensor([state.slot for state in states], device=self._device)
        audio = torch.from_numpy(np.stack([samples for _, samples in batch])).to(self._device)

        window = self._next_window(states, slots, self._inputs(states, slots, audio))
        encoding, weights = self._encode(states, slots, window)
        fired, embeddings = self._integrate(slots, encoding, weights)
        ids = self._decode_tokens(states, slots, encoding, fired, embeddings)
        for state in states:
            state.chunks += 1
        return [
            state.words.receive(self._vocabulary.pieces(row)) for state, row in zip(states, ids, strict=True)
        ]

    def _inputs(self, states: list[StreamState], slots: Tensor, audio: Tensor) -> Tensor:
        """Normalised features of the next chunk, shape (batch, chunk, 560)."""
        pool = self._pool
        held = _HELD_FRAMES * FRAME_SHIFT
        samples = torch.cat((pool.samples[slots], audio), dim=1)
        pool.samples[slots] = samples[:, -held:]
        rows = torch.cat((pool.frame[slots], recognizer_frames(samples)), dim=1)
        # A new stream has no held samples: its first frame comes after those, and stands in for its past.
        fresh = torch.tensor([state.chunks == 0 for state in states], device=self._device)
        rows[fresh, :_LEAD] = rows[fresh, _LEAD : _LEAD + 1]
        pool.frame[slots] = rows[:, -1:]
        stacked = rows.unfold(1, STACKED_FRAMES, STACK_SHIFT).transpose(2, 3)
        return self._cmvn(stacked.reshape(len(states), self.options.chunk, _INPUT))

    def _next_window(self, states: list[StreamState], slots: Tensor, inputs: Tensor) -> Tensor:
        """The chunk after what the last window only looked ahead to."""
        chunk = self.options.chunk
        starts = torch.tensor([state.chunks * chunk for state in states])
        rows = starts[:, None] + torch.arange(chunk)
        if int(rows.max()) >= len(self._positions):
            self._positions = position_encoding(2 * int(rows.max()), _INPUT)
        placed = inputs * self._scale + self._positions[rows].to(self._device)
        window = torch.cat((self._pool.overlap[slots], placed), dim=1)
        self._pool.overlap[slots] = window[:, chunk:]
        return window

    def _encode(self, states: list[StreamState], slots: Tensor, window: Tensor) -> tuple[Tensor, np.ndarray]:
        chunk, chunks_back = self.options.chunk, self.options.encoder_look_back
        seen = [min(state.chunks, chunks_back) * chunk for state in states]
        mask = _mask(seen, chunks_back * chunk, window.shape[1], self._device)
        encoding, weights, present = self._encoder(window, self._pool.past[:, slots], mask)
        if chunks_back:
            # A ring: attention does not mind the order in which it finds its past.
            place = torch.tensor([state.chunks % chunks_back * chunk for state in states])
            rows = (place[:, None] + torch.arange(chunk)).to(self._device)
            self._pool.past[:, slots[:, None], rows] = present[:, :, :chunk]
        return encoding, weights[:, :chunk].cpu().numpy()

    def _integrate(self, slots: Tensor, encoding: Tensor, weights: np.ndarray) -> tuple[cif.Fired, Tensor]:
        """Tokens that fire, and their acoustic embeddings, shape (batch, tokens, width)."""
        pool = self._pool
        numbers = slots.cpu().numpy()
        fired = cif.integrate(np.concatenate((pool.left[numbers, None], weights), axis=1))
        pool.left[numbers] = fired.left
        frames = torch.cat((pool.begun[slots], encoding[:, : self.options.chunk]), dim=1)
        embeddings = torch.bmm(torch.from_numpy(fired.shares).to(self._device), frames)
        begun = embeddings[torch.arange(len(slots)), torch.from_numpy(fired.counts)]
        left = torch.from_numpy(fired.left).to(self._device)[:, None]
        pool.begun[slots] = torch.where(left > 0, begun / left, 0.0)[:, None]
        return fired, embeddings[:, :-1]

    def _decode_tokens(
        self,
        states: list[StreamState],
        slots: Tensor,
        encoding: Tensor,
        fired: cif.Fired,
        embeddings: Tensor,
    ) -> list[list[int]]:
        speaking = np.flatnonzero(fired.counts)
        ids: list[list[int]] = [[] for _ in states]
        if not len(speaking):
            return ids
        pool = self._pool
        rows = torch.from_numpy(speaking).to(self._device)
        counts = torch.from_numpy(fired.counts[speaking]).to(self._device)
        slots, encoding = slots[rows], encoding[rows]
        look_back = pool.decoder_past.shape[2]
        heard = [states[row].heard for row in speaking]
        mask = _mask(heard, look_back, encoding.shape[1], self._device, newest_last=True)
        found, memories, past = self._decoder(
            embeddings[rows], counts, encoding, pool.memories[:, slots], pool.decoder_past[:, slots], mask
        )
        pool.memories[:, slots] = memories
        pool.decoder_past[:, slots] = past
        for row, found_ids in zip(speaking, found.tolist(), strict=True):
            states[row].heard = min(look_back, states[row].heard + encoding.shape[1])
            ids[row] = found_ids[: fired.counts[row]]
        return ids


class _Pool:
    """What the network remembers of each stream, side by side; grows as streams come."""

    def __init__(
        self,
        encoder: StreamingEncoder,
        decoder: StreamingDecoder,
        options: StreamingOptions,
        device: torch.device,
    ) -> None:
        width = encoder.layers[0].size
        chunk = options.chunk
        self._device = device
        self._free: list[int] = []
        self._slots = 0
        self.samples = self._empty(0, _HELD_FRAMES * FRAME_SHIFT)
        self.frame = self._empty(0, 1, MEL_BANDS)
        self.overlap = self._empty(0, options.look_ahead, _INPUT)
        self.past = self._empty(len(encoder.layers), 0, options.encoder_look_back * chunk, 2 * width)
        self.begun = self._empty(0, 1, width)
        self.left = np.zeros(0, np.float32)
        self.memories = self._empty(len(decoder.layers), 0, decoder.memory, width)
        self.decoder_past = self._empty(len(decoder.layers), 0, options.decoder_look_back * chunk, 2 * width)

    def take(self) -> int:
        """A slot as a new stream finds it."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for tensor in (self.samples, self.overlap, self.begun):
            tensor[slot] = 0
        self.memories[:, slot] = 0
        self.left[slot] = 0
        return slot

    def give_back(self, slot: int) -> None:
        self._free.append(slot)

    def _grow(self) -> None:
        more = max(4, self._slots)
        for name in ("samples", "frame", "overlap", "begun"):
            tensor = getattr(self, name)
            setattr(self, name, torch.cat((tensor, self._empty(more, *tensor.shape[1:]))))
        for name in ("past", "memories", "decoder_past"):
            tensor = getattr(self, name)
            new = self._empty(tensor.shape[0], more, *tensor.shape[2:])
            setattr(self, name, torch.cat((tensor, new), dim=1))
        self.left = np.concatenate((self.left, np.zeros(more, np.float32)))
        self._free += range(self._slots + more - 1, self._slots - 1, -1)
        self._slots += more

    def _empty(self, *shape: int) -> Tensor:
        return torch.zeros(*shape, device=self._device)


def _check(batch: Sequence[tuple[StreamState, Samples]], chunk: int) -> None:
    for state, samples in batch:
        if samples.shape != (chunk,):
            raise ValueError(f"a chunk has {chunk} samples, not {samples.shape}")
        if state.slot < 0:
            raise ValueError("the state was released")
    if len({state.slot for state, _ in batch}) < len(batch):
        raise ValueError("a stream is in the batch twice")


def _mask(
    seen: Sequence[int], past: int, window: int, device: torch.device, *, newest_last: bool = False
) -> Tensor:
    """Hides the part of the past that has not been yet, shape (batch, 1, 1, past + window).

    Args:
        seen: Frames of the past that are there, per stream.
        newest_last: Whether the past is filled from its end.
    """
    frames = torch.arange(past)
    if newest_last:
        frames = frames.flip(0)
    hidden = frames >= torch.tensor(seen)[:, None]
    mask = torch.zeros(len(seen), past + window)
    mask[:, :past].masked_fill_(hidden, float("-inf"))
    return mask[:, None, None].to(device)
