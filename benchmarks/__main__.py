"""`python -m benchmarks [NAME ...]`: runs the benchmarks one after the other, each in a process of its own.

Each prints a verdict and writes its figures to `benchmarks/results/NAME.json`. What takes longest has
a command of its own: `make chaos` breaks a running installation for twenty minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from .arguments import add_names

COMMANDS = {
    "models": ("-m", "training.checking"),
    "sample_meeting": ("-m", "benchmarks.sample_meeting"),
    "embedded": ("-m", "benchmarks.embedded"),
    "latency": ("-m", "benchmarks.latency"),
    "streams": ("-m", "benchmarks.streams"),
    "endurance": ("-m", "benchmarks.endurance"),
    "people": ("-m", "benchmarks.people"),
    "speakers": ("-m", "benchmarks.speakers"),
    "transport": ("-m", "benchmarks.transport"),
    "dialects": ("-m", "benchmarks.dialects"),
    "pages": ("-m", "benchmarks.pages"),
    "uploads": ("-m", "benchmarks.uploads"),
    "minutes": ("-m", "benchmarks.minutes"),
    "attacks": ("-m", "benchmarks.attacks"),
    "backup": ("-m", "benchmarks.backup"),
    "itn": ("-m", "benchmarks.itn"),
    "hotwords": ("-m", "benchmarks.hotwords"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_names(parser, "names", COMMANDS)
    names = parser.parse_args().names
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, *COMMANDS[name]], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"Not measured to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
