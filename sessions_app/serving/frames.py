"""WebSocket frames: read in one go, or made once for many sockets and sent past ASGI.

A server that can send such frames says so in the scope's extensions. Others are sent messages one by one.
"""

from __future__ import annotations

import struct
from typing import Protocol

import numpy as np

PUSH = "asrsite.push"
"""Name of the extension; its value is a `Pushing`."""

FINAL_TEXT = 0x81
FINAL_BINARY = 0x82
MASKED = 0x80

_KEY = struct.Struct("<I")


class Pushing(Protocol):
    """A socket of a server that takes frames."""

    @property
    def can_push(self) -> bool:
        """True while the client has taken what was sent before."""
        ...

    def push(self, frame: bytes) -> None:
        """Send a frame without waiting for the client."""
        ...

    def expect_audio(self, *, is_binary: bool, max_message_bytes: int | None) -> None:
        """Prepare for audio: most of what comes is binary, or text, and none of it larger than this."""
        ...


def text_frame(text: str) -> bytes:
    """Return a text message in one frame, as servers send it: unmasked (RFC 6455, 5.2)."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", FINAL_TEXT, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", FINAL_TEXT, 126, length) + payload
    return struct.pack("!BBQ", FINAL_TEXT, 127, length) + payload


def whole_audio(data: bytes, *, is_binary: bool) -> bytes | None:
    """Return the payload, if this is one frame of audio as clients send it: whole, masked (RFC 6455, 5.3).

    None for everything else, which may be another kind of frame, a part of one, or several; and for text with
    characters beyond ASCII, whose encoding must be checked.
    """
    kind = FINAL_BINARY if is_binary else FINAL_TEXT
    if len(data) < 2 or data[0] != kind or data[1] != MASKED | 126:
        return None
    length = int.from_bytes(data[2:4], "big")
    if length < 126 or len(data) != 8 + length:
        return None
    payload = _unmasked(data, length)
    return payload if is_binary or payload.isascii() else None


def _unmasked(frame: bytes, length: int) -> bytes:
    (key,) = _KEY.unpack_from(frame, 4)
    if length % 4:
        words = np.frombuffer(frame + bytes(-length % 4), "<u4", offset=8)
        return (words ^ np.uint32(key)).tobytes()[:length]
    return (np.frombuffer(frame, "<u4", offset=8) ^ np.uint32(key)).tobytes()
