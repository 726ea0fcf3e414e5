"""People who speak in noise of a colour of their own, and a model that hears the colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recognition.audio import SAMPLE_RATE, samples
from recognition.interfaces import Samples, Span

BANDS = 16


class ColourEmbedder:
    """Hears which of sixteen bands of frequencies are loud."""

    model_id = "colours"
    dimension = BANDS

    def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
        return [np.stack([self._colour(audio[start:end]) for start, end in spans]) for audio, spans in batch]

    def _colour(self, audio: Samples) -> np.ndarray:
        power = np.abs(np.fft.rfft(audio)) ** 2
        bands = np.array([band.mean() for band in np.array_split(power, BANDS)]) ** 0.5
        centred = bands - bands.mean()
        colour: np.ndarray = (centred / np.linalg.norm(centred)).astype(np.float32)
        return colour


def speech(person: int, seconds: float, *, seed: int = 0) -> Samples:
    """Noise in this person's band; another seed is another recording."""
    random = np.random.default_rng((person, seed))
    spectrum = np.fft.rfft(random.standard_normal(samples(seconds)))
    edges = np.linspace(0, len(spectrum), BANDS + 1).astype(int)
    shape = np.full(len(spectrum), 0.1)
    shape[edges[person] : edges[person + 1]] = 1.0
    audio: np.ndarray = np.fft.irfft(spectrum * shape, samples(seconds)).astype(np.float32)
    audio *= np.float32(0.5) / np.abs(audio).max()
    return audio


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)
