"""Our own protocol as a dialect, in both versions: pages, examples and the first server's clients. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from .audio_frames import FrameValidator
from .dialects import Audio, Capabilities, Command, Dialect, Handshake, Join, Refusal
from .protocol import (
    Hello,
    JoinRequest,
    Message,
    Mode,
    ProtocolError,
    encode,
    encode_error,
    parse_command,
    parse_join,
)

MAX_UNREAD = 15
"""Lines that a sender is sent which may not read while it sends: the Python library `websockets` keeps 16
messages that nobody reads, with one more it stops reading, misses the answers to its own pings,
and hangs up."""

# A line goes to a thousand receivers in the same words.
_encode_once = lru_cache(maxsize=512)(encode)


class OwnProtocol(Dialect):
    """Our own protocol, in the version that the address asks for. See docs/protocol.md."""

    def __init__(self) -> None:
        self._version = 1
        self._validator = FrameValidator()

    def open(self, handshake: Handshake) -> Sequence[Command]:
        request = parse_join(handshake.session_id, handshake.query)
        self._version = request.version
        token = request.token or bearer_token(handshake.headers)
        return [Join(replace(request, token=token), own_capabilities(request, handshake.headers))]

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return [Audio(self._validator.receive(data).tobytes())]
        return [parse_command(text or "", may_flush=self._version >= 2)]

    def encode(self, message: Message) -> Sequence[str]:
        say = encode if isinstance(message, Hello) else _encode_once  # a hello is said once
        text = say(message, version=self._version)
        return [text] if text else []

    def encode_error(self, error: ProtocolError) -> Refusal:
        return Refusal([encode_error(error)], error.code.close)


def own_capabilities(request: JoinRequest, headers: Mapping[str, str]) -> Capabilities:
    """Return the abilities of a client of our own protocol."""
    is_sending = request.mode is Mode.SENDER
    if request.version >= 2:
        return Capabilities(
            wants_events=True,
            wants_acks=is_sending,
            wants_end=True,
            stays=request.stays and not is_sending,
            resumes=True,
        )
    is_python = "websockets/" in headers.get("user-agent", "")
    return Capabilities(
        wants_end=is_sending,
        may_never_read=is_sending,
        max_unread=MAX_UNREAD if is_sending and is_python else None,
    )


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the token of the header `Authorization: Bearer ...`; empty if there is none."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
