"""Loudness of a recording from moment to moment, for drawing it; kept beside it, and grown as it grows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from recognition.audio import SAMPLE_RATE

from . import files, keys, sealed_logs
from .sealed_logs import SealedLog

WINDOW = SAMPLE_RATE // 10
"""Samples per peak."""

_BLOCK = 600 * WINDOW
"""Samples that are looked at together: a minute."""


def path(session_pk: int) -> Path:
    """Return the place of a session's peaks."""
    return files.journal_path(session_pk).with_suffix(".peaks")


def read(session_pk: int, first: int = 0, *, has_ended: bool) -> bytes:
    """Return the peaks of a recording, one byte each: 0 is silence, 255 full scale.

    Args:
        first: How many to leave out, because they are known already.
        has_ended: Whether no audio will come any more: the last peak may then stand for less than a window.
    """
    length = files.length(session_pk)
    count = -(-length // WINDOW) if has_ended else length // WINDOW
    try:
        known = _open(session_pk)
    except FileNotFoundError:
        return b""  # no recording, and no folder for any
    try:
        for at in range(min(count, known.length()), count, _BLOCK // WINDOW):
            stop = min(count, at + _BLOCK // WINDOW)
            audio = files.read(session_pk, at * WINDOW, min(stop * WINDOW, length))
            # By position, so that whoever else does it at the same time writes the same.
            known.write(compute(audio), at)
        return known.read(first, max(first, count))
    finally:
        known.close()


class _Plain:
    """Peaks in a file as they are."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)

    def length(self) -> int:
        return os.fstat(self._file).st_size

    def write(self, data: bytes, at: int) -> None:
        os.pwrite(self._file, data, at)

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self._file, end - start, start)

    def close(self) -> None:
        os.close(self._file)


class _Sealed:
    """Peaks of an encrypted recording, encrypted as it is: they tell when somebody spoke."""

    def __init__(self, path: Path, session_pk: int) -> None:
        self._path, self._session_pk = path, session_pk
        self._log = SealedLog(path, session_pk)

    def length(self) -> int:
        return sealed_logs.length(self._path)

    def write(self, data: bytes, at: int) -> None:
        self._log.write(data, at)

    def read(self, start: int, end: int) -> bytes:
        return sealed_logs.read(self._path, self._session_pk, start, end)

    def close(self) -> None:
        self._log.close()


def _open(session_pk: int) -> _Plain | _Sealed:
    place = path(session_pk)
    if keys.has_one(session_pk):
        return _Sealed(files.sealed(place), session_pk)
    return _Plain(place)


def compute(audio: np.ndarray) -> bytes:
    """Return the peaks of audio, int16, shape (n,); the last window may be short."""
    padded = np.zeros(-(-len(audio) // WINDOW) * WINDOW, np.int32)
    padded[: len(audio)] = audio
    loudest = np.abs(padded).reshape(-1, WINDOW).max(axis=1, initial=0)
    return bytes(np.minimum(255, loudest * 256 // 32768).astype(np.uint8))


def delete(session_pk: int) -> None:
    """Delete a session's peaks."""
    for place in (path(session_pk), files.sealed(path(session_pk))):
        place.unlink(missing_ok=True)
