"""Audio that says where it belongs: noise, different in each session, each frame with its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

FRAME = 3200
SAMPLE_RATE = 16_000

BASE = 300
"""A frame's number is in its first two samples, each so small that it is silence; enough for five hours."""

SPEECH_FRAMES, PAUSE_FRAMES = 23, 9
"""4.6 s of speech, 1.8 s of silence."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a sender sends in one session.

    Args:
        seed: Another one for each session.
        has_pauses: Speech and silence in turns; else speech throughout.
    """

    seed: int
    frames: int
    has_pauses: bool

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.frame(number) for number in range(self.frames))

    @property
    def samples(self) -> int:
        return self.frames * FRAME

    def frame(self, number: int) -> np.ndarray:
        """float32, shape (FRAME,); each sample is a 16-bit number, so that a recording on disk is exact."""
        noise = np.random.default_rng((self.seed, number)).integers(-9000, 9000, FRAME)
        if self.has_pauses and number % (SPEECH_FRAMES + PAUSE_FRAMES) >= SPEECH_FRAMES:
            noise //= 90  # silence to the recogniser, but each sample still of this place alone
        noise[0], noise[1] = divmod(number + 1, BASE)
        return (noise / 32768).astype(np.float32)

    def stretches(self) -> list[tuple[int, int]]:
        """Where somebody speaks, as (start, end) in samples."""
        if not self.has_pauses:
            return [(0, self.samples)] if self.frames else []
        starts = range(0, self.frames, SPEECH_FRAMES + PAUSE_FRAMES)
        return [(at * FRAME, min(at + SPEECH_FRAMES, self.frames) * FRAME) for at in starts]

    def whole(self) -> np.ndarray:
        return np.concatenate(list(self))


def frames_of(kept: np.ndarray, recording: Recording) -> list[int] | None:
    """Which frames a recording on disk consists of.

    Args:
        kept: int16, shape (n,).

    Returns:
        Their numbers; None if anything in it is not a whole frame of this recording.
    """
    numbers = whole_frames(kept, recording)
    return numbers if numbers is not None and len(numbers) * FRAME == len(kept) else None


def whole_frames(kept: np.ndarray, recording: Recording) -> list[int] | None:
    """Which frames of a recording are whole on disk; beginnings of others may stand between them.

    A line may end in the middle of a frame, and what Redis has lost is missing from there on.

    Args:
        kept: int16, shape (n,).

    Returns:
        Their numbers; None if anything in it is neither.
    """
    numbers = []
    position = 0
    while position < len(kept):
        number, length = _frame_at(kept[position : position + FRAME], recording)
        if not length:
            return None
        if length == FRAME:
            numbers.append(number)
        position += length
    return numbers


def _frame_at(found: np.ndarray, recording: Recording) -> tuple[int, int]:
    """Return the number of the frame that begins here, and how much of it is here."""
    number = int(found[0]) * BASE + int(found[1] if len(found) > 1 else 0) - 1
    if not 0 <= number < recording.frames:
        return number, 0
    frame = np.rint(recording.frame(number)[: len(found)] * 32768).astype(np.int16)
    differs = np.flatnonzero(frame != found)
    return number, int(differs[0]) if len(differs) else len(found)
