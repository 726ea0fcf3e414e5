"""A transport of its own for each command that is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions_app import installation
from sessions_app.transport.current import get_transport


@pytest.fixture(autouse=True)
def transport() -> Iterator[None]:
    """A transport that no other test has used."""
    get_transport.cache_clear()
    yield
    get_transport.cache_clear()


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the checks of keys and database to tests of their own; a folder is held by one command."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(installation, "check", lambda: None)
