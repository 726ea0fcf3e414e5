"""Checks of an installation before a process of it begins to serve: what cannot work must not start."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from sessions_app.exceptions import SessionsError
from speakers import encryption
from speakers.exceptions import BadKeys

LOCK = "lock"
"""Name of the file in the data folder that its one server holds."""

OTHERS = 0o007

QUICK_CHECK_BYTES = 64 * 2**20
"""A larger file takes too long to be read at every start."""


class BadInstallation(SessionsError):
    """Something that makes every start useless; the message says what to do."""


class FolderInUse(BadInstallation):
    """The data folder has a server that knows of no other."""


def is_new() -> bool:
    """Return whether the database has nothing in it yet."""
    with contextlib.suppress(DatabaseError):  # `check` says what is wrong with it
        return not connection.introspection.table_names()
    return False


def check() -> None:
    """Find what is wrong with the keys and the database.

    A database server that does not answer is no fault: it may come up after us.

    Raises:
        BadInstallation: With what to do.
    """
    try:
        encryption.check_keys()
    except BadKeys as error:
        raise BadInstallation(str(error)) from None
    try:
        _check_database()
    finally:
        connection.close()


def missing_migrations() -> list[str]:
    """Return the changes that this version makes to the database and that were not made yet."""
    made = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in sorted(_migrations() - made.keys())]


@functools.cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Return all of this version; those that were squashed into one count with what they replace."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.graph.nodes)


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Have the data folder for this process, hidden from others. Raises as `lock_folder`."""
    with folder_locked():
        hide_from_others()
        yield


@contextlib.contextmanager
def folder_locked(*, alone: bool = False) -> Iterator[None]:
    """Have the data folder for this process. Arguments and errors are those of `lock_folder`."""
    lock = lock_folder(alone=alone)
    try:
        yield
    finally:
        os.close(lock)


def lock_folder(*, alone: bool = False) -> int:
    """Take the data folder for this process, for as long as it lives; with Redis, together with others.

    Args:
        alone: Share it with nobody, with Redis neither.

    Returns:
        The descriptor that holds the lock.

    Raises:
        FolderInUse: If somebody has it who does not share it.
    """
    folder = Path(settings.DATA_DIR)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(
            lock, (fcntl.LOCK_SH if settings.REDIS_URL and not alone else fcntl.LOCK_EX) | fcntl.LOCK_NB
        )
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise FolderInUse(
            f"Another server (process {holder}) uses the data folder {folder}: two of them would take each "
            "other's sessions. Stop that one, or give this one a folder of its own with ASR_DATA_DIR; "
            "several share a folder only if all have the same REDIS_URL."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def hide_from_others() -> None:
    """Take the rights of all other users of this machine from what earlier versions let them read."""
    folder = Path(settings.DATA_DIR)
    names = ["media", "secret_key", "voiceprint_keys"]
    names += [f"{_sqlite_file().name}{ending}" for ending in ("", "-wal", "-shm")] if _is_sqlite() else []
    for path in (folder / name for name in names):
        with contextlib.suppress(OSError):  # it is not there, or not ours
            mode = path.stat().st_mode
            if mode & OTHERS:
                path.chmod(mode & 0o7777 & ~OTHERS)


def _check_database() -> None:
    try:
        behind = missing_migrations()
        _begin_to_write()
    except DatabaseError as error:
        if not _is_sqlite():
            if isinstance(error, OperationalError):
                return
            raise
        _explain(error)
    else:
        if behind:
            raise BadInstallation(
                f"The database lacks {len(behind)} of this version's changes ({', '.join(behind[:3])}"
                f"{', ...' if len(behind) > 3 else ''}): run `python manage.py migrate`, best after a backup."
            )


def _begin_to_write() -> None:
    """Take SQLite's right to write and give it back; one that another process has for the moment is well."""
    if not _is_sqlite():
        return
    with connection.cursor() as cursor:
        if _sqlite_file().stat().st_size < QUICK_CHECK_BYTES:
            [said] = cursor.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise DatabaseError(said)
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")


def _explain(error: DatabaseError) -> None:
    said = str(error).lower()
    file = _sqlite_file()
    if "locked" in said or "busy" in said:
        return
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        raise BadInstallation(
            f"The database {file} cannot be written to ({error}): give the user of this process the right to "
            f"write to it and to its folder, or remove the medium's write protection."
        ) from None
    raise BadInstallation(
        f"The database {file} is damaged or is none ({error}): restore it from a backup "
        "(`python manage.py restore`), or move it away to begin with an empty one."
    ) from None


def _is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def _sqlite_file() -> Path:
    return Path(connection.settings_dict["NAME"])
