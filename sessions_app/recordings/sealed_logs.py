"""Sealed logs, for what grows: records that are only ever added, each with the place of its bytes.

Writing bytes again adds a record, and the later one counts; nothing that is on disk is ever touched. So a
crash in the middle of a write costs that record, and none before it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from . import chunks, keys
from .chunks import Damaged, Label, Seal
from .extents import Extents
from .sealed_files import write_all

logger = logging.getLogger(__name__)

MAX_KNOWN = 32
"""Logs of which it is remembered where everything lies, for reading on."""


class Record(NamedTuple):
    """One write."""

    offset: int
    """Of its chunk in the file."""

    length: int
    start: int


class _Index:
    """Places of the records of one file, as far as it was looked at."""

    def __init__(self) -> None:
        self.end = chunks.HEADER_BYTES
        self.records: list[Record] = []
        self.extents = Extents()

    def catch_up(self, file: int) -> None:
        """Look at what was added; what is not whole yet does not count."""
        size = os.fstat(file).st_size
        while self.end + chunks.RECORD_BYTES < size:
            found = chunks.parse_record_header(os.pread(file, chunks.RECORD_BYTES, self.end))
            if found is None or self.end + _space(found[0]) > size:
                return
            self.add(*found)

    def add(self, length: int, start: int) -> None:
        """Note a record at the end."""
        self.extents.add(start, start + length, len(self.records))
        self.records.append(Record(self.end + chunks.RECORD_BYTES, length, start))
        self.end += _space(length)

    def without_last(self) -> _Index:
        """Return what it would be without its last record."""
        index = _Index()
        for record in self.records[:-1]:
            index.add(record.length, record.start)
        return index


def _space(length: int) -> int:
    return chunks.RECORD_BYTES + length + chunks.OVERHEAD


class SealedLog:
    """A log to add to. Several may have the same file: each looks at what the others have added.

    Nothing is made before the first bytes come. Not for several threads at once.
    """

    def __init__(self, path: Path, session_pk: int) -> None:
        self._path = path
        self._session_pk = session_pk
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        self._index = _Index()
        self._seal: Seal | None = None

    def write(self, data: bytes, at: int) -> None:
        """Add bytes with their place. After an error they may be written again.

        Raises:
            OSError: If the disk does not take it.
            Undecipherable: If the key of the session cannot be read.
        """
        with _locked(self._file):
            seal = self._ready()
            self._index.catch_up(self._file)
            if os.fstat(self._file).st_size > self._index.end:
                os.ftruncate(self._file, self._index.end)  # what a failed write left
            label = Label(len(self._index.records), at)
            sealed = seal.close(data, label, secrets.token_bytes(chunks.NONCE_BYTES))
            write_all(self._file, chunks.record_header(len(data), at) + sealed, self._index.end)
            self._index.add(len(data), at)

    def sync(self) -> None:
        """Make all that was written survive a loss of power."""
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)

    def _ready(self) -> Seal:
        """Return the key, with the file ready for it; called with the file locked."""
        if self._seal is None:
            key = keys.make(self._session_pk)
            if os.fstat(self._file).st_size < chunks.HEADER_BYTES:
                os.ftruncate(self._file, 0)
                write_all(self._file, chunks.header(secrets.token_bytes(chunks.SALT_BYTES)), 0)
            seal = Seal(key, chunks.salt_of(os.pread(self._file, chunks.HEADER_BYTES, 0)))
            self._index.catch_up(self._file)
            self._drop_torn(seal)
            self._seal = seal
        return self._seal

    def _drop_torn(self, seal: Seal) -> None:
        """Leave out records at the end that a loss of power has torn: nobody was told that they are kept."""
        while self._index.records and not _opens(self._file, seal, self._index):
            logger.error("%s: its last record is torn, and left out", self._path.name)
            self._index = self._index.without_last()


def _opens(file: int, seal: Seal, index: _Index) -> bool:
    try:
        _open(file, seal, len(index.records) - 1, index.records[-1])
    except Damaged:
        return False
    return True


def _open(file: int, seal: Seal, number: int, record: Record) -> bytes:
    sealed = os.pread(file, record.length + chunks.OVERHEAD, record.offset)
    return seal.open(sealed, Label(number, record.start))


class _Piece(NamedTuple):
    """Part of a record that is to be read."""

    number: int
    record: Record
    start: int
    end: int


def length(path: Path) -> int:
    """Return the end of what a log holds; 0 if there is none."""
    with _opened(path) as file:
        return _find(file, 0, 0)[0] if file is not None else 0


def read(path: Path, session_pk: int, start: int, end: int) -> bytes:
    """Read bytes of a log, shorter at its end; zeros where nobody wrote.

    Raises:
        Damaged: If they are not what was written.
        Undecipherable: If the key of the session cannot be read.
    """
    with _opened(path) as file:
        key = keys.of(session_pk)
        if file is None or key is None:
            return b""
        whole, pieces = _find(file, start, end)
        if not pieces:
            return bytes(max(0, min(end, whole) - start))
        seal = Seal(key, chunks.salt_of(os.pread(file, chunks.HEADER_BYTES, 0)))
        data = bytearray(min(end, whole) - start)
        for piece in pieces:
            plain = _open(file, seal, piece.number, piece.record)
            first = piece.record.start
            data[piece.start - start : piece.end - start] = plain[piece.start - first : piece.end - first]
    return bytes(data)


_known: OrderedDict[bytes, _Index] = OrderedDict()
"""By the header of the file: no other has the same salt."""

_knowing = threading.Lock()


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)


def _find(file: int, start: int, end: int) -> tuple[int, list[_Piece]]:
    """Return the length of a log, and what to read for some of its bytes."""
    header = os.pread(file, chunks.HEADER_BYTES, 0)
    with _knowing:
        index = _known.pop(header, None)
        if index is None or os.fstat(file).st_size < index.end:
            index = _Index()
        index.catch_up(file)
        if len(header) == chunks.HEADER_BYTES:
            _known[header] = index
        while len(_known) > MAX_KNOWN:
            _known.popitem(last=False)
        pieces = [
            _Piece(extent.record, index.records[extent.record], extent.start, extent.end)
            for extent in index.extents.within(start, end)
        ]
        return index.extents.length, pieces


@contextmanager
def _locked(file: int) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
