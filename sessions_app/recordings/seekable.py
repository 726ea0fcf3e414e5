"""File objects over bytes that can be read at any place."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Seekable(io.RawIOBase):
    """A file object to read from and to seek in; whoever extends it says how long it is and what is where."""

    def __init__(self) -> None:
        self._at = 0

    @property
    def length(self) -> int:
        """Return how many bytes there are."""
        raise NotImplementedError

    def read_at(self, count: int, at: int) -> bytes:
        """Return bytes from a place on: at least one and at most `count`; none behind the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        data = self.read_at(len(target), self._at)
        target[: len(data)] = data
        self._at += len(data)
        return len(data)
