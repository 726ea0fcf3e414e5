"""Audio as other clients send it, made into ours: float32 in [-1, 1], mono, 16 kHz. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

from recognition.audio import SAMPLE_RATE

from .audio_frames import TINY
from .protocol import ErrorCode, ProtocolError

MIN_RATE, MAX_RATE = 8_000, 48_000
MAX_CHANNELS = 8

Decode = Callable[[bytes], np.ndarray]


def _without_traces(audio: np.ndarray) -> np.ndarray:
    """Return the audio with zeros for what is no sound, but costs models twice the time."""
    audio[np.abs(audio) < TINY] = 0
    return audio


def _integers(dtype: str, bits: int) -> Decode:
    return lambda data: (np.frombuffer(data, dtype) / 2.0 ** (bits - 1)).astype(np.float32)


def _floats(dtype: str) -> Decode:
    def decode(data: bytes) -> np.ndarray:
        audio = np.nan_to_num(np.frombuffer(data, dtype), nan=0.0, posinf=1.0, neginf=-1.0)
        clipped: np.ndarray = np.clip(audio, -1, 1).astype(np.float32)
        return _without_traces(clipped)

    return decode


def _s24le(data: bytes) -> np.ndarray:
    samples = np.zeros((len(data) // 3, 4), np.uint8)
    samples[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return (samples.view("<i4")[:, 0] / 2.0**31).astype(np.float32)


def _s24be(data: bytes) -> np.ndarray:
    return _s24le(np.frombuffer(data, np.uint8).reshape(-1, 3)[:, ::-1].tobytes())


def _u8(data: bytes) -> np.ndarray:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128


def _mulaw_table() -> np.ndarray:
    """Return what each byte of G.711 mu-law stands for, float32, shape (256,)."""
    code = ~np.arange(256, dtype=np.uint8)
    size = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4).astype(np.int32)) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


def _alaw_table() -> np.ndarray:
    """Return what each byte of G.711 A-law stands for, float32, shape (256,)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = ((code & 0x70) >> 4).astype(np.int32)
    mantissa = ((code & 0x0F).astype(np.int32) << 4) + 8
    size = np.where(exponent > 0, mantissa + 0x100 << np.maximum(exponent - 1, 0), mantissa)
    return (np.where(code & 0x80, size, -size) / 32768).astype(np.float32)


def _table(values: np.ndarray) -> Decode:
    return lambda data: values[np.frombuffer(data, np.uint8)]


ENCODINGS: dict[str, tuple[int, Decode]] = {
    "s16le": (2, _integers("<i2", 16)),
    "s16be": (2, _integers(">i2", 16)),
    "s24le": (3, _s24le),
    "s24be": (3, _s24be),
    "s32le": (4, _integers("<i4", 32)),
    "s32be": (4, _integers(">i4", 32)),
    "f32le": (4, _floats("<f4")),
    "f32be": (4, _floats(">f4")),
    "f64le": (8, _floats("<f8")),
    "f64be": (8, _floats(">f8")),
    "u8": (1, _u8),
    "mulaw": (1, _table(_mulaw_table())),
    "alaw": (1, _table(_alaw_table())),
}
"""Bytes of a sample, and how to read samples."""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """A client's audio; channels are interleaved.

    Raises:
        ProtocolError: BAD_PARAMETER, if it is none that is known.
    """

    encoding: str = "s16le"
    rate: int = SAMPLE_RATE
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise _refusal(f"encoding {self.encoding!r} is unknown: use one of {', '.join(ENCODINGS)}")
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise _refusal(f"a sample rate of {self.rate} is not possible: use {MIN_RATE} to {MAX_RATE}")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise _refusal(f"{self.channels} channels are not possible: use 1 to {MAX_CHANNELS}")


def frame_bytes(format: PcmFormat) -> int:  # noqa: A002 - the field's word
    """Return how many bytes the samples of all channels at one time have."""
    return ENCODINGS[format.encoding][0] * format.channels


class PcmConverter:
    """Converts one stream; what ends in the middle of a sample waits for the next message."""

    def __init__(self, format: PcmFormat) -> None:  # noqa: A002 - the field's word
        _, self._decode = ENCODINGS[format.encoding]
        self._channels = format.channels
        self._frame_bytes = frame_bytes(format)
        self._rest = b""
        self._resampler = (
            None if format.rate == SAMPLE_RATE else soxr.ResampleStream(format.rate, SAMPLE_RATE, 1)
        )

    def convert(self, data: bytes) -> np.ndarray:
        """Return the next audio, float32, shape (n,); resampling holds some of it back until more comes."""
        data = self._rest + data
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        audio = self._decode(data[:whole])
        if self._channels > 1:
            audio = audio.reshape(-1, self._channels).mean(axis=1, dtype=np.float32)
        return self._resample(audio)

    def flush(self) -> np.ndarray:
        """Return what resampling held back, float32, shape (n,); what comes later begins anew.

        Half a sample still waits for its other half: bytes are never out of step.
        """
        if self._resampler is None:
            return np.empty(0, np.float32)
        audio = self._resample(np.empty(0, np.float32), is_last=True)
        self._resampler.clear()
        return audio

    def _resample(self, audio: np.ndarray, *, is_last: bool = False) -> np.ndarray:
        if self._resampler is None:
            return audio
        resampled: np.ndarray = np.clip(self._resampler.resample_chunk(audio, last=is_last), -1, 1)
        return _without_traces(resampled)


def _refusal(message: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_PARAMETER, message, param="format")
