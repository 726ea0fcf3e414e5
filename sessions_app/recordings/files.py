"""A session's recording on disk: a journal of 16-bit samples while it runs, one FLAC when it has ended.

A sample's place in the journal is its position in the session. So writing the same audio twice changes
nothing, whoever writes it, and any span can be played while the meeting still goes on.

Both are encrypted if the session has a key: `keys`. Their names say so, and readers need not know. Nor need
they know whether a FLAC is here or in an object storage: `object_storage`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import soundfile
from django.conf import settings

from recognition.audio import SAMPLE_RATE
from speakers.exceptions import Undecipherable

from . import keys, object_storage, sealed_files, sealed_logs
from .chunks import Damaged
from .object_storage import StoredBytes, StoredFile
from .sealed_files import SealedReader, SealedWriter
from .sealed_logs import SealedLog

logger = logging.getLogger(__name__)

SAMPLE_BYTES = 2
FULL_SCALE = 32768.0
_BLOCK = 60 * SAMPLE_RATE
_KEY = re.compile(r"[0-9]{1,18}")

BATCH = SAMPLE_RATE
"""Samples that are collected for one write: it is writes that cost."""


SEALED = "-sealed"
"""Ends the names of encrypted files."""


def journal_path(session_pk: int) -> Path:
    """Return the place of a live session's recording."""
    return Path(settings.MEDIA_ROOT) / "recordings" / f"{session_pk}.pcm"


def flac_path(session_pk: int) -> Path:
    """Return the place of an ended session's recording."""
    return journal_path(session_pk).with_suffix(".flac")


def sealed(path: Path) -> Path:
    """Return the place of the same, encrypted."""
    return path.with_name(path.name + SEALED)


class _Sink(Protocol):
    """A file that takes bytes at their places."""

    def write(self, data: bytes, at: int) -> None: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class _Plain:
    """A file as it is, where a byte lies at its place."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)

    def write(self, data: bytes, at: int) -> None:
        sealed_files.write_all(self._file, data, at)

    def sync(self) -> None:
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)


def _sink(session_pk: int) -> _Sink:
    """Open a session's journal, of the kind that it is; a new one as the settings say."""
    path = journal_path(session_pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    if (settings.ENCRYPT_RECORDINGS or keys.has_one(session_pk)) and not _bytes_in(path):
        return SealedLog(sealed(path), session_pk)
    return _Plain(path)


class Journal:
    """A live session's audio on disk. `write` and `sync` may be called from different threads."""

    def __init__(self, session_pk: int) -> None:
        self._sink = _sink(session_pk)
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
        self._sink.sync()

    def close(self) -> None:
        """Give up what the disk does not take."""
        try:
            with self._lock:
                self._flush()
        except OSError as error:
            logger.error("the end of a recording cannot be written: %s", error)
        self._sink.close()

    def _flush(self) -> None:
        data = to_int16(np.concatenate(self._waiting)).tobytes() if self._waiting else b""
        if data:
            self._sink.write(data, self._start * SAMPLE_BYTES)
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
    return _flac_length(session_pk) or _journal_length(session_pk) or _flac_length(session_pk)


def _flac_length(session_pk: int) -> int:
    with open_flac(session_pk) as flac:
        if not flac:
            return 0
        with _for_libsndfile(flac) as guarded:
            return int(soundfile.info(guarded).frames)


def size(session_pk: int) -> int:
    """Return the bytes that the recording takes, here and in an object storage."""
    stored = (object_storage.find(path) for path in _both(flac_path(session_pk)))
    return sum(map(_bytes_in, _paths(session_pk))) + sum(each.bytes for each in stored if each)


def read(session_pk: int, start: int, end: int) -> np.ndarray:
    """Read a span of the recording, int16, shape (up to end - start,); shorter at its end.

    Raises:
        Damaged: If an encrypted one is not what was written.
        Undecipherable: If its key cannot be read.
    """
    found = _read_flac(session_pk, start, end)
    if found is None and not (found := _read_journal(session_pk, start, end)).size:
        encoded = _read_flac(session_pk, start, end)  # since it was looked for, perhaps
        return found if encoded is None else encoded
    return found


def _read_flac(session_pk: int, start: int, end: int) -> np.ndarray | None:
    with open_flac(session_pk) as opened:
        if not opened:
            return None
        with _for_libsndfile(opened) as guarded, soundfile.SoundFile(guarded) as flac:
            flac.seek(min(start, flac.frames))
            audio: np.ndarray = flac.read(max(0, end - start), dtype="int16")
            return audio


def _read_journal(session_pk: int, start: int, end: int) -> np.ndarray:
    path, first, last = journal_path(session_pk), start * SAMPLE_BYTES, max(start, end) * SAMPLE_BYTES
    try:
        with path.open("rb") as journal:
            journal.seek(first)
            data = journal.read(last - first)
    except FileNotFoundError:
        data = b""
    return np.frombuffer(data or sealed_logs.read(sealed(path), session_pk, first, last), "<i2")


def _journal_length(session_pk: int) -> int:
    path = journal_path(session_pk)
    return (_bytes_in(path) or sealed_logs.length(sealed(path))) // SAMPLE_BYTES


def _bytes_in(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def open_flac(session_pk: int) -> Iterator[BinaryIO | None]:
    """Open an ended session's recording, whether it is encrypted or not; None if there is none.

    Raises:
        Damaged: If an encrypted one is not what was written.
        Undecipherable: If its key cannot be read.
    """
    path = flac_path(session_pk)
    for attempt in range(2):
        try:
            opened = _open_flac(path, session_pk)
            break
        except FileNotFoundError:  # it was moved into the storage, or deleted, at this moment
            if attempt:
                raise
    with opened as flac:
        yield flac


def _open_flac(path: Path, session_pk: int) -> contextlib.AbstractContextManager[BinaryIO | None]:
    if sealed(path).exists() and (key := keys.of(session_pk)):
        return cast(BinaryIO, SealedReader(sealed(path), key))
    if path.exists():
        return path.open("rb")
    if (stored := object_storage.find(sealed(path))) and (key := keys.of(session_pk)):
        return cast(BinaryIO, SealedReader(StoredBytes(stored), key))
    if stored := object_storage.find(path):
        return cast(BinaryIO, StoredFile(stored))
    return contextlib.nullcontext()


class _Guarded(io.RawIOBase):
    """A file for libsndfile, which passes no errors on: the first is kept, and nothing done any more."""

    def __init__(self, file: BinaryIO) -> None:
        self.failure: Damaged | OSError | None = None
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if not self.failure:
            try:
                return self._file.seek(offset, whence)
            except OSError as error:  # of what was written before
                self.failure = error
        return offset

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except (Damaged, OSError) as error:
            self.failure = error
            return 0
        buffer[: len(data)] = data
        return len(data)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.failure:
            try:
                self._file.write(data)
            except OSError as error:
                self.failure = error
        return len(data)


@contextlib.contextmanager
def _for_libsndfile(file: BinaryIO) -> Iterator[_Guarded]:
    """Have a file to be decoded or encoded, and raise what went wrong in reading or writing it."""
    guarded = _Guarded(file)
    try:
        yield guarded
    except soundfile.LibsndfileError:
        if guarded.failure:
            raise guarded.failure from None
        raise
    if guarded.failure:
        raise guarded.failure


def flac_bytes(session_pk: int) -> int:
    """Return the length of an ended session's FLAC as it is taken away; 0 if there is none."""
    with open_flac(session_pk) as flac:
        return flac.seek(0, os.SEEK_END) if flac else 0


def read_flac(session_pk: int, start: int, end: int) -> bytes:
    """Read bytes of an ended session's FLAC. Raises as `read`."""
    with open_flac(session_pk) as flac:
        if not flac:
            return b""  # it was deleted meanwhile
        flac.seek(start)
        return b"".join(iter(lambda: flac.read(end - flac.tell()), b""))


def journals() -> list[int]:
    """Return the sessions whose recording is a journal."""
    folder = journal_path(0).parent
    paths = [*folder.glob("*.pcm"), *folder.glob(f"*.pcm{SEALED}")]
    return [key for path in paths if (key := session_of(path)) is not None]


def session_of(path: Path) -> int | None:
    """Return the key of the session that a file belongs to; None for any other file that lies here."""
    name = path.name.partition(".")[0]
    return int(name) if _KEY.fullmatch(name) else None


def encode_flac(session_pk: int, *, end: int | None = None) -> Path | None:
    """Turn the journal into a FLAC, and remove it; return its place, or None if there is no audio.

    A crash on the way leaves the journal; doing it again finishes the job.

    Args:
        end: Where the session ended; None for all that there is. An earlier worker may have written more, of
            audio that nobody has recognised, before Redis lost it.
    """
    try:
        samples = _journal_length(session_pk)
        if end is not None:
            samples = min(samples, end)
        if samples:
            store(session_pk, _journal_blocks(session_pk, samples))
    except (Damaged, Undecipherable) as error:
        logger.error("the recording of session %s cannot be read, and stays as it is: %s", session_pk, error)
        return None
    for path in _both(journal_path(session_pk)):
        path.unlink(missing_ok=True)
    return next((path for path in _both(flac_path(session_pk)) if path.exists()), None)


def move_to_storage() -> int:
    """Move the recordings of ended sessions to where the settings want them; return how many were.

    Raises:
        StorageAway: If it does not take one; the others are moved all the same.
    """
    if not object_storage.is_wanted():
        return 0
    folder, failed, moved = flac_path(0).parent, None, 0
    for path in [*folder.glob("*.flac"), *folder.glob(f"*.flac{SEALED}")]:
        try:
            moved += object_storage.put(path)
        except FileNotFoundError:
            continue  # it was deleted, or another process has moved it
        except object_storage.StorageAway as error:
            failed = error
    if failed:
        raise failed
    return moved


def _encode(blocks: Iterable[np.ndarray], file: Any) -> None:
    form = {"samplerate": SAMPLE_RATE, "channels": 1, "format": "FLAC", "subtype": "PCM_16"}
    with _for_libsndfile(file) as guarded, soundfile.SoundFile(guarded, "w", **form) as target:
        for block in blocks:
            target.write(block)


def store(session_pk: int, blocks: Iterable[np.ndarray]) -> None:
    """Write a FLAC in the place of the one that may be there, at once; it may be read until then.

    It is encrypted if the session has a key, or if the settings want that.

    Args:
        blocks: int16, shape (n,) each.

    Raises:
        OSError: If the disk does not take it.
    """
    plain = flac_path(session_pk)
    plain.parent.mkdir(parents=True, exist_ok=True)
    unfinished = plain.with_suffix(f".unfinished-{os.getpid()}")
    key = keys.make(session_pk) if settings.ENCRYPT_RECORDINGS else keys.of(session_pk)
    try:
        with SealedWriter(unfinished, key) if key else unfinished.open("w+b") as opened:
            _encode(blocks, opened)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        unfinished.unlink(missing_ok=True)  # a disk that is full needs the room
        raise
    unfinished.replace(sealed(plain) if key else plain)
    if key:
        plain.unlink(missing_ok=True)
    try:
        _remove_stored(plain)
    except object_storage.StorageAway as error:
        logger.warning("what was stored of session %s before is still there: %s", session_pk, error)


def plain_ones() -> list[int]:
    """Return the ended sessions whose recording is not encrypted."""
    folder = flac_path(0).parent
    paths = [*folder.glob("*.flac"), *folder.glob(f"*.flac{object_storage.STUB}")]
    return sorted({key for path in paths if (key := session_of(path)) is not None})


def encrypt(session_pk: int) -> bool:
    """Encrypt the recording of an ended session, and tell whether there was one to encrypt.

    One that is deleted meanwhile cannot be read afterwards: its key was destroyed.
    """
    keys.make(session_pk)
    path = flac_path(session_pk)
    samples = length(session_pk) if path.exists() or object_storage.find(path) else 0
    if samples:
        store(session_pk, blocks(session_pk, 0, samples))
    return samples > 0


def blocks(session_pk: int, start: int, end: int) -> Iterator[np.ndarray]:
    """Read a span of the recording piece by piece."""
    for at in range(start, end, _BLOCK):
        yield read(session_pk, at, min(end, at + _BLOCK))


def delete(session_pk: int) -> None:
    """Delete a session's recording, whichever it is; its key first."""
    keys.destroy(session_pk)
    for path in _paths(session_pk):
        path.unlink(missing_ok=True)
    _remove_stored(flac_path(session_pk))


def remove(path: Path) -> None:
    """Delete a file that belongs to no session, and what it stands for if it is a stub. Raises `OSError`."""
    if path.name.endswith(object_storage.STUB):
        object_storage.remove(path.with_name(path.name.removesuffix(object_storage.STUB)))
    path.unlink(missing_ok=True)


def _remove_stored(flac: Path) -> None:
    for path in _both(flac):
        object_storage.remove(path)


def _paths(session_pk: int) -> tuple[Path, ...]:
    return *_both(journal_path(session_pk)), *_both(flac_path(session_pk))


def _both(path: Path) -> tuple[Path, Path]:
    """Return the places of a file, encrypted and not."""
    return sealed(path), path


def _journal_blocks(session_pk: int, samples: int) -> Iterator[np.ndarray]:
    for at in range(0, samples, _BLOCK):
        yield _read_journal(session_pk, at, min(samples, at + _BLOCK))
