"""Products of 8-bit matrices on CPUs with AVX512-VNNI, for few rows and weights that come from memory.

A step of the streaming model multiplies a few dozen rows with 300 matrices. A call of oneDNN through torch
takes 50 microseconds besides the product; this one takes two. Weights lie in the order in which they are
read: panels of 64 outputs, in each four inputs of all outputs, then the next four.
"""

from __future__ import annotations

import numpy as np
import torch

from .kernels import compiled, padded
from .llvm_tiles import LANES, LINE, ROWS, cpu_has, tile_of_bytes

REGISTERS = 4
PANEL = REGISTERS * LANES
"""Outputs of a tile."""

INPUTS = 4
"""The instruction adds up so many products: inputs must divide by it."""


def is_supported() -> bool:
    """Tell whether this CPU has the instruction, and nothing better: with AMX, oneDNN takes that."""
    return cpu_has("avx512f", "avx512bw", "avx512vnni") and not cpu_has("amx-int8")


def pack(weight: np.ndarray) -> np.ndarray:
    """Weights in the order in which `multiply` reads them.

    Args:
        weight: int8, shape (outputs, inputs).

    Returns:
        int8, shape (panels, inputs / 4, 64, 4); the last panel is filled up with zeros.
    """
    outputs, inputs = weight.shape
    panels = padded(outputs, PANEL) // PANEL
    whole = np.zeros((panels * PANEL, inputs), np.int8)
    whole[:outputs] = weight
    ordered = whole.reshape(panels, PANEL, inputs // INPUTS, INPUTS).transpose(0, 2, 1, 3)
    aligned: np.ndarray = torch.empty(ordered.shape, dtype=torch.int8).numpy()  # to a line of the cache
    aligned[...] = ordered
    return aligned


@compiled
def multiply(rows, packed, scale, correction, out):
    """`(rows @ weight.T - correction) * scale`.

    Args:
        rows: uint8, shape (m, inputs).
        packed: What `pack` made of the weights.
        scale, correction: Of each output, float32 and int32, shape (panels * 64,).
        out: To fill, shape (m, outputs): float32, or uint16 for the bits of bfloat16.
    """
    count, outputs = out.shape
    tiles = (count + ROWS - 1) // ROWS
    spare = np.empty((ROWS, PANEL), out.dtype)
    # The tiles of a panel fetch the next one from memory, each its share.
    size, steps = PANEL * packed.shape[1] * INPUTS, packed.shape[1]
    ahead = 1 if tiles >= 4 else 2 if tiles >= 2 else 4
    for panel in range(packed.shape[0]):
        at = panel * PANEL
        width = min(PANEL, outputs - at)
        row = 0
        for tile in range(tiles):
            height = (count - row + tiles - tile - 1) // (tiles - tile)
            soon = size + tile * ahead * steps * LINE
            to, to_at = (out, (row, at)) if width == PANEL else (spare, (0, 0))
            tile_of_bytes(
                height, REGISTERS, rows, (row, 0), packed, (panel,), soon, ahead,
                scale, (at,), correction, (at,), to, to_at,
            )  # fmt: skip
            if width < PANEL:
                for r in range(height):
                    for c in range(width):
                        out[row + r, at + c] = spare[r, c]
            row += height
