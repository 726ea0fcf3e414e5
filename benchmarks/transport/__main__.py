"""`python -m benchmarks.transport`: measure and write `benchmarks/results/transport.json`."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from typing import Any

from benchmarks import results
from benchmarks.arguments import add_names

from .cpu import cpu_ms_per_stream_second, stand_ins_cpu_ms
from .fanout import fan_out, reconnect
from .flood import flood
from .service import embedded_service, scaled_out_service
from .slow_reader import never_read

Figures = dict[str, Any]


def measure_cpu() -> Figures:
    """CPU per second of a stream, of everything but the models."""
    figures: Figures = {"cpu_ms_stand_ins": stand_ins_cpu_ms()}
    for name, service in (("embedded", embedded_service), ("redis", scaled_out_service)):
        with service() as running:
            used = asyncio.run(cpu_ms_per_stream_second(running, streams=16, seconds=40))
        figures[f"cpu_ms_{name}"] = round(sum(used.values()), 1)
        figures[f"cpu_ms_{name}_by_process"] = used
    return figures


def measure_flood() -> Figures:
    figures: Figures = {}
    for suffix, service in (("_embedded", embedded_service), ("", scaled_out_service)):
        with service() as running:
            figures |= _named(f"flood{suffix}", asyncio.run(flood(running, megabytes=512)))
    return figures


def measure_slow_readers() -> Figures:
    with scaled_out_service() as running:
        return _named("slow_reader", asyncio.run(never_read(running, readers=8)))


def measure_fan_out() -> Figures:
    with embedded_service() as running:
        # The swarm answers no pings: after 50 s it would be cut off, and hear everything once more.
        figures = _named("fanout", asyncio.run(fan_out(running, receivers=1000, lines=30)))
    with embedded_service() as running:
        return figures | _named("reconnect_2000", asyncio.run(reconnect(running, receivers=2000)))


PARTS: dict[str, Callable[[], Figures]] = {
    "cpu": measure_cpu,
    "flood": measure_flood,
    "slow-reader": measure_slow_readers,
    "fan-out": measure_fan_out,
}

GOALS = {
    "cpu_ms_embedded": 3,
    "cpu_ms_redis": 8,
    "flood_rss_mib": 32,
    "flood_lost_samples": 0,
    "slow_reader_rss_mib": 4,
    "fanout_last_p99_ms": 250,
    "fanout_missing": 0,
    "reconnect_2000_s": 15,
}


def _named(prefix: str, figures: Figures) -> Figures:
    return {f"{prefix}_{name}": value for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="What carrying a session costs, besides recognising it.")
    add_names(parser, "parts", PARTS)
    parts = parser.parse_args().parts
    figures: Figures = results.read("transport") if set(parts) < set(PARTS) else {}
    for part in parts:
        measured = PARTS[part]() | {"load_average": round(os.getloadavg()[0], 1)}
        figures |= {f"{part}_load" if name == "load_average" else name: v for name, v in measured.items()}
        print(part, measured, flush=True)
        results.write("transport", figures)
    verdict = [f"{name} {figures[name]} (goal {goal})" for name, goal in GOALS.items() if name in figures]
    print("transport:", ", ".join(verdict))


if __name__ == "__main__":
    main()
