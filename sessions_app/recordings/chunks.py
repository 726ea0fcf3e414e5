"""Sealed chunks: the form in which an encrypted file lies on disk, piece by piece. Pure.

A file begins with a header: a mark, and salt. From that and the key of its session comes the key of this file
alone, so no chunk of another file fits. Each chunk is AES-256-GCM: nonce, ciphertext, tag. Its label is
authenticated with it: the number of the chunk, the place of its first byte, and whether it is the last.
So it is noticed when chunks were changed, exchanged, repeated, left out or cut off.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessions_app.exceptions import SessionsError

MARK = b"asr-seal"
"""The first bytes; the version is the last byte of what follows them."""

VERSION = 1
SALT_BYTES = 16
KEY_BYTES = 32
NONCE_BYTES = 12
OVERHEAD = NONCE_BYTES + 16
"""Bytes by which a chunk is longer than what is in it."""

_HEADER = struct.Struct(f">8sB{SALT_BYTES}s")
HEADER_BYTES = _HEADER.size

_LABEL = struct.Struct(">QQ?")
_RECORD = struct.Struct(">IQ")
RECORD_BYTES = _RECORD.size

MAX_RECORD = 2**24
MAX_START = 2**40
"""Bytes in a record, and before it: more is none, but what a loss of power left."""


class Damaged(SessionsError):
    """A file that is not what was written; the message says where."""


@dataclass(frozen=True, slots=True)
class Label:
    """Place of a chunk in its file."""

    number: int
    start: int
    """Place of its first byte in what is sealed."""

    is_last: bool = False


class Seal:
    """The key of one file.

    Args:
        session_key: `KEY_BYTES` of the session.
        salt: `SALT_BYTES` of the file.
    """

    def __init__(self, session_key: bytes, salt: bytes) -> None:
        derived = HKDF(SHA256(), KEY_BYTES, salt, MARK).derive(session_key)
        self._cipher = AESGCM(derived)

    def close(self, plain: bytes, label: Label, nonce: bytes) -> bytes:
        """Return a chunk.

        Args:
            nonce: `NONCE_BYTES` at random: a chunk that is written again gets others.
        """
        return nonce + self._cipher.encrypt(
            nonce, plain, _LABEL.pack(label.number, label.start, label.is_last)
        )

    def open(self, chunk: bytes, label: Label) -> bytes:
        """Return what is in a chunk.

        Raises:
            Damaged: If it is not the one that was sealed for this place.
        """
        associated = _LABEL.pack(label.number, label.start, label.is_last)
        try:
            return self._cipher.decrypt(chunk[:NONCE_BYTES], chunk[NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):
            raise Damaged(f"chunk {label.number} is not what was written there") from None


def header(salt: bytes) -> bytes:
    """Return the beginning of a file."""
    return _HEADER.pack(MARK, VERSION, salt)


def salt_of(beginning: bytes) -> bytes:
    """Return the salt of a file.

    Raises:
        Damaged: If it does not begin as one.
    """
    if len(beginning) < HEADER_BYTES:
        raise Damaged("the file ends before its first chunk")
    mark, version, salt = _HEADER.unpack(beginning[:HEADER_BYTES])
    if (mark, version) != (MARK, VERSION):
        raise Damaged("the file is no sealed one, or one of a newer version")
    return bytes(salt)


def record_header(length: int, start: int) -> bytes:
    """Return what stands before a chunk whose length is its own, in a file that grows."""
    return _RECORD.pack(length, start)


def parse_record_header(data: bytes) -> tuple[int, int] | None:
    """Return length and start of a record; None where no record is: at the end, or after a torn write."""
    if len(data) < RECORD_BYTES:
        return None
    length, start = _RECORD.unpack(data[:RECORD_BYTES])
    return (length, start) if 0 < length <= MAX_RECORD and start <= MAX_START else None


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the chunks of equal length that a finished file has."""

    chunk_bytes: int
    """Bytes in each chunk but the last, which may have fewer."""

    def count(self, file_bytes: int) -> int:
        """Return the chunks of a file; an empty one has one, with nothing in it."""
        return max(1, -(-(file_bytes - HEADER_BYTES) // self._stride))

    def length(self, file_bytes: int) -> int:
        """Return the bytes that are sealed in a file."""
        return max(0, file_bytes - HEADER_BYTES - self.count(file_bytes) * OVERHEAD)

    def offset(self, number: int) -> int:
        """Return where in the file a chunk begins."""
        return HEADER_BYTES + number * self._stride

    def label(self, number: int, count: int) -> Label:
        """Return the label of a chunk in a file of so many."""
        return Label(number, number * self.chunk_bytes, is_last=number == count - 1)

    @property
    def _stride(self) -> int:
        return self.chunk_bytes + OVERHEAD
