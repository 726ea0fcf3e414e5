"""Audio in this product: mono float32 in [-1, 1] at 16 kHz; a time is a number of samples."""

from __future__ import annotations

import numpy as np

SAMPLE_RATE = 16_000

LEVEL_FRAME = SAMPLE_RATE // 100
"""Samples that one level stands for."""


def samples(seconds: float) -> int:
    """Return the number of samples that last so long."""
    return round(seconds * SAMPLE_RATE)


def seconds(samples: int) -> float:
    return samples / SAMPLE_RATE


def milliseconds(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE


def levels(audio: np.ndarray) -> np.ndarray:
    """Return the level of each whole 10 ms in decibels, float32, for audio of shape (n,)."""
    frames = audio[: len(audio) // LEVEL_FRAME * LEVEL_FRAME].reshape(-1, LEVEL_FRAME)
    found: np.ndarray = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    return found


class AudioBuffer:
    """The latest span of a stream, addressed by position in the stream.

    Holds `[start, end)`. Appending copies once; forgetting only moves a mark until half of the memory is
    dead, so both are O(1) per sample over hours.
    """

    def __init__(self, start: int = 0) -> None:
        self.start = self.end = start
        self._memory = np.empty(SAMPLE_RATE, np.float32)
        self._origin = start  # position of the first sample in memory

    def append(self, audio: np.ndarray) -> None:
        """Add what follows, float32, shape (n,)."""
        needed = self.end - self._origin + len(audio)
        if needed > len(self._memory):
            self._make_room(len(audio))
        at = self.end - self._origin
        self._memory[at : at + len(audio)] = audio
        self.end += len(audio)

    def read(self, start: int, end: int) -> np.ndarray:
        """A copy of `[start, end)`, float32.

        Raises:
            IndexError: If any of it was forgotten or has not come yet.
        """
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"[{start}, {end}) is not within [{self.start}, {self.end})")
        return self._memory[start - self._origin : end - self._origin].copy()

    def forget(self, before: int) -> None:
        """Forget what lies before this position."""
        self.start = min(max(self.start, before), self.end)

    def _make_room(self, coming: int) -> None:
        kept = self._memory[self.start - self._origin : self.end - self._origin]
        memory = self._memory
        if len(kept) + coming > len(memory) // 2:
            memory = np.empty(max(2 * len(memory), 2 * (len(kept) + coming)), np.float32)
        memory[: len(kept)] = kept
        self._memory, self._origin = memory, self.start
