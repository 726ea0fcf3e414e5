"""Weights in the file that CTranslate2 writes, as arrays."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from recognition.exceptions import ModelError

VERSION = 6
"""Of the format: what stands in front of each array, and in which order."""

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_weights(file: Path) -> Mapping[str, np.ndarray]:
    """Return arrays by their names, mapped from the file: they are read when they are used.

    Raises:
        ModelError: If the file is no such file, or damaged.
    """
    try:
        data = np.asarray(np.memmap(file, np.uint8, "r"))
        return dict(_arrays(_Reader(data), file))
    except (struct.error, ValueError, UnicodeDecodeError, KeyError) as error:
        raise ModelError(f"{file} is damaged: {error}") from error


def _arrays(reader: _Reader, file: Path) -> Iterator[tuple[str, np.ndarray]]:
    version = reader.number("I")
    if version != VERSION:
        raise ModelError(f"{file} is no file of CTranslate2, or not of version {VERSION}: it says {version}")
    reader.text()  # the name of the architecture
    reader.number("I")  # and its revision
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        dtype = _DTYPES[reader.number("B")]
        yield name, reader.bytes(reader.number("I")).view(dtype).reshape(shape)


class _Reader:
    def __init__(self, data: np.ndarray) -> None:
        self._data, self._place = data, 0

    def number(self, kind: str) -> int:
        kind = f"<{kind}"
        [number] = struct.unpack(kind, self.bytes(struct.calcsize(kind)).tobytes())
        return int(number)

    def text(self) -> str:
        return self.bytes(self.number("H")).tobytes().rstrip(b"\0").decode()

    def bytes(self, count: int) -> np.ndarray:
        start, self._place = self._place, self._place + count
        if self._place > len(self._data):
            raise ValueError(f"it ends after {len(self._data)} bytes, in the middle of an array")
        return self._data[start : self._place]
