"""Real servers for the tests that need them; started once, on free ports."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from deploy.local_servers import NotInstalled, PostgresServer, RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    try:
        server = RedisServer()
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


def _do_without(error: NotInstalled) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{error}, and in CI nothing is left out")
    pytest.skip(str(error))
