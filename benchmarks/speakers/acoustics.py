"""Rooms and noise: what becomes of a voice between a mouth and a microphone on the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from .people import read

AUGMENT = "speech/augment"


@dataclass(frozen=True, slots=True)
class Acoustics:
    """Recorded answers of rooms, and recorded noise; numbers beyond what there is begin anew."""

    rooms: tuple[np.ndarray, ...]
    """Answers to an impulse, from their direct sound on, of unit energy."""

    noises: tuple[np.ndarray, ...]

    @classmethod
    def read(cls, assets: Path) -> Acoustics:
        folder = assets / AUGMENT
        rooms = [read(file) for file in sorted(folder.glob("RIRs*"))]
        noises = [read(file) for file in sorted(folder.glob("noise*"))]
        return cls(tuple(map(_from_direct_sound, rooms)), tuple(noises))

    def heard_in(self, room: int, audio: np.ndarray) -> np.ndarray:
        """Return what a microphone in a room hears, as long as what was said."""
        heard: np.ndarray = fftconvolve(audio, self.rooms[room % len(self.rooms)])[: len(audio)]
        return heard.astype(np.float32)

    def noisy(self, noise: int, audio: np.ndarray, snr_db: float) -> np.ndarray:
        """Return audio with noise so much below it."""
        hum = np.resize(self.noises[noise % len(self.noises)], len(audio))
        level = np.sqrt(np.mean(audio**2) / (np.mean(hum**2) + 1e-12)) * 10 ** (-snr_db / 20)
        mixed: np.ndarray = audio + hum * level
        return mixed.astype(np.float32)


def _from_direct_sound(answer: np.ndarray) -> np.ndarray:
    direct = answer[np.argmax(np.abs(answer)) :]
    unit: np.ndarray = direct / np.sqrt(np.sum(direct**2))
    return unit
