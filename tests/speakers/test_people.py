"""Voices by the real weights of the set `people`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition.model_options import LoadContext
from recognition.model_sets.reading import read_model_set
from speakers import calibration
from speakers.voiceprints.scoring import Cohort

SOURCE = read_model_set("people").sources["speaker"]


def test_their_calibration_comes_with_the_project() -> None:
    weights = SOURCE.files["campplus_cn_en_common.pt"]

    scoring = calibration.shipped(f"campplus-zh-en@{weights.sha256[:12]}", 192)

    guess = Cohort.unknown(192)
    assert not np.allclose(scoring.cohort.mean, guess.mean)
    assert scoring.slope > 0


def test_the_model_goes_by_the_name_of_its_calibration(people_models_dir: Path) -> None:
    directory = SOURCE.directory(people_models_dir)
    assert directory

    embedder = SOURCE.options.load(LoadContext(directory))

    assert embedder.model_id == f"campplus-zh-en@{SOURCE.files['campplus_cn_en_common.pt'].sha256[:12]}"
    assert embedder.dimension == 192


@pytest.mark.parametrize("role", ["offline", "speaker", "segmentation"])
def test_each_file_is_the_one_that_is_named(people_models_dir: Path, role: str) -> None:
    source = read_model_set("people").sources[role]
    directory = source.directory(people_models_dir)
    assert directory
    for name, file in source.files.items():
        if not file.is_optional:
            assert (directory / name).stat().st_size == file.size
