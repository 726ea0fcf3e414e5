"""Environments of their own for the packages of others: `var/peers/NAME`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PEERS = Path("var/peers").resolve()


def python(name: str, requirements: Sequence[str]) -> Path:
    """Return the interpreter of an environment that has these packages, each with its version.

    It is made, or made to have them, unless that was done before.

    Raises:
        subprocess.CalledProcessError: If a package cannot be installed; pip has said why.
    """
    folder = PEERS / name
    interpreter, done, wanted = folder / "bin" / "python", folder / "installed", "\n".join(requirements)
    if not done.is_file() or done.read_text() != wanted:
        if not interpreter.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(interpreter), "-m", "pip", "install", "--quiet", *requirements], check=True)
        done.write_text(wanted)
    return interpreter
