"""The whole recipe, from text to models that are measured, in minutes: `python -m training all --quick`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set
from tests.support import warm_python
from training.plan import QUICK_BOUNDS


class TestQuick:
    @pytest.mark.slow(120)
    def test_the_quick_recipe_learns_and_its_models_are_a_set_that_recognises(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "training", "all", "--quick", "--work", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # It ends with an error when a loss is above its bound.
        assert done.returncode == 0, done.stderr

        models = tmp_path / "quick" / "models"
        model_set = read_model_set(str(models / "embedded.toml"))
        assert model_set.missing(models) == []
        embedder = load_models(model_set, models).embedder
        assert embedder
        assert embedder.dimension == 32
        for figure in ("cer_unseen_voices", "cer_partials", "punctuation_f1", "eer_synthetic_3s"):
            assert re.search(rf"{figure} +\d+\.\d %", done.stdout)

    def test_two_trainings_cannot_start_from_one_network(self) -> None:
        command = ["-m", "training", "all", "--quick", "--start-from", "exported"]
        done = warm_python.run(command, environment=os.environ, does="networks")
        assert done.returncode != 0
        assert "--start-from is for the recogniser or the speaker, not for all." in done.stderr

    def test_every_training_has_a_bound(self) -> None:
        assert set(QUICK_BOUNDS) == {"recogniser", "punctuation", "speaker"}
