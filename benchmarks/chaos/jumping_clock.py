"""Clocks of single processes that can jump, as after a correction by NTP. Needs a C compiler."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class JumpingClock:
    """The time of day of the processes that are started with its environment; intervals are as they were."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(file)}
        self._file.write_bytes(struct.pack("q", 0))

    def jump(self, seconds: int) -> None:
        """Be so far from the right time from now on."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))


def build_library(folder: Path) -> Path | None:
    """Compile what makes clocks jump; None without a compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    library = folder / "jumping_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library
