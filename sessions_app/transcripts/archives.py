"""Several transcripts in one ZIP, which is sent while it is made: no meeting waits in memory for the next."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator


class _Sink:
    """The end of a pipe: what was written and not taken yet. ZIP needs no going back."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is there."""

    def take(self) -> bytes:
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken


def archive(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP of these files, by name, in pieces; of two with one name the second gets a number."""
    sink, names = _Sink(), set[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as target:  # type: ignore[call-overload]
        for name, content in files:
            target.writestr(_unused(name, names), content)
            yield sink.take()
    yield sink.take()


def _unused(name: str, names: set[str]) -> str:
    stem, dot, extension = name.rpartition(".")
    number, found = 1, name
    while found.casefold() in names:  # some file systems know no case
        number += 1
        found = f"{stem} ({number}){dot}{extension}"
    names.add(found.casefold())
    return found
