"""PostgreSQL's primary dies, and its standby is promoted: what was confirmed is there, and work goes on."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper
from pytest_django import DjangoDbBlocker

from deploy.local_standby import PostgresPair
from sessions_app.store.in_database import in_database

from .test_environment import read_settings

ROWS, CONFIRMED_BEFORE = 60, 20


@pytest.fixture
def pair(servers_of_its_own: None) -> Iterator[PostgresPair]:
    with PostgresPair() as pair:
        yield pair


@pytest.fixture
def database(
    pair: PostgresPair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[DatabaseWrapper]:
    """The database as the settings make it of an address with two hosts."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", {"ASR_DATA_DIR": str(tmp_path), "DATABASE_URL": pair.url})
        made = read_settings().DATABASES["default"]
    usual: dict[str, Any] = {"AUTOCOMMIT": True, "ATOMIC_REQUESTS": False, "TIME_ZONE": None, "TEST": {}}
    database = DatabaseWrapper(usual | made, "pair")
    database.inc_thread_sharing()
    with django_db_blocker.unblock():
        yield database
        database.close()


@pytest.mark.slow(10)
async def test_all_that_was_confirmed_is_there_and_what_was_not_is_asked_for_again(
    pair: PostgresPair, database: DatabaseWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    before = pair.primary.port

    def ask(statement: str, *values: int) -> None:
        database.close_if_unusable_or_obsolete()  # as between two pieces of work
        with database.cursor() as cursor:
            cursor.execute(statement, values)

    def rows() -> list[int]:
        with database.cursor() as cursor:
            cursor.execute("SELECT number FROM lines ORDER BY number")
            return [number for (number,) in cursor.fetchall()]

    await in_database(ask, "CREATE TABLE lines (number int PRIMARY KEY)")
    dying: asyncio.Future[None] | None = None
    async with asyncio.timeout(60):
        for number in range(ROWS):
            await in_database(ask, "INSERT INTO lines VALUES (%s) ON CONFLICT DO NOTHING", number)
            if number == CONFIRMED_BEFORE:
                dying = asyncio.ensure_future(asyncio.to_thread(pair.kill_primary))
            await asyncio.sleep(0.01)
        assert dying
        await dying
        await in_database(ask, "INSERT INTO lines VALUES (%s)", ROWS)

    assert await in_database(rows) == list(range(ROWS + 1))
    assert database.connection.info.port == pair.primary.port != before
