"""`python -m benchmarks [NAME ...]`: runs the benchmarks one after the other, each in a process of its own.

Each prints a verdict and writes its figures to `benchmarks/results/NAME.json`. What takes longest has
a command of its own: `make chaos` breaks a running installation for twenty minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

COMMANDS = {
    "models": ("manage.py", "models", "check"),
    "sample_meeting": ("-m", "benchmarks.sample_meeting"),
    "embedded": ("-m", "benchmarks.embedded"),
    "streams": ("-m", "benchmarks.streams"),
    "endurance": ("-m", "benchmarks.endurance"),
    "speakers": ("-m", "benchmarks.speakers"),
    "transport": ("-m", "benchmarks.transport"),
    "pages": ("-m", "benchmarks.pages"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMMANDS)}; all by default")
    names = parser.parse_args().names or list(COMMANDS)
    if unknown := [name for name in names if name not in COMMANDS]:
        parser.error(f"there is no benchmark called {', '.join(unknown)}; there are {', '.join(COMMANDS)}")
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, *COMMANDS[name]], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"Not measured to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
