"""`manage.py calibrate_speakers`, with recordings of scripted voices."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command

from recognition.audio import SAMPLE_RATE
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from speakers import calibration
from speakers.enrollment import to_flac
from speakers.management.commands import calibrate_speakers
from speakers.models import Calibration, Speaker
from speakers.voiceprints.identification import IdentificationOptions
from speakers.voiceprints.scoring import Cohort, Scoring

from .people import enroll, make_speaker

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 8
SCRIPT = Script([ScriptedLine("大家好。", voice, 6.0) for voice in range(PEOPLE)])
MODEL = "scripted-1"


@pytest.fixture(autouse=True)
def installation(settings: Any, tmp_path: Path) -> None:
    lines = "".join(f'[[script]]\ntext = "大家好。"\nvoice = {n}\nseconds = 6.0\n' for n in range(PEOPLE))
    (tmp_path / "script.toml").write_text(f'title = "Script"\n{lines}', encoding="utf-8")
    settings.MODEL_SETS = [str(tmp_path / "script.toml")]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


def said(person: int) -> np.ndarray:
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    return np.concatenate([pause, SCRIPT.speak(person), pause]).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    for person in range(PEOPLE):
        (folder / f"person {person}").mkdir(parents=True)
        for number in range(3):
            file = folder / f"person {person}" / f"{number}.wav"
            soundfile.write(file, said(person), SAMPLE_RATE)
    return folder


def calibrate(*args: str) -> str:
    out = io.StringIO()
    call_command("calibrate_speakers", *args, stdout=out, no_color=True)
    return out.getvalue()


def test_a_folder_of_recordings_is_measured_and_nothing_changed(recordings: Path) -> None:
    told = calibrate("--recordings", str(recordings))
    assert "8 people, 24 recordings" in told
    assert "equal error" in told
    assert "Proposed: threshold" in told
    assert "Nothing is changed" in told
    assert not Calibration.objects.exists()


def test_what_is_proposed_is_used_once_it_is_saved(recordings: Path) -> None:
    told = calibrate("--recordings", str(recordings), "--save")
    kept = Calibration.objects.get(model_id=MODEL)
    assert f"threshold {kept.threshold:.4f}" in told
    assert kept.measured["people"] == PEOPLE
    options = calibration.options(MODEL).identification
    assert options.margin == kept.margin
    assert options != IdentificationOptions()
    guessed = Scoring(Cohort.unknown(16))
    assert calibration.scoring(MODEL, 16).slope != guessed.slope


def test_the_kept_recordings_of_enrolled_people_are_measured() -> None:
    for person in range(4):
        speaker = make_speaker(f"Person {person}")
        for _ in range(2):
            enroll(speaker, np.eye(16, dtype=np.float32)[person], audio=to_flac(said(person)))
    told = calibrate()
    assert "4 people, 8 recordings" in told
    assert "six people or more" in told


def test_an_installation_without_voices_is_told_what_is_missing() -> None:
    Speaker.objects.create(name="Nobody yet")
    with pytest.raises(CommandError, match="at least three are needed"):
        calibrate()


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="no-such-folder"):
        calibrate("--recordings", "no-such-folder")


def test_a_file_that_is_no_recording_is_named(recordings: Path) -> None:
    (recordings / "person 1" / "notes.wav").write_text("no sound")
    with pytest.raises(CommandError, match=r"notes\.wav: This is not an audio file"):
        calibrate("--recordings", str(recordings))


def test_a_model_set_without_voices_is_named(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = replace(scripted_models(SCRIPT), embedder=None)
    monkeypatch.setattr(calibrate_speakers, "load_models", lambda *args, **options: models)
    with pytest.raises(CommandError, match=r"The model set scripted has no \[speaker\]"):
        calibrate()


class TestChoiceOfModels:
    @pytest.fixture(autouse=True)
    def two_sets(self, settings: Any, tmp_path: Path) -> None:
        (tmp_path / "sums.toml").write_text('title = "Sums"\nchecksum = true\n')
        settings.MODEL_SETS = [str(tmp_path / "sums.toml"), *settings.MODEL_SETS]

    def test_another_set_than_the_first_can_be_measured(self, recordings: Path) -> None:
        assert f"Listening with {MODEL} ..." in calibrate(
            "--models", "script", "--recordings", str(recordings)
        )

    def test_one_that_is_not_served_is_refused_with_those_that_are(self, recordings: Path) -> None:
        with pytest.raises(CommandError, match=r"--models people: served are sums, script"):
            calibrate("--models", "people", "--recordings", str(recordings))
