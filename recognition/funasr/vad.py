"""Voice activity: Silero's network and FunASR's FSMN, each over the next window of every stream.

Both only say how probable speech is in each frame; where utterances begin and end is decided in
`recognition.core.endpointing`, by one rule for both.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.exceptions import ModelError
from recognition.interfaces import Samples

from .features import FRAME_LENGTH, FRAME_SHIFT, MEL_BANDS, load_cmvn, recognizer_frames
from .fsmn import FsmnNetwork
from .loading import ModelDirectory, load_model
from .precision import Precision


@dataclass(slots=True, eq=False)
class SileroState:
    context: Tensor
    """The last samples, shape (64,)."""
    hidden: Tensor
    cell: Tensor


class SileroDetector:
    """A `VoiceActivityDetector` on the weights that the package `silero-vad` brings along.

    Args:
        frames: Of 32 ms, in one window.

    Source: https://github.com/snakers4/silero-vad (MIT), `tinygrad_model.py`, which writes the network down.
    """

    frame = 512
    delay = 0
    _CONTEXT = 64
    _WIDTH = 128

    def __init__(self, *, frames: int = 6) -> None:
        self.window = frames * self.frame
        self._network = _SileroNetwork()
        self._network.load_state_dict(_silero_weights())
        self._network.eval().requires_grad_(False)

    def new_state(self) -> SileroState:
        zeros = torch.zeros(self._WIDTH)
        return SileroState(torch.zeros(self._CONTEXT), zeros, zeros)

    @torch.inference_mode()
    def detect(self, batch: Sequence[tuple[SileroState, Samples]]) -> list[np.ndarray]:
        """Speech probability of each frame of 32 ms, float32, shape (window // 512,), per stream.

        Raises:
            ValueError: If a window has another length than `window`.
        """
        if not batch:
            return []
        audio = _side_by_side(batch, self.window)
        states = [state for state, _ in batch]
        audio = torch.cat((torch.stack([state.context for state in states]), audio), dim=1)
        hidden = torch.stack([state.hidden for state in states])
        cell = torch.stack([state.cell for state in states])
        pieces = audio.unfold(1, self._CONTEXT + self.frame, self.frame)  # (batch, frames, 576)
        probabilities, hidden, cell = self._network(pieces, hidden, cell)
        for row, state in enumerate(states):
            state.context = audio[row, -self._CONTEXT :].clone()
            state.hidden, state.cell = hidden[row], cell[row]
        return list(probabilities.numpy())


class _SileroNetwork(nn.Module):
    _BINS = 129

    def __init__(self) -> None:
        super().__init__()
        self.stft = nn.Linear(256, 2 * self._BINS, bias=False)
        self.conv1 = _Convolution(self._BINS, 128)
        self.conv2 = _Convolution(128, 64, stride=2)
        self.conv3 = _Convolution(64, 64, stride=2)
        self.conv4 = _Convolution(64, 128)
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.last = nn.Linear(128, 1)

    def forward(self, pieces: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            pieces: Each frame with the samples before it, shape (batch, frames, 576).
            hidden, cell: Of the LSTM, shape (batch, 128).

        Returns:
            Probabilities, shape (batch, frames); hidden and cell after the last frame.
        """
        batch, frames, _ = pieces.shape
        x = functional.pad(pieces.flatten(0, 1), (0, 64), mode="reflect")
        x = self.stft(x.unfold(1, 256, 128))  # (batch * frames, 4, bins)
        x = (x[..., : self._BINS].square() + x[..., self._BINS :].square()).sqrt()
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = torch.relu(convolution(x))
        outputs, (hidden, cell) = self.lstm(x.view(batch, frames, 128), (hidden[None], cell[None]))
        return torch.sigmoid(self.last(torch.relu(outputs)))[..., 0], hidden[0], cell[0]


class _Convolution(nn.Module):
    """A convolution of width 3 over few frames, as one product: torch takes longer over its own."""

    def __init__(self, channels: int, out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, channels, 3))
        self.bias = nn.Parameter(torch.empty(out))
        self._stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """From shape (batch, frames, channels) to (batch, frames / stride, out)."""
        windows = functional.pad(x, (0, 0, 1, 1)).unfold(1, 3, self._stride)
        return functional.linear(windows.flatten(2), self.weight.flatten(1), self.bias)


_SILERO_NAMES = {
    "stft.weight": "stft.forward_basis_buffer",
    **{
        f"conv{n}.{kind}": f"encoder.{n - 1}.reparam_conv.{kind}"
        for n in (1, 2, 3, 4)
        for kind in ("weight", "bias")
    },
    **{f"lstm.{name}_l0": f"decoder.rnn.{name}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    "last.weight": "decoder.decoder.2.weight",
    "last.bias": "decoder.decoder.2.bias",
}


def _silero_weights() -> dict[str, Tensor]:
    """Weights of the package's default model. (Its safetensors file holds those of another version.)"""
    name = "silero_vad.jit"
    with resources.as_file(resources.files("silero_vad") / "data" / name) as path, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is how the package comes
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            weights = torch.jit.load(str(path)).state_dict()  # type: ignore[no-untyped-call]
            return {
                ours: _in_shape(ours, weights[f"_model.{theirs}"]) for ours, theirs in _SILERO_NAMES.items()
            }
        except (RuntimeError, ValueError, KeyError) as exc:
            raise ModelError(f"silero-vad's {name} is not what is expected of version 6: {exc}") from exc


def _in_shape(name: str, weight: Tensor) -> Tensor:
    """Return weights of what is a convolution there and a product here, (out, in)."""
    return weight.flatten(1) if name in ("stft.weight", "last.weight") else weight


@dataclass(slots=True, eq=False)
class FsmnState:
    samples: Tensor
    """That the next frame needs again, shape (320,); on the CPU, where audio comes in."""
    frames: Tensor
    """That the next stacked frames need again, shape (4, 80)."""
    memory: Tensor
    """Inputs of the memory blocks, in the network's `memory_shape`."""
    fresh: bool = True
    decibels: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """Loudness of the frames that this window's probabilities begin with."""
    noise: float | None = None
    """Mean loudness of what was not speech, in decibel."""


class FsmnDetector:
    """A `VoiceActivityDetector` on FunASR's FsmnVADStreaming.

    FunASR calls a frame speech if its probability is at least `(1 + speech_noise_thres) / 2`: that is the
    threshold for the endpointer. Its other conditions (loudness, distance to the noise) are off in
    the published model; where a configuration has them, frames that fail them get probability 0.

    Args:
        directory: Of the model, as on the hub.
        frames: Of 10 ms, in one window.
        precision: Where it computes, and whether compiled; always in float32.

    Raises:
        ModelError: If the directory does not hold such a model.

    Source: Zhang et al., "Deep-FSMN for Large Vocabulary Continuous Speech Recognition", ICASSP 2018; FunASR,
        `funasr/models/fsmn_vad_streaming`.
    """

    frame = FRAME_SHIFT
    _STACKED = 5
    _HELD_SAMPLES = 2 * FRAME_SHIFT  # a frame is 25 ms long: the last two of a window reach into the next
    _QUIETEST = -60.0  # decibel of digital silence, as FunASR counts

    def __init__(
        self, directory: ModelDirectory, *, frames: int = 20, precision: Precision | None = None
    ) -> None:
        model = load_model(directory, ["FsmnVADStreaming"])
        precision = precision or Precision()
        self._device = precision.device
        self.window = frames * FRAME_SHIFT
        # Two frames end in the next window, and a stacked frame looks two frames ahead.
        self.delay = (2 + self._STACKED // 2) * FRAME_SHIFT
        self._network = precision.speech_network(FsmnNetwork(model.encoder, model.vad_opts.sil_pdf_ids))
        self._cmvn = load_cmvn(directory.file("cmvn"))
        if len(self._cmvn.shift) != self._STACKED * MEL_BANDS:
            raise ModelError(
                f"{directory.file('cmvn')} is not for {self._STACKED} stacked frames of 80 bands"
            )
        self._options = model.vad_opts
        loudest = 10 * math.log10(FRAME_LENGTH)
        self._checks_energy = (
            self._options.decibel_thres > self._QUIETEST or self._options.snr_thres > self._QUIETEST - loudest
        )

    def new_state(self) -> FsmnState:
        return FsmnState(
            torch.zeros(self._HELD_SAMPLES),
            torch.zeros(self._STACKED - 1, MEL_BANDS, device=self._device),
            torch.zeros(self._network.memory_shape, device=self._device),
        )

    @torch.inference_mode()
    def detect(self, batch: Sequence[tuple[FsmnState, Samples]]) -> list[np.ndarray]:
        """Speech probability of each frame of 10 ms, float32, shape (window // 160,), per stream.

        Raises:
            ValueError: If a window has another length than `window`.
        """
        if not batch:
            return []
        states = [state for state, _ in batch]
        audio = _side_by_side(batch, self.window)
        audio = torch.cat((torch.stack([state.samples for state in states]), audio), dim=1)
        fresh = torch.tensor([state.fresh for state in states], device=self._device)
        frames = recognizer_frames(audio.to(self._device))
        rows = torch.cat((torch.stack([state.frames for state in states]), frames), dim=1)
        # Before a new stream's first frame lie the held ones, which are not there, and two copies of it.
        first = self._STACKED - 1 + self._HELD_SAMPLES // FRAME_SHIFT
        rows[fresh, :first] = rows[fresh, first : first + 1]
        stacked = rows.unfold(1, self._STACKED, 1).transpose(2, 3).flatten(2)
        there = torch.ones(stacked.shape[:2], device=self._device)
        there[fresh, : self.delay // FRAME_SHIFT] = 0

        memory = torch.stack([state.memory for state in states], dim=1)
        probabilities, memory = self._network(self._cmvn(stacked), memory, there)
        result = list((probabilities * there).cpu().numpy())
        for row, state in enumerate(states):
            if self._checks_energy:
                result[row] = self._audible(state, audio[row], result[row])
            state.samples = audio[row, -self._HELD_SAMPLES :].clone()
            state.frames = rows[row, 1 - self._STACKED :].clone()
            state.memory = memory[:, row].clone()
            state.fresh = False
        return result

    def _audible(self, state: FsmnState, audio: Tensor, probabilities: np.ndarray) -> np.ndarray:
        """Set frames that are not loud enough, or not above the noise, to probability 0."""
        options = self._options
        energies = audio.unfold(0, FRAME_LENGTH, FRAME_SHIFT).square().sum(1).double()
        decibels = np.concatenate((state.decibels, 10 * np.log10(energies.numpy() + 1e-6)))
        state.decibels = decibels[-2:]
        result = probabilities.copy()
        start = self.delay // FRAME_SHIFT if state.fresh else 0
        for number in range(start, len(result)):
            loudness = float(decibels[number])
            if loudness < options.decibel_thres:
                result[number] = 0
            elif result[number] < (1 + options.speech_noise_thres) / 2:
                span = options.noise_frame_num_used_for_snr
                before = loudness if state.noise is None else state.noise
                state.noise = (loudness + before * (span - 1)) / span
            elif loudness - (-100.0 if state.noise is None else state.noise) < options.snr_thres:
                result[number] = 0
        return result


def _side_by_side(batch: Sequence[tuple[Any, Samples]], window: int) -> Tensor:
    for _, samples in batch:
        if samples.shape != (window,):
            raise ValueError(f"a window has {window} samples, not {samples.shape}")
    return torch.from_numpy(np.stack([samples for _, samples in batch]))
