"""Sessions that come and go leave nothing behind, those that are abandoned neither; what counts as growth."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.endurance import growth, many_sessions
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set

EMBEDDED = read_model_set("embedded")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return load_models(EMBEDDED, Path(tmp_path_factory.mktemp("models")))


@pytest.mark.slow
def test_nothing_is_left_of_sessions_that_ended_or_were_abandoned(models: Models) -> None:
    figures = asyncio.run(many_sessions(models, EMBEDDED, count=12))

    left = {name: figures[name] for name in ("sessions_alive", "states_kept", "jobs_kept")}
    assert left == {"sessions_alive": 0, "states_kept": 0, "jobs_kept": 0}


@pytest.mark.parametrize(
    ("memory_mib", "grown"),
    [
        ([100, 720, 729, 720, 720, 729, 721, 720, 729, 729, 720, 729], 0),
        ([100, 720, 721, 722, 723, 724, 725, 726, 727, 728, 729, 730], 6),
        ([100, 90], 0),
    ],
)
def test_memory_that_comes_and_goes_is_no_growth(memory_mib: list[float], grown: float) -> None:
    assert growth(memory_mib) == grown
