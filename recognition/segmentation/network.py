"""pyannote's segmentation-3.0 in float32: who speaks when, as classes of at most two speakers at once.

A bank of band-pass filters and two convolutions make of ten seconds 589 frames; four recurrent layers look at
them from both sides. Modules have the names of the weights' file.

Source: Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization",
Interspeech 2023; Ravanelli and Bengio, "Speaker recognition from raw waveform with SincNet", SLT 2018.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.audio import SAMPLE_RATE
from recognition.exceptions import ModelError

SPEAKERS = 3
MAX_AT_ONCE = 2

SETS = [who for size in range(MAX_AT_ONCE + 1) for who in combinations(range(SPEAKERS), size)]
"""The speakers of each class: nobody, one of them, two of them."""

FILTERS = 80
STRIDE = 10
"""Samples from one output of the filters to the next."""

POOLED = 3
"""Neighbours of which the largest is taken after each convolution."""

TAPS = 5
CHANNELS = 60
WIDTH = 128
LAYERS = 4

_HALF = 125
"""Samples of a filter to either side of its middle."""

_MIN_HZ = 50.0
"""The least frequency, and the least band."""


class SegmentationNetwork(nn.Module):
    """A function from audio, float32, shape (batch, samples), to scores, shape (batch, frames, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.sincnet = SincNet()
        self.lstm = nn.LSTM(CHANNELS, WIDTH, LAYERS, batch_first=True, bidirectional=True)
        self.linear = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.classifier = nn.Linear(WIDTH, len(SETS))
        self.eval().requires_grad_(False)

    @classmethod
    def with_weights(cls, weights: dict[str, Tensor]) -> SegmentationNetwork:
        """Return the network with these weights.

        Raises:
            ModelError: If they are those of another network.
        """
        network = cls()
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelError(f"these are no weights of segmentation-3.0: {error}") from error
        return network

    def forward(self, audio: Tensor) -> Tensor:
        frames, _ = self.lstm(self.sincnet(audio).transpose(1, 2))
        return self.classify(frames)

    def classify(self, frames: Tensor) -> Tensor:
        """Return the scores for what the recurrent layers made of each frame."""
        for layer in self.linear:
            frames = functional.leaky_relu(layer(frames))
        scores: Tensor = self.classifier(frames)
        return scores


class SincNet(nn.Module):
    """Convolutions from audio to frames, shape (batch, channels, frames)."""

    def __init__(self) -> None:
        super().__init__()
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleList(
            [_FilterBank(), nn.Conv1d(FILTERS, CHANNELS, TAPS), nn.Conv1d(CHANNELS, CHANNELS, TAPS)]
        )
        self.norm1d = nn.ModuleList(
            [nn.InstanceNorm1d(n, affine=True) for n in (FILTERS, CHANNELS, CHANNELS)]
        )

    def forward(self, audio: Tensor) -> Tensor:
        x: Tensor = self.wav_norm1d(audio[:, None])
        for convolution, norm in zip(self.conv1d, self.norm1d, strict=True):
            x = functional.leaky_relu(norm(functional.max_pool1d(convolution(x), POOLED)))
        return x


class _FilterBank(nn.Module):
    """Magnitudes of what band-pass filters let through."""

    def __init__(self) -> None:
        super().__init__()
        self.filterbank = _Bands()

    def forward(self, x: Tensor) -> Tensor:
        magnitudes: Tensor = functional.conv1d(x, self.filterbank.filters()[:, None], stride=STRIDE).abs()
        return magnitudes


class _Bands(nn.Module):
    """Bands by their lower ends and widths, in Hz; even filters for all of them, then odd ones."""

    def __init__(self) -> None:
        super().__init__()
        bands = FILTERS // 2
        self.low_hz_ = nn.Parameter(torch.linspace(0, 7000, bands)[:, None])
        self.band_hz_ = nn.Parameter(torch.full((bands, 1), 100.0))
        at = torch.arange(-_HALF, 0.0)
        self.register_buffer("window_", 0.54 + 0.46 * torch.cos(torch.pi * at / _HALF))
        self.register_buffer("n_", 2 * torch.pi * at[None] / SAMPLE_RATE)

    def filters(self) -> Tensor:
        """Return the filters, shape (filters, taps)."""
        before: Tensor = self.get_buffer("n_")
        low = _MIN_HZ + self.low_hz_.abs()
        high = (low + _MIN_HZ + self.band_hz_.abs()).clamp(_MIN_HZ, SAMPLE_RATE / 2)
        # Half of a difference of two low-pass filters, divided by its largest value.
        factor = self.get_buffer("window_") / (before * (high - low))
        even = (torch.sin(high * before) - torch.sin(low * before)) * factor
        odd = (torch.cos(low * before) - torch.cos(high * before)) * factor
        middle = torch.ones_like(low)
        return torch.cat(
            [
                torch.cat([even, middle, even.flip(1)], dim=1),
                torch.cat([odd, 0 * middle, -odd.flip(1)], dim=1),
            ]
        )
