"""A small file system of its own for recordings, so that it can be full. Needs the right to mount."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE_MB = 512

STEP, MIN_STEP = 1 << 26, 1 << 12
"""Bytes that are taken at once, while there are so many."""


class SmallDisk:
    """A folder with a file system of its own."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("wb") as ballast:
            size, piece = 0, STEP
            while piece >= MIN_STEP:
                try:
                    os.posix_fallocate(ballast.fileno(), size, piece)
                    size += piece
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """Mount a small file system in a folder; None where this may not be done."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={SIZE_MB}m,mode=0755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "chaos", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
