"""A dialect that is not ours: its first message configures, its audio is PCM, its words are its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from sessions_app.wire.dialects import Audio, Capabilities, Command, Dialect, Handshake, Join, Refusal
from sessions_app.wire.pcm import PcmFormat
from sessions_app.wire.protocol import (
    Close,
    ErrorCode,
    Flush,
    Flushed,
    Hello,
    JoinRequest,
    Line,
    Message,
    Mode,
    ProtocolError,
    SessionEnd,
)

PATH = r"^foreign$"

MAX_MESSAGE_BYTES = 4 * 1024 * 1024


class Foreign(Dialect):
    """Says what it wants in `begin`: name, token, mode, encoding, rate, and whether its audio is text."""

    def open(self, handshake: Handshake) -> Sequence[Command]:
        self.subprotocol = "binary" if "binary" in handshake.subprotocols else None
        return []

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return [Audio(data)]
        message = json.loads(text or "{}")
        match message.get("type"):
            case "begin":
                return [_join(message)]
            case "audio":
                return [Audio(base64.b64decode(message["data"]))]
            case "Finalize":
                return [Flush()]
            case "CloseStream":
                return [Close()]
        raise ProtocolError(ErrorCode.BAD_COMMAND, f"what is {message}?")

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Hello(session_key):
                return [json.dumps({"request_id": session_key})]
            case Line(text=text):
                return [json.dumps({"transcript": text})]
            case Flushed(position):
                return [json.dumps({"from_finalize": position})]
            case SessionEnd(received_s=duration):
                return [json.dumps({"duration": duration})]
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        may_try_again = error.code is ErrorCode.FORBIDDEN
        close = 1011 if error.code.close and not may_try_again else None
        return Refusal([json.dumps({"Error": error.code.code})], close)


def _join(message: dict[str, Any]) -> Join:
    request = JoinRequest(
        message.get("name", ""), Mode(message.get("mode", "sender")), token=message.get("token", "")
    )
    capabilities = Capabilities(
        wants_end=True,
        has_binary_audio=not message.get("text", False),
        max_message_bytes=MAX_MESSAGE_BYTES,
        pcm=PcmFormat(message.get("encoding", "s16le"), message.get("rate", 16_000)),
    )
    return Join(request, capabilities)
