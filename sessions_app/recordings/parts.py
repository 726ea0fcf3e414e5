"""Recordings divided and joined. Doing either again does no harm, and ends what a crash left half done.

What has audio of an encrypted one is encrypted.
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from . import files, keys, peaks


def divide(session_pk: int, rest_pk: int, at: int) -> None:
    """Give what is behind a position of a recording to another session."""
    files.encode_flac(session_pk)
    length = files.length(session_pk)
    if length > at:
        _seal_like(session_pk, rest_pk)
        files.store(rest_pk, files.blocks(session_pk, at, length))
        files.store(session_pk, files.blocks(session_pk, 0, at))
    _forget_peaks(session_pk, rest_pk)


def append(session_pk: int, rest_pk: int, at: int) -> None:
    """Put another session's recording behind one, where the position is that of its first sample.

    Silence stands for what a recording lacks.
    """
    for pk in (session_pk, rest_pk):
        files.encode_flac(pk)
    length, more = files.length(session_pk), files.length(rest_pk)
    if more and length <= at:
        _seal_like(rest_pk, session_pk)
        silence = np.zeros(at - length, np.int16)
        files.store(
            session_pk,
            chain(files.blocks(session_pk, 0, length), [silence], files.blocks(rest_pk, 0, more)),
        )
    files.delete(rest_pk)
    _forget_peaks(session_pk, rest_pk)


def _seal_like(pattern_pk: int, session_pk: int) -> None:
    """Have a recording encrypted that is to have audio of one that is."""
    if keys.has_one(pattern_pk):
        keys.make(session_pk)


def _forget_peaks(*sessions: int) -> None:
    for session_pk in sessions:
        peaks.delete(session_pk)
