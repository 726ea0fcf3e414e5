"""What a process has used and does not need any more goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recognition import heap

KEEPS_THE_HEAP_OPEN = """
import ctypes
from pathlib import Path
from recognition import heap

def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 2**20

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
# As loading does: of many blocks, each of which was written, every other one stays.
blocks = [libc.malloc(100_000) for _ in range(4000)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
full = resident_mib()
for block in blocks[::2]:
    libc.free(block)
freed = resident_mib()
assert heap.give_back()
print(full, freed, resident_mib())
"""

needs_glibc = pytest.mark.skipif(not heap.give_back(), reason="the C library gives nothing back when asked")


@needs_glibc
def test_what_is_free_between_what_is_in_use_goes_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEEPS_THE_HEAP_OPEN], capture_output=True, text=True, check=True
    )
    full, freed, after = map(int, done.stdout.split())
    assert freed > full - 20  # freeing alone does not
    assert after < full - 150


def test_other_systems_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not heap.give_back()
