"""The comparison of one model's voices: what comes with the project, what is kept here, in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet

from speakers import calibration
from speakers.exceptions import Undecipherable
from speakers.gallery_changes import CALIBRATION
from speakers.models import Calibration, GalleryChange
from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.identification import IdentificationOptions
from speakers.voiceprints.scoring import Cohort, Scoring
from speakers.voiceprints.tracking import TrackingOptions
from speakers.voiceprints.trials import Measured

from .voices import People, spoken

pytestmark = pytest.mark.django_db

MODEL = "somebody/model:1"
SCORING = Scoring(Cohort(np.arange(4.0), np.eye(4)), 2.0, -3.0, 0.5)
OPTIONS = IdentificationOptions(threshold=2.0, margin=1.5, shortest_speech_s=1.0)


@pytest.fixture(autouse=True)
def shipped(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    monkeypatch.setattr(calibration, "SHIPPED", tmp_path / "calibrations")
    return tmp_path / "calibrations"


def weights(scoring: Scoring) -> tuple[float, float, float]:
    return scoring.slope, scoring.bias, scoring.offset


def keep() -> None:
    calibration.keep(MODEL, SCORING, OPTIONS, Measured(people=3, recordings=6, pieces=9, eer={}, accuracy={}))


def test_packing_loses_nothing_that_counts() -> None:
    kept = calibration.unpack(calibration.pack(SCORING))

    assert weights(kept) == weights(SCORING)
    np.testing.assert_allclose(kept.cohort.mean, SCORING.cohort.mean)
    np.testing.assert_allclose(kept.cohort.covariance, SCORING.cohort.covariance)


def test_of_an_unknown_model_there_is_a_cautious_guess() -> None:
    guess = calibration.scoring(MODEL, 4)

    assert weights(guess) == weights(Scoring(Cohort.unknown(4)))
    assert guess.cohort.mean.shape == (4,)
    assert calibration.options(MODEL) == TrackingOptions()


def test_what_comes_with_the_project_is_better_than_a_guess(shipped: Path) -> None:
    file = calibration.ship(MODEL, SCORING)

    assert file.parent == shipped
    assert weights(calibration.scoring(MODEL, 4)) == weights(SCORING)


@pytest.mark.parametrize("model_id", ["../../etc/passwd", "a/b", "a b", "模型"])
def test_no_models_name_leads_out_of_the_folder(model_id: str, shipped: Path) -> None:
    assert calibration.ship(model_id, SCORING).parent == shipped


def test_what_was_measured_here_comes_first() -> None:
    calibration.ship(MODEL, replace(SCORING, slope=9.0))
    keep()

    assert weights(calibration.scoring(MODEL, 4)) == weights(SCORING)
    options = calibration.options(MODEL).identification
    assert options.threshold == pytest.approx(OPTIONS.threshold)
    assert (options.margin, options.shortest_speech_s) == (1.5, 1.0)


def test_limits_set_by_hand_leave_the_comparison_as_it_came() -> None:
    calibration.ship(MODEL, SCORING)
    calibration.change(Calibration(model_id=MODEL, threshold=0.9, margin=1.0, shortest_speech_s=2.0))

    assert weights(calibration.scoring(MODEL, 4)) == weights(SCORING)
    assert calibration.options(MODEL).identification.shortest_speech_s == 2.0


def test_another_models_calibration_is_not_used() -> None:
    keep()

    assert weights(calibration.scoring("another", 4)) != weights(SCORING)
    assert calibration.options("another") == TrackingOptions()


def test_without_its_key_it_says_what_to_do(settings: Any) -> None:
    keep()
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(Undecipherable, match="Put that key back"):
        calibration.scoring(MODEL, 4)


def test_few_people_do_not_show_what_voices_have_in_common() -> None:
    few = spoken(People(), speakers=calibration.COHORT - 1, lines=2)

    assert np.allclose(calibration.cohort(MODEL, few).mean, 0.0)


def test_many_people_do() -> None:
    many = spoken(People(), speakers=calibration.COHORT, lines=2)

    assert not np.allclose(calibration.cohort(MODEL, many).mean, 0.0)


def test_what_is_shipped_is_not_learnt_anew() -> None:
    calibration.ship(MODEL, SCORING)
    none = Lines(np.empty((0, 4), np.float32), np.empty(0), np.empty(0), np.empty(0))

    np.testing.assert_allclose(calibration.cohort(MODEL, none).mean, SCORING.cohort.mean)


def test_every_worker_learns_of_a_change() -> None:
    calibration.change(Calibration(model_id=MODEL, threshold=0.9, margin=1.0, shortest_speech_s=2.0))

    keep()

    assert set(GalleryChange.objects.values_list("speaker", flat=True)) == {CALIBRATION}
    assert GalleryChange.objects.count() == 2
    assert Calibration.objects.get().measured["people"] == 3
