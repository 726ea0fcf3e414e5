"""Memory for weights, in large pages where the system has them.

A step of few rows reads all weights once, and with pages of 4 KB it waits for their addresses a quarter of
the time. NumPy asks for large pages by itself, for arrays of 4 MB and more: so weights lie together in such.
"""

from __future__ import annotations

import math

import numpy as np

SLAB = 16 << 20
"""Bytes that are asked for at once."""

PAGE = 2 << 20
LINE = 64
"""Bytes of a line of the cache, at which every array begins."""

_rest = np.empty(0, np.int8)


def allocate(shape: tuple[int, ...]) -> np.ndarray:
    """Return room for int8 weights of this shape, not filled."""
    global _rest
    size = math.prod(shape)
    needed = -(-size // LINE) * LINE
    if needed > len(_rest):
        whole = np.empty(max(SLAB, needed) + PAGE, np.int8)
        start = -whole.ctypes.data % PAGE
        _rest = whole[start : start + max(SLAB, needed)]
    found, _rest = _rest[:size], _rest[needed:]
    return found.reshape(shape)
