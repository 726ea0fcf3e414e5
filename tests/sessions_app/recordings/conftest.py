"""A folder for recordings, and the key of an installation."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def encrypted(settings: Settings, tmp_path: Path) -> Path:
    """An empty folder, in an installation that encrypts recordings."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEYS = []
    settings.VOICEPRINT_KEY_FILE = tmp_path / "voiceprint_keys"
    settings.ENCRYPT_RECORDINGS = True
    return tmp_path / "media"


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def media(request: pytest.FixtureRequest, settings: Settings, encrypted: Path) -> Path:
    """The same, and one that does not."""
    settings.ENCRYPT_RECORDINGS = request.param
    return encrypted
