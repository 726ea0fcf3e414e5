"""Placement of sessions on cells, by rendezvous hashing: each session ranks all cells for itself. Pure.

Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM Transactions on
Networking 6 (1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

HOME = "home"
"""The cell of REDIS_URL, which is always there."""

CELLS_TRIED = 3
"""In so many cells a new session looks for room: where these have none, hardly any has."""


def ranked(key: str, cells: Iterable[str]) -> list[str]:
    """Return the cells as a session prefers them.

    Each is as likely to be the first as any other, and the order of two does not depend on the rest: a cell
    that is added becomes the first of its share of all sessions, and of the others nothing changes.
    """
    return sorted(cells, key=lambda cell: _weight(key, cell), reverse=True)


def _weight(key: str, cell: str) -> bytes:
    return blake2b(f"{cell}\0{key}".encode(), digest_size=8).digest()
