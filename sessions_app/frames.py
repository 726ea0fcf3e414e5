"""WebSocket frames made once for many sockets, and the way past ASGI for them.

A server that can send such frames says so in the scope's extensions. Others are sent messages one by one.
"""

from __future__ import annotations

import struct
from typing import Protocol

PUSH = "asrsite.push"
"""Name of the extension; its value is a `Pushing`."""

FINAL_TEXT = 0x81


class Pushing(Protocol):
    """A socket of a server that takes frames."""

    @property
    def can_push(self) -> bool:
        """Whether the client has taken what was sent before."""
        ...

    def push(self, frame: bytes) -> None:
        """Send a frame without waiting for the client."""
        ...


def text_frame(text: str) -> bytes:
    """A text message in one frame, as servers send it: unmasked (RFC 6455, 5.2)."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", FINAL_TEXT, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", FINAL_TEXT, 126, length) + payload
    return struct.pack("!BBQ", FINAL_TEXT, 127, length) + payload
