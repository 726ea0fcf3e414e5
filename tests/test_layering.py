"""Who may import whom. Each layer is imported in a fresh interpreter; what shows up there is the truth."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["torch", "funasr", "silero_vad", "transformers"]
WEB = ["django", "channels", "daphne", "twisted"]
APPS = ["asrsite", "sessions_app", "speakers"]

FORBIDDEN = {
    # decisions: plain function calls
    "recognition.core.session": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.core.endpointing": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.core.turns": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.engine.scheduler": [*HEAVY, *WEB, *APPS, "asyncio", "numpy"],
    "recognition.core.text": [*HEAVY, *WEB, *APPS, "asyncio", "numpy"],
    # recognition knows no web framework, and its core no network library
    "recognition.engine.engine": [*HEAVY, *WEB, *APPS],
    "recognition.engine.transcriber": [*HEAVY, *WEB, *APPS],
    "recognition.fakes.scripted": [*HEAVY, *WEB, *APPS],
    # who is speaking: decisions without a database
    "speakers.voiceprints.identification": [*HEAVY, *WEB, "sessions_app", "asyncio"],
    "speakers.voiceprints.clustering": [*HEAVY, *WEB, "sessions_app", "asyncio"],
    "speakers.voiceprints.tracking": [*HEAVY, *WEB, "sessions_app", "asyncio"],
}


@pytest.mark.parametrize(("module", "forbidden"), FORBIDDEN.items())
def test_a_layer_imports_only_what_lies_below_it(module: str, forbidden: list[str]):
    code = f"import sys, {module}; print(*[m for m in {forbidden} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
