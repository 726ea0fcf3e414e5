"""Files at two workers, beside Redis and PostgreSQL: each has its own, and goes on with the other's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from deploy.local_cluster import LocalCluster
from recognition.audio import SAMPLE_RATE
from tests.support.clients import MEETING, TEXTS
from tests.support.server import SCRIPT
from tests.support.uploads import is_over, until, upload, wav

pytestmark = pytest.mark.slow(60)

MINUTES = 10

LINES = """
    SELECT text FROM sessions_app_utterance AS line JOIN sessions_app_session AS session
    ON session.id = line.session_id WHERE session.key = %s ORDER BY seq
"""


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, servers_of_its_own: None) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("workers")
    (folder / "script.toml").write_text(SCRIPT)
    with LocalCluster(
        webs=1, workers=2, models=str(folder / "script.toml"), data_dir=folder, ASR_UPLOADS_AT_ONCE="1"
    ) as cluster:
        yield cluster


@pytest.fixture
def http(cluster: LocalCluster) -> str:
    return cluster.webs[0].http


def texts(cluster: LocalCluster, session: str) -> list[str]:
    with psycopg.connect(cluster.postgres.url) as connection:
        return [text for (text,) in connection.execute(LINES, [session])]


def long_file() -> tuple[bytes, int]:
    """A file, and how often the meeting is in it."""
    times = MINUTES * 60 * SAMPLE_RATE // len(MEETING.audio())
    return wav(np.tile(MEETING.audio(), times)), times


def took(cluster: LocalCluster, pk: int) -> list[str]:
    """Names of the workers that have had a file of this session."""
    words = f"transcribed as session {pk},"
    return [worker.name for worker in cluster.workers if words in cluster.log(worker)]


def primary_key(cluster: LocalCluster, session: str) -> int:
    with psycopg.connect(cluster.postgres.url) as connection:
        query = "SELECT id FROM sessions_app_session WHERE key = %s"
        [(pk,)] = connection.execute(query, [session]).fetchall()
        return int(pk)


def test_two_workers_share_the_files_and_each_is_done_once(cluster: LocalCluster, http: str) -> None:
    data, times = long_file()
    addresses = [upload(http, data) for _ in range(4)]
    told = [until(http, address, is_over) for address in addresses]
    assert [(each["state"], each["error"]) for each in told] == [("done", "")] * 4
    for each in told:
        assert texts(cluster, each["session"]) == TEXTS * times
    workers = [took(cluster, primary_key(cluster, each["session"])) for each in told]
    assert all(len(names) == 1 for names in workers), workers
    assert {name for names in workers for name in names} == {"worker-1", "worker-2"}
    assert not list((cluster.data_dir / "media/uploads").iterdir())


def test_the_file_of_a_worker_that_is_killed_goes_on_at_the_other(cluster: LocalCluster, http: str) -> None:
    data, times = long_file()
    address = upload(http, data)
    told = until(http, address, lambda told: told["done_ms"] > 10_000)
    pk = primary_key(cluster, told["session"])
    [first] = took(cluster, pk)
    next(worker for worker in cluster.workers if worker.name == first).kill()
    told = until(http, address, is_over)
    assert (told["state"], told["error"]) == ("done", "")
    assert texts(cluster, told["session"]) == TEXTS * times
    assert sorted(took(cluster, pk)) == ["worker-1", "worker-2"]
