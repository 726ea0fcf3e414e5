"""CTC: the likeliest piece of a word at each frame, to pieces and when they were said. Numbers only.

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006. The pieces are those of the
likeliest path, so no other alignment of them is likelier than this path itself: their times cost no search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MAX_FRAMES = 5
"""A piece lasts until the next begins, but no longer: CTC shows it for a frame or two."""


class Piece(NamedTuple):
    """A piece in frames `[start, end)`."""

    id: int
    start: int
    end: int


def pieces(path: np.ndarray, *, blank: int = 0, longest: int = MAX_FRAMES) -> list[Piece]:
    """Return the pieces of a path: what follows itself is one, blanks are none.

    Args:
        path: The likeliest id of each frame, integers, shape (frames,).
        longest: Frames that a piece lasts at most behind those that show it.
    """
    changes = np.flatnonzero(np.diff(path, prepend=-1))
    ends = [*changes[1:], len(path)]
    shown = [
        Piece(int(path[start]), int(start), int(end))
        for start, end in zip(changes, ends, strict=False)  # nothing has no change, and still an end
        if path[start] != blank
    ]
    following = [*(piece.start for piece in shown), len(path)][1:]
    return [
        piece._replace(end=max(piece.end, min(next_start, piece.start + longest)))
        for piece, next_start in zip(shown, following, strict=True)
    ]
