"""An hour of one stream, a thousand sessions, an event loop beside busy models; and what 8 bits cost.

    python -m benchmarks.endurance [PART ...] [--minutes N] [--sessions N]

All with the embedded models. The long stream runs on the simulated clock of `simulation`; sessions come and
go on a real engine, every third is abandoned in the middle of a word; the event loop serves some live
streams at real time. Then held-out sentences are recognised in float32 and in 8 bits.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recognition.audio import SAMPLE_RATE, samples
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set
from training.checking import Check, Sizes

from . import results
from .arguments import add_names
from .simulation import PACKET, Simulation
from .streams import sample_meeting
from .transport.processes import rss_mib

MODELS_DIR = Path("var/models")

WARM_SESSIONS = 500
"""Until then memory is taken that is used again: oneDNN keeps products for a thousand shapes."""

COMPARISONS = 5
SESSION_S = 3.0
LIVE_STREAMS = 6
LIVE_S = 30.0
TICK_S = 0.005

PARTS = ("loop", "stream", "sessions", "8-bits")

SENTENCES = Sizes(closed=150, noisy=150, open=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_names(parser, "parts", PARTS)
    parser.add_argument("--models", default="embedded", metavar="SET", help="a model set's name or file")
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the long stream")
    parser.add_argument("--sessions", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model_set = read_model_set(options.models)
    models = load_models(model_set, MODELS_DIR)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "loop": lambda: asyncio.run(loop_lag(models, model_set)),
        "stream": lambda: long_stream(models, model_set, minutes=options.minutes),
        "sessions": lambda: asyncio.run(many_sessions(models, model_set, count=options.sessions)),
        "8-bits": lambda: eight_bits(model_set),
    }
    figures = results.read("endurance") if set(options.parts) < set(PARTS) else {}
    for name in options.parts:
        found = parts[name]()
        print(found, flush=True)
        figures |= found
        path = results.write("endurance", figures)
    print(f"-> {path}")


def long_stream(models: Models, model_set: ModelSet, *, minutes: float) -> dict[str, float]:
    """What one stream takes in the end: memory, and CPU time beside that of new streams at the time."""
    recording = sample_meeting()
    part_s = 2 * len(recording) / SAMPLE_RATE  # whole rounds: every part holds the same speech

    def stream() -> Simulation:
        return Simulation(models, model_set.endpointing, [recording], streams=1)

    memory, ratios = [], []
    with closing(stream()) as old:
        for _ in range(max(2, round(minutes * 60 / part_s))):
            old.run(warm_up_s=0, measure_s=part_s)
            memory.append(rss_mib(os.getpid()))
        # By turns, for the speed of a shared machine changes from minute to minute.
        for _ in range(COMPARISONS):
            with closing(stream()) as new:
                ratios.append(_cost(old, part_s) / _cost(new, part_s))
    return {
        "stream_minutes": round(len(memory) * part_s / 60),
        "stream_growth_mib": round(growth(memory), 1),
        "old_over_new": round(statistics.median(ratios), 3),
    }


def growth(memory: Sequence[float]) -> float:
    """By how much the last quarter's peak is above the second's: allocators go up and down between two."""
    quarter = max(1, len(memory) // 4)
    return max(memory[-quarter:]) - max(memory[quarter : 2 * quarter])


def _cost(simulation: Simulation, seconds: float) -> float:
    """CPU seconds per second of audio of the next so many."""
    before = sum(simulation.report.busy_s.values())
    report = simulation.run(warm_up_s=0, measure_s=seconds)
    return (sum(report.busy_s.values()) - before) / report.audio_s


async def many_sessions(models: Models, model_set: ModelSet, *, count: int) -> dict[str, float]:
    """What sessions leave behind that came and went."""
    engine = Engine(models)
    engine.start()
    recording, alive = sample_meeting(), weakref.WeakSet[Transcriber]()
    before, states = 0.0, _states(models)
    for number in range(count):
        start = number * samples(0.7) % (len(recording) - samples(SESSION_S))
        transcriber = Transcriber(engine, model_set.endpointing)
        alive.add(transcriber)
        transcriber.feed(recording[start : start + samples(SESSION_S)])
        if number % 3 == 0:
            await transcriber.caught_up(samples(1))
            transcriber.close()
        else:
            transcriber.finish()
            async for _ in transcriber.events():
                pass
        if number + 1 == min(WARM_SESSIONS, count):
            before = rss_mib(os.getpid())
    del transcriber
    await engine.idle()
    await engine.run(lambda models: None)  # behind what closing has left to do
    gc.collect()
    figures = {
        "sessions": count,
        "sessions_growth_mib": round(rss_mib(os.getpid()) - before, 1),
        "sessions_alive": len(alive),
        "states_kept": _states(models) - states,
        "jobs_kept": len(engine.scheduler),
    }
    await engine.aclose()
    return figures


async def loop_lag(models: Models, model_set: ModelSet) -> dict[str, float]:
    """How late an event loop wakes up while the models of its process work for live streams."""
    engine = Engine(models)
    engine.start()
    recording = sample_meeting()
    lags: list[float] = []
    async with asyncio.TaskGroup() as group:
        for number in range(LIVE_STREAMS):
            group.create_task(_live(engine, model_set, np.roll(recording, -number * samples(7))))
        deadline = time.monotonic() + LIVE_S
        while (now := time.monotonic()) < deadline:
            await asyncio.sleep(TICK_S)
            lags.append(time.monotonic() - now - TICK_S)
    await engine.aclose()
    p50, p99 = (1e3 * float(np.percentile(lags, percent)) for percent in (50, 99))
    return {"live_streams": LIVE_STREAMS, "loop_lag_p50_ms": round(p50, 2), "loop_lag_p99_ms": round(p99, 2)}


async def _live(engine: Engine, model_set: ModelSet, recording: np.ndarray) -> None:
    transcriber = Transcriber(engine, model_set.endpointing)
    started = time.monotonic()
    for number in range(int(LIVE_S * SAMPLE_RATE) // PACKET):
        await asyncio.sleep(max(0.0, started + number * PACKET / SAMPLE_RATE - time.monotonic()))
        transcriber.feed(recording[number * PACKET : (number + 1) * PACKET])
    transcriber.close()


def eight_bits(model_set: ModelSet) -> dict[str, float | None]:
    """Error rates of the same sentences in float32 and in 8 bits, and their largest difference in points."""
    found = {}
    for compute_type in ("float32", "int8"):
        models = load_models(model_set, MODELS_DIR, compute_type=compute_type)
        figures = Check(models, model_set.endpointing, sizes=SENTENCES).recognition()
        found[compute_type] = {
            name: rate for name, rate in figures.items() if name.startswith("cer_") and rate
        }
    figures = {
        f"{name}_{compute_type}": round(rate, 4)
        for compute_type, rates in found.items()
        for name, rate in rates.items()
    }
    worst = max(rate - found["float32"][name] for name, rate in found["int8"].items())
    return figures | {"int8_costs_points": round(100 * worst, 2)}


def _states(models: Models) -> int:
    """Utterances of which the first pass remembers something."""
    streaming: Any = models.streaming
    return int(streaming._slots - len(streaming._free))


if __name__ == "__main__":
    main()
