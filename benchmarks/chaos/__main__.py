"""Run it and write `benchmarks/results/chaos.json`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence

from benchmarks import results

from .run import Figures, run_chaos

ADDED = (
    "minutes",
    "faults",
    "meetings",
    "unfinished_meetings",
    "audio_s",
    "lines",
    "reconnections",
    "lost_samples",
    "lost_lines",
    "doubled_lines",
    "wrong_lines",
    "plain_sender_breaks",
    "meetings_in_two_sessions",
    "plain_senders_told",
    "slow_returns",
    "never_back",
    "tracebacks",
)
WORST = (
    "recovery_p50_s",
    "recovery_p95_s",
    "recovery_max_s",
    "plain_sender_lost_max_s",
    "plain_sender_hushed_max_s",
)


def combined(runs: Sequence[Figures]) -> Figures:
    """Of several runs: what they add up to, the worst of each time, and each by itself."""
    added = {name: sum(run[name] for run in runs) for name in ADDED}
    worst = {name: max(run[name] for run in runs) for name in WORST}
    kinds: Counter[str] = Counter()
    for run in runs:
        kinds.update(run["faults_by_kind"])
    return added | worst | {"faults_by_kind": dict(sorted(kinds.items())), "runs": list(runs)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Break everything, again and again, and count what is lost.")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--one-process", action="store_true", help="no cluster: one process, SQLite")
    parser.add_argument("--keep", help="folder for the logs of all processes")
    arguments = parser.parse_args()
    runs: list[Figures] = []
    is_clean = True
    for seed in range(arguments.seed, arguments.seed + arguments.runs):
        report = asyncio.run(
            run_chaos(
                arguments.minutes,
                seed=seed,
                senders=arguments.senders,
                keep=arguments.keep,
                is_one_process=arguments.one_process,
            )
        )
        print(report.summary, flush=True)
        runs.append(report.figures)
        is_clean = is_clean and report.is_clean
        results.write("chaos_one_process" if arguments.one_process else "chaos", combined(runs))
    sys.exit(0 if is_clean else 1)


if __name__ == "__main__":
    main()
