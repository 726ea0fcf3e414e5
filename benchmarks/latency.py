"""The waiting of a reader: from the beginning of a line to its first partial, from its end to the final.

    python -m benchmarks.latency [--models SET] [--scaled-out]

The sample meeting is sent in real time, in frames of 0.1 s as a browser does; a receiver of version 2 notes
when each text comes. Where lines begin and end is known from the reference.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect

from deploy.local_cluster import WebProcess
from recognition.audio import SAMPLE_RATE, samples

from . import results
from .transport.service import embedded_service, scaled_out_service

SAMPLE = Path("sessions_app/sample")
FRAME = samples(0.1)
TOLERANCE_S = 0.6
"""A recognised line begins a little before its speech."""

GOAL_FIRST_PARTIAL_S = 0.8


@dataclass
class Heard:
    """Texts with the moments at which they came, in seconds of the meeting."""

    partials: list[tuple[float, float]] = field(default_factory=list)
    """Beginning of the utterance, arrival."""

    finals: list[tuple[float, float, float]] = field(default_factory=list)
    """Beginning and end of the line, arrival."""

    texts: list[str] = field(default_factory=list)
    """Of the finals."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="embedded", help="name of a model set, or path of a .toml")
    parser.add_argument("--scaled-out", action="store_true", help="through Redis and PostgreSQL")
    options = parser.parse_args()
    turns = json.loads((SAMPLE / "reference.json").read_text(encoding="utf-8"))["lines"]
    service = scaled_out_service if options.scaled_out else embedded_service
    with service(options.models) as running:
        audio = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")[0]
        heard = asyncio.run(listen(running.web, "latency", audio))
    figures = {**first_partials(heard, turns), **finals(heard)}
    print(
        f"latency: first partial {figures['first_partial_p50_s']} s after speech begins "
        f"(goal {GOAL_FIRST_PARTIAL_S}), worst {figures['first_partial_max_s']}; final "
        f"{figures['final_p50_s']} s after the line ends, p95 {figures['final_p95_s']} "
        f"-> {results.write('latency', figures)}"
    )


def first_partials(heard: Heard, turns: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return how long after the beginning of speech the first partial of an utterance came.

    An utterance is counted where the reference has a line that begins with it.
    """
    waits: dict[float, float] = {}
    for start, at in heard.partials:
        begin = next((turn["start"] for turn in turns if -0.1 <= turn["start"] - start <= TOLERANCE_S), None)
        if begin is not None:
            waits.setdefault(begin, at - begin)
    values = list(waits.values())
    return {
        "first_partial_lines": len(values),
        "first_partial_p50_s": round(float(np.median(values)), 2),
        "first_partial_max_s": round(max(values), 2),
    }


def finals(heard: Heard) -> dict[str, float]:
    """Return how long after the end of a line its final came."""
    waits = [at - end for _, end, at in heard.finals]
    return {
        "finals": len(waits),
        "final_p50_s": round(float(np.median(waits)), 2),
        "final_p95_s": round(float(np.quantile(waits, 0.95)), 2),
    }


async def listen(web: WebProcess, session: str, audio: np.ndarray) -> Heard:
    """Send a meeting, float32, in real time and note what a receiver is told."""
    address = web.socket(session, "mode=")
    # Without pings: who waits for lines waits, however long a server takes to answer.
    async with (
        connect(f"{address}sender", ping_interval=None) as sender,
        connect(f"{address}receiver&v=2", ping_interval=None) as receiver,
    ):
        began = time.monotonic()
        receiving = asyncio.create_task(_receive(receiver, began))
        for at in range(0, len(audio), FRAME):
            end = min(at + FRAME, len(audio))
            # A frame exists once its last sample was spoken.
            await asyncio.sleep(began + end / SAMPLE_RATE - time.monotonic())
            await sender.send(audio[at:end].astype("<f4").tobytes())
        await sender.send("close")
        return await receiving


async def _receive(receiver: ClientConnection, began: float) -> Heard:
    heard = Heard()
    async for text in receiver:
        at, message = time.monotonic() - began, json.loads(text)
        if message.get("final") is False:
            heard.partials.append((message["start_ms"] / 1000, at))
        elif message.get("final"):
            heard.finals.append((message["start_ms"] / 1000, message["end_ms"] / 1000, at))
            heard.texts.append(message["asr"])
    return heard


if __name__ == "__main__":
    main()
