"""Features: log mel energies, computed the same in training and in service.

Everything takes batches and keeps no state: a stream holds back its own left-over samples and
frames (`FRAME_LENGTH`, `STACKED_FRAMES`). The numbers are those of Kaldi's filter bank, on which FunASR's
own front ends rest, so a network trained elsewhere with those sees here what it knows.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from recognition.audio import SAMPLE_RATE
from recognition.exceptions import ModelError

FRAME_LENGTH = SAMPLE_RATE * 25 // 1000  # 400 samples
FRAME_SHIFT = SAMPLE_RATE * 10 // 1000  # 160 samples
MEL_BANDS = 80

STACKED_FRAMES = 7
"""Frames side by side in one input of the recogniser (FunASR's `lfr_m`)."""

STACK_SHIFT = 6
"""Frames from one input of the recogniser to the next (`lfr_n`): 60 ms."""

INPUT = STACKED_FRAMES * MEL_BANDS
"""Values of one input of the recogniser."""

SAMPLES_PER_INPUT = STACK_SHIFT * FRAME_SHIFT

FIRST_INPUT = FRAME_LENGTH // 2 - SAMPLES_PER_INPUT // 2
"""Where the first input's 60 ms begin: it is centred on the first frame."""

_FFT_SIZE = 512
_PREEMPHASIS = 0.97
_MIN_HZ = 20.0
_INT16_SCALE = 32768.0

Window = Literal["hamming", "povey"]


@dataclass(frozen=True, slots=True)
class Cmvn:
    """Cepstral mean and variance normalisation: `(features + shift) * scale`, float32, shape (d,) each."""

    shift: Tensor
    scale: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        return (features + self.shift.to(features.device)) * self.scale.to(features.device)


def frame_count(samples: int) -> int:
    """Frames that fit into that much audio; a last, incomplete one is left out (`snip_edges`)."""
    return 0 if samples < FRAME_LENGTH else 1 + (samples - FRAME_LENGTH) // FRAME_SHIFT


def stacked_count(frames: int) -> int:
    """Inputs of the recogniser that so many frames make."""
    return math.ceil(frames / STACK_SHIFT)


def fbank(audio: Tensor, *, window: Window = "hamming") -> Tensor:
    """Log energies of 80 mel bands in frames of 25 ms, every 10 ms.

    Args:
        audio: Samples in any scale, float32, shape (batch, n). FunASR's recognisers and VAD
            want the int16 scale (`recognizer_frames`), its speaker models [-1, 1] (`speaker_features`).
        window: "hamming" for recognisers, "povey" (Hann to the power 0.85) for speaker models.

    Returns:
        Natural logarithms, float32, shape (batch, frame_count(n), 80); never below log(2 ** -23).

    Raises:
        ValueError: If `audio` is not a two-dimensional float32 tensor.

    Source:
        Kaldi, `feat/feature-fbank.cc` and `feat/mel-computations.cc`, without dither: DC removed and
        pre-emphasis applied within each frame, power spectrum, triangles on the mel scale from 20 Hz
        to 8 kHz.
    """
    if audio.dim() != 2 or audio.dtype != torch.float32:
        raise ValueError(
            f"fbank takes float32 audio of shape (batch, n), not {audio.dtype} {tuple(audio.shape)}"
        )
    if not frame_count(audio.shape[1]):
        return audio.new_zeros(audio.shape[0], 0, MEL_BANDS)

    frames = audio.unfold(1, FRAME_LENGTH, FRAME_SHIFT)  # (batch, frames, 400)
    frames = frames - frames.mean(dim=2, keepdim=True)
    previous = functional.pad(frames, (1, 0), mode="replicate")[..., :-1]
    frames = (frames - _PREEMPHASIS * previous) * _window(window).to(audio.device)
    spectrum = torch.fft.rfft(frames, n=_FFT_SIZE)[..., : _FFT_SIZE // 2]  # (batch, frames, 256)
    power = spectrum.real.square() + spectrum.imag.square()
    energies: Tensor = power @ _mel_filters().to(audio.device)  # (batch, frames, 80)
    return energies.clamp(min=torch.finfo(torch.float32).eps).log()


def recognizer_frames(audio: Tensor) -> Tensor:
    """`fbank` as Paraformer and FSMN-VAD take it.

    Args:
        audio: float32 in [-1, 1], shape (batch, n).

    Returns:
        float32, shape (batch, frame_count(n), 80).
    """
    return fbank(audio * _INT16_SCALE)


def stack_frames(frames: Tensor, lengths: Tensor) -> Tensor:
    """Seven neighbouring frames side by side, every sixth frame (low frame rate, LFR).

    The first input is centred on the first frame; what would lie before the first or after the last
    frame is that frame again.

    Args:
        frames: float32, shape (batch, t, d); what lies after a row's length is ignored.
        lengths: Frames in each row, int64, shape (batch,), each at least 1.

    Returns:
        float32, shape (batch, stacked_count(t), 7 * d). Row i holds `stacked_count(lengths[i])` inputs;
        the rest of it repeats its last frame.

    Source:
        Pundak and Sainath, "Lower Frame Rate Neural Network Acoustic Models", Interspeech 2016;
        FunASR, `funasr/frontends/wav_frontend.py: apply_lfr`.
    """
    batch, t, d = frames.shape
    inputs = torch.arange(stacked_count(t), device=frames.device) * STACK_SHIFT
    offsets = torch.arange(STACKED_FRAMES, device=frames.device) - STACKED_FRAMES // 2
    index = (inputs[:, None] + offsets).clamp(min=0).flatten()  # (inputs * 7,)
    index = torch.minimum(index[None], lengths.to(frames.device)[:, None] - 1)  # (batch, inputs * 7)
    stacked = frames.gather(1, index[..., None].expand(-1, -1, d))
    return stacked.reshape(batch, -1, STACKED_FRAMES * d)


def load_cmvn(path: Path) -> Cmvn:
    """The normalisation in Kaldi's text form (`am.mvn` of a FunASR model directory).

    Raises:
        ValueError: If the file holds no `<AddShift>` and `<Rescale>` of one length.
    """
    words = path.read_text(encoding="utf-8").split()
    try:
        shift = _vector_after("<AddShift>", words)
        scale = _vector_after("<Rescale>", words)
    except ValueError as exc:
        raise ValueError(f"{path} holds no mean and variance normalisation: {exc}") from exc
    if shift.shape != scale.shape:
        raise ValueError(f"{path}: <AddShift> has {len(shift)} values and <Rescale> {len(scale)}")
    return Cmvn(shift, scale)


def load_recognizer_cmvn(path: Path) -> Cmvn:
    """Load that of a recogniser's inputs.

    Raises:
        ModelError: If it is for inputs of another length.
        ValueError: As `load_cmvn`.
    """
    cmvn = load_cmvn(path)
    if len(cmvn.shift) != INPUT:
        raise ModelError(f"{path} has {len(cmvn.shift)} values, not {INPUT}")
    return cmvn


def write_cmvn(path: Path, cmvn: Cmvn) -> None:
    """Write `cmvn` in the form that `load_cmvn` and FunASR's front ends read."""
    d = len(cmvn.shift)
    shift = " ".join(f"{value:.7g}" for value in cmvn.shift.tolist())
    scale = " ".join(f"{value:.7g}" for value in cmvn.scale.tolist())
    path.write_text(
        f"<Nnet>\n<Splice> {d} {d}\n[ 0 ]\n"
        f"<AddShift> {d} {d}\n<LearnRateCoef> 0 [ {shift} ]\n"
        f"<Rescale> {d} {d}\n<LearnRateCoef> 0 [ {scale} ]\n</Nnet>\n",
        encoding="utf-8",
    )


def speaker_features(audio: Tensor) -> Tensor:
    """Return the input of FunASR's CAM++ and ERes2Net: `fbank` less its mean over time.

    The mean is over all of each row, so rows must not be padded: batch pieces of one length.

    Args:
        audio: float32 in [-1, 1], shape (batch, n), n >= FRAME_LENGTH.

    Returns:
        float32, shape (batch, frame_count(n), 80), zero mean over time.

    Source:
        FunASR, `funasr/models/campplus/utils.py: extract_feature`.
    """
    features = fbank(audio, window="povey")
    return features - features.mean(dim=1, keepdim=True)


@functools.cache
def _window(name: Window) -> Tensor:
    hann = 0.5 - 0.5 * torch.cos(
        2 * math.pi * torch.arange(FRAME_LENGTH, dtype=torch.float64) / (FRAME_LENGTH - 1)
    )
    window = 0.08 + 0.92 * hann if name == "hamming" else hann**0.85
    return window.float()


@functools.cache
def _mel_filters() -> Tensor:
    """Triangular filters, float32, shape (256, 80). Kaldi leaves out the bin at the Nyquist frequency."""
    low, high = _mel(torch.tensor([_MIN_HZ, SAMPLE_RATE / 2], dtype=torch.float64)).tolist()
    step = (high - low) / (MEL_BANDS + 1)
    left = low + step * torch.arange(MEL_BANDS, dtype=torch.float64)
    bins = _mel(torch.arange(_FFT_SIZE // 2, dtype=torch.float64) * SAMPLE_RATE / _FFT_SIZE)
    rising = (bins[:, None] - left) / step
    falling = (left + 2 * step - bins[:, None]) / step
    return torch.minimum(rising, falling).clamp(min=0).float()


def _mel(hz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hz / 700.0)


def _vector_after(tag: str, words: list[str]) -> Tensor:
    """The numbers between the first brackets after `tag`."""
    start = words.index("[", words.index(tag)) + 1
    end = words.index("]", start)
    return torch.tensor([float(word) for word in words[start:end]], dtype=torch.float32)
