from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.whisper import ARMS, STEPS, measure
from recognition.whisper.int8 import network
from tests.recognition.whisper.random_whisper import write_whisper


@pytest.mark.skipif(not network.is_supported(), reason="this CPU lacks the products")
def test_every_step_of_both_has_its_cost(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    utterances = [rng.normal(0, 0.1, length).astype(np.float32) for length in (16000, 24000)]
    figures = measure(write_whisper(tmp_path / "whisper"), utterances)
    for arm in ARMS:
        steps = [figures[f"{step}_ms_{arm}"] for step in STEPS]
        assert min(steps) >= 0
        assert figures[f"encode_ms_{arm}"] > 0
        assert figures[f"all_ms_{arm}"] == pytest.approx(sum(steps), abs=0.1)
    assert figures["speedup"] > 0
