"""Recordings of ended sessions in S3-compatible storage, where the settings name one.

What is stored is the file as it was on disk, encrypted if that was. In its place stays a stub, which says
where it is and how long: so a session has a recording or none whether the storage answers or not. An object
is never written twice, so whoever reads one reads it whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages

from sessions_app.exceptions import SessionsError
from speakers import whole_files

from .seekable import Seekable

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)

NAME = "recordings"
"""Of the storage in Django's settings."""

STUB = ".stored"
"""Ends the name of a stub, which begins with that of the file it stands for."""

BLOCK = 256 * 1024
"""Bytes that are fetched at once: some ten seconds of speech, which is what a player asks for first."""

MAX_BLOCKS = 8
"""That one reader remembers: whoever seeks comes back to the head of the file."""


class StorageAway(SessionsError, OSError):
    """The storage does not answer, or refuses; what it has is not lost."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Place and length of an object."""

    name: str
    bytes: int


def is_wanted() -> bool:
    """Return whether recordings of ended sessions belong there."""
    return NAME in settings.STORAGES


def stub_of(path: Path) -> Path:
    """Return the place of the stub that stands for a file."""
    return path.with_name(path.name + STUB)


def find(path: Path) -> Stored | None:
    """Return where a file is stored; None if it is not."""
    try:
        return Stored(**json.loads(stub_of(path).read_text()))
    except FileNotFoundError:
        return None


def put(path: Path) -> bool:
    """Move a file into the storage; tell whether that was done. It may be read at any moment.

    One that was replaced meanwhile stays: what is stored is of yesterday then, and is removed. A crash leaves
    the file, or its stub, or both; at worst an object that nobody knows.

    Raises:
        StorageAway: If it does not take it.
        FileNotFoundError: If there is none any more.
    """
    with path.open("r+b") as file, _held(file) as mine:
        if mine is None or path.stat().st_ino != mine.st_ino:
            return False  # another process moves it, or has
        remove(path)  # what an earlier one has left
        stored = Stored(f"{path.name}-{secrets.token_hex(8)}", mine.st_size)
        with _errors():
            _storage().save(stored.name, File(file))
        whole_files.write(stub_of(path), json.dumps(asdict(stored)).encode(), replace=True)
        return _take_away(path, mine.st_ino)


@contextlib.contextmanager
def _held(file: BinaryIO) -> Iterator[os.stat_result | None]:
    """Have a file for this process, also when the library has closed it; None if another has it."""
    held = os.dup(file.fileno())
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.fstat(held)
    except BlockingIOError:
        yield None
    finally:
        os.close(held)


def _take_away(path: Path, inode: int) -> bool:
    """Delete a file that is stored by now; put back another that has taken its place."""
    aside = path.with_name(f"{path.name}.unfinished-{os.getpid()}")
    path.replace(aside)
    if aside.stat().st_ino == inode:
        aside.unlink()
        return True
    aside.replace(path)
    remove(path)
    return False


def remove(path: Path) -> None:
    """Delete what is stored of a file, if it is; its stub last. Raises as `put`."""
    if stored := find(path):
        with _errors():
            _storage().delete(stored.name)
        stub_of(path).unlink(missing_ok=True)


class StoredBytes:
    """Bytes of an object, fetched in ranges. Raises as `put`."""

    def __init__(self, stored: Stored) -> None:
        self.size = stored.bytes
        self._name = stored.name
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, count: int, at: int) -> bytes:
        """Return so many bytes from a place on, less at the end."""
        end = min(at + count, self.size)
        numbers = range(at // BLOCK, -(-end // BLOCK) if at < end else at // BLOCK)
        data = b"".join(map(self._block, numbers))
        return data[at % BLOCK :][: max(0, end - at)]

    def close(self) -> None:
        self._blocks.clear()

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            self._blocks[number] = self._fetch(number * BLOCK, min((number + 1) * BLOCK, self.size))
        self._blocks.move_to_end(number)
        while len(self._blocks) > MAX_BLOCKS:
            self._blocks.popitem(last=False)
        return self._blocks[number]

    def _fetch(self, start: int, end: int) -> bytes:
        storage = _storage()
        with _errors():
            found = storage.bucket.Object(storage._normalize_name(self._name))
            data: bytes = found.get(Range=f"bytes={start}-{end - 1}")["Body"].read()
        return data


class StoredFile(Seekable):
    """An object as a file to read from and to seek in. Raises as `put`."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self._bytes = StoredBytes(stored)

    @property
    def length(self) -> int:
        return self._bytes.size

    def read_at(self, count: int, at: int) -> bytes:
        return self._bytes.read_at(count, at)


def _storage() -> Any:
    if not is_wanted():
        raise StorageAway("the storage of recordings: ASR_RECORDINGS_URL is not set, and some are there")
    return storages[NAME]


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Turn the library's errors into ours; it is loaded by now, if it is needed at all."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError, HTTPClientError) as error:
        raise StorageAway(f"the storage of recordings: {error}") from error
