"""Small WebSocket clients for tests: what a sender or receiver does, and what it is told."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import websockets
from websockets.asyncio.client import ClientConnection, connect

from recognition.fakes.scripted import Script, ScriptedLine

from .server import Server

MEETING = Script(
    [
        ScriptedLine("大家好，我们开始开会。", voice=0, seconds=2.0),
        ScriptedLine("好的。", voice=1, seconds=0.8),
        ScriptedLine("预算通过了吗？", voice=0, seconds=1.5),
        ScriptedLine("通过了。", voice=2),
    ]
)
TEXTS = [line.text for line in MEETING.lines]

FRAME = 3200


def new_id() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


async def recording_file(server: Server, session: str) -> Path:
    """Return the recording of a session that has ended, as soon as it is there."""
    [pk] = server.session(session, "id")
    file = server.data_dir / "media" / "recordings" / f"{pk}.flac"
    async with asyncio.timeout(10):
        while not file.exists():
            await asyncio.sleep(0.02)
    return file


@dataclass
class Told:
    """Everything a socket was told until it was closed."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None

    @property
    def lines(self) -> list[str]:
        return [message["asr"] for message in self.messages if message.get("seq")]

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages if message.get("seq")]

    @property
    def errors(self) -> list[str]:
        return [message["error"]["code"] for message in self.messages if "error" in message]

    def events(self, kind: str) -> list[dict[str, Any]]:
        events = [message.get("event", {}) for message in self.messages]
        return [event for event in events if event.get("type") == kind]


async def open_socket(server: Server, session: str, query: str, **options: Any) -> ClientConnection:
    return await connect(server.socket(session, query), proxy=None, **options)


async def listen(socket: ClientConnection, told: Told | None = None) -> Told:
    """Read until the server closes."""
    told = told or Told()
    try:
        async for message in socket:
            told.messages.append(json.loads(message))
    except websockets.ConnectionClosedError:
        pass
    told.close_code = socket.close_code
    return told


async def send_audio(socket: ClientConnection, audio: np.ndarray, *, pace: float = 0.0) -> None:
    """Send audio in frames, `pace` seconds apart."""
    data = audio.astype("<f4").tobytes()
    for at in range(0, len(data), FRAME * 4):
        await socket.send(data[at : at + FRAME * 4])
        await asyncio.sleep(pace)


async def send_meeting(
    server: Server, session: str, audio: np.ndarray, query: str = "mode=sender", *, patience_s: float = 60
) -> Told:
    """Be a sender to the end; what it was told."""
    async with await open_socket(server, session, query) as socket:
        listening = asyncio.create_task(listen(socket))
        await send_audio(socket, audio)
        await socket.send("close")
        return await asyncio.wait_for(listening, patience_s)
