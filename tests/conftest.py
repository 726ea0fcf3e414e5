"""Real servers for tests that need them, started once, on free ports; an engine for those that want one."""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import caches
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models.signals import post_migrate
from django.utils import translation
from hypothesis import settings
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer

from audit import log as audit_log
from deploy.local_servers import NotInstalled, PostgresServer, RedisServer, find_program, valkey_program
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, scripted_models
from recognition.interfaces import Models
from tests.support import compiling, needless_fixtures, people, side_by_side, warm_python
from tests.support.server import new_database

# A machine that others use as well is slow at times; that is no error.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

OPEN_TRANSACTION_S = 20
"""How long a thread that a test has left behind may hold the database."""


def pytest_xdist_auto_num_workers() -> int:
    return side_by_side.process_count()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> side_by_side.Groups:
    config.option.loadscopereorder = False  # `longest_first` has ordered them
    return side_by_side.Groups(config, log)


def pytest_collection() -> None:
    gc.disable()  # of what is loaded now nearly nothing goes again


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needless_fixtures.leave_out(items)
    if hasattr(config, "workerinput"):
        side_by_side.name_groups(items)
        items[:] = side_by_side.longest_first(items)


# Tests are rewritten when they are loaded, in several processes: what was compiled is kept for the next run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        compiling.compile_all(config)
    warm_python.open_for_all()
    # A password that is not to be guessed takes half a second for each login.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Otherwise every client of a test reads all static files before its first request.
    django_settings.WHITENOISE_AUTOREFRESH = True
    # Models that were fetched for some tests are no matter of all the others.
    django_settings.MODEL_SETS = ["embedded"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Of processes side by side, one migrates; the databases of all begin with what it has made."""
    if "PYTEST_XDIST_WORKER" in os.environ and connection.vendor == "sqlite":
        connection_created.connect(_begin_migrated)


def _begin_migrated(connection: DatabaseWrapper, **_: Any) -> None:
    connection_created.disconnect(_begin_migrated)
    with closing(sqlite3.connect(":memory:")) as made:
        made.deserialize(new_database())
        made.backup(connection.connection)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """After a test in transactions of its own the database is made anew by a copy, not by emptying tables."""
    if connection.vendor != "sqlite":
        yield
        return
    with django_db_blocker.unblock():
        connection.ensure_connection()
    with (
        closing(sqlite3.connect(tmp_path_factory.mktemp("new") / "database.sqlite3")) as new,
        pytest.MonkeyPatch.context() as patch,
    ):
        connection.connection.backup(new)
        patch.setattr("django.test.TransactionTestCase._fixture_teardown", lambda _: _begin_anew(new))
        yield


def _begin_anew(new: sqlite3.Connection) -> None:
    deadline = time.monotonic() + OPEN_TRANSACTION_S

    def look(status: int, *_: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("the test has left a transaction open")

    connection.ensure_connection()
    new.backup(connection.connection, progress=look)


@pytest.fixture(scope="session", autouse=True)
def consent_texts_outlive_a_flush() -> None:
    """On PostgreSQL such a test empties all tables, also those that migrations have filled."""
    post_migrate.connect(_restore_consent_texts, dispatch_uid="tests")


def _restore_consent_texts(app_config: Any, **_: Any) -> None:
    if app_config.label == "speakers" and not apps.get_model("speakers", "ConsentText").objects.exists():
        import_module("speakers.migrations.0001_first_release").add_texts(apps, None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Leave nothing to the next test: a hook takes less than fixtures that every test would have."""
    translation.deactivate()  # Django leaves the thread in the language of the last page
    for known in caches.all(initialized_only=True):
        known.clear()  # of wrong passwords among others
    audit_log.forget_recent()  # what was done a moment ago is no reason to leave it out of the next log
    getattr(mail, "outbox", []).clear()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    try:
        server = RedisServer()
    except NotInstalled as error:
        _do_without(error)
    with server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[RedisServer]:
    try:
        server = RedisServer("valkey", program=valkey_program())
    except NotInstalled as error:
        _do_without(error)
    with server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except NotInstalled as error:
        _do_without(error)
    with server:
        yield server


@pytest.fixture(scope="session")
def servers_of_its_own() -> None:
    """For a test that starts Redis and PostgreSQL itself: they are installed."""
    try:
        find_program("redis-server")
        find_program("postgres")
    except NotInstalled as error:
        _do_without(error)


@pytest.fixture
def models(request: pytest.FixtureRequest) -> Models:
    """Models that hear what the test's module has as `SCRIPT`."""
    return scripted_models(getattr(request.module, "SCRIPT", Script()))


@pytest.fixture
async def engine(models: Models) -> AsyncIterator[Engine]:
    engine = Engine(models)
    engine.start()
    yield engine
    await engine.aclose()


@pytest.fixture(scope="session")
def people_models_dir() -> Path:
    """For a test with the real set `people`: the folder of models that has it."""
    if reason := people.why_missing():
        _do_without(reason)
    return people.MODELS_DIR


def _do_without(reason: object) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and in CI nothing is left out")
    pytest.skip(str(reason))
