"""A recording that is sent whole, by HTTP: decoded, recognised as a session, and its lines as they come."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from channels.db import database_sync_to_async

from audit.later import get_later
from audit.models import Action
from audit.origin import Origin
from sessions_app.access.admission import Credentials
from sessions_app.transcripts import word_times
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.current import get_transport
from sessions_app.wire.audio_frames import MAX_FRAME_BYTES
from sessions_app.wire.dialects import Audio, Capabilities, with_session
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.protocol import Close, ErrorCode, JoinRequest, Line, Mode, ProtocolError
from speakers.decoding import MEMORY, PROGRAM

from . import rights_watch
from .fanout import get_fanout, read_lines
from .feed import REMEMBERED, Behind, Cursor
from .sender import SenderConnection, as_served

MAX_RECORDING_S = 4 * 3600.0
MAX_CPU_S = 600
"""Of decoding: it is bounded by what the recogniser takes, and far from this unless the file is a trap."""

read_words = database_sync_to_async(word_times.of_lines, thread_sensitive=False)


async def may_send(*, token: str, is_local: bool, key: str = "") -> int | None:
    """Ask whether this client may begin a session.

    Args:
        key: Of the session; any without one.

    Returns:
        The key of its token, if that is what lets it in.

    Raises:
        ProtocolError: UNAUTHORIZED or FORBIDDEN.
    """
    credentials = Credentials(Mode.SENDER, key or uuid.uuid4().hex, is_local=is_local, token=token)
    admission = (await rights_watch.admit_all([credentials]))[credentials]
    admission.check(Mode.SENDER)
    return admission.token_pk


async def admit(request: JoinRequest, *, is_local: bool, address: str | None) -> JoinRequest:
    """Return the request for a session of its own, and note who asks.

    Raises:
        ProtocolError: If the client may not send, or its models are not served.
    """
    named = as_served(with_session(request, new_key=uuid.uuid4().hex))
    token_pk = await may_send(token=named.token, is_local=is_local, key=named.session_key)
    whence = Origin(address=address, token=token_pk)
    get_later().note(Action.MEETING_SENT, meeting=named.session_key, whence=whence)
    return named


class WholeRecording:
    """One session, from a file to its last line. Follows its session as sockets do."""

    def __init__(self, request: JoinRequest) -> None:
        self.request = request
        self.duration_s = 0.0
        self._wake = asyncio.Event()
        self._fault: ProtocolError | None = None

    @property
    def model_set(self) -> str:
        """The name of the models that recognise it, once its lines have begun to come."""
        return self._sender.model_set

    def feed_changed(self) -> None:
        self._wake.set()

    async def lines(self, path: Path) -> AsyncIterator[Line]:
        """Send the audio of a file, and yield what is said in it, with the times of words.

        Raises:
            ProtocolError: If it is no audio, there is no room, or recognition failed.
        """
        key = self.request.session_key
        self._feed = await get_fanout().follow(key, self)
        self._cursor = Cursor(wants_end=True, sends_once=True, is_kept=get_transport().keeps_audio)
        self._sender = SenderConnection(
            self.request,
            self._feed,
            self._cursor,
            dialect=OwnProtocol(),
            capabilities=Capabilities(ends_by_leaving=True),
            on_change=self.feed_changed,
            on_error=self._fail,
        )
        sending = asyncio.create_task(self._send(path), name="sender of a recording")
        try:
            async for line in self._told():
                yield line
        finally:
            await cancel_and_wait(sending)
            await self._sender.leave()
            await get_fanout().leave(key, self)

    def _fail(self, fault: ProtocolError) -> None:
        self._fault = fault
        self._wake.set()

    async def _send(self, path: Path) -> None:
        try:
            is_new = True
            async for audio in decoded(path):
                if is_new:
                    await self._begin()
                    is_new = False
                self.duration_s += len(audio) / 64_000
                await self._sender.obey(Audio(audio))
            await self._sender.obey(Close())
        except ProtocolError as fault:
            self._fail(fault)

    async def _begin(self) -> None:
        await self._sender.begin(owner=None)
        await get_fanout().look(self.request.session_key)

    async def _told(self) -> AsyncIterator[Line]:
        while not self._cursor.is_done:
            await self._wake.wait()
            self._wake.clear()
            if self._fault:
                raise self._fault
            for line in await self._take():
                yield line
        if self._feed.end and (fault := self._cursor.error_at_end(self._feed.end)):
            raise fault

    async def _take(self) -> list[Line]:
        taken = self._cursor.take(self._feed)
        if isinstance(taken, Behind):
            self._wake.set()
            session_pk = get_fanout().session_pk(self.request.session_key)
            rows = await read_lines(session_pk, taken.seq, limit=REMEMBERED) if session_pk else []
            taken = self._cursor.take_history(rows, [])
        lines = [message for message in taken if isinstance(message, Line)]
        if not lines:
            return []
        words = await read_words([line.line_id for line in lines])
        return [replace(line, words=words.get(line.line_id, ())) for line in lines]


async def decoded(path: Path) -> AsyncIterator[bytes]:
    """Yield the audio of a file as it is decoded, in a process of its own: float32, mono, 16 kHz.

    Raises:
        ProtocolError: WRONG_FORMAT, if it is no audio that is understood.
    """
    arguments = (str(path), str(MAX_RECORDING_S), str(MEMORY), str(MAX_CPU_S))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(PROGRAM), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    try:
        while True:
            try:
                yield await process.stdout.readexactly(MAX_FRAME_BYTES)
            except asyncio.IncompleteReadError as rest:
                if audio := rest.partial[: len(rest.partial) // 4 * 4]:
                    yield audio
                break
        said = (await process.stderr.read()).decode("ascii", "replace")
        if await process.wait():
            raise _not_heard(said)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # what nobody has read keeps its pipe open, and `wait` waiting


def _not_heard(word: str) -> ProtocolError:
    reasons = {
        "empty": "the file holds no audio",
        "too_long": f"the recording is longer than {MAX_RECORDING_S / 3600:g} hours",
        "bad_rate": "the sample rate must be between 8 and 192 kHz",
        "bad_channels": "the file must have between 1 and 8 channels",
        "not_finite": "the recording contains values that are not numbers",
    }
    reason = reasons.get(word, "the file is no audio that can be read: use WAV, FLAC, OGG, MP3, M4A or WebM")
    return ProtocolError(ErrorCode.WRONG_FORMAT, reason, param="file")
