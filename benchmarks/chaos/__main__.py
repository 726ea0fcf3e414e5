"""Run it and write `benchmarks/results/chaos.json`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from .run import run_chaos


def main() -> None:
    parser = argparse.ArgumentParser(description="Break everything, again and again, and count what is lost.")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--keep", help="folder for the logs of all processes")
    arguments = parser.parse_args()
    report = asyncio.run(
        run_chaos(arguments.minutes, seed=arguments.seed, senders=arguments.senders, keep=arguments.keep)
    )
    report.write()
    print(report.summary)
    sys.exit(0 if report.is_clean else 1)


if __name__ == "__main__":
    main()
