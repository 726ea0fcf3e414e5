"""Features as Whisper takes them: log energies of 80 mel bands, a frame every 10 ms. Numbers only."""

from __future__ import annotations

import functools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recognition.audio import SAMPLE_RATE
from recognition.interfaces import Samples

FRAME_SHIFT = 160
MEL_BANDS = 80

_FFT_SIZE = 400
_FLOOR = -10.0
"""The logarithm to base 10 of nothing."""

_DYNAMIC_RANGE = 8.0
"""What lies further below the loudest is raised to there."""

_LINEAR_UP_TO_HZ = 1000.0
_HZ_PER_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27


def log_mel(audio: Samples, frames: int) -> np.ndarray:
    """Return the features of audio with silence behind it, float32, shape (80, frames).

    Args:
        audio: No longer than the frames.

    Source:
        Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022; filters after
        Slaney's Auditory Toolbox.
    """
    logarithms = np.full((MEL_BANDS, frames), _FLOOR, np.float32)
    # Frames that only see what lies behind the audio need no computing.
    sounding = min(frames, (len(audio) + _FFT_SIZE // 2) // FRAME_SHIFT + 1) if len(audio) else 0
    if sounding:
        energies = _mel_filters() @ _power(audio, sounding)
        logarithms[:, :sounding] = np.log10(np.maximum(energies, 10.0**_FLOOR))
    floored = np.maximum(logarithms, logarithms.max(initial=_FLOOR) - _DYNAMIC_RANGE)
    scaled: np.ndarray = ((floored + 4.0) / 4.0).astype(np.float32)
    return scaled


def _power(audio: Samples, frames: int) -> np.ndarray:
    """Return the power spectrum of each frame, shape (201, frames); frames are centred."""
    margin = _FFT_SIZE // 2
    mirrored = np.pad(audio, (0, max(0, margin + 1 - len(audio))))[1 : margin + 1][::-1]
    behind = np.zeros(max(0, (frames - 1) * FRAME_SHIFT + margin - len(audio)), np.float32)
    padded = np.concatenate([mirrored, audio, behind])
    windows = sliding_window_view(padded, _FFT_SIZE)[::FRAME_SHIFT][:frames]
    spectrum = np.fft.rfft(windows * _hann(), axis=1)
    power: np.ndarray = (spectrum.real**2 + spectrum.imag**2).T.astype(np.float32)
    return power


@functools.cache
def _hann() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT_SIZE) / _FFT_SIZE)).astype(np.float32)


@functools.cache
def _mel_filters() -> np.ndarray:
    """Triangles of equal area, float32, shape (80, 201)."""
    edges = _hz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), MEL_BANDS + 2))
    bins = np.fft.rfftfreq(_FFT_SIZE, 1 / SAMPLE_RATE)
    slopes = (bins - edges[:, None]) / np.diff(edges, append=np.inf)[:, None]
    rising, falling = slopes[:-2], 1 - slopes[1:-1]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: np.ndarray = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return filters


def _mel(hz: float) -> float:
    """Return the place of a frequency above 1 kHz on Slaney's scale."""
    return _LINEAR_UP_TO_HZ / _HZ_PER_MEL + float(np.log(hz / _LINEAR_UP_TO_HZ) / _LOG_STEP)


def _hz(mels: np.ndarray) -> np.ndarray:
    bend = _LINEAR_UP_TO_HZ / _HZ_PER_MEL
    above = _LINEAR_UP_TO_HZ * np.exp(_LOG_STEP * (mels - bend))
    hz: np.ndarray = np.where(mels < bend, mels * _HZ_PER_MEL, above)
    return hz
