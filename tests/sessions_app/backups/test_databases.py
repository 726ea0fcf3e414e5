"""Databases, written to a file while they are in use and made anew from it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, connections

from deploy.local_servers import PostgresServer
from sessions_app.backups import databases
from sessions_app.backups.archives import BackupError


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the settings name, with some rows; nothing of Django's is asked of it."""
    file = tmp_path / "asrsite.sqlite3"
    monkeypatch.setitem(connection.settings_dict, "NAME", str(file))
    monkeypatch.setattr(connection, "close", lambda: None)
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT)")
        opened.executemany("INSERT INTO line (text) VALUES (?)", [("字" * 200,)] * 500)
        opened.commit()
    return file


@pytest.fixture
def writer(database: Path) -> Iterator[None]:
    """Somebody who writes all the time."""
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=20)) as opened:
            while not stop.is_set():
                opened.executemany("INSERT INTO line (text) VALUES (?)", [("x" * 500,)] * 10)
                opened.commit()

    thread = threading.Thread(target=write)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_what_is_written_meanwhile_is_there_whole_or_not_at_all(
    database: Path, writer: None, tmp_path: Path
) -> None:
    rows = databases.dump(tmp_path / "copy")
    assert rows["line"] >= 500
    assert rows["line"] % 10 == 0
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_rows_that_are_only_in_the_file_beside_it_are_not_missed(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("INSERT INTO line (text) VALUES ('the latest')")
        opened.commit()
        assert databases.dump(tmp_path / "copy") == {"line": 501}


def test_it_is_made_anew_with_all_its_rows(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = databases.dump(tmp_path / "copy")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "new.sqlite3"))
    with pytest.raises(BackupError, match="501"):
        databases.load(tmp_path / "copy", {"line": 501})
    assert not (tmp_path / "new.sqlite3").exists()
    databases.load(tmp_path / "copy", rows)
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as new:
        assert new.execute("SELECT count(*) FROM line").fetchone() == (500,)


def test_no_database_is_no_backup(database: Path, tmp_path: Path) -> None:
    database.unlink()
    with pytest.raises(BackupError, match="there is no database"):
        databases.dump(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_program_of_postgresql_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not installed"):
        databases.dump(tmp_path / "copy")


def test_postgresql_is_made_anew_in_another_database(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = urlsplit(postgres_server.url)
    place: dict[str, Any] = {
        "HOST": f"{at.hostname},{at.hostname}",
        "PORT": f"1,{at.port}",
    }  # the first is gone
    place |= {"USER": at.username, "PASSWORD": at.password or ""}
    place["OPTIONS"] = {"target_session_attrs": "read-write", "keepalives_idle": 5}
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with psycopg.connect(postgres_server.database_url("postgres"), autocommit=True) as server:
        server.execute("CREATE DATABASE backed_up")
        server.execute("CREATE DATABASE restored")
    with psycopg.connect(postgres_server.database_url("backed_up")) as source:
        source.execute("CREATE TABLE line AS SELECT generate_series(1, 500) AS id, '字' AS text")
    monkeypatch.setattr(connections["default"], "settings_dict", place | {"NAME": "backed_up"})
    assert databases.dump(tmp_path / "dump") == {}
    monkeypatch.setattr(connections["default"], "settings_dict", place | {"NAME": "restored"})
    databases.load(tmp_path / "dump", {})
    with psycopg.connect(postgres_server.database_url("restored")) as restored:
        assert restored.execute("SELECT count(*), min(text) FROM line").fetchone() == (500, "字")
    with pytest.raises(BackupError, match="pg_restore failed"):
        databases.load(tmp_path / "dump", {})
