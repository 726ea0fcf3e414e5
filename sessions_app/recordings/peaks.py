"""Loudness of a recording from moment to moment, for drawing it; kept beside it, and grown as it grows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from recognition.audio import SAMPLE_RATE

from . import files

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
        file = os.open(path(session_pk), os.O_RDWR | os.O_CREAT, 0o640)
    except FileNotFoundError:
        return b""  # no recording, and no folder for any
    try:
        known = min(count, os.fstat(file).st_size)
        for at in range(known, count, _BLOCK // WINDOW):
            stop = min(count, at + _BLOCK // WINDOW)
            audio = files.read(session_pk, at * WINDOW, min(stop * WINDOW, length))
            # By position, so that whoever else does it at the same time writes the same.
            os.pwrite(file, compute(audio), at)
        return os.pread(file, max(0, count - first), first)
    finally:
        os.close(file)


def compute(audio: np.ndarray) -> bytes:
    """Return the peaks of audio, int16, shape (n,); the last window may be short."""
    padded = np.zeros(-(-len(audio) // WINDOW) * WINDOW, np.int32)
    padded[: len(audio)] = audio
    loudest = np.abs(padded).reshape(-1, WINDOW).max(axis=1, initial=0)
    return bytes(np.minimum(255, loudest * 256 // 32768).astype(np.uint8))


def delete(session_pk: int) -> None:
    """Delete a session's peaks."""
    path(session_pk).unlink(missing_ok=True)
