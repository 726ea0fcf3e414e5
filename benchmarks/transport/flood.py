"""A sender that pushes as fast as it can: what it costs the server in memory, and whether all arrives."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from recognition.fakes.checksum import checksum

from .processes import PeakMemory
from .service import Service

FRAME = 16_000
"""Samples; one message has 64 kB."""

WARM_UP_FRAMES = 30

SAMPLES_PER_MS = 16

FRAMES = np.random.default_rng(1).uniform(-0.3, 0.3, (61, FRAME)).astype("<f4")
"""Sent in turns: speech to the recogniser, without a pause."""


def audio_between(start: int, end: int) -> np.ndarray:
    """What is sent in [start, end), in samples."""
    first, last = start // FRAME, -(-end // FRAME)
    frames = np.concatenate([FRAMES[number % len(FRAMES)] for number in range(first, last)])
    return frames[start - first * FRAME : end - first * FRAME]


@dataclass
class Transcript:
    """Whether the lines cover the audio, each once and with the checksum of its place."""

    end: int = 0
    lines: int = 0
    faults: list[str] = field(default_factory=list)
    confirmed_s: float = 0.0

    def hear(self, message: dict[str, Any]) -> None:
        if event := message.get("event"):
            self.confirmed_s = event["recognised_s"]
        if "seq" not in message:
            return
        self.lines += 1
        start, end = message["start_ms"] * SAMPLES_PER_MS, message["end_ms"] * SAMPLES_PER_MS
        if message["seq"] != self.lines or start != self.end:
            self.faults.append(f"line {message['seq']} at {start}, expected {self.lines} at {self.end}")
        if message["asr"] != checksum(audio_between(start, end)):
            self.faults.append(f"line {message['seq']} is not of its audio")
        self.end = end


async def flood(service: Service, *, megabytes: int) -> dict[str, float]:
    """Growth of the web process in MiB, samples that were not recognised, and the speed against real time.

    Raises:
        RuntimeError: If a line is missing, doubled or of other audio.
    """
    frames = megabytes * 1_000_000 // (4 * FRAME)
    transcript = Transcript()
    async with connect(service.web.socket("flood", "mode=sender"), proxy=None, ping_interval=None) as socket:
        listening = asyncio.create_task(_listen(socket, transcript))
        for number in range(WARM_UP_FRAMES):
            await socket.send(FRAMES[number % len(FRAMES)].tobytes())
        await asyncio.sleep(3)
        began = time.monotonic()
        async with PeakMemory(service.pids["web"]) as memory:
            for number in range(WARM_UP_FRAMES, frames):
                await socket.send(FRAMES[number % len(FRAMES)].tobytes())
            await socket.send("close")
            await listening
    if transcript.faults:
        raise RuntimeError(f"{len(transcript.faults)} faults: {transcript.faults[:5]}")
    return {
        "rss_mib": round(memory.growth_mib, 1),
        "lost_samples": frames * FRAME - transcript.end,
        "times_real_time": round(frames * FRAME / 16_000 / (time.monotonic() - began), 1),
    }


async def _listen(socket: ClientConnection, transcript: Transcript) -> None:
    async for text in socket:
        transcript.hear(json.loads(text))
