"""A good meeting beside each attack of the review: how late its lines come, and whether any is lost.

    python -m benchmarks.attacks [--models SET] [--seconds N] [--only NAME ...] [--scaled-out]

The server is one of this machine, and so are the attackers (`attackers`), in a process of their own; each
stops by itself. The same meeting without any attack, in the same run, is what is compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from benchmarks import results
from benchmarks.arguments import add_names
from benchmarks.latency import Heard, listen
from benchmarks.transport.processes import rss_mib
from benchmarks.transport.service import Service, embedded_service, scaled_out_service
from recognition.audio import SAMPLE_RATE

from .attackers import ATTACKS, SAMPLE

GOAL_LATER_S = 1.0
CALM_S = 2.0
"""Between two attacks: what one has left is no part of the next."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One good meeting, and what was done meanwhile."""

    heard: Heard
    answers: dict[str, int]
    grown_mib: float
    """Memory that the server took more of, at the end."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="embedded", metavar="SET", help="a model set's name or file")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each attack and its meeting")
    parser.add_argument("--scaled-out", action="store_true", help="through Redis and PostgreSQL")
    add_names(parser, "--only", ATTACKS)
    options = parser.parse_args()
    audio = soundfile.read(SAMPLE, dtype="float32")[0][: int(options.seconds * SAMPLE_RATE)]
    service = scaled_out_service if options.scaled_out else embedded_service
    with service(options.models) as running:
        alone = asyncio.run(listen(running.web, "attacks-alone", audio))
        attacks = {name: figures(alone, _beside(running, name, audio)) for name in options.only}
    worst = max(each["later_p95_s"] for each in attacks.values())
    lost = sum(each["lost"] for each in attacks.values())
    path = results.write("attacks", {"seconds": options.seconds, "alone": delays(alone), "beside": attacks})
    is_reached = worst <= GOAL_LATER_S and not lost
    print(
        f"attacks: beside {len(attacks)} of them lines are at most {worst} s later, p95 "
        f"(goal {GOAL_LATER_S:g}), {lost} lost: goal {'reached' if is_reached else 'missed'} -> {path}"
    )
    sys.exit(0 if is_reached else 1)


def figures(alone: Heard, beside: Beside) -> dict[str, Any]:
    """Return what is told of one attack. Pure."""
    found = delays(beside.heard)
    return {
        **found,
        "later_p95_s": round(max(0.0, found["p95_s"] - delays(alone)["p95_s"]), 2),
        "lost": lost_lines(alone.texts, beside.heard.texts),
        "grown_mib": beside.grown_mib,
        "answers": beside.answers,
    }


def delays(heard: Heard) -> dict[str, float]:
    """Return how long after their ends lines came. Pure; none at all is for ever."""
    waits = [at - end for _begin, end, at in heard.finals]
    if not waits:
        return {"lines": 0, "p50_s": 1e9, "p95_s": 1e9, "max_s": 1e9}
    p50, p95 = np.quantile(waits, [0.5, 0.95])
    return {
        "lines": len(waits),
        "p50_s": round(float(p50), 2),
        "p95_s": round(float(p95), 2),
        "max_s": round(max(waits), 2),
    }


def lost_lines(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many of these lines are not there, in their order. Pure."""
    rest = iter(heard)
    return sum(line not in rest for line in wanted)


def _beside(service: Service, name: str, audio: np.ndarray) -> Beside:
    time.sleep(CALM_S)
    before = rss_mib(service.pids["web"])
    command = [sys.executable, "-m", "benchmarks.attacks.attackers", name]
    command += [str(service.web.port), str(len(audio) / SAMPLE_RATE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        heard = asyncio.run(listen(service.web, f"attacks-beside-{name}", audio))
        said, _ = attacker.communicate(timeout=60)
    beside = Beside(heard, json.loads(said), round(rss_mib(service.pids["web"]) - before, 1))
    print(name, delays(heard), f"+{beside.grown_mib} MiB", beside.answers, flush=True)
    return beside


if __name__ == "__main__":
    main()
