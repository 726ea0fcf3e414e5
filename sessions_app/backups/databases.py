"""Databases written to a file while they are in use, and made anew from it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection

from .archives import BackupError

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
"""Name in the archive, by vendor."""

OPTIONS = {
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
"""Options of a connection that PostgreSQL's programs take from their environment."""

PAGES_A_STEP = 1000
PAUSE_S = 0.01
"""SQLite's backup gives way to writers so often."""


def dump(target: Path) -> dict[str, int]:
    """Write the database that the settings name, as it is at one moment.

    Returns:
        The number of rows of each table, if this kind of file can be counted.

    Raises:
        BackupError: If that is not possible.
    """
    if connection.vendor == "sqlite":
        return _dump_sqlite(Path(connection.settings_dict["NAME"]), target)
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", *_server())
    return {}


def load(source: Path, rows: dict[str, int]) -> None:
    """Make the database anew that the settings name; it must be empty.

    Raises:
        BackupError: If that is not possible, or if it has not all rows then.
    """
    if connection.vendor == "sqlite":
        if (found := _rows(source)) != rows:
            raise BackupError(f"the database of the backup has {found}, not {rows}")
        connection.close()
        shutil.move(source, connection.settings_dict["NAME"])
        return
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", *options, *_server(), str(source))


def _dump_sqlite(database: Path, target: Path) -> dict[str, int]:
    if not database.exists():
        raise BackupError(f"there is no database at {database}")
    try:
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES_A_STEP, sleep=PAUSE_S)
            copy.execute("PRAGMA journal_mode = DELETE")
        return _rows(target)
    except sqlite3.Error as error:
        raise BackupError(f"the database {database} cannot be copied: {error}") from error


def _rows(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as opened:
        names = opened.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        ).fetchall()
        tables = sorted(name for (name,) in names if not name.startswith("sqlite_"))
        return {
            name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - its own names
            for name in tables
        }


def _server() -> Sequence[str]:
    settings = connection.settings_dict
    options = {"host": settings["HOST"], "port": settings["PORT"], "username": settings["USER"]}
    given = [f"--{name}={value}" for name, value in options.items() if value]
    return [*given, f"--dbname={settings['NAME']}", "--no-password"]


def _run(program: str, *arguments: str) -> None:
    if not (path := shutil.which(program)):
        raise BackupError(f"{program} is not installed: it comes with PostgreSQL's client programs")
    settings = connection.settings_dict
    options = {OPTIONS[name]: str(value) for name, value in settings["OPTIONS"].items() if name in OPTIONS}
    environment = {**os.environ, **options, "PGPASSWORD": str(settings["PASSWORD"])}
    done = subprocess.run(  # noqa: S603 - PostgreSQL's program, and our settings
        [path, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")
