"""A session's recording on disk: a journal of 16-bit samples while it runs, one FLAC when it has ended.

A sample's place in the journal is its position in the session. So writing the same audio twice changes
nothing, whoever writes it, and any span can be played while the meeting still goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from django.conf import settings

from recognition.audio import SAMPLE_RATE

logger = logging.getLogger(__name__)

SAMPLE_BYTES = 2
FULL_SCALE = 32768.0
_BLOCK = 60 * SAMPLE_RATE
_KEY = re.compile(r"[0-9]{1,18}")

BATCH = SAMPLE_RATE
"""Samples that are collected for one write: it is writes that cost."""


def journal_path(session_pk: int) -> Path:
    """Return the place of a live session's recording."""
    return Path(settings.MEDIA_ROOT) / "recordings" / f"{session_pk}.pcm"


def flac_path(session_pk: int) -> Path:
    """Return the place of an ended session's recording."""
    return journal_path(session_pk).with_suffix(".flac")


class Journal:
    """A live session's audio on disk. `write` and `sync` may be called from different threads."""

    def __init__(self, session_pk: int) -> None:
        path = journal_path(session_pk)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)
        self._lock = threading.Lock()
        self._start = self._end = 0
        self._waiting: list[np.ndarray] = []

    def write(self, position: int, audio: np.ndarray) -> None:
        """Write audio where it belongs, at the latest in `sync`. After an error it may be written again.

        Args:
            position: Of its first sample.
            audio: float32 in [-1, 1], shape (n,).

        Raises:
            OSError: If the disk does not take it.
        """
        with self._lock:
            if position != self._end:
                self._flush()
                self._start = position
            self._waiting.append(audio)
            self._end = position + len(audio)
            if self._end - self._start >= BATCH:
                self._flush()

    def sync(self) -> None:
        """Make all that was written survive a loss of power. Raises as `write`."""
        with self._lock:
            self._flush()
        os.fdatasync(self._file)

    def close(self) -> None:
        """Give up what the disk does not take."""
        try:
            with self._lock:
                self._flush()
        except OSError as error:
            logger.error("the end of a recording cannot be written: %s", error)
        os.close(self._file)

    def _flush(self) -> None:
        if not self._waiting:
            return
        data = to_int16(np.concatenate(self._waiting)).tobytes()
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, data[written:], self._start * SAMPLE_BYTES + written)
        self._waiting, self._start = [], self._end


def to_int16(audio: np.ndarray) -> np.ndarray:
    """Convert to 16-bit samples, little endian; audio that came from 16 bits comes back exactly."""
    return np.clip(np.rint(audio * FULL_SCALE), -32768, 32767).astype("<i2")


def to_float32(kept: np.ndarray) -> np.ndarray:
    """Convert 16-bit samples back, to float32 in [-1, 1)."""
    audio: np.ndarray = kept / np.float32(FULL_SCALE)
    return audio


def length(session_pk: int) -> int:
    """Return the samples on disk; 0 if there is no recording."""
    if flac_path(session_pk).exists():
        return int(soundfile.info(flac_path(session_pk)).frames)
    try:
        return journal_path(session_pk).stat().st_size // SAMPLE_BYTES
    except FileNotFoundError:
        return 0


def size(session_pk: int) -> int:
    """Return the bytes that the recording takes on disk."""
    total = 0
    for path in (journal_path(session_pk), flac_path(session_pk)):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def read(session_pk: int, start: int, end: int) -> np.ndarray:
    """Read a span of the recording, int16, shape (up to end - start,); shorter at its end."""
    if flac_path(session_pk).exists():
        with soundfile.SoundFile(flac_path(session_pk)) as flac:
            flac.seek(min(start, flac.frames))
            audio: np.ndarray = flac.read(max(0, end - start), dtype="int16")
            return audio
    try:
        with journal_path(session_pk).open("rb") as journal:
            journal.seek(start * SAMPLE_BYTES)
            return np.frombuffer(journal.read(max(0, end - start) * SAMPLE_BYTES), "<i2")
    except FileNotFoundError:
        return np.empty(0, "<i2")


def journals() -> list[int]:
    """Return the sessions whose recording is a journal."""
    return [key for path in journal_path(0).parent.glob("*.pcm") if (key := session_of(path)) is not None]


def session_of(path: Path) -> int | None:
    """Return the key of the session that a file belongs to; None for any other file that lies here."""
    return int(path.stem) if _KEY.fullmatch(path.stem) else None


def encode_flac(session_pk: int) -> Path | None:
    """Turn the journal into a FLAC, and remove it; None if there is no audio.

    A crash on the way leaves the journal; doing it again finishes the job.
    """
    journal, flac = journal_path(session_pk), flac_path(session_pk)
    if not journal.exists():
        return flac if flac.exists() else None
    if not journal.stat().st_size:
        journal.unlink()
        return None
    with journal.open("rb") as source:
        store(session_pk, _samples_of(source))
    journal.unlink(missing_ok=True)
    return flac


def store(session_pk: int, blocks: Iterable[np.ndarray]) -> None:
    """Write a FLAC in the place of the one that may be there, at once; it may be read until then.

    Args:
        blocks: int16, shape (n,) each.
    """
    flac = flac_path(session_pk)
    flac.parent.mkdir(parents=True, exist_ok=True)
    unfinished = flac.with_suffix(f".unfinished-{os.getpid()}")
    with soundfile.SoundFile(
        unfinished, "w", SAMPLE_RATE, channels=1, format="FLAC", subtype="PCM_16"
    ) as target:
        for block in blocks:
            target.write(block)
    unfinished.replace(flac)


def blocks(session_pk: int, start: int, end: int) -> Iterator[np.ndarray]:
    """Read a span of the recording piece by piece."""
    for at in range(start, end, _BLOCK):
        yield read(session_pk, at, min(end, at + _BLOCK))


def _samples_of(source: BinaryIO) -> Iterator[np.ndarray]:
    while block := source.read(_BLOCK * SAMPLE_BYTES):
        yield np.frombuffer(block, "<i2")


def delete(session_pk: int) -> None:
    """Delete a session's recording, whichever it is."""
    for path in (journal_path(session_pk), flac_path(session_pk)):
        path.unlink(missing_ok=True)
