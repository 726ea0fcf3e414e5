"""Measures libraries in turns, each in a process of its own, and puts their figures side by side."""

from __future__ import annotations

import difflib
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.full_size_models import WRITERS
from benchmarks.peers import environments
from benchmarks.streams import recording

from .names import OFFLINE, STREAMING

FULL_SIZE = Path("var/full-size")
ONNX = environments.PEERS / "onnx"
SPEECH = environments.PEERS / "speech.npy"

OURS = "asrsite"
AT = ("first pass, 8 streams", "second pass, 5 s, 4 at once")
"""What the cost of both passes is taken from."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """A library that is measured."""

    name: str
    title: str
    module: str
    models: Path
    requirements: Sequence[str] = ()

    def interpreter(self) -> str:
        if not self.requirements:
            return sys.executable
        return str(environments.python(self.name, self.requirements))

    def rows(self, *options: str) -> list[dict[str, Any]]:
        """Run it once and return what it printed."""
        command = [
            *(self.interpreter(), "-m", f"benchmarks.peers.libraries.{self.module}"),
            *(str(self.models), str(SPEECH), *options),
        ]
        threads = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(
            command, env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


SHERPA_ONNX = Measured(
    "sherpa-onnx",
    "sherpa-onnx 2.0.1",
    "sherpa_onnx",
    ONNX,
    ("sherpa-onnx==2.0.1", "numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.32.0"),
)
FUNASR_ONNX = Measured(
    "funasr-onnx",
    "funasr-onnx 0.4.1",
    "funasr_onnx",
    ONNX,
    # The last two it loads, and does not ask for.
    ("funasr-onnx==0.4.1", "onnxruntime==1.32.0", "jieba==0.42.1", "torch==2.13.0"),
)
LIBRARIES = (Measured(OURS, "asrsite", "ours", FULL_SIZE), SHERPA_ONNX, FUNASR_ONNX)


def compare(assets: Path | None, *, rounds: int) -> dict[str, Any]:
    """Measure all of them so many times, in turns."""
    _prepare(assets)
    rows: dict[str, list[Row]] = {library.name: [] for library in LIBRARIES}
    loads = []
    for number in range(rounds):
        for library in LIBRARIES[number % 2 * -1 :] + LIBRARIES[: number % 2 * -1]:
            loads.append(round(os.getloadavg()[0], 1))
            found = library.rows()
            rows[library.name] += found
            print(library.name, *found, sep="\n  ", flush=True)
    texts = {
        precision: {library.name: _texts(library, precision) for library in LIBRARIES}
        for precision in ("float32", "int8")
    }
    return {
        "rounds": rounds,
        "load": [min(loads), max(loads)],
        "libraries": {name: figures_of(found) for name, found in rows.items()},
        "same_tokens": same_tokens(texts),
    }


def _prepare(assets: Path | None) -> None:
    """Make the models in both forms and the speech, unless they are there."""
    for name in (STREAMING, OFFLINE):
        if not (FULL_SIZE / name / "model.pt").is_file():
            WRITERS[name](FULL_SIZE / name)
    interpreter = SHERPA_ONNX.interpreter()
    if not (ONNX / OFFLINE / "model_quant.onnx").is_file():
        packages = next(Path(interpreter).parents[1].glob("lib/*/site-packages"))
        export = ("-m", "benchmarks.peers.libraries.exporting", str(FULL_SIZE), str(ONNX), str(packages))
        subprocess.run([sys.executable, *export], check=True)
        quantize = ("-m", "benchmarks.peers.libraries.quantizing", str(ONNX))
        subprocess.run([interpreter, *quantize], check=True)
    np.save(SPEECH, recording(assets))


def _texts(library: Measured, precision: str) -> list[list[str]]:
    [row] = library.rows("--texts", "--precision", precision)
    return list(row["tokens"])


def figures_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the medians of all that was measured of one library, by what it is."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in _named(row):
            values[name].append(value)
    medians = {name: round(statistics.median(found), 1) for name, found in values.items()}
    return medians | {"both passes": round(sum(medians[name] for name in AT), 1)}


def _named(row: Row) -> Iterator[tuple[str, float]]:
    match row["part"]:
        case "loaded":
            yield "CPU seconds until loaded", row["cpu_s"]
            yield "memory, MiB", row["resident_mib"]
            yield "of it no mapped files, MiB", row["anonymous_mib"]
        case "first pass":
            count = row["streams"]
            yield f"first pass, {count} stream{'s' if count > 1 else ''}", row["cpu_ms_per_s"]
        case "second pass":
            together = f"{row['batch']} at once" if row["batch"] > 1 else "alone"
            yield f"second pass, {row['seconds']} s, {together}", row["cpu_ms_per_s"]


def same_tokens(texts: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]) -> dict[str, dict[str, float]]:
    """Return which share of our tokens in float32 each has as well, by precision and library."""
    ours = texts["float32"][OURS]
    return {
        precision: {name: round(_same(ours, found), 3) for name, found in by_library.items()}
        for precision, by_library in texts.items()
    }


def _same(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]) -> float:
    same = sum(
        block.size
        for a, b in zip(ours, theirs, strict=True)
        for block in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    )
    return same / sum(map(len, ours))


def ratios(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many times as many streams a core holds with our library, by what both passes cost."""
    libraries = figures["libraries"]
    ours = libraries[OURS]["both passes"]
    others = {name: found["both passes"] / ours for name, found in libraries.items() if name != OURS}
    return {
        **{f"streams_per_core_over_{name.replace('-', '_')}": round(of, 2) for name, of in others.items()},
        "streams_per_core_over_funasr_cpp": None,  # it cannot be built: see docs/comparison.md
        "memory_over_sherpa_onnx": round(_memory(libraries, OURS) / _memory(libraries, "sherpa-onnx"), 2),
    }


def _memory(libraries: Mapping[str, Any], name: str) -> float:
    return float(libraries[name]["memory, MiB"])
