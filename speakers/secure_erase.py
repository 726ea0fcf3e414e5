"""Erasure of what deletion leaves behind in the files of the database: docs/decisions/0011.

Both databases keep a deleted row's bytes for a while: SQLite in its write-ahead log, PostgreSQL in the table,
its indexes and its statistics. Neither lets go of what somebody still reads; then it must be tried again.
"""

from __future__ import annotations

import time

from django.contrib.admin.models import LogEntry
from django.db import OperationalError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import jobs
from .exceptions import InUse, JobMustWait
from .jobs import RunningJob, in_database
from .models import Enrollment, Speaker, Voiceprint

WIPE = "wipe"
"""The job."""

SNAPSHOT_WAIT_S = 2.0
"""For others to be done with the database: while we wait for a lock, they wait for us."""

TABLES = [
    *(model._meta.db_table for model in (Speaker, Speaker.history.model, Voiceprint, Enrollment, LogEntry)),
    "pg_statistic",  # samples of every column
]


def schedule() -> None:
    """Let a worker wipe out what is left of something that was deleted."""
    jobs.ask_for(WIPE)


@jobs.does(WIPE, label=gettext_lazy("erase the traces of deleted data"))
async def _wipe(task: RunningJob) -> None:
    try:
        await in_database(wipe)
    except InUse as error:
        raise JobMustWait(str(error)) from error


def wipe() -> None:
    """Let nothing about a voice that was deleted survive in the files of the database.

    Not in a transaction.

    Raises:
        InUse: If something may be left.
    """
    if connection.vendor == "sqlite":
        truncate_log()
    else:
        _rewrite_tables()


def truncate_log() -> None:
    """Empty SQLite's write-ahead log into the file, in which deletion overwrites.

    Raises:
        InUse: If somebody reads an older state; nothing is lost then, and the log stays.
    """
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {SNAPSHOT_WAIT_S * 1000:.0f}")
        try:
            is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
    if is_busy:
        raise _in_use()


def _rewrite_tables() -> None:
    """Rewrite the tables: a plain VACUUM only frees dead rows; their bytes go with the old files."""
    _await_old_snapshots()
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{SNAPSHOT_WAIT_S * 1000:.0f}ms'")
        try:
            for table in TABLES:
                cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            raise _in_use() from error
        finally:
            cursor.execute("RESET lock_timeout")


def _await_old_snapshots() -> None:
    """Wait until nobody sees the database as it was: what somebody sees, VACUUM keeps."""
    deadline = time.monotonic() + SNAPSHOT_WAIT_S
    with connection.cursor() as cursor:
        now = cursor.execute("SELECT pg_current_xact_id()::xid").fetchone()[0]
        while cursor.execute(_OLDER_SNAPSHOTS, [now]).fetchone()[0]:
            if time.monotonic() > deadline:
                raise _in_use()
            time.sleep(0.05)


def _in_use() -> InUse:
    return InUse(_("The database is still being read as it was before: this will be tried again."))


_OLDER_SNAPSHOTS = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND age(backend_xmin) > age(%s::xid)
    )
"""
