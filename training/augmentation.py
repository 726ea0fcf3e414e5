"""Rooms, noises, microphones and vocal tracts: what keeps a network from learning one loudspeaker by heart.

Two kinds. On samples, once, when a corpus is made: rooms, noise, colouring, level. On log mel energies,
afresh each time that an utterance is trained on: tempo, vocal tract, colouring, noise, masks. Both are
drawn from the generator that is passed in, so a seed repeats them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from recognition.audio import SAMPLE_RATE
from recognition.funasr.features import MEL_BANDS

Random = np.random.Generator

FLOOR = math.log(2.0**-23)
"""Log mel energy of silence; see `features.fbank`."""


# Samples. All take and return float32, shape (n,).


def room_response(rng: Random) -> np.ndarray:
    """The impulse response of a made-up room: direct sound, a few early reflections, a decaying tail.

    Source:
        Polack's model of a tail as Gaussian noise under an exponential: RT60 0.15 to 0.7 s here, with a
        ratio of direct to reverberant sound of 0 to 15 dB.
    """
    rt60 = rng.uniform(0.15, 0.7)
    time = np.arange(int(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / rt60)
    tail *= time > rng.uniform(0.002, 0.02)
    for delay in rng.uniform(0.002, 0.05, size=rng.integers(4, 12)):
        tail[int(delay * SAMPLE_RATE)] += (
            rng.choice((-1, 1)) * 8 * 10 ** (-3 * delay / rt60) * rng.uniform(0.3, 1)
        )
    # Air and walls swallow high frequencies first.
    tail = tail + rng.uniform(0.2, 0.9) * np.concatenate([[0.0], tail[:-1]])
    direct_to_reverberant = rng.uniform(0, 15)
    response = tail * 10 ** (-direct_to_reverberant / 20) / math.sqrt(float(np.sum(tail**2)) + 1e-9)
    response[0] = 1.0
    return response.astype(np.float32)


def reverberate(audio: np.ndarray, response: np.ndarray) -> np.ndarray:
    """`audio` in that room: as long as it was, and in time with its direct sound."""
    size = 1 << (len(audio) + len(response) - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)
    return wet[: len(audio)].astype(np.float32)


def coloured_noise(samples: int, rng: Random) -> np.ndarray:
    """Noise of a random colour, from rumble to hiss, swelling and fading a little; sometimes with hum."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE) + 20.0
    shape = hz ** -rng.uniform(-0.2, 1.2)
    for _ in range(rng.integers(0, 4)):
        centre, width = 10 ** rng.uniform(2, 3.8), rng.uniform(0.05, 0.6)
        shape = shape * (1 + rng.uniform(0, 6) * np.exp(-((np.log(hz / centre) / width) ** 2)))
    noise = np.fft.irfft(spectrum * shape, samples)
    points = max(2, samples // SAMPLE_RATE * 2)
    swell = np.interp(np.linspace(0, points - 1, samples), np.arange(points), rng.normal(0, 3, points))
    noise *= 10 ** (swell / 20)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-9
    if rng.random() < 0.15:
        time = np.arange(samples) / SAMPLE_RATE
        base = rng.choice((50.0, 60.0, 100.0, rng.uniform(80, 400)))
        noise += sum(
            np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) / k for k in range(1, 5)
        ) * rng.uniform(0.3, 2)
    return noise.astype(np.float32)


def clicks(samples: int, rng: Random) -> np.ndarray:
    """Typing, clattering cups: short decaying bursts at random moments."""
    noise = np.zeros(samples, np.float32)
    for start in rng.integers(0, samples, size=rng.integers(1, 3 + 4 * samples // SAMPLE_RATE)):
        length = min(int(rng.uniform(0.003, 0.06) * SAMPLE_RATE), samples - int(start))
        decay = np.exp(-np.arange(length) / (length / rng.uniform(3, 8) + 1))
        noise[start : start + length] += (rng.standard_normal(length) * decay * rng.uniform(0.2, 1)).astype(
            np.float32
        )
    return noise


def babble(samples: int, others: Sequence[np.ndarray], rng: Random) -> np.ndarray:
    """Three to six other people talking at once, from their recordings."""
    noise = np.zeros(samples, np.float32)
    for _ in range(rng.integers(3, 7)):
        voice = others[int(rng.integers(len(others)))]
        repeated = np.resize(voice, samples)
        noise += np.roll(repeated, rng.integers(samples)) / (np.sqrt(np.mean(repeated**2)) + 1e-9)
    return noise


def speech_power(audio: np.ndarray) -> float:
    """Mean square of the audio where somebody speaks: of the 20 ms frames within 30 dB of the loudest."""
    frame = SAMPLE_RATE // 50
    usable = audio[: len(audio) // frame * frame]
    if not len(usable):
        return float(np.mean(audio**2)) if len(audio) else 0.0
    powers = np.mean(usable.reshape(-1, frame) ** 2, axis=1)
    return float(np.mean(powers[powers >= powers.max() * 1e-3]))


def mix(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`audio` with `noise` so loud that the power of the speech is `snr_db` above it."""
    noise_power = float(np.mean(noise**2)) + 1e-12
    gain = math.sqrt(speech_power(audio) / noise_power / 10 ** (snr_db / 10))
    return (audio + gain * noise).astype(np.float32)


def colour(audio: np.ndarray, rng: Random, *, deviation_db: float = 4.0) -> np.ndarray:
    """Another microphone: a smooth random curve over the frequencies."""
    spectrum = np.fft.rfft(audio)
    position = np.sqrt(np.linspace(0, 1, len(spectrum)))
    points = rng.normal(0, deviation_db, 7)
    curve = np.interp(position, np.linspace(0, 1, 7), points)
    return np.fft.irfft(spectrum * 10 ** (curve / 20), len(audio)).astype(np.float32)


def narrow_band(audio: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """What a telephone or a poor codec leaves."""
    spectrum = np.fft.rfft(audio)
    hz = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)
    gain = 1 / (1 + (low_hz / (hz + 1e-3)) ** 6) / (1 + (hz / high_hz) ** 12)
    return np.fft.irfft(spectrum * gain, len(audio)).astype(np.float32)


def at_level(audio: np.ndarray, dbfs: float) -> np.ndarray:
    """`audio` with its speech at that level below full scale, clipped to [-1, 1] where peaks exceed it."""
    gain = 10 ** (dbfs / 20) / math.sqrt(speech_power(audio) + 1e-12)
    return np.clip(audio * gain, -1.0, 1.0).astype(np.float32)


def padded(audio: np.ndarray, before_s: float, after_s: float) -> np.ndarray:
    """`audio` with silence around it."""
    return np.pad(audio, (int(before_s * SAMPLE_RATE), int(after_s * SAMPLE_RATE)))


def surroundings(audio: np.ndarray, rng: Random, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """One utterance as some microphone in some room might have taken it.

    Half of all utterances get a room, half a noise of 3 to 35 dB, all of them some level, and one in seven
    gets nothing else. Corpora are made with this mixture.
    """
    if rng.random() < 1 / 7:
        return at_level(audio, rng.uniform(-32, -14))
    if rng.random() < 0.5:
        audio = reverberate(audio, room_response(rng))
    if rng.random() < 0.5:
        audio = colour(audio, rng)
    if rng.random() < 0.5:
        kind = rng.random()
        if kind < 0.15 and others:
            noise = babble(len(audio), others, rng)
        elif kind < 0.3:
            noise = clicks(len(audio), rng)
        else:
            noise = coloured_noise(len(audio), rng)
        audio = mix(audio, noise, rng.uniform(3, 35))
    elif rng.random() < 0.7:
        audio = mix(audio, coloured_noise(len(audio), rng), rng.uniform(35, 65))
    if rng.random() < 0.05:
        audio = narrow_band(audio, rng.uniform(100, 350), rng.uniform(3300, 7000))
    return at_level(audio, rng.uniform(-38, -12))


# Log mel energies. All take and return float32, shape (t, 80).


def span(frames: np.ndarray, factor: float) -> np.ndarray:
    """`frames` in `factor` times as much time."""
    count = max(4, round(len(frames) * factor))
    position = np.linspace(0, len(frames) - 1, count, dtype=np.float32)
    left = position.astype(np.int32)
    weight = (position - left)[:, None]
    right = np.minimum(left + 1, len(frames) - 1)
    stretched: np.ndarray = frames[left] * (1 - weight) + frames[right] * weight
    return stretched


def warp_bands(frames: np.ndarray, factor: float) -> np.ndarray:
    """Another vocal tract: energies move along the mel axis by `factor`."""
    position = np.clip(np.arange(MEL_BANDS, dtype=np.float32) * factor, 0, MEL_BANDS - 1)
    left = position.astype(np.int32)
    weight = (position - left)[None]
    right = np.minimum(left + 1, MEL_BANDS - 1)
    warped: np.ndarray = frames[:, left] * (1 - weight) + frames[:, right] * weight
    return warped


def band_curve(rng: Random, deviation: float) -> np.ndarray:
    """A smooth random curve over the bands, shape (80,)."""
    position = np.linspace(0, math.pi, MEL_BANDS, dtype=np.float32)
    waves = [
        rng.normal(0, deviation / k**0.7) * np.cos(k * position + rng.uniform(0, 6.28)) for k in range(1, 5)
    ]
    curve: np.ndarray = np.sum(waves, axis=0).astype(np.float32)
    return curve


def add_noise(frames: np.ndarray, rng: Random, snr_db: float) -> np.ndarray:
    """Noise of random colour, `snr_db` below the frames' mean energy, flickering as band energies do."""
    colour_curve = band_curve(rng, 1.0) - np.linspace(0, rng.uniform(-1, 3), MEL_BANDS, dtype=np.float32)
    colour_curve -= math.log(float(np.exp(colour_curve).mean()))
    energy = np.exp(np.minimum(frames, 30.0))
    level = math.log(float(energy.mean()) + 1e-9) - snr_db * math.log(10) / 10
    shape = rng.uniform(2, 8)
    flicker = rng.standard_gamma(shape, size=frames.shape, dtype=np.float32) / np.float32(shape)
    energy += np.exp(level + colour_curve)[None] * flicker
    noisy: np.ndarray = np.log(np.maximum(energy, 2.0**-23))
    return noisy


def mask(frames: np.ndarray, rng: Random, *, bands: int = 9, length: int = 12) -> np.ndarray:
    """Two bands of frequency and one span of time in each second and a half set to the mean.

    Source:
        Park et al., "SpecAugment", Interspeech 2019.
    """
    frames = frames.copy()
    mean = frames.mean()
    for _ in range(2):
        width = int(rng.integers(0, bands + 1))
        start = int(rng.integers(0, MEL_BANDS - width))
        frames[:, start : start + width] = mean
    for _ in range(max(1, len(frames) // 150)):
        width = int(rng.integers(0, length + 1))
        start = int(rng.integers(0, max(1, len(frames) - width)))
        frames[start : start + width] = mean
    return frames


def vary_frames(frames: np.ndarray, rng: Random) -> np.ndarray:
    """A fresh variation of one utterance, for one pass over it."""
    if rng.random() < 0.7:
        frames = span(frames, rng.uniform(0.85, 1.2))
    if rng.random() < 0.5:
        frames = warp_bands(frames, rng.uniform(0.9, 1.12))
    if rng.random() < 0.7:
        frames = frames + band_curve(rng, 0.5)
    frames = np.maximum(frames + np.float32(rng.uniform(-2.5, 1.5)), FLOOR).astype(np.float32)
    if rng.random() < 0.35:
        frames = add_noise(frames, rng, rng.uniform(8, 35))
    return mask(frames, rng)
