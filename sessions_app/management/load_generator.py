"""Load for a running service: many senders and receivers, who note late and missing lines."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from recognition.audio import samples, seconds

FRAME = samples(0.2)

END_S = 60.0
"""Patience with the last lines."""


@dataclass(frozen=True, slots=True)
class Playing:
    """A recording that is played again and again."""

    recording: np.ndarray
    """float32 in [-1, 1], 16 kHz, shape (n,)."""

    begins_at: int
    length: int
    """Samples to play, from `begins_at` in the recording on."""

    def frames(self) -> Iterator[np.ndarray]:
        for at in range(0, self.length, FRAME):
            places = np.arange(at, min(at + FRAME, self.length))
            yield self.recording.take(self.begins_at + places, mode="wrap")


@dataclass
class ReceivedLines:
    """The lines that one socket was told."""

    lines: dict[int, tuple[str, float]] = field(default_factory=dict)
    """By number: text, and seconds from the end of the line in the audio to its arrival."""

    close_code: int | None = None
    error: str = ""


@dataclass
class SessionLoad:
    """One session: its sender and its receivers."""

    sender: ReceivedLines
    receivers: list[ReceivedLines]

    @property
    def missing(self) -> int:
        """Count the lines that a receiver lacks or has otherwise than the sender."""
        expected = {seq: text for seq, (text, _) in self.sender.lines.items()}
        return sum(
            expected.get(seq) != heard.lines.get(seq, (None, 0.0))[0]
            for heard in self.receivers
            for seq in expected.keys() | heard.lines.keys()
        )


@dataclass
class Report:
    """The findings of a load test."""

    sessions: list[SessionLoad]

    @property
    def refused(self) -> list[str]:
        """Return the errors of senders that were not taken, or not to the end."""
        return [s.sender.error or "cut off" for s in self.sessions if s.sender.close_code != 1000]

    @property
    def missing(self) -> int:
        return sum(session.missing for session in self.sessions)

    @property
    def lines(self) -> int:
        return sum(len(session.sender.lines) for session in self.sessions)

    def delay_s(self, share: float) -> float:
        """Return the delay within which this share of all lines came, at any receiver or sender."""
        delays = sorted(
            delay
            for session in self.sessions
            for heard in (session.sender, *session.receivers)
            for _, delay in heard.lines.values()
        )
        return delays[min(len(delays) - 1, int(share * len(delays)))] if delays else 0.0


async def drive(
    servers: Sequence[str],
    recording: np.ndarray,
    *,
    length_s: float,
    senders: int,
    receivers: int,
    prefix: str,
    token: str = "",
) -> Report:
    """Stream a recording in many sessions at once, at its own pace.

    Each begins at another place of it: people in different meetings do not pause together.

    Args:
        servers: Like "ws://localhost:8000", taken in turns.
        recording: float32 in [-1, 1], 16 kHz, shape (n,).
        length_s: To play it, again and again.
        receivers: Of each session.
        prefix: Of the sessions' ids.
    """
    loads = []
    for at in range(senders):
        first = at % len(servers)
        turned = [*servers[first:], *servers[:first]]
        playing = Playing(recording, at * len(recording) // senders, samples(length_s))
        loads.append(_drive_one(turned, f"{prefix}-{at}", playing, at / senders, receivers, token))
    return Report(list(await asyncio.gather(*loads)))


async def _drive_one(
    servers: Sequence[str], session: str, playing: Playing, delay_s: float, receivers: int, token: str
) -> SessionLoad:
    await asyncio.sleep(delay_s)  # not all in the same moment
    load = SessionLoad(ReceivedLines(), [ReceivedLines() for _ in range(receivers)])
    clock = _Clock()
    following = [
        asyncio.create_task(_follow(_address(servers, at, session, "receiver", token), heard, clock))
        for at, heard in enumerate(load.receivers)
    ]
    await _send(_address(servers, 0, session, "sender", token), playing, load.sender, clock)
    if load.sender.close_code != 1000:
        for task in following:
            task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return load


class _Clock:
    """The moment at which the first sample of a session was sent."""

    begun = 0.0


async def _send(address: str, playing: Playing, heard: ReceivedLines, clock: _Clock) -> None:
    try:
        async with connect(address, proxy=None) as socket:
            listening = asyncio.create_task(_listen(socket, heard, clock))
            clock.begun = time.monotonic()
            try:
                for number, frame in enumerate(playing.frames(), start=1):
                    await socket.send(frame.astype("<f4").tobytes())
                    due = clock.begun + number * seconds(FRAME)
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                await socket.send("close")
            except ConnectionClosed:
                pass  # whoever listens knows why
            await asyncio.wait_for(listening, END_S)
    except (OSError, TimeoutError, InvalidHandshake) as error:
        heard.error = heard.error or str(error) or type(error).__name__


async def _follow(address: str, heard: ReceivedLines, clock: _Clock) -> None:
    async with connect(address, proxy=None) as socket:
        await _listen(socket, heard, clock)


async def _listen(socket: ClientConnection, heard: ReceivedLines, clock: _Clock) -> None:
    try:
        async for text in socket:
            _hear(json.loads(text), heard, clock)
    except ConnectionClosed:
        pass
    heard.close_code = socket.close_code


def _hear(message: dict[str, Any], heard: ReceivedLines, clock: _Clock) -> None:
    if seq := message.get("seq"):
        delay_s = time.monotonic() - clock.begun - message["end_ms"] / 1000
        heard.lines[seq] = message["asr"], delay_s
    elif error := message.get("error"):
        heard.error = error["code"]


def _address(servers: Sequence[str], at: int, session: str, mode: str, token: str) -> str:
    parameters = {"mode": mode, **({"token": token} if token else {})}
    return f"{servers[at % len(servers)]}/ws/asr/{quote(session, safe='')}?{urlencode(parameters)}"


def counted(errors: Iterable[str]) -> str:
    """Count each error: "overloaded 3, cut off 1"."""
    names = list(errors)
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names)))
