"""Conditions under which people are recorded: noise, rooms, telephones; and places where nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import soxr

from recognition.audio import LEVEL_FRAME, SAMPLE_RATE, levels, samples

LENGTHS_S = (1, 3, 8)
"""Of pieces in which nobody speaks."""

_ROOM_PEAK = 0.3
_TELEPHONE_RATE = 8000

_PAUSE_DB = 25
_PAUSE_FRAMES = 12
_SPEECH_RMS = 0.1


def noisy(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Return audio with noise so far below it, repeated as often as needed."""
    repeated = np.resize(noise, len(audio))
    ratio = np.mean(audio**2) / max(float(np.mean(repeated**2)), 1e-12)
    mixed: np.ndarray = audio + repeated * np.sqrt(ratio / 10 ** (snr_db / 10))
    return mixed.astype(np.float32)


def in_a_room(audio: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return audio as a microphone across a room hears it, with a quarter of a second of its echo."""
    length = len(audio) + len(response) - 1
    heard = np.fft.irfft(np.fft.rfft(audio, length) * np.fft.rfft(response, length), length)
    heard = heard[: len(audio) + samples(0.25)]
    return _at_peak(heard, _ROOM_PEAK)


def by_telephone(audio: np.ndarray) -> np.ndarray:
    """Return what is left of audio below 4 kHz."""
    narrow = soxr.resample(audio, SAMPLE_RATE, _TELEPHONE_RATE)
    return np.asarray(soxr.resample(narrow, _TELEPHONE_RATE, SAMPLE_RATE), np.float32)


def without_pauses(audio: np.ndarray) -> np.ndarray:
    """Return what is said in audio, with nothing left of a pause but 120 ms; all at one level."""
    found = levels(audio)
    quiet = found < np.quantile(found, 0.9) - _PAUSE_DB
    numbers = np.arange(1, len(found) + 1)
    since = numbers - np.maximum.accumulate(np.where(quiet, 0, numbers))
    frames = audio[: len(found) * LEVEL_FRAME].reshape(-1, LEVEL_FRAME)
    kept: np.ndarray = frames[since <= _PAUSE_FRAMES].ravel()
    return (kept * _SPEECH_RMS / max(float(np.sqrt(np.mean(kept**2))), 1e-9)).astype(np.float32)


def nobody_speaks(noises: Sequence[np.ndarray], seed: int = 1) -> Iterator[np.ndarray]:
    """Return silence, noise, music, clicks and recorded noises, each in several lengths."""
    rng = np.random.default_rng(seed)
    for length in (samples(seconds) for seconds in LENGTHS_S):
        white = rng.standard_normal(length)
        yield np.zeros(length, np.float32)
        yield (10 ** (-50 / 20) * white).astype(np.float32)
        yield (10 ** (-25 / 20) * white).astype(np.float32)
        yield _brown(length, rng)
        yield _music(length, rng)
        yield _clicks(length, rng)
        for noise in noises:
            yield np.resize(noise[SAMPLE_RATE // 2 :] if len(noise) > SAMPLE_RATE else noise, length)


def _brown(length: int, rng: np.random.Generator) -> np.ndarray:
    walk = np.cumsum(rng.standard_normal(length))
    walk -= np.linspace(walk[0], walk[-1], length)
    return _at_peak(walk, 0.1)


def _music(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return plucked notes, two a second."""
    song = np.zeros(length)
    for start in range(0, length, SAMPLE_RATE // 2):
        times = np.arange(min(length - start, SAMPLE_RATE * 3 // 4)) / SAMPLE_RATE
        hertz = 220 * 2 ** (rng.integers(0, 24) / 12)
        harmonics = sum(np.sin(2 * np.pi * hertz * order * times) / order for order in (1, 2, 3, 4))
        song[start : start + len(times)] += np.exp(-3 * times) * harmonics
    return _at_peak(song, 0.2)


def _clicks(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a keyboard: twelve short damped sounds a second."""
    strokes = np.zeros(length)
    strokes[rng.integers(0, length, 12 * length // SAMPLE_RATE)] = 0.3
    stroke = np.exp(-np.arange(400) / 60) * np.sin(0.7 * np.arange(400))
    return np.asarray(np.convolve(strokes, stroke)[:length], np.float32)


def _at_peak(sound: np.ndarray, peak: float) -> np.ndarray:
    scaled: np.ndarray = (peak * sound / max(float(np.abs(sound).max()), 1e-9)).astype(np.float32)
    return scaled
