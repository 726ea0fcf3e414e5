"""The sender's audio, checked frame by frame: bytes in, clean samples or a clear error out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recognition.audio import SAMPLE_RATE, samples

from .protocol import ErrorCode, ProtocolError

MAX_FRAME_BYTES = 256 * 1024
"""Bytes; four seconds of audio. Larger frames stall everyone who shares the process."""

EVIDENCE = samples(1.0)
"""Samples other than zero that are looked at before the format is trusted."""

MAX_BAD_FRAMES = 3
MAX_BAD_SHARE = 0.001

TINY = 1e-20
"""Below this a number is no sound, but costs models twice the time."""

_WITHOUT_SIGN = np.uint32(0x7FFF_FFFF)
_ONE, _LEAST = np.array([1, TINY], np.float32).view(np.uint32)


@dataclass(slots=True)
class Repairs:
    """Counts of what was put right without a word, for the log."""

    not_finite: int = 0
    clipped: int = 0
    bad_frames: int = 0


class FrameValidator:
    """Checks one sender's frames.

    Single bad samples are repaired: resamplers make them. A format that is not float32 in little-endian
    order is told apart from loud float32 within the first second, because recognising it would give
    confident nonsense.
    """

    def __init__(self) -> None:
        self.repairs = Repairs()
        self._frames = 0
        self._evidence = np.empty(0, np.float32)
        self._is_trusted = False

    def receive(self, frame: bytes) -> np.ndarray:
        """Return the audio of a frame.

        Args:
            frame: 32-bit floats, little endian, mono, 16 kHz; none at all is fine.

        Returns:
            float32 in [-1, 1], finite, shape (len(frame) // 4,).

        Raises:
            ProtocolError: FRAME_TOO_LARGE, MISALIGNED, WRONG_FORMAT or NOT_FINITE.
        """
        self._frames += 1
        where = f"frame {self._frames}"
        if len(frame) > MAX_FRAME_BYTES:
            raise ProtocolError(
                ErrorCode.FRAME_TOO_LARGE,
                f"a frame of {len(frame)} bytes is too large: send at most {MAX_FRAME_BYTES} "
                f"({MAX_FRAME_BYTES // 4 / SAMPLE_RATE:.1f} s)",
                param=where,
            )
        if len(frame) % 4:
            raise ProtocolError(
                ErrorCode.MISALIGNED,
                f"a frame of {len(frame)} bytes is no whole number of 4-byte samples",
                param=where,
            )
        audio = np.frombuffer(frame, "<f4")
        if not self._is_trusted:
            self._examine(audio, where)
        return self._repair(audio, where)

    def _examine(self, audio: np.ndarray, where: str) -> None:
        """Look at the first second of sound for signs of another format."""
        self._evidence = np.concatenate([self._evidence, audio])[: 4 * EVIDENCE]
        found = other_format(self._evidence)
        if found:
            raise ProtocolError(
                ErrorCode.WRONG_FORMAT,
                f"this looks like {found}: send 32-bit float samples in [-1, 1], little endian, mono, 16 kHz",
                param=where,
            )
        if np.count_nonzero(self._evidence) >= EVIDENCE or len(self._evidence) >= 4 * EVIDENCE:
            self._is_trusted = True
            self._evidence = np.empty(0, np.float32)

    def _repair(self, audio: np.ndarray, where: str) -> np.ndarray:
        if is_clean(audio):
            return audio  # nearly always
        finite = np.isfinite(audio)
        bad = len(audio) - int(np.count_nonzero(finite))
        if bad:
            self.repairs.not_finite += bad
            self.repairs.bad_frames += 1
            if bad > MAX_BAD_SHARE * len(audio) + 1 or self.repairs.bad_frames >= MAX_BAD_FRAMES:
                raise ProtocolError(
                    ErrorCode.NOT_FINITE,
                    f"{bad} of {len(audio)} samples are not numbers (NaN or infinite)",
                    param=where,
                )
        audio = np.where(finite, audio, np.float32(0))
        audio[np.abs(audio) < TINY] = 0
        loud = int(np.count_nonzero(np.abs(audio) > 1))
        if loud:
            self.repairs.clipped += loud
            np.clip(audio, -1, 1, out=audio)
        return audio


def pieces(audio: bytes) -> Iterator[bytes]:
    """Cut audio into pieces that the log takes: a long one would hold up everyone who shares the process.

    Args:
        audio: float32; none at all is no piece.
    """
    for start in range(0, len(audio), MAX_FRAME_BYTES):
        yield audio[start : start + MAX_FRAME_BYTES]


def is_clean(audio: np.ndarray) -> bool:
    """Tell whether these samples are numbers in [-1, 1], none of them below `TINY` but not zero.

    Args:
        audio: float32, shape (n,).

    Without its sign bit a float is ordered like an integer of the same bits, infinity and NaN at the end.
    """
    size = audio.view("<u4") & _WITHOUT_SIGN
    if np.maximum.reduce(size, initial=0) > _ONE:
        return False
    size -= 1  # which makes the largest of zero
    return bool(np.minimum.reduce(size, initial=_ONE) >= _LEAST - 1)


def other_format(audio: np.ndarray) -> str | None:
    """Return the other format that these numbers give away, None if they may well be float32 sound.

    Args:
        audio: What was received, read as float32, shape (n,); a few hundred samples of sound are enough.

    Read as float32, other formats show what sound never does: numbers far beyond full scale or far
    below hearing, only whole numbers, or every other number near one in size.
    """
    sound = np.abs(audio[audio != 0])  # silence says nothing; NaN compares unequal and stays
    if len(sound) < 2:
        return None
    with np.errstate(invalid="ignore"):
        enormous = np.count_nonzero(sound > 32768 * 4) / len(sound)
        tiny = np.count_nonzero(sound < TINY) / len(sound)
        whole = bool(np.all(sound == np.rint(sound))) and bool(np.any(sound >= 2))
        beyond = np.count_nonzero(sound > 8) / len(sound)
    if whole:
        return "16-bit samples converted to float without dividing by 32768"
    if _has_float64_rhythm(audio):
        return "64-bit floats"
    if enormous + tiny > 0.02:
        return "16-bit integers, big-endian floats, or frames that start in the middle of a sample"
    if beyond > 0.001:
        return "samples that are not scaled to [-1, 1]"
    return None


def _has_float64_rhythm(audio: np.ndarray) -> bool:
    """Tell whether the upper halves of float64 numbers stand at every other place.

    Read as float32 they lie between 0.3 and 2 for all sound from -100 dB to full scale, and the lower halves
    anywhere. True sound crosses zero, and is alike at odd and even places even if it is clipped.
    """
    odd, even = _share_near_one(audio[1::2]), _share_near_one(audio[::2])
    return max(odd, even) >= 0.995 and min(odd, even) < 0.5


def _share_near_one(numbers: np.ndarray) -> float:
    sound = np.abs(numbers[numbers != 0])
    if len(sound) < 100:
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.mean((sound > 0.3) & (sound < 2)))
