"""Keys of recordings: one for each session, readable with the installation's alone, destroyed for good."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from pytest_django import Settings

from sessions_app.recordings import files, keys
from speakers import encryption, whole_files
from speakers.exceptions import Undecipherable

pytestmark = pytest.mark.usefixtures("encrypted")


def test_each_session_has_its_own_and_keeps_it() -> None:
    first, second = keys.make(1), keys.make(2)
    assert first != second
    assert (keys.make(1), keys.of(1), keys.of(2)) == (first, first, second)
    assert len(first) == 32


def test_who_was_given_none_has_none() -> None:
    assert keys.of(1) is None
    assert not keys.has_one(1)


def test_it_is_in_no_file_as_it_is(tmp_path: Path) -> None:
    key = keys.make(1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and key in path.read_bytes()]
    assert stat.S_IMODE(keys.path(1).stat().st_mode) == 0o600


def test_of_several_who_make_one_all_get_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(keys.make, [7] * 8))) == 1


def test_without_the_installations_key_it_cannot_be_read(settings: Settings) -> None:
    keys.make(1)
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Undecipherable, match="a recording cannot be read"):
        keys.of(1)
    with pytest.raises(Undecipherable):
        keys.make(1)


class TestDestroyed:
    def test_is_gone_from_its_place_on_the_disk_too(self, tmp_path: Path) -> None:
        keys.make(1)
        token = keys.path(1).read_bytes()
        trace = tmp_path / "trace"
        trace.hardlink_to(keys.path(1))
        keys.destroy(1)
        assert not keys.has_one(1)
        assert trace.read_bytes() == bytes(len(token))

    def test_twice_is_no_harm(self) -> None:
        keys.make(1)
        keys.destroy(1)
        keys.destroy(1)

    def test_with_the_recording(self) -> None:
        record(1)
        files.delete(1)
        assert (keys.of(1), files.length(1)) == (None, 0)

    def test_before_the_recording_and_a_crash_leaves_nothing_to_hear(self) -> None:
        record(1)
        keys.destroy(1)
        assert files.length(1) == 0
        assert not len(files.read(1, 0, 100))
        files.delete(1)
        assert not list(keys.path(1).parent.iterdir())


@pytest.mark.django_db
class TestRotated:
    def test_meetings_of_every_kind_are_heard_as_before(self) -> None:
        record(1)
        live = files.Journal(2)
        live.write(0, np.zeros(100, np.float32))
        live.sync()
        before = encryption.keys()
        call_command("rotate_keys", "--drop-old")
        live.write(100, np.zeros(100, np.float32))
        live.close()
        assert set(encryption.keys()).isdisjoint(before)
        assert (files.length(1), len(files.read(1, 0, 2000))) == (1000, 1000)
        assert len(files.read(2, 0, 2000)) == 200

    def test_files_that_go_meanwhile_are_no_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record(1)
        record(2)
        monkeypatch.setattr(whole_files, "write", _deleting_first(whole_files.write))
        call_command("rotate_keys")
        assert not keys.has_one(1)
        assert encryption.is_current(keys.path(2).read_bytes())


def record(session: int) -> None:
    journal = files.Journal(session)
    journal.write(0, np.zeros(1000, np.float32))
    journal.close()
    files.encode_flac(session)


def _deleting_first(write: object) -> object:
    def writes(file: Path, content: bytes, **options: bool) -> None:
        if file == keys.path(1):
            files.delete(1)
        write(file, content, **options)  # type: ignore[operator]

    return writes
