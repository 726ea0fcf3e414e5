"""Brings docs/comparison.md up to date, from `benchmarks/results/peers.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.performance_page import with_table

from .libraries import page as libraries

PAGE = Path("docs/comparison.md")
PICTURE = Path("docs/comparison.svg")

_DISTURBANCE = "Meanwhile %s processes wanted to compute."

_HEADS = (
    *("", "streams", "characters wrong", "finals after the words, p50 / p95, s"),
    "taken back: of what seemed sure / of all that was shown",
    *("CPU ms a second", "over so late, s", "memory, MiB"),
)


def update() -> None:
    """Write the tables of all comparisons that were made into the page."""
    page, found = PAGE.read_text(encoding="utf-8"), results.read("peers").get("comparisons", {})
    origin = results.origin("peers")
    for name, runs in found.items():
        if name == "libraries":
            loads = f"{runs['load'][0]} to {runs['load'][1]}"
            text = f"{origin} {_DISTURBANCE % loads}\n\n{libraries.table(runs)}"
            PICTURE.write_text(libraries.picture(runs), encoding="utf-8")
        else:
            text = f"{origin} {disturbance(runs)}\n\n{table(runs)}"
        page = with_table(page, name, text)
    PAGE.write_text(page, encoding="utf-8")


def disturbance(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence: what else the machine had to do meanwhile."""
    loads = [run["load"] for run in runs]
    return _DISTURBANCE % f"{min(loads)} to {max(loads)}"


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each server and number of streams."""
    rows = [_HEADS, ["---"] * len(_HEADS), *map(_row, runs)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _row(run: Mapping[str, Any]) -> Sequence[object]:
    delays = " / ".join(_number(run[f"final_delay_{name}_s"]) for name in ("p50", "p95"))
    missing = f"; {run['clips_never_final']} never" if run["clips_never_final"] else ""
    back = " / ".join(f"{run[name]:.0%}" for name in ("sure_taken_back", "shown_taken_back"))
    figures = (run["cpu_ms_per_s"], run["over_after_s"], run["rss_mib"])
    return (run["title"], run["streams"], f"{run['cer']:.1%}", delays + missing, back, *figures)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
