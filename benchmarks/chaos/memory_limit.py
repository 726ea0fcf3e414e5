"""A limit of memory by which the kernel itself kills a process. Needs the right to make such groups."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from deploy.local_servers import LocalProcess, wait_until

PLACES = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)
"""Where the groups of either version are, and the file that has the limit."""

LIMIT_BYTES = 1 << 16
"""Of what a process takes from now on: what it has is counted elsewhere."""

PATIENCE_S = 10.0
"""A process that wants nothing for so long is killed all the same."""


class MemoryLimit:
    """A group of processes that may take no more memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def starve(self, process: LocalProcess) -> None:
        """Put a process into the group, and return when the kernel has killed it."""
        (self._folder / "cgroup.procs").write_text(str(process.pid))
        with contextlib.suppress(RuntimeError):
            wait_until(lambda: not process.is_running, "it wants nothing", timeout_s=PATIENCE_S)
        process.kill()

    def close(self) -> None:
        self._folder.rmdir()


@contextlib.contextmanager
def memory_limit() -> Iterator[MemoryLimit | None]:
    """Make such a group; None where this may not be done."""
    folder = _make_group(f"asrsite-chaos-{os.getpid()}")
    if folder is None:
        yield None
        return
    limit = MemoryLimit(folder)
    try:
        yield limit
    finally:
        with contextlib.suppress(OSError):  # somebody is in it still
            limit.close()


def _make_group(name: str) -> Path | None:
    for place, file in PLACES:
        folder = place / name
        try:
            folder.mkdir()
            (folder / file).write_text(str(LIMIT_BYTES))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
        else:
            return folder
    return None
