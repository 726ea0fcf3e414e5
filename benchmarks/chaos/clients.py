"""Who takes part: senders and receivers that resume, as in `examples/`, and plain ones of version 1."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from resuming import Refused, ResumingReceiver, ResumingSender

__all__ = ["Refused"]

from .audio import FRAME, SAMPLE_RATE, Recording

RECONNECT_S = 0.2

FINISHED, SESSION_ENDED = 1000, 4410
"""Close codes."""


def resuming_sender(servers: list[str], session: str, recording: Recording) -> ResumingSender:
    return ResumingSender(servers, session, _at_real_time(recording))


async def _at_real_time(recording: Recording) -> AsyncIterator[bytes]:
    begun = time.monotonic()
    for number, frame in enumerate(recording, 1):
        yield frame.tobytes()
        await asyncio.sleep(max(0.0, begun + number * FRAME / SAMPLE_RATE - time.monotonic()))


@dataclass
class Follower:
    """A receiver that resumes, and when it was told something."""

    client: ResumingReceiver
    heard_at: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, servers: Sequence[str], session: str) -> Follower:
        follower = cls(ResumingReceiver(servers, session, on_message=lambda message: follower.hear(message)))
        return follower

    def hear(self, message: dict[str, Any]) -> None:
        if "final" in message:
            self.heard_at.append(time.monotonic())

    async def run(self) -> None:
        await self.client.run()

    @property
    def transcript(self) -> dict[int, str]:
        return {line["seq"]: line["asr"] for line in self.client.lines.values()}

    @property
    def faults(self) -> int:
        """Lines that came twice."""
        return self.client.repeated


class PlainReceiver:
    """Follows by version 1; connects anew, from the beginning, until it hears the end."""

    def __init__(self, servers: Sequence[str], session: str) -> None:
        self._servers = servers
        self._session = session
        self.transcript: dict[int, str] = {}
        self.faults = 0  # lines out of order, twice, or not as they were before

    async def run(self) -> None:
        attempt = 0
        while True:
            attempt += 1
            server = self._servers[attempt % len(self._servers)]
            try:
                async with connect(f"{server}/ws/asr/{self._session}?mode=receiver", proxy=None) as socket:
                    if await self._listen(socket):
                        return
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                pass
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self, socket: ClientConnection) -> bool:
        expected = 1
        async for text in socket:
            message = json.loads(text)
            if seq := message.get("seq"):
                self.faults += seq != expected
                self.faults += self.transcript.setdefault(seq, message["asr"]) != message["asr"]
                expected = seq + 1
        return socket.close_code == FINISHED


class PlainSender:
    """Sends by version 1, each frame once; goes on with the next frame when it had to reconnect.

    What was on its way when a connection broke is lost: it has no way to know.
    """

    def __init__(self, servers: Sequence[str], session: str, recording: Recording) -> None:
        self._servers = servers
        self._session = session
        self._recording = recording
        self.breaks: list[int] = []
        """Number of the next frame, each time that a connection broke."""

        self.endings: dict[str, list[int]] = {}
        """What each connection ended with, and the numbers of the next frames."""

        self.sent_at: list[float] = []
        """When each frame was sent."""

        self.was_told_at: int | None = None
        """Number of the next frame when it was told that the session had ended, and nothing more is kept."""

    async def run(self) -> None:
        frames = enumerate(self._recording)
        attempt = next_frame = 0
        begun = time.monotonic()
        while True:
            attempt += 1
            server = self._servers[attempt % len(self._servers)]
            try:
                async with connect(f"{server}/ws/asr/{self._session}?mode=sender", proxy=None) as socket:
                    listening = asyncio.create_task(_listen_for_end(socket))
                    # It was quiet meanwhile: all at once, its socket would hold more than what is being said.
                    begun = max(begun, time.monotonic() - next_frame * FRAME / SAMPLE_RATE)
                    try:
                        for number, frame in frames:
                            self.sent_at.append(time.monotonic())
                            await socket.send(frame.tobytes())
                            next_frame = number + 1
                            due = begun + next_frame * FRAME / SAMPLE_RATE
                            await asyncio.sleep(max(0.0, due - time.monotonic()))
                            if listening.done():
                                break
                        await socket.send("close")
                        await listening
                    finally:
                        listening.cancel()
                        await asyncio.gather(listening, return_exceptions=True)
                ending, code = f"closed: {socket.close_reason}", socket.close_code
            except ConnectionClosed as error:
                ending, code = f"{error}", error.rcvd.code if error.rcvd else None
            except (OSError, TimeoutError, InvalidHandshake) as error:
                ending, code = f"{type(error).__name__}: {error}", None
            if code == SESSION_ENDED:
                self.was_told_at = next_frame
                self.breaks.append(
                    next_frame
                )  # what is on its way when the word comes is lost as at any break
            if code in (FINISHED, SESSION_ENDED):
                return
            self.endings.setdefault(ending, []).append(next_frame)
            if not self.breaks or self.breaks[-1] != next_frame:
                self.breaks.append(next_frame)
            await asyncio.sleep(RECONNECT_S)


async def _listen_for_end(socket: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in socket:
            pass


Sender = ResumingSender | PlainSender
Receiver = Follower | PlainReceiver
