"""The door for other clients: how each kind of them asks, and in which words it is answered. Pure.

A dialect understands the opening of a socket, its audio and its commands, and says lines, partials, errors
and the end in the words of its clients. `DIALECTS` names them by path; our own protocol, in two versions, is
the first (`own_protocol`). A new one is a module with a class and a line in that table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from .pcm import PcmFormat
from .protocol import Close, Flush, JoinRequest, Message, Mode, ProtocolError, parse_session_key

DIALECTS = {
    r"^ws/asr/(?P<session_id>[^/]*)$": "sessions_app.wire.own_protocol.OwnProtocol",
    r"^$": "sessions_app.wire.funasr.FunAsr",
    r"^v1/listen/?$": "sessions_app.wire.deepgram.Deepgram",
    r"^v1/realtime$": "sessions_app.wire.openai_realtime.OpenAiRealtime",
    r"^api-ws/v1/inference/?$": "sessions_app.wire.dashscope.DashScope",
}
"""Dotted paths of dialects by the path of their sockets, a regular expression; what is wrong with a session
id is said over the socket."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request that opens a socket."""

    session_id: str = ""
    """From the path, percent-decoded; empty if the path has none."""

    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""

    subprotocols: Sequence[str] = ()
    request_id: str = ""
    """A random name, of this request alone."""

    received_at: float = 0.0
    """When it came, in seconds since 1970."""


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

    wants_words: bool = False
    """Lines come with the times of their words, which the database is asked for."""

    lingers_s: float = 0.0
    """How long after its session has ended it may begin another, on the same socket; 0: it never does."""

    ends_by_leaving: bool = False
    """Has no way back: when its socket is closed, its session has ended."""

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


@dataclass(frozen=True, slots=True)
class Ask:
    """The client asks whether it may begin such a session; that begins later, with a `Join`."""

    request: JoinRequest


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the dialect knows by itself."""

    texts: Sequence[str]


class Leave:
    """All was said, and no session was begun: the socket is closed."""


Command = Join | Ask | Reply | Audio | Flush | Close | Leave


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in a dialect's words."""

    texts: Sequence[str]
    close: int | None
    """The code to close the socket with; None if it stays open."""

    status: int | None = None
    """Of the HTTP answer in place of a socket, with the texts as its body, while none is open; None: one
    is opened, and closed again."""


class Dialect(Protocol):
    """One socket's side of a conversation; it may remember what was said at this socket."""

    name: ClassVar[str] = ""
    """In the setting that says which dialects are spoken; none for one that always is."""

    first_message_s: ClassVar[float | None] = None
    """How long its clients may take to begin; None: as long as everyone."""

    max_first_bytes: ClassVar[int | None] = None
    """How much they may send before; None: as much as everyone."""

    subprotocol: str | None = None
    """Selected among those that were offered."""

    headers: Mapping[str, str] = {}
    """Of the answer that opens the socket, or refuses to."""

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
