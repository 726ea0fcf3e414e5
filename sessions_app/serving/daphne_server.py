"""daphne, with sockets that wait for each other and an orderly end.

daphne reads as fast as a client sends and queues what the application has not taken; and it never lets the
application wait for a client that does not read. Both cost memory without bound. Here a socket is not read
while frames wait, so TCP holds its sender; and a send returns when the client has taken what was sent before.
Of what one read brings, frames are taken as the application can take them, and a few at a time: thousands of
tiny ones fit into a read, and everybody else would wait for them.

Told to stop, daphne cuts all sockets. Here it stops listening, the application takes what has come in, says
goodbye and closes each socket, and only then does the process end.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from .body_limits import MAX_BODY_BYTES, BodyBudget
from .frame_limits import FrameLimits
from .frames import PUSH, whole_audio
from .shared_reads import BatchedReader

# daphne first: it installs the asyncio reactor, which must come before any other use of Twisted.
import daphne.server  # isort: skip
from daphne.server import Server  # isort: skip
from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.internet.protocol import connectionDone

from .http_requests import BoundedHTTPFactory, SpooledBody

MAX_WAITING = 16
RESUME_AT = 4

MAX_WAITING_BYTES = 1024 * 1024
RESUME_AT_BYTES = MAX_WAITING_BYTES // 4
"""A socket is not read while so much of either waits: a few large messages are as much as many small ones."""

MAX_DATA_OPCODE = 7

MAX_STEPS_A_TURN = 128
"""Of autobahn's parser, two for a frame, before everybody else has a turn."""

UNREAD_CLOSE_S = 30.0

LEAVE_S = 4.0
"""How long a client may take to answer that the server goes away. What it sends meanwhile is taken."""

DRAIN_S = 8.0
"""How long sockets have to be closed in, when the process stops."""

GOING_AWAY = 4503

RESPONSE = "websocket.http.response"
"""ASGI's extension for another answer than a socket."""

SEND_BUFFER = 256 * 1024
"""Bytes that the kernel holds for a client that does not read; its own choice would be megabytes."""


Headers = Iterable[tuple[bytes, bytes]]


class WaitingMessages(asyncio.Queue[dict[str, Any]]):
    """A socket's messages to the application; lets the socket be read again when they have been taken."""

    def __init__(self, protocol: PatientWebSocket) -> None:
        super().__init__()
        self._protocol = protocol
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self.qsize() >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES

    async def get(self) -> dict[str, Any]:
        message = await super().get()
        if self.qsize() <= RESUME_AT and self._bytes <= RESUME_AT_BYTES:
            self._protocol.resume_reading()
        return message

    # The places at which asyncio's queue lets others count.

    def _put(self, message: dict[str, Any]) -> None:
        self._bytes += _size(message)
        super()._put(message)

    def _get(self) -> dict[str, Any]:
        message = super()._get()
        self._bytes -= _size(message)
        return message


def _size(message: dict[str, Any]) -> int:
    return len(message.get("bytes") or message.get("text") or "")


def _text_of(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


class Hold(enum.Enum):
    """Reasons not to read a socket."""

    FULL = enum.auto()
    """The application has not taken what came before."""

    TURN = enum.auto()
    """Others have a turn."""

    PACE = enum.auto()
    """Too many small frames came."""

    FLOOD = enum.auto()
    """Nothing that it sends is of interest any more."""


class PatientWebSocket(WebSocketProtocol):  # type: ignore[misc]
    """One socket that pauses when it is ahead of the application, and tells when its client is behind."""

    is_sender = False

    audio_is_binary: bool | None = None
    """The kind of message that most are; None of a client that sends no audio, as far as is known."""

    def __init__(self) -> None:
        super().__init__()
        self._accept_headers: Headers = ()
        self._denial: dict[str, Any] = {}
        self._denial_body = b""
        # From the beginning: a client may leave before its socket is open, and something be sent to it then.
        self.drained = asyncio.Event()
        self.drained.set()
        self._holds: set[Hold] = set()
        self._frame_limits = FrameLimits()

    @property
    def is_paused(self) -> bool:
        return bool(self._holds)

    def onOpen(self) -> None:  # noqa: N802
        # The HTTP channel that this connection began as would stop reading while the client does not read.
        if http := self.transport.producer:
            http.requests.clear()  # they know it too
            self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        if connection := self.transport.getHandle():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self._read_to_the_end()
        super().onOpen()

    def _read_to_the_end(self) -> None:
        """Let nothing but reading find out that the client is gone.

        A failed write would close the socket at once, together with the audio that has come in by it and
        was not read yet.
        """
        write = self.transport.writeSomeData

        def write_or_discard(data: bytes) -> int:
            written = write(data)
            return len(data) if isinstance(written, Exception) else int(written)

        self.transport.writeSomeData = write_or_discard

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        # Whatever is not most of all that comes is for autobahn, at many times the cost.
        if self.audio_is_binary is not None and self._is_between_frames:
            audio = whole_audio(data, is_binary=self.audio_is_binary)
            if audio is not None:
                self._count_data(len(audio))
                self.onMessage(audio, self.audio_is_binary)
                return
        super().dataReceived(data)

    def consumeData(self) -> None:  # noqa: N802
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        for _ in range(MAX_STEPS_A_TURN):
            if self._holds or not self.processData() or self.state == self.STATE_CLOSED:
                return
        self._hold(Hold.TURN, for_s=0.0)

    def onFrameEnd(self) -> bool | None:  # noqa: N802
        opcode, length = self.current_frame.opcode, self.current_frame.length
        if opcode <= MAX_DATA_OPCODE:
            self._count_data(length)
        elif not self._frame_limits.admits_control(opcode, time.monotonic()):
            self._let_go()
            return False
        more: bool | None = super().onFrameEnd()
        return more

    def _count_data(self, length: int) -> None:
        if wait_s := self._frame_limits.count_data(length, time.monotonic()):
            self._hold(Hold.PACE, for_s=wait_s)

    def _let_go(self) -> None:
        if Hold.FLOOD not in self._holds:
            self._hold(Hold.FLOOD)
            self.application_queue.put_nowait({"type": "websocket.flooding"})

    def _max_message_size_exceeded(self, size: int, limit: int, reason: str) -> None:
        """Throw away this message and what follows, and let the application say why."""
        self.failedByMe = True
        self.application_queue.put_nowait({"type": "websocket.oversized", "length": size, "limit": limit})

    @property
    def _is_between_frames(self) -> bool:
        """True if the next byte begins a frame, and nothing is to be made of that but a message."""
        is_idle = self.state == self.STATE_OPEN and not self.data and not self.inside_message
        return bool(is_idle and self.autoPingTimeoutCall is None and self.current_frame is None)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        super().onMessage(payload, isBinary)
        if isBinary is self.audio_is_binary and not self.is_sender and self.state == self.STATE_OPEN:
            self.is_sender = True
            self._share_reading(self.server.senders)
        if self.application_queue.is_full:
            self._hold(Hold.FULL)

    def _hold(self, reason: Hold, *, for_s: float | None = None) -> None:
        """Read no more, for so long or until `_release`."""
        if not self._holds:
            self.transport.pauseProducing()
        self._holds.add(reason)
        if for_s is not None:
            reactor.callLater(for_s, self._release, reason)  # type: ignore[arg-type] # Twisted's are wrong

    def _release(self, reason: Hold) -> None:
        """Go on with what was read, then with reading, unless there is another reason not to."""
        if reason not in self._holds:
            return
        self._holds.discard(reason)
        if not self._holds and self.state != self.STATE_CLOSED:
            self.consumeData()
            if not self._holds:
                self.transport.resumeProducing()

    def expect_audio(self, *, is_binary: bool, max_message_bytes: int | None) -> None:
        """Prepare for audio, by the shortest way and in messages as large as these."""
        self.audio_is_binary = is_binary
        if max_message_bytes is not None:
            self.maxMessagePayloadSize = self.maxFramePayloadSize = max_message_bytes

    def _share_reading(self, senders: BatchedReader) -> None:
        """Read this socket together with those of other senders from now on."""
        transport = self.transport
        socket = transport.fileno()
        transport.stopReading()
        transport.startReading = partial(senders.add, socket, partial(reactor._readOrWrite, transport, True))
        transport.stopReading = partial(senders.remove, socket)
        if not self.is_paused:
            transport.startReading()

    @property
    def can_push(self) -> bool:
        """True while the client is not behind."""
        return bool(self.state == self.STATE_OPEN) and self.drained.is_set()

    def push(self, frame: bytes) -> None:
        """Send a frame that was made for many sockets; as `send`, without waiting for the client.

        Straight into the kernel if nothing waits before it: on its way through the event loop it costs more
        than all the rest.
        """
        transport = self.transport
        if not (transport.dataBuffer or transport._tempDataBuffer):
            frame = frame[transport.writeSomeData(frame) :]
        if frame:
            transport.write(frame)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: N802, N803
        self.drained.set()
        super().onClose(wasClean, code, reason)

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802
        super().connectionLost(reason)
        self._break_cycles()

    def _break_cycles(self) -> None:
        """Let what a socket leaves be freed at once: Python seldom looks for old cycles."""
        for replaced in ("writeSomeData", "startReading", "stopReading"):
            self.transport.__dict__.pop(replaced, None)
        self.is_closed = None  # autobahn's future, whose result is the socket
        self.__dict__.pop("application_queue", None)

    def resume_reading(self) -> None:
        self._release(Hold.FULL)

    def go_away(self) -> None:
        """Ask the application to close this socket, behind all that has come in."""
        self.closeHandshakeTimeout = LEAVE_S
        if hasattr(self, "application_queue"):
            self.application_queue.put_nowait({"type": "websocket.going_away"})

    # Beyond daphne: headers of the answer that opens a socket, and another answer in its place.

    def handle_reply(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                self._accept_headers = message.get("headers") or []
            case "websocket.http.response.start":
                self._denial = message
                return
            case "websocket.http.response.body":
                self._deny(message.get("body", b""))
                return
        super().handle_reply(message)

    def serverAccept(self, subprotocol: str | None = None) -> None:  # noqa: N802
        super().serverAccept((subprotocol, _text_of(self._accept_headers)))

    def _deny(self, body: bytes) -> None:
        status = self._denial["status"]
        self._denial_body = body
        denial = ConnectionDeny(status, HTTPStatus(status).phrase)  # type: ignore[no-untyped-call]
        self.handshake_deferred.errback(denial)
        del self.handshake_deferred
        self.server.protocol_disconnected(self)

    def sendHttpErrorResponse(  # noqa: N802
        self,
        code: int,
        reason: str,
        responseHeaders: Any = None,  # noqa: N803
    ) -> None:
        body = self._denial_body
        length = [("content-length", str(len(body)))] if body else []
        headers = _text_of(self._denial.get("headers", ()))
        super().sendHttpErrorResponse(code, reason, [*(responseHeaders or ()), *headers.items(), *length])
        if body:
            self.sendData(body)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        if not self.drained.is_set():
            # Whoever does not read now may do so in a moment, and find out why it was disconnected.
            self.closeHandshakeTimeout = UNREAD_CLOSE_S
        super().serverClose(code)

    def check_timeouts(self) -> None:
        # The answer to a ping would stand behind the frames that wait: no reason to think the client dead.
        if not self.is_paused:
            super().check_timeouts()

    def onAutoPingTimeout(self) -> None:  # noqa: N802
        self.autoPingTimeoutCall = None
        if not self.is_paused:
            self.closeHandshakeTimeout = UNREAD_CLOSE_S  # it may find out why when it reads again
            self.application_queue.put_nowait({"type": "websocket.unanswered"})

    # Called by the transport when it holds too much that the client has not taken, and when it does no more.

    def pauseProducing(self) -> None:  # noqa: N802
        self.drained.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.drained.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.drained.set()


class PatientServer(Server):  # type: ignore[misc]
    """daphne's server with such sockets.

    Args:
        on_stop: Awaited when the process is told to stop, before the sockets are cut.
        max_body_bytes: Says how large a request's body may be, by the path.
    """

    def __init__(
        self,
        *args: Any,
        on_stop: Callable[[], Awaitable[None]],
        max_body_bytes: Callable[[str], int] = lambda path: MAX_BODY_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.senders = BatchedReader()
        self.max_body_bytes = max_body_bytes
        self.body_budget = BodyBudget()
        self._on_stop = on_stop
        self._ports: list[Any] = []

    def run(self) -> None:
        from daphne.ws_protocol import WebSocketFactory

        WebSocketFactory.protocol = PatientWebSocket
        daphne.server.HTTPFactory = BoundedHTTPFactory
        super().run()

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        messages: WaitingMessages | SpooledBody
        if isinstance(protocol, PatientWebSocket):
            messages = WaitingMessages(protocol)
            scope["extensions"] = {PUSH: protocol, RESPONSE: {}}
        else:
            messages = SpooledBody(protocol.take_content())
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(
            scope=scope, receive=messages.get, send=partial(self.handle_reply, protocol)
        )
        if protocol not in self.connections:
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        return messages

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, PatientWebSocket) and message["type"] == "websocket.send":
            await protocol.drained.wait()

    def kill_all_applications(self) -> defer.Deferred[None]:
        stopped = defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        stopped.addCallback(lambda _: super(PatientServer, self).kill_all_applications())
        return stopped

    async def _drain(self) -> None:
        for port in self._ports:
            port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, PatientWebSocket):
                protocol.go_away()
        applications = [known.get("application_instance") for known in self.connections.values()]
        if running := [application for application in applications if application]:
            await asyncio.wait(running, timeout=DRAIN_S)
        for protocol in list(self.connections):
            if isinstance(protocol, PatientWebSocket) and protocol.state == protocol.STATE_OPEN:
                protocol.serverClose(GOING_AWAY)  # its application is held up by something
        await self._on_stop()
