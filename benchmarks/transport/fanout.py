"""One sender, very many receivers: when the last one has a line, and how soon all are back after a crash."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.chaos.checks import percentile
from deploy.local_cluster import ROOT
from deploy.local_servers import wait_until

from .service import Service

FRAME, FRAME_S = 3200, 0.2
WORD = np.random.default_rng(3).uniform(-0.3, 0.3, FRAME).astype("<f4").tobytes()
SILENCE = bytes(4 * FRAME)
UTTERANCE = (WORD, WORD, SILENCE, SILENCE, SILENCE)
"""With the last of these frames the pause is long enough: this one makes the line."""

PER_PROCESS = 500

GATHER_S = 120.0


class Report(TypedDict):
    """The JSON that a swarm answers with."""

    connected: int
    first_at: float
    full_at: float
    heard: dict[str, float]
    counts: list[int]
    in_order: bool


@dataclass
class _Process:
    process: asyncio.subprocess.Process

    async def report(self) -> Report:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(b"\n")
        answer: Report = json.loads(await self.process.stdout.readline())
        return answer


async def fan_out(service: Service, *, receivers: int, lines: int) -> dict[str, float]:
    """Milliseconds from the audio that ends an utterance to its line at the last of the receivers."""
    key = "fan-out"
    async with _swarm(service, key, receivers) as swarm:
        await _all_there(swarm, receivers)
        async with connect(service.web.socket(key, "mode=sender"), proxy=None, ping_interval=None) as sender:
            sent_at = await _speak(sender, lines)
            reports, missing = await _all_heard(swarm, receivers * lines)
    heard = [max(report["heard"].get(str(seq), 0.0) for report in reports) for seq in range(1, lines + 1)]
    took_ms = [1000 * (at - sent) for at, sent in zip(heard, sent_at, strict=True) if at]
    return {
        "last_p50_ms": round(percentile(took_ms, 0.5)),
        "last_p99_ms": round(percentile(took_ms, 0.99)),
        "missing": missing,
        "out_of_order": sum(not report["in_order"] for report in reports),
    }


async def reconnect(service: Service, *, receivers: int) -> dict[str, float]:
    """Seconds from the first to the last that is connected again, after the web process was killed."""
    key = "storm"
    async with _swarm(service, key, receivers) as swarm:
        await _all_there(swarm, receivers)
        await asyncio.to_thread(service.web.kill)
        await asyncio.to_thread(service.web.start)
        await asyncio.to_thread(wait_until, service.web.answers, "the server does not return", timeout_s=300)
        await _all_there(swarm, receivers)
        reports = [await process.report() for process in swarm]
    first_at = min(report["first_at"] for report in reports)
    full_at = max(report["full_at"] for report in reports)
    return {"s": round(full_at - first_at, 1)}


async def _speak(sender: ClientConnection, lines: int) -> list[float]:
    """When the audio that makes each line was sent. What the sender is told stays unread, as it may."""
    sent_at = []
    begun = time.monotonic()
    for number in range(lines * len(UTTERANCE)):
        await asyncio.sleep(max(0.0, begun + number * FRAME_S - time.monotonic()))
        if (number + 1) % len(UTTERANCE) == 0:
            sent_at.append(time.monotonic())
        await sender.send(UTTERANCE[number % len(UTTERANCE)])
    return sent_at


@asynccontextmanager
async def _swarm(service: Service, key: str, receivers: int) -> AsyncIterator[Sequence[_Process]]:
    path = f"/ws/asr/{key}?mode=receiver"
    processes = []
    try:
        for _ in range(receivers // PER_PROCESS):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.transport.swarm"),
                *(str(service.web.port), path, str(PER_PROCESS)),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**24,
            )
            processes.append(_Process(process))
        yield processes
    finally:
        for running in processes:
            running.process.kill()
            await running.process.wait()


async def _all_heard(swarm: Sequence[_Process], expected: int) -> tuple[list[Report], int]:
    """What the receivers heard, once they have every line or it takes too long; and how many lines lack."""
    deadline = time.monotonic() + GATHER_S
    while True:
        reports = [await process.report() for process in swarm]
        heard = sum(sum(report["counts"]) for report in reports)
        if heard >= expected or time.monotonic() > deadline:
            return reports, expected - heard
        await asyncio.sleep(1)


async def _all_there(swarm: Sequence[_Process], receivers: int) -> None:
    async with asyncio.timeout(GATHER_S):
        while await _count(swarm) < receivers:  # noqa: ASYNC110 - they are other processes
            await asyncio.sleep(0.2)


async def _count(swarm: Sequence[_Process]) -> int:
    reports = [await process.report() for process in swarm]
    return sum(report["connected"] for report in reports)
