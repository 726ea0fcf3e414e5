"""Meetings for hours: does a process of the service grow? Writes `benchmarks/results/soak.json`.

    python -m benchmarks.soak --minutes 120

Eight senders at real time, each with two receivers, one meeting after another, through Redis and PostgreSQL;
the recogniser answers with checksums, so that what grows is ours.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil

from benchmarks import results
from benchmarks.chaos.audio import FRAME, SAMPLE_RATE, Recording
from benchmarks.chaos.clients import PlainReceiver, PlainSender
from benchmarks.transport.processes import MIB
from benchmarks.transport.service import Service, scaled_out_service

EVERY_S = 10.0
MEETING_S = (30.0, 150.0)
SENDERS, RECEIVERS = 8, 2

WARM_UP = 0.25
"""Share of the time that is left out: caches fill."""

PARTS = 8
"""Of the time, at whose ends the memory is told: growth may come to an end."""

WATCHED = ("web", "worker")
GOALS = {"web": 1.0, "worker": 3.0}


@dataclass
class Samples:
    """What one process used, again and again."""

    at_h: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def take(self, process: psutil.Process, at_s: float) -> None:
        self.at_h.append(at_s / 3600)
        self.rss_mib.append(process.memory_info().rss / MIB)
        self.files.append(process.num_fds())
        self.threads.append(process.num_threads())

    @property
    def figures(self) -> dict[str, object]:
        ends = [(part + 1) * len(self.rss_mib) // PARTS - 1 for part in range(PARTS)]
        return {
            "rss_mib": round(self.rss_mib[-1], 1),
            "rss_mib_meanwhile": [round(self.rss_mib[max(0, end)], 1) for end in ends],
            "mib_per_h": round(slope(self.at_h, self.rss_mib), 2),
            "files_per_h": round(slope(self.at_h, self.files), 1),
            "threads_per_h": round(slope(self.at_h, self.threads), 1),
        }


def slope(at: Sequence[float], values: Sequence[float]) -> float:
    """Of the straight line through what was measured after the warm-up; 0 with fewer than two values."""
    first = int(WARM_UP * len(at))
    return float(np.polyfit(at[first:], values[first:], 1)[0]) if len(at) - first >= 2 else 0.0


async def soak(service: Service, *, minutes: float) -> dict[str, object]:
    """Hold meetings for so long; what each process used meanwhile."""
    ends_at = time.monotonic() + 60 * minutes
    meetings = [asyncio.create_task(_hold_meetings(service, number, ends_at)) for number in range(SENDERS)]
    watched = {name: (psutil.Process(service.pids[name]), Samples()) for name in WATCHED}
    begun = time.monotonic()
    while time.monotonic() < ends_at:
        await asyncio.sleep(EVERY_S)
        for process, samples in watched.values():
            samples.take(process, time.monotonic() - begun)
    held = await asyncio.gather(*meetings)
    figures: dict[str, object] = {
        "minutes": minutes,
        "meetings": sum(count for count, _ in held),
        "faults": sum(faults for _, faults in held),
    }
    for name, (_, samples) in watched.items():
        figures |= {f"{name}_{figure}": value for figure, value in samples.figures.items()}
    return figures


async def _hold_meetings(service: Service, number: int, ends_at: float) -> tuple[int, int]:
    """How many there were, and lines or connections that were not as they should be."""
    rng = random.Random(number)
    count = faults = 0
    server = f"ws://127.0.0.1:{service.web.port}"
    while time.monotonic() < ends_at:
        key = f"soak-{number}-{count}"
        length_s = min(rng.uniform(*MEETING_S), max(10.0, ends_at - time.monotonic()))
        recording = Recording(number, int(length_s * SAMPLE_RATE / FRAME), has_pauses=number % 2 == 1)
        sender = PlainSender([server], key, recording)
        receivers = [PlainReceiver([server], key) for _ in range(RECEIVERS)]
        await asyncio.gather(sender.run(), *(receiver.run() for receiver in receivers))
        count += 1
        faults += len(sender.breaks) + sum(receiver.faults for receiver in receivers)
    return count, faults


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold meetings for hours and watch the memory.")
    parser.add_argument("--minutes", type=float, default=120)
    minutes = parser.parse_args().minutes
    with scaled_out_service() as service:
        figures = asyncio.run(soak(service, minutes=minutes))
    results.write("soak", figures)
    for name, goal in GOALS.items():
        print(f"soak: {name} grows by {figures[f'{name}_mib_per_h']} MiB/h (goal {goal})")
    print(figures)


if __name__ == "__main__":
    main()
