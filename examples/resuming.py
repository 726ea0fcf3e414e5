"""A sender and a receiver that survive whatever happens to their connection. Needs only `websockets`.

Copy this file into your own client. The protocol is described in docs/protocol.md; this is its version 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from collections import deque
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

SAMPLE_RATE = 16_000
SAMPLE_BYTES = 4  # float32, little endian

FRAME = 3200 * SAMPLE_BYTES
MAX_FRAME_BYTES = 64_000 * SAMPLE_BYTES

KEPT = 70 * SAMPLE_RATE
"""Samples that are kept though the server said that it has them: it might lose what it has not recognised
yet, which is a minute and a message at most."""

FIRST_PAUSE_S, MAX_PAUSE_S = 0.25, 3.0

RETRYABLE = {1001, 1006, 1011, 1012, 1013, 4408, 4409, 4429, 4430, 4440, 4500, 4503}
"""With 4440, which says that the session has become too long: who comes back is told where it ended."""

UNASKED_ENDS = {"absence", "limit"}
"""What may end a session though nobody wanted it: the recording goes on in another one."""

TAKEN = {4400, 4403, 4410}
"""Codes for an id that is of something else."""

ENDED = 4410

MAX_ID_LENGTH, MAX_IDS = 64, 50

Message = dict[str, Any]


class Refused(Exception):
    """The server does not want us, and would not if we asked again."""


Trouble = Callable[[str, Exception, float], None]
"""Called before each new attempt with the server's address, what went wrong, and the pause in seconds."""


def say_trouble(server: str, error: Exception, pause_s: float) -> None:
    """Tell a person why nothing happens."""
    why = str(error) or type(error).__name__
    print(f"({server}: {why}; next attempt in {pause_s:.1f} s)", file=sys.stderr, flush=True)


@dataclass
class Connection:
    """Where to connect, and how often it had to be done.

    Args:
        servers: Like "ws://localhost:8000"; if there are several, the next is tried when one fails.
        parameters: More of the address, such as `token`.
        on_trouble: Told why there is to be another attempt.
    """

    servers: Sequence[str]
    session: str
    parameters: dict[str, str] = field(default_factory=dict)
    on_trouble: Trouble = lambda server, error, pause_s: None
    attempts: int = 0
    _server: str = ""
    _pause_s: float = FIRST_PAUSE_S
    _retry_after_s: float = 0.0

    def open(self, **parameters: str) -> connect:
        server = self._server = self.servers[self.attempts % len(self.servers)]
        self.attempts += 1
        query = urlencode({"v": "2", **self.parameters, **parameters})
        return connect(f"{server}/ws/asr/{quote(self.session, safe='')}?{query}", proxy=None, max_size=None)

    def hear(self, message: Message) -> None:
        """A message is a sign of life, or says when to come again."""
        error = message.get("error")
        if error:
            self._retry_after_s = error["retry_after"] or 0.0
        else:
            self._pause_s = FIRST_PAUSE_S

    async def pause(self, error: Exception) -> None:
        """Wait before the next attempt, longer each time, and not all clients equally long.

        Raises:
            Refused: If there should be no next attempt.
        """
        if isinstance(error, ConnectionClosed):
            code = error.rcvd.code if error.rcvd else 1006
            if code not in RETRYABLE:
                raise Refused(f"closed with {code}") from error
        if isinstance(error, InvalidStatus) and error.response.status_code < 500:
            raise Refused(f"HTTP {error.response.status_code}") from error
        pause_s = max(self._pause_s, self._retry_after_s) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._pause_s, self._retry_after_s = min(2 * self._pause_s, MAX_PAUSE_S), 0.0
        self.on_trouble(self._server, error, pause_s)
        await asyncio.sleep(pause_s)


FAILURES = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake)


class Backlog:
    """Audio that was recorded, until nobody can ask for it any more. Positions are samples."""

    def __init__(self) -> None:
        self.start = self.end = 0
        self.is_complete = False
        self._chunks: deque[bytes] = deque()
        self._changed = asyncio.Event()

    def add(self, audio: bytes) -> None:
        self._chunks.append(audio)
        self.end += len(audio) // SAMPLE_BYTES
        self._changed.set()

    def complete(self) -> None:
        self.is_complete = True
        self._changed.set()

    def forget(self, position: int) -> None:
        """Forget what the server has up to a position, but for the last of it."""
        while self._chunks and self.start + len(self._chunks[0]) // SAMPLE_BYTES <= position - KEPT:
            self.start += len(self._chunks.popleft()) // SAMPLE_BYTES

    async def read(self, position: int) -> bytes:
        """The next piece from a position on; empty at the end of a complete recording."""
        while position >= self.end and not self.is_complete:
            self._changed.clear()
            await self._changed.wait()
        at = self.start
        for chunk in self._chunks:
            length = len(chunk) // SAMPLE_BYTES
            if position < at + length:
                return chunk[(position - at) * SAMPLE_BYTES :][:MAX_FRAME_BYTES]
            at += length
        return b""


class ResumingSender:
    """Sends a recording to the end: in one session, or in several if it was away for too long.

    Args:
        audio: float32 samples in [-1, 1], mono, 16 kHz, little endian, as they are recorded.
        on_message: Called with every message of the server.
        on_trouble: Called whenever the connection is lost, or there is none.
        on_next: Called with the id of each session that it goes on in, and where in the recording that
            begins, in seconds.
    """

    def __init__(
        self,
        servers: Sequence[str],
        session: str,
        audio: AsyncIterable[bytes],
        *,
        on_message: Callable[[Message], None] = lambda message: None,
        on_trouble: Trouble = lambda server, error, pause_s: None,
        on_next: Callable[[str, float], None] = lambda session, start_s: None,
        **parameters: str,
    ) -> None:
        self.connection = Connection(servers, session, {"mode": "sender", **parameters}, on_trouble)
        self.backlog = Backlog()
        self.lost = 0  # samples that the server asked for again when we had forgotten them
        self.sessions = [session]
        """The recording's, in their order."""

        self._audio = audio
        self._on_message = on_message
        self._on_next = on_next
        self._start = 0  # of the present session, in the recording
        self._resume = ""  # the right to go on in the present session
        self._continues = ""  # the right to go on with the one before it
        self._ids = 1  # that were tried
        self._has_ended = self._has_next = False

    async def run(self) -> None:
        """Return when the server has confirmed that it recognised everything.

        Raises:
            Refused: If it does not want the audio, or not all of it.
            Exception: What `audio` raised; what came before it was sent, and the session ended.
        """
        recording = asyncio.create_task(self._record())
        try:
            await self._first_audio(recording)
            while not self._has_ended:
                if self._has_next and not await self.backlog.read(self._start):
                    break  # there is nothing to go on with
                try:
                    await self._connect()
                except FAILURES as error:
                    if self._is_taken(error):
                        self._take_next_id(replaces=len(self.sessions) > 1)
                    else:
                        await self.connection.pause(error)
            await recording
        finally:
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)

    async def _first_audio(self, recording: asyncio.Task[None]) -> None:
        """Wait for it: where there is none, no session shall remain."""
        await self.backlog.read(0)
        if not self.backlog.end:
            await recording

    async def _record(self) -> None:
        """Whatever becomes of the connection, recording goes on; if it fails, what there is has an end."""
        try:
            async for piece in self._audio:
                self.backlog.add(piece)
        finally:
            self.backlog.complete()

    async def _connect(self) -> None:
        rights = {"resume": self._resume, "continues": self._continues}
        rights["attempt"] = str(self.connection.attempts + 1)  # one that comes late replaces no later one
        self._has_next = False
        async with self.connection.open(**{name: right for name, right in rights.items() if right}) as socket:
            hello = await self._hear_hello(socket)
            sending = asyncio.create_task(self._send(socket, self._start + hello["resume_from"]))
            try:
                async for text in socket:
                    self._hear(json.loads(text))
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        _check_ended(self._has_ended or self._has_next)

    async def _hear_hello(self, socket: ClientConnection) -> Message:
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), 20))
            self._hear(message)
            event: Message = message.get("event", {})
            if event.get("type") == "hello":
                self._resume = event["resume"]
                return event

    def _hear(self, message: Message) -> None:
        self.connection.hear(message)
        event = message.get("event", {})
        if event.get("type") == "ack":
            self.backlog.forget(self._start + event["durable"])
        elif event.get("type") == "session_end":
            self._hear_end(event)
        self._on_message(message)

    def _hear_end(self, event: Message) -> None:
        """Compare what is kept with what was recorded: it may be an end that nobody wanted."""
        end, closed_by = self._start + event["received"], event["closed_by"]
        if self.backlog.is_complete and end >= self.backlog.end:
            self._has_ended = True
        elif closed_by in UNASKED_ENDS:
            self._start, self._continues, self._resume = end, self._resume, ""
            self._has_next = True
            self._take_next_id(replaces=False)
        else:
            left_s = (self.backlog.end - end) / SAMPLE_RATE
            raise Refused(
                f"session {self.connection.session} was ended by {closed_by} at "
                f"{event['received_s']:.1f} s; {left_s:.1f} s that were recorded since are not in it"
            )

    def _is_taken(self, error: Exception) -> bool:
        """Tell whether the id that we thought of for the next session cannot be had."""
        if self._resume or self._ids >= MAX_IDS:
            return False
        code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None
        if self._continues:
            return code in TAKEN
        # It may be ours that has ended: the server's first word was lost, and we were away for too long.
        return code == ENDED and self.connection.attempts > 1

    def _take_next_id(self, *, replaces: bool) -> None:
        self._ids += 1
        self.connection.session = numbered(self.sessions[0], self._ids)
        self.sessions[len(self.sessions) - replaces :] = [self.connection.session]
        self._on_next(self.connection.session, self._start / SAMPLE_RATE)

    async def _send(self, socket: ClientConnection, position: int) -> None:
        with contextlib.suppress(ConnectionClosed):  # whoever listens finds out as well
            if position < self.backlog.start:
                # Silence in its place: what follows keeps its time.
                missing = self.backlog.start - position
                self.lost += missing
                for at in range(0, missing * SAMPLE_BYTES, FRAME):
                    await socket.send(bytes(min(FRAME, missing * SAMPLE_BYTES - at)))
                position += missing
            while piece := await self.backlog.read(position):
                await socket.send(piece)
                position += len(piece) // SAMPLE_BYTES
            await socket.send("close")


class ResumingReceiver:
    """Follows a session to its end; `lines` is the transcript as it stands.

    Args:
        on_message: Called with every message of the server.
        on_trouble: Called whenever the connection is lost, or there is none.
    """

    def __init__(
        self,
        servers: Sequence[str],
        session: str,
        *,
        on_message: Callable[[Message], None] = lambda message: None,
        on_trouble: Trouble = lambda server, error, pause_s: None,
        **parameters: str,
    ) -> None:
        self.connection = Connection(servers, session, {"mode": "receiver", **parameters}, on_trouble)
        self.lines: dict[int, Message] = {}
        """By their `id`."""

        self.repeated = 0  # lines that came though they had come before
        self._seq = 0
        self._revision = 0
        self._has_ended = False
        self._on_message = on_message

    async def run(self) -> None:
        """Return when the session has ended.

        Raises:
            Refused: If the server does not let us read.
        """
        while not self._has_ended:
            try:
                since = {"since": str(self._seq), "revision": str(self._revision)}
                async with self.connection.open(**since) as socket:
                    async for text in socket:
                        self._hear(json.loads(text))
                _check_ended(self._has_ended)
            except FAILURES as error:
                await self.connection.pause(error)

    def _hear(self, message: Message) -> None:
        self.connection.hear(message)
        event = message.get("event", {})
        if message.get("final"):
            self.repeated += message["seq"] <= self._seq
            self._seq = max(self._seq, message["seq"])
            self.lines[message["id"]] = message
        elif event.get("type") == "revise":
            self._revision = max(self._revision, event["revision"])
            if event["removed"]:
                self.lines.pop(event["line"]["id"], None)
            else:
                self.lines[event["line"]["id"]] = event["line"]
        elif event.get("type") == "session_end":
            self._has_ended = True
        self._on_message(message)


def numbered(session: str, number: int) -> str:
    """An id for the next session of a recording; the server takes none that are too long."""
    suffix = f"-{number}"
    return session[: MAX_ID_LENGTH - len(suffix)] + suffix


def _check_ended(has_ended: bool) -> None:
    if not has_ended:
        raise ConnectionError("the connection was closed before the end")
