"""The cost of encrypted recordings: measured on the way that recordings go."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from benchmarks import at_rest
from sessions_app.recordings import files


@pytest.fixture(autouse=True)
def installation(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.ENCRYPT_RECORDINGS = tmp_path, False
    settings.VOICEPRINT_KEYS, settings.VOICEPRINT_KEY_FILE = [], tmp_path / "voiceprint_keys"


def test_each_step_is_done_both_ways_on_the_same_meeting(tmp_path: Path) -> None:
    found = at_rest.measured(tmp_path, minutes=0.3, rounds=1)
    assert list(found) == ["record", "jump, live", "encode", "jump, ended", "hear all"]
    assert all(set(step) == {"plain_ms", "encrypted_ms", "times"} for step in found.values())
    made = [sorted(path.name for path in (tmp_path / kind / "recordings").iterdir()) for kind in KINDS]
    assert made == [["1.flac"], ["1.flac-sealed", "1.key"]]


KINDS = ("False", "True")


def test_what_is_recorded_is_what_was_said(settings: Settings, tmp_path: Path) -> None:
    sound = at_rest.noise(50_000)
    at_rest.one_round(tmp_path, sound, is_sealed=True)
    settings.MEDIA_ROOT = tmp_path
    assert files.read(1, 0, 60_000).tolist() == files.to_int16(sound).tolist()
