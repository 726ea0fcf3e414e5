"""Streams played to a server at the pace of speech, and what it tells of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.transport.processes import cpu_s, rss_mib
from recognition.audio import SAMPLE_RATE, samples

from .interface import Peer, Reader, Running
from .judging import Update, figures, judge
from .meeting import Clip, Meeting, join

FRAME = samples(0.1)

PATIENCE_S = 240.0
"""A server that is so late after the end of the audio is not waited for any longer."""

_WARM_UP = 3
"""Clips of a stream that is not counted: the first takes what compiles and fills caches."""


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes that this thread starts meanwhile have this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(peer: Peer, clips: Sequence[Clip], streams: Sequence[int]) -> list[dict[str, Any]]:
    """Return the figures of a server on one core, for so many streams at once, one number after the other."""
    peer.install()
    found = []
    for count in streams:
        with _served(peer) as running:
            asyncio.run(_play(peer, running, [join(clips[:_WARM_UP])], name="warm-up"))
            meetings = [join(clips, first=number * len(clips) // count) for number in range(count)]
            found.append(asyncio.run(_measured(peer, running, meetings)))
    return found


@contextlib.contextmanager
def _served(peer: Peer) -> Iterator[Running]:
    with contextlib.ExitStack() as stack:
        with on_core(max(os.sched_getaffinity(0))):
            running = stack.enter_context(peer.serve())
        yield running


async def _measured(peer: Peer, running: Running, meetings: Sequence[Meeting]) -> dict[str, Any]:
    before, length_s = cpu_s([running.pid]), max(meeting.seconds for meeting in meetings)
    logs, took_s = await _play(peer, running, meetings, name="measured")
    verdicts = [
        judge(meeting.texts, meeting.ends_s, log) for meeting, log in zip(meetings, logs, strict=True)
    ]
    spoken_s = sum(meeting.seconds for meeting in meetings)
    return {
        "streams": len(meetings),
        **figures(verdicts),
        "cpu_ms_per_s": round(1000 * (cpu_s([running.pid]) - before) / spoken_s),
        "over_after_s": round(took_s - length_s, 1),
        "rss_mib": round(rss_mib(running.pid)),
        "load": round(os.getloadavg()[1], 1),
    }


async def _play(
    peer: Peer, running: Running, meetings: Sequence[Meeting], *, name: str
) -> tuple[list[list[Update]], float]:
    """Return what was told of each meeting, and how long all of them took."""
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                _stream(peer, peer.address(running.port, f"{name}-{len(meetings)}-{number}"), meeting, begun)
            )
            for number, meeting in enumerate(meetings)
        ]
    return [task.result() for task in tasks], time.monotonic() - begun


async def _stream(peer: Peer, address: str, meeting: Meeting, begun: float) -> list[Update]:
    log: list[Update] = []
    # Without pings: a server that has too much to do is late, and no less there for that.
    async with connect(address, ping_interval=None, max_size=None, proxy=None) as socket:
        sending = asyncio.create_task(_send(peer, socket, meeting, begun))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(
                asyncio.get_running_loop().time() + begun - time.monotonic() + meeting.seconds + PATIENCE_S
            ):
                await _listen(socket, peer.reader(), begun, log)
        sending.cancel()
        socket.transport.abort()  # a server that is late would be late with its goodbye, too
    return log


async def _send(peer: Peer, socket: ClientConnection, meeting: Meeting, begun: float) -> None:
    for start in range(0, len(meeting.audio), FRAME):
        piece = meeting.audio[start : start + FRAME]
        # A frame exists once its last sample was spoken.
        await asyncio.sleep(begun + (start + len(piece)) / SAMPLE_RATE - time.monotonic())
        await socket.send(peer.frame(piece))
    await socket.send(peer.farewell())


async def _listen(socket: ClientConnection, reader: Reader, begun: float, log: list[Update]) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in socket:
            reader.read(json.loads(message))
            update = Update(time.monotonic() - begun, reader.firm, reader.sure, reader.shown)
            if not log or replace(update, at_s=log[-1].at_s) != log[-1]:
                log.append(update)
            if reader.is_over:
                return
