"""Lines of live meetings while files are recognised as well, on one core.

    python -m benchmarks.uploads [--models SET] [--live N] [--uploads N ...]

Streams play the sample meeting at real time beside uploads that send as fast as they are let (`simulation`).
What is compared is measured in the same run: no uploads at all, and first come, first served.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recognition.engine.runner import ModelRequest
from recognition.engine.scheduler import QueuedJob, Scheduler, limits_for
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set

from . import results
from .simulation import Report, Simulation
from .streams import sample_meeting

WARM_UP_S = 5.0
GOAL_LATER_S = 1.0


class FirstCome(Scheduler[ModelRequest]):
    """The policy without a difference between sessions."""

    def add(self, job: QueuedJob[ModelRequest]) -> None:
        super().add(replace(job, yields=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="embedded", metavar="SET", help="a model set's name or file")
    parser.add_argument("--live", type=int, default=5, metavar="N")
    parser.add_argument("--uploads", type=int, nargs="*", default=[1, 3, 8], metavar="N")
    parser.add_argument("--seconds", type=float, default=40.0, help="of the simulated clock, per load")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model_set = read_model_set(options.models)
    models = load_models(model_set, Path("var/models"))

    def measure(uploads: int, policy: type[Scheduler[ModelRequest]] = Scheduler) -> dict[str, Any]:
        report = run(models, model_set, policy, live=options.live, uploads=uploads, seconds=options.seconds)
        found = measured(report)
        print(uploads, policy.__name__, found, flush=True)
        return found

    alone = measure(0)
    loads = {str(count): measure(count) for count in options.uploads}
    most = max(options.uploads)
    first_come = measure(most, FirstCome)
    later_s = round(loads[str(most)]["final_p95_s"] - alone["final_p95_s"], 3)
    figures = {
        "live": options.live,
        "alone": alone,
        "beside_uploads": loads,
        "first_come_first_served": first_come,
        "final_p95_later_s": later_s,
        "finals_ratio_to_first_come": round(loads[str(most)]["finals"] / max(1, first_come["finals"]), 1),
    }
    path = results.write("uploads", figures)
    goal = "reached" if later_s <= GOAL_LATER_S else "missed"
    print(
        f"uploads: beside {most} of them lines are {later_s} s later, p95 (goal {GOAL_LATER_S:g} s {goal}; "
        f"first come, first served: {first_come['finals']} lines in place of "
        f"{loads[str(most)]['finals']}, p95 {first_come['final_p95_s']} s) -> {path}"
    )


def run(
    models: Models,
    model_set: ModelSet,
    policy: type[Scheduler[ModelRequest]],
    *,
    live: int,
    uploads: int,
    seconds: float,
) -> Report:
    simulation = Simulation(
        models,
        model_set.endpointing,
        [sample_meeting()],
        streams=live,
        uploads=uploads,
        scheduler=policy(limits_for(models)),
    )
    with closing(simulation):
        return simulation.run(warm_up_s=WARM_UP_S, measure_s=seconds)


def measured(report: Report) -> dict[str, Any]:
    return {
        "finals": len(report.final_s),
        "final_p50_s": _percentile(report.final_s, 50),
        "final_p95_s": _percentile(report.final_s, 95),
        "partial_p95_s": _percentile(report.partial_s, 95),
        "upload_speed": [round(audio_s / report.clock_s, 1) for audio_s in report.uploaded_s],
    }


def _percentile(values: list[float], share: float) -> float | None:
    """Return it; None where no line came at all."""
    return round(float(np.percentile(values, share)), 3) if values else None


if __name__ == "__main__":
    main()
