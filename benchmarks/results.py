"""Where figures go: `benchmarks/results/NAME.json`, with what they were measured on."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


def write(name: str, figures: Mapping[str, Any]) -> Path:
    """Write the figures of one benchmark and return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"name": name, "commit": _commit(), "processor": _processor(), "figures": figures}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(name: str) -> dict[str, Any]:
    """The figures that `write` has written last; empty if it never did."""
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))["figures"]) if path.is_file() else {}


def origin(name: str) -> str:
    """A sentence: at which commit and on what the figures were measured."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return f"Measured at commit {content['commit']} on one core of: {content['processor']}."


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())  # of the first core
    # The name need not tell which: virtual machines may hide it.
    which = [fields.get("model name", "")]
    which += [f"{key.split()[-1]} {fields[key]}" for key in ("cpu family", "model") if key in fields]
    flags = fields.get("flags", "").split()
    units = [flag for flag in ("amx_int8", "avx512_vnni", "avx512_bf16", "avx2") if flag in flags]
    return f"{', '.join(which)} ({', '.join(units)})"
