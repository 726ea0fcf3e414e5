"""Run it and write `benchmarks/results/pages.json`.

    python -m benchmarks.pages [--lines 281000 --sessions 562] [--only sqlite postgres browser]

With another number of lines the figures stand beside the others, under that number. To fill a database with
millions of lines takes a quarter of an hour; `--archive` keeps it and takes it again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import results
from deploy.local_servers import PostgresServer
from tests.support.server import Server

from .first_visit import first_visit

USUAL_LINES = 281_000
GOALS = {
    "open_1500_ms": 1000,
    "save_edit_ms": 100,
    "search_sqlite_ms": 300,
    "search_postgres_ms": 50,
    "first_load_kb": 150,
    "first_load_wire_kb": 60,
    "first_line_s": 0.9,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the pages.")
    parser.add_argument("--lines", type=int, default=USUAL_LINES)
    parser.add_argument("--sessions", type=int, default=562)
    everything = ["sqlite", "postgres", "browser"]
    parser.add_argument("--only", nargs="+", choices=everything, default=everything)
    parser.add_argument("--archive", metavar="URL", help="measure this database alone; filled if it is empty")
    arguments = parser.parse_args()
    figures = results.read("pages")
    wanted = [arguments.archive.split(":")[0]] if arguments.archive else arguments.only
    for database in ("sqlite", "postgres"):
        if database in wanted:
            found = _probe(database, arguments.sessions, arguments.lines, arguments.archive)
            _add(figures, database, found, arguments.lines)
            results.write("pages", figures)
    if "browser" in wanted:
        with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
            figures |= first_visit(server)
            results.write("pages", figures)
    print("pages: " + ", ".join(f"{name} {figures.get(name)} (goal {goal})" for name, goal in GOALS.items()))


def _probe(database: str, sessions: int, lines: int, archive: str | None) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if not archive and database == "postgres":
            archive = stack.enter_context(PostgresServer()).url
        url = archive or f"sqlite:///{folder}/archive.sqlite3"
        environment = {**os.environ, "ASR_DATA_DIR": folder, "DATABASE_URL": url}
        command = [sys.executable, "-m", "benchmarks.pages.probe"]
        command += ["--sessions", str(sessions), "--lines", str(lines)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _add(figures: dict[str, Any], database: str, found: dict[str, Any], lines: int) -> None:
    """Under the names of the goals is the processor's time, of the slowest search there was."""
    if lines != USUAL_LINES:
        figures[f"{database}_{lines}_lines"] = found
        return
    figures[f"search_{database}_ms"] = max(processor for processor, _ in found["search"].values())
    if database == "sqlite":
        opened, saved = found["transcript"].values()
        figures |= {"open_1500_ms": opened[0], "save_edit_ms": saved[0]}
    figures[database] = found


if __name__ == "__main__":
    main()
