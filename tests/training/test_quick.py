"""The whole recipe, from text to models that are measured, in minutes: `python -m training all --quick`."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from recognition.model_sets.reading import load_models, read_model_set
from training.plan import QUICK_BOUNDS


class QuickTests(unittest.TestCase):
    def test_the_quick_recipe_learns_and_its_models_are_a_set_that_recognises(self):
        with tempfile.TemporaryDirectory() as work:
            command = [sys.executable, "-m", "training", "all", "--quick", "--work", work]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            # It ends with an error when a loss is above its bound.
            self.assertEqual(done.returncode, 0, done.stderr)

            models = Path(work) / "quick" / "models"
            model_set = read_model_set(str(models / "embedded.toml"))
            self.assertEqual(model_set.missing(models), [])
            self.assertEqual(load_models(model_set, models).embedder.dimension, 32)
        for figure in ("cer_unseen_voices", "cer_partials", "punctuation_f1", "eer_synthetic_3s"):
            self.assertRegex(done.stdout, rf"{figure} +\d+\.\d %")

    def test_two_trainings_cannot_start_from_one_network(self):
        command = [sys.executable, "-m", "training", "all", "--quick", "--start-from", "exported"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--start-from is for the recogniser or the speaker, not for all.", done.stderr)

    def test_every_training_has_a_bound(self):
        self.assertEqual(set(QUICK_BOUNDS), {"recogniser", "punctuation", "speaker"})
