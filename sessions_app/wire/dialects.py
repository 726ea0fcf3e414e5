"""The door for other clients: how each kind of them asks, and in which words it is answered. Pure.

A dialect understands the opening of a socket, its audio and its commands, and says lines, partials, errors
and the end in the words of its clients. `DIALECTS` names them by path; our own protocol, in two versions, is
the first. A new one is a module with a class and a line in that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from .audio_frames import FrameValidator
from .pcm import PcmFormat
from .protocol import (
    Close,
    Flush,
    Hello,
    JoinRequest,
    Message,
    Mode,
    ProtocolError,
    encode,
    encode_error,
    parse_command,
    parse_join,
    parse_session_key,
)

MAX_UNREAD = 15
"""Lines that a sender is sent which may not read while it sends: the Python library `websockets` keeps 16
messages that nobody reads, with one more it stops reading, misses the answers to its own pings,
and hangs up."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request that opens a socket."""

    session_id: str = ""
    """From the path, percent-decoded; empty if the path has none."""

    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""

    subprotocols: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Abilities and wishes of the client at one socket."""

    wants_events: bool = False
    """Partials, revisions and states, besides lines."""

    wants_acks: bool = False
    wants_end: bool = False
    """The confirmation that the session has ended, and not only the close."""

    stays: bool = False
    """Goes on after the end of the session, to be told of corrections."""

    resumes: bool = False
    """Connects again by itself, and sends again what was lost."""

    may_never_read: bool = False
    """Reads nothing, if it likes, until it has sent all: it is not slow."""

    max_unread: int | None = None
    """Lines that it is sent until it has sent all; None for any number."""

    has_binary_audio: bool = True
    """Its audio comes in binary messages; otherwise in texts, and servers prepare for those."""

    max_message_bytes: int | None = None
    """Larger messages end the connection; None for the size that the server takes from everyone. Everyone who
    shares the process waits while one is understood and converted: some MiB are enough."""

    pcm: PcmFormat | None = None
    """The format of what the dialect returns as `Audio`; None if that is ours already, and checked."""


@dataclass(frozen=True, slots=True)
class Join:
    """The client takes part in a session from now on, if it may.

    It comes with the opening or with a first message, which then brings the client's token as well. A sender
    may leave the name of its session to the server: `JoinRequest.session_key` is empty then.
    """

    request: JoinRequest
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """More audio of the sender: float32 at 16 kHz, little endian, unless `Capabilities.pcm` names another."""

    data: bytes


Command = Join | Audio | Flush | Close


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in a dialect's words."""

    texts: Sequence[str]
    close: int | None
    """The code to close the socket with; None if it stays open."""


class Dialect(Protocol):
    """One socket's side of a conversation; it may remember what was said at this socket."""

    subprotocol: str | None
    """Selected among those that were offered."""

    def open(self, handshake: Handshake) -> Sequence[Command]:
        """Understand the opening; without a `Join`, the first messages are to bring one.

        Raises:
            ProtocolError: If it makes no sense.
        """
        ...

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        """Understand a message. Raises as `open`."""
        ...

    def encode(self, message: Message) -> Sequence[str]:
        """Return the texts to send for a message; none if the dialect has no words for it."""
        ...

    def encode_error(self, error: ProtocolError) -> Refusal: ...


def with_session(request: JoinRequest, *, new_key: str) -> JoinRequest:
    """Return the request with the session that it is for, in the one spelling of its key.

    Args:
        new_key: A key that no session has, for a sender that names none.

    Raises:
        ProtocolError: BAD_SESSION_ID, if the key cannot be one, or a receiver names none.
    """
    may_begin = request.mode is Mode.SENDER
    return replace(request, session_key=parse_session_key(request.session_key or may_begin * new_key))


# A line goes to a thousand receivers in the same words.
_encode_once = lru_cache(maxsize=512)(encode)


class OwnProtocol:
    """Our own protocol, in the version that the address asks for. See docs/protocol.md."""

    subprotocol: str | None = None

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


DIALECTS: dict[str, Callable[[], Dialect]] = {r"^ws/asr/(?P<session_id>[^/]*)$": OwnProtocol}
"""By the path, a regular expression; what is wrong with a session id is said over the socket."""
