"""Files that are written whole or not at all: who reads one meanwhile finds the one before, or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write(file: Path, content: bytes, *, replace: bool, like_before: bool = False) -> None:
    """Write a file to the disk, for its owner alone; unless `replace`, one that is there by now stays.

    Args:
        like_before: Whether those may read it who may read the one that it replaces.
    """
    # A file of its own for each thread: one that two of them wrote would hold neither's content.
    descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.unfinished-", dir=file.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if like_before:
            fresh.chmod(file.stat().st_mode & 0o777)
        if replace:
            fresh.replace(file)
        else:
            with contextlib.suppress(FileExistsError):  # somebody else was faster
                file.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
