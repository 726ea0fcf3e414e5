"""Sealed files of equal chunks, for what is written once and read anywhere: file objects that encrypt."""

from __future__ import annotations

import io
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from . import chunks
from .chunks import Damaged, Layout, Seal
from .seekable import Seekable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LAYOUT = Layout(64 * 1024)


class Source(Protocol):
    """Bytes to read from at any place."""

    @property
    def size(self) -> int: ...

    def read_at(self, count: int, at: int) -> bytes:
        """Return so many bytes from a place on, less at the end."""
        ...

    def close(self) -> None: ...


class _FileBytes:
    """Those of a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read_at(self, count: int, at: int) -> bytes:
        return os.pread(self._file.fileno(), count, at)

    def close(self) -> None:
        self._file.close()


class SealedReader(Seekable):
    """A sealed file to read from; the last chunk is looked at first, so one that was cut off is noticed.

    Args:
        whence: Its path, or where else its bytes are.

    Raises:
        Damaged: If it is not what was written; at once, or when that place is read.
        FileNotFoundError: If there is none.
    """

    def __init__(self, whence: Path | Source, key: bytes) -> None:
        super().__init__()
        self._chunk = (-1, b"")
        self._source: Source | None = None
        self._source = _FileBytes(whence) if isinstance(whence, Path) else whence
        try:
            size = self._source.size
            self._count, self._length = LAYOUT.count(size), LAYOUT.length(size)
            self._seal = Seal(key, chunks.salt_of(self._source.read_at(chunks.HEADER_BYTES, 0)))
            self._open(self._count - 1)
        except Damaged:
            self._source.close()
            raise

    @property
    def length(self) -> int:
        return self._length

    def read_at(self, count: int, at: int) -> bytes:
        if at >= self._length:
            return b""
        number, offset = divmod(at, LAYOUT.chunk_bytes)
        return self._open(number)[offset : offset + count]

    def close(self) -> None:
        if self._source:
            self._source.close()
        super().close()

    def _open(self, number: int) -> bytes:
        if self._chunk[0] != number:
            assert self._source
            sealed = self._source.read_at(LAYOUT.chunk_bytes + chunks.OVERHEAD, LAYOUT.offset(number))
            self._chunk = (number, self._seal.open(sealed, LAYOUT.label(number, self._count)))
        return self._chunk[1]


class SealedWriter(io.RawIOBase):
    """A sealed file to write to, also back at its beginning, as encoders do. Whole when it is closed."""

    def __init__(self, path: Path, key: bytes) -> None:
        salt = secrets.token_bytes(chunks.SALT_BYTES)
        self._seal = Seal(key, salt)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        os.pwrite(self._file, chunks.header(salt), 0)
        self._at = self._length = 0
        self._number, self._chunk = 0, bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if not 0 <= base + offset <= self._length:
            raise ValueError(f"{base + offset} lies outside of what is written, {self._length} bytes")
        self._at = base + offset
        return self._at

    def write(self, data: ReadableBuffer) -> int:
        left = memoryview(data).cast("B")
        written = len(left)
        while left:
            number, offset = divmod(self._at, LAYOUT.chunk_bytes)
            self._go_to(number)
            part = left[: LAYOUT.chunk_bytes - offset]
            self._chunk[offset : offset + len(part)] = part
            self._at += len(part)
            self._length = max(self._length, self._at)
            left = left[len(part) :]
        return written

    def close(self) -> None:
        """Mark the last chunk as such, and bring all of it to the disk."""
        if self.closed:
            return
        try:
            self._go_to(max(0, self._length - 1) // LAYOUT.chunk_bytes)
            self._store(is_last=True)
            os.fsync(self._file)
        finally:
            os.close(self._file)
            super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error, leave a file that is not whole and says so."""
        if kind is None:
            self.close()
        elif not self.closed:
            os.close(self._file)
            super().close()

    def _go_to(self, number: int) -> None:
        """Have a chunk at hand, sealing the one before it."""
        if number == self._number:
            return
        self._store(is_last=False)
        offset, self._number = LAYOUT.offset(number), number
        sealed = os.pread(self._file, LAYOUT.chunk_bytes + chunks.OVERHEAD, offset)
        label = chunks.Label(number, number * LAYOUT.chunk_bytes)
        self._chunk = bytearray(self._seal.open(sealed, label) if sealed else b"")

    def _store(self, *, is_last: bool) -> None:
        label = chunks.Label(self._number, self._number * LAYOUT.chunk_bytes, is_last)
        sealed = self._seal.close(bytes(self._chunk), label, secrets.token_bytes(chunks.NONCE_BYTES))
        write_all(self._file, sealed, LAYOUT.offset(self._number))


def write_all(file: int, data: bytes, at: int) -> None:
    """Write all of it at a place. Raises `OSError` if the disk does not take it."""
    written = 0
    while written < len(data):
        written += os.pwrite(file, data[written:], at + written)
