"""Installations that cannot work: a start is refused, and says what to do."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from sessions_app import installation
from sessions_app.installation import BadInstallation, FolderInUse
from tests.support.server import new_database


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    settings.VOICEPRINT_KEYS = []
    settings.VOICEPRINT_KEY_FILE = tmp_path / "voiceprint_keys"
    settings.REDIS_URL = ""
    return tmp_path


@pytest.fixture
def database(folder: Path, django_db_blocker: Any) -> Iterator[Path]:
    """The file of the database, for as long as it is another than that of the tests."""
    file = folder / "asrsite.sqlite3"
    file.write_bytes(new_database())
    before = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = str(file)
        yield file
        connection.close()
        connection.settings_dict["NAME"] = before


class TestDatabase:
    def test_one_that_is_up_to_date_may_start(self, database: Path) -> None:
        installation.check()

    def test_one_that_lacks_changes_is_named_with_them(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as changed:
            changed.execute("DELETE FROM django_migrations WHERE app = 'speakers' AND name LIKE '0003%'")
            changed.commit()
        with pytest.raises(BadInstallation, match=r"lacks 1 of .* \(speakers.0003.*manage.py migrate"):
            installation.check()

    def test_one_that_is_none_is_named(self, database: Path) -> None:
        database.write_bytes(b"this is no database, whatever its name says" * 100)
        with pytest.raises(BadInstallation, match=rf"{database} is damaged or is none .*restore"):
            installation.check()

    def test_one_with_a_damaged_page_is_named(self, database: Path) -> None:
        content = bytearray(database.read_bytes())
        content[4096 * 3 : 4096 * 40] = os.urandom(4096 * 37)
        database.write_bytes(content)
        with pytest.raises(BadInstallation, match="is damaged"):
            installation.check()

    def test_one_that_cannot_be_written_to_is_named(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(connection.settings_dict, "NAME", f"file:{database}?mode=ro")
        monkeypatch.setitem(
            connection.settings_dict, "OPTIONS", {"uri": True, "init_command": "PRAGMA query_only=ON"}
        )
        monkeypatch.setattr(installation, "_sqlite_file", lambda: database)
        with pytest.raises(BadInstallation, match=r"cannot be written to .*the right to write"):
            installation.check()

    def test_one_that_is_busy_for_the_moment_may_start(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"timeout": 0})
        with closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            installation.check()

    def test_a_database_server_that_is_down_may_come_up_later(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down() -> list[str]:
            raise OperationalError("connection refused")

        monkeypatch.setattr(installation, "missing_migrations", down)
        monkeypatch.setattr(connection, "vendor", "postgresql")
        installation.check()

    def test_an_empty_one_is_new_and_a_damaged_one_is_not(self, database: Path) -> None:
        assert not installation.is_new()
        connection.close()
        database.write_bytes(b"")
        assert installation.is_new()
        connection.close()
        database.write_bytes(b"this is no database" * 100)
        assert not installation.is_new()


class TestKeys:
    @pytest.mark.parametrize("content", ["", "\n", "garbage", "QUJD\n", "\0\0"])
    def test_what_is_no_key_is_named_by_its_file(self, database: Path, folder: Path, content: str) -> None:
        file = folder / "voiceprint_keys"
        file.write_text(content)
        with pytest.raises(BadInstallation, match=f"{file} .*backup"):
            installation.check()

    def test_keys_that_nobody_has_needed_yet_are_not_made(self, database: Path, folder: Path) -> None:
        installation.check()
        assert not (folder / "voiceprint_keys").exists()


HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, getattr(fcntl, sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


class Elsewhere:
    """Another process that holds the folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        command = [sys.executable, "-S", "-c", HOLDER, str(folder / installation.LOCK), kind]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> None:
        assert self._process.stdout
        self._process.stdout.readline()

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()


class TestFolder:
    def test_a_second_server_is_told_of_the_first(self, folder: Path) -> None:
        lock = installation.lock_folder()
        with pytest.raises(FolderInUse, match=rf"process {os.getpid()}\) uses the data folder {folder}"):
            installation.lock_folder()
        os.close(lock)
        os.close(installation.lock_folder())

    def test_a_process_that_was_killed_holds_nothing(self, folder: Path) -> None:
        with Elsewhere(folder, "LOCK_EX"):
            with pytest.raises(FolderInUse):
                installation.lock_folder()
        os.close(installation.lock_folder())

    def test_those_that_meet_in_redis_share_it_with_each_other_alone(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://localhost"
        locks = [installation.lock_folder(), installation.lock_folder()]
        settings.REDIS_URL = ""
        with pytest.raises(FolderInUse, match="REDIS_URL"):
            installation.lock_folder()
        for lock in locks:
            os.close(lock)

    def test_no_child_keeps_it(self) -> None:
        lock = installation.lock_folder()
        assert fcntl.fcntl(lock, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        os.close(lock)


def test_what_earlier_versions_let_everybody_read_is_hidden(database: Path, folder: Path) -> None:
    (folder / "media").mkdir(mode=0o755)
    for path in (database, folder / "media", folder / "secret_key"):
        path.touch()
        path.chmod(0o755)
    (folder / "of somebody else").touch(mode=0o644)
    installation.hide_from_others()
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "asrsite.sqlite3": "0o750",
        "media": "0o750",
        "secret_key": "0o750",
        "of somebody else": "0o640",
    }
