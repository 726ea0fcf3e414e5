"""What the installation from a bare checkout costs, with the models that come along.

    python -m benchmarks.embedded [--models SET]

One stream plays the sample meeting on one core: CPU seconds per second of audio, by stage (`simulation`).
Then a server is started as `make run` starts it: the time until it is ready, in seconds of CPU and of the
clock, and its memory.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set
from tests.support.server import Server

from . import results
from .simulation import Report, Simulation
from .streams import by_stage, sample_meeting

GOAL_REAL_TIME_FACTOR = 0.06
GOAL_MEMORY_MB = 1024
GOAL_READY_S = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="embedded", metavar="SET", help="a model set's name or file")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the sample meeting")
    options = parser.parse_args()
    torch.set_num_threads(1)

    report = one_stream(options.models, options.seconds)
    figures = {
        "real_time_factor": round(report.cost, 4),
        "cpu_ms_per_s_by_stage": by_stage(report),
        "speech_share": round(report.speech_s / report.audio_s, 2),
        **server(str(Path(options.models).resolve()) if options.models.endswith(".toml") else options.models),
    }
    path = results.write("embedded", figures)
    print(
        f"embedded: real-time factor {figures['real_time_factor']} (goal {GOAL_REAL_TIME_FACTOR}), "
        f"{figures['memory_mb']} MB (goal {GOAL_MEMORY_MB}), ready after {figures['ready_s']} s, "
        f"{figures['ready_cpu_s']} s of them computing (goal {GOAL_READY_S:.0f}) -> {path}"
    )


def one_stream(name: str, seconds: float) -> Report:
    """The whole recognition of one stream."""
    model_set = read_model_set(name)
    models = load_models(model_set, Path("var/models"))
    simulation = Simulation(models, model_set.endpointing, [sample_meeting()], streams=1)
    return simulation.run(warm_up_s=5, measure_s=seconds)


def server(name: str) -> dict[str, float]:
    """Start and memory of a serving process."""
    with tempfile.TemporaryDirectory() as folder:
        serving = Server(Path(folder), ASR_MODELS=name, DEMO="0")
        serving.manage("migrate", "--verbosity", "0")
        started = time.monotonic()
        serving.start()
        ready_s = time.monotonic() - started
        try:
            return {
                "ready_s": round(ready_s, 1),
                "ready_cpu_s": round(_cpu_s(serving.pid), 1),
                "memory_mb": round(_memory_kb(serving.pid) / 1024),
            }
        finally:
            serving.stop()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_kb(pid: int) -> int:
    """The most that the process has had resident."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
