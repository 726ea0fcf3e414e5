"""`python -m deploy.licences`: licences of all packages of the locks, as docs/licences.md has them."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
LOCKS = {
    "requirements.lock": "the service",
    "requirements-dev.lock": "its development",
    "requirements-pipecat.lock": "a client in its tests",
}
PIPECAT = Path(sys.prefix) / "pipecat"
"""Where `make .venv/installed-for-development` puts Pipecat, and what it asks for."""

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0"),
    *("MIT-CMU", "PSF-2.0", "TCL", "Unlicense", "ZPL-2.1", "Zlib"),
    # These ask for something of who changes them; we change none.
    *("LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"),
}

REFUSED = {"kaldiio": "LicenseRef-NTT-evaluation"}
"""FunASR asks for it, the service never loads it: the image leaves it out."""

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0 License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "MIT License": "MIT",
}
"""What authors wrote before there were identifiers."""

HEAD = """\
# Licences

Of every package that the locks name, as SPDX expressions. `python -m deploy.licences` writes this page; a
test compares it with what is installed, and fails on a licence that `deploy/licences.py` does not allow.
Those of the weights are in each model set's file, and their texts lie beside the weights.

**One is refused:** `kaldiio`, which FunASR asks for and which comes with an agreement of NTT for evaluation
alone. The service never loads it (a test holds that), and the image is built without it. Whoever installs in
another way and gives the result to others does the same: `pip uninstall kaldiio`.
"""

READ = {
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "defusedxml": "PSF-2.0",
    "httpx2-jsfetch": "BSD-3-Clause",
    "async-timeout": "Apache-2.0",
    "audioop-lts": "PSF-2.0",
    "kubernetes-validate": "Apache-2.0",
    "num2words": "LGPL-2.1-or-later",
    "pyahocorasick": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "standard-aifc": "PSF-2.0",
    "standard-chunk": "PSF-2.0",
    "standard-sunau": "PSF-2.0",
    "torch": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
    "u-msgpack-python": "MIT",
    "win32-setctime": "MIT",
}
"""Read by a person: packages that say it in no way a program understands, or that other machines need."""


def locked(lock: str) -> list[str]:
    """Return the names of the packages in a lock."""
    return sorted(set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), re.M)))


def everything() -> dict[str, str]:
    """Return each package of the locks with its licence in SPDX; empty where nobody has read it."""
    names = ["torch", *(name for lock in LOCKS for name in locked(lock))]
    return {name: licence(name) for name in names}


def licence(name: str) -> str:
    """Return the licence of a package, by what is known of it and what it says."""
    if known := REFUSED.get(name) or READ.get(name):
        return known
    installed = importlib.metadata.distributions(name=name, path=[*sys.path, str(PIPECAT)])
    said = next((package.metadata for package in installed), None)
    if said is None:
        return listed().get(name, "")
    expression, words = (str((said.get_all(key) or [""])[0]) for key in ("License-Expression", "License"))
    return licence_said(expression, words, said.get_all("Classifier") or [])


def licence_said(expression: str, words: str, classifiers: list[str]) -> str:
    """Return the licence that a package's description says. Pure."""
    if expression:
        return expression
    first = words.strip().partition("\n")[0]
    if first in ALLOWED or (set(identifiers(first)) <= ALLOWED and identifiers(first)):
        return first
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License")]
    found = [CLASSIFIERS[name] for name in named if name in CLASSIFIERS]
    if found:
        return found[0]
    return WORDS.get(first, "BSD-3-Clause" if "BSD License" in named else "")


def identifiers(expression: str) -> list[str]:
    """Return the identifiers in an SPDX expression; an exception only gives more."""
    plain = re.sub(r"\bWITH\s+\S+", "", expression)
    return [word for word in re.findall(r"[A-Za-z0-9.+-]+", plain) if word not in ("AND", "OR")]


def listed() -> dict[str, str]:
    """Return what the page has by now."""
    text = PAGE.read_text() if PAGE.exists() else ""
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \|$", text, re.M))


def page(found: Mapping[str, str]) -> str:
    """Return the page. Pure but for the names in the locks."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Mapping[str, str]) -> Iterator[str]:
    yield from HEAD.splitlines()
    for lock, purpose in LOCKS.items():
        names = [*(["torch"] if lock == "requirements.lock" else []), *locked(lock)]
        yield ""
        yield f"## What {purpose} installs"
        yield ""
        yield "| package | licence |"
        yield "|---|---|"
        yield from (f"| `{name}` | {found[name]} |" for name in sorted(names))


if __name__ == "__main__":
    PAGE.write_text(page(everything()))
