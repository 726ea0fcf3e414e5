"""Recordings of before, encrypted by a command."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sessions_app.recordings import files, keys

SOUND = np.arange(-3000, 3000, dtype=np.int16)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEYS, settings.VOICEPRINT_KEY_FILE = [], tmp_path / "voiceprint_keys"
    return tmp_path / "media" / "recordings"


def record(session: int, *, is_over: bool = True) -> None:
    journal = files.Journal(session)
    journal.write(0, SOUND / np.float32(files.FULL_SCALE))
    journal.close()
    if is_over:
        files.encode_flac(session)


def encrypt() -> str:
    output = StringIO()
    call_command("encrypt_recordings", stdout=output)
    return output.getvalue()


def test_those_that_ended_are_encrypted_and_heard_as_before(settings: Settings, folder: Path) -> None:
    record(1)
    record(2)
    record(3, is_over=False)
    settings.ENCRYPT_RECORDINGS = True
    record(4)
    assert encrypt() == "2 recordings were encrypted.\n"
    assert {path.name for path in folder.glob("*.*c*")} == {
        "1.flac-sealed", "2.flac-sealed", "3.pcm", "4.flac-sealed",
    }  # fmt: skip
    for session in (1, 2, 3, 4):
        np.testing.assert_array_equal(files.read(session, 0, 9000), SOUND)
    assert encrypt() == "0 recordings were encrypted.\n"


def test_one_that_is_deleted_meanwhile_stays_deleted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(1)
    settings.ENCRYPT_RECORDINGS = True
    blocks = files.blocks

    def deleting(session: int, start: int, end: int) -> Iterator[np.ndarray]:
        yield from blocks(session, start, end)
        files.delete(session)

    monkeypatch.setattr(files, "blocks", deleting)
    encrypt()
    assert not keys.has_one(1)
    assert (files.length(1), len(files.read(1, 0, 9000))) == (0, 0)


def test_without_the_setting_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="set it to 1 first"):
        encrypt()
