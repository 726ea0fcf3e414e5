"""Sizes that matrices are filled up to, so that there are few. Pure.

oneDNN compiles each product and each convolution for its number of rows. Recordings have any length, so that
everything would be compiled anew for each: that takes as long as the computing itself, and stays in memory.
"""

from __future__ import annotations


def filled_up(count: int) -> int:
    """Return the next of four sizes in each octave: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, and so on."""
    step = 1 << max(0, (count - 1).bit_length() - 3)
    return -(-count // step) * step
