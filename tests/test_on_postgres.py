"""What speaks to the database in its own words is tested on PostgreSQL as well as on SQLite."""

from __future__ import annotations

import os

import pytest

from deploy.local_servers import PostgresServer
from tests.support import warm_python

MODULES = [
    "sessions_app/transcripts/test_search.py",
    "sessions_app/transcripts/test_editing.py",
    "sessions_app/transcripts/test_retention.py",
    "sessions_app/catalogue/test_listing.py",
    "sessions_app/uploads/test_store.py",
    "speakers/test_secure_erase.py",
]
"""All in one process: it makes a database first, by all migrations."""


@pytest.mark.slow(30)
def test_the_same_tests_pass_on_postgresql(postgres_server: PostgresServer) -> None:
    command = ["-m", "pytest", "-x", *(f"tests/{name}" for name in MODULES)]
    environment = {**os.environ, "DATABASE_URL": postgres_server.url}
    done = warm_python.run(command, environment=environment, does="networks")
    assert done.returncode == 0, done.stdout + done.stderr
