"""What speaks to the database in its own words is tested on PostgreSQL as well as on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local_servers import PostgresServer

HERE = Path(__file__).parent
MODULES = [
    "transcripts/test_search.py",
    "transcripts/test_editing.py",
    "transcripts/test_retention.py",
    "catalogue/test_listing.py",
]


@pytest.mark.slow(30)
def test_the_same_tests_pass_on_postgresql(postgres_server: PostgresServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", *(str(HERE / name) for name in MODULES)],
        env={**os.environ, "DATABASE_URL": postgres_server.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
