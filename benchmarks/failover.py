"""Redis's master, or PostgreSQL's primary, killed again and again in the middle of meetings.

    python -m benchmarks.failover --kills 20 --minutes 20
    python -m benchmarks.failover --kills 20 --minutes 20 --of postgresql

A master of Redis with its replica and three sentinels, or a primary of PostgreSQL with its standby, and two
web and three worker processes; meetings as in `benchmarks.chaos`, each checked to the last sample. Writes
`benchmarks/results/failover.json` or `failover_postgresql.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from typing import Any

from redis.asyncio import Redis

from deploy.local_sentinels import WatchedRedis
from sessions_app import pacing
from sessions_app.transport import connecting

from . import results
from .chaos.checks import percentile
from .chaos.run import Figures, Report, run_failovers

NAMES = {"redis": "failover", "postgresql": "failover_postgresql"}

LOGS = 40

ROUNDS = 300

AUDIO = bytes(4 * 1280)
"""80 ms of a sender: what is read from its socket at once."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--of", choices=["redis", "postgresql"], default="redis")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--senders", type=int, default=8, help="every fourth is a plain one")
    parser.add_argument("--keep", help="folder for the logs of all processes")
    arguments = parser.parse_args()
    figures: Figures = {}
    if arguments.of == "redis":
        figures = {"append_ms": asyncio.run(measure_wait())}
        print(figures, flush=True)
    report = asyncio.run(
        run_failovers(
            arguments.minutes,
            of=arguments.of,
            kills=arguments.kills,
            seed=arguments.seed,
            senders=arguments.senders,
            keep=arguments.keep,
        )
    )
    print(report.summary, flush=True)
    results.write(NAMES[arguments.of], figures_of(report) | figures)
    missing = arguments.kills - len(report.faults)
    if missing:
        print(f"{missing} kills are missing")
    sys.exit(0 if report.is_clean and not missing else 1)


def figures_of(report: Report) -> Figures:
    """Return what chaos says of a run, and how long there was none to write to."""
    away_s = [fault.over_at - fault.began_at for fault in report.faults]
    return report.figures | {
        "kills": len(report.faults),
        "without_master_p50_s": round(percentile(away_s, 0.5), 2),
        "without_master_max_s": round(max(away_s, default=0.0), 2),
    }


async def measure_wait() -> dict[str, Any]:
    """Measure one request with the audio of many senders, without and with `WAIT` for the replica."""
    with WatchedRedis() as watched:
        redis = connecting.connect(watched.url)
        try:
            return {
                "without_wait": await _rounds(redis, waits=False),
                "with_wait": await _rounds(redis, waits=True),
            }
        finally:
            await connecting.close(redis)


async def _rounds(redis: Redis, *, waits: bool) -> dict[str, float]:
    """Append as often as the outbox of a web process does; milliseconds of a round."""
    took_ms = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        async with redis.pipeline(transaction=False) as pipeline:
            for number in range(LOGS):
                pipeline.xadd(f"measured:{number}", {"audio": AUDIO}, maxlen=60, approximate=False)
            if waits:
                pipeline.execute_command("WAIT", 1, 1000)
            await pipeline.execute()
        took_ms.append(1000 * (time.perf_counter() - begun))
        await asyncio.sleep(pacing.APPEND_INTERVAL_S)
    return {f"p{round(100 * share)}": round(percentile(took_ms, share), 2) for share in (0.5, 0.95, 0.99)}


if __name__ == "__main__":
    main()
