"""Meetings in two cells, each a Redis of its own; one is drained and a third added while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any
from zlib import crc32

import psycopg
import pytest
import redis

from benchmarks.chaos.audio import Recording
from benchmarks.chaos.checks import SLACK, KeptLine, check_lines
from benchmarks.chaos.clients import Follower, PlainReceiver, PlainSender, Receiver, resuming_sender
from benchmarks.chaos.installation import ENDED_SESSION, LINES
from benchmarks.transport.service import MODELS
from deploy.local_cluster import LocalCluster
from deploy.local_servers import RedisServer, wait_until
from sessions_app.cells.placement import HOME, ranked

pytestmark = pytest.mark.slow(60)

FRAMES = 100
"""Of a meeting that goes on while the cells change: 20 s."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, servers_of_its_own: None) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("cells")
    with LocalCluster(webs=1, workers=1, models=str(MODELS), data_dir=folder, ASR_CAPACITY="20") as cluster:
        yield cluster


def ask(cluster: LocalCluster, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(cluster.postgres.url) as connection:
        return connection.execute(statement.format("%s").encode(), values or None).fetchall()


def key_in(cell: str, *among: str) -> str:
    """An id that prefers a cell, another one each time."""
    return next(key for key in (f"meeting-{n}" for n in numbers) if ranked(key, among)[0] == cell)


numbers = count()


class Meeting:
    """One that is spoken at real time, followed from before its beginning by both kinds of receivers."""

    def __init__(
        self, cluster: LocalCluster, key: str, *, is_plain: bool = False, frames: int = FRAMES
    ) -> None:
        server = f"ws://127.0.0.1:{cluster.webs[0].port}"
        self._cluster = cluster
        self.key = key
        self.recording = Recording(seed=crc32(key.encode()) % 1000, frames=frames, has_pauses=True)
        self.followers: list[Receiver] = [Follower.of([server], key), PlainReceiver([server], key)]
        send = PlainSender if is_plain else resuming_sender
        self.sender: Any = send([server], key, self.recording)

    async def run(self) -> None:
        async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
            for follower in self.followers:
                tasks.create_task(follower.run())
            await asyncio.sleep(0.5)
            tasks.create_task(self.sender.run())

    def lines(self) -> Sequence[KeptLine]:
        [(pk, durable, _)] = ask(self._cluster, ENDED_SESSION, self.key)
        assert durable == self.recording.samples
        return [KeptLine(*row) for row in ask(self._cluster, LINES, pk)]

    def check(self) -> None:
        """Everything that was said is in a line of its own audio, and both receivers have read just that."""
        lines = self.lines()
        stretches = self.recording.stretches()
        verdict = check_lines(lines, self.recording.whole(), speech=stretches, slack=SLACK)
        assert verdict.is_clean, verdict
        for follower in self.followers:
            assert follower.transcript == {line.seq: line.text for line in lines}
            assert follower.faults == 0


def cells_of(cluster: LocalCluster, meetings: Sequence[Meeting]) -> list[str]:
    rows = dict(ask(cluster, "SELECT key, cell FROM sessions_app_session"))
    return [rows[meeting.key] for meeting in meetings]


def is_empty(server: RedisServer) -> bool:
    keys = redis.Redis.from_url(server.url)
    return not [*keys.scan_iter("asr:audio:*"), *keys.scan_iter("asr:session:*")]


async def test_meetings_go_on_while_one_cell_is_drained_and_another_added(cluster: LocalCluster) -> None:
    east = await asyncio.to_thread(cluster.add_cell, "east")
    await asyncio.to_thread(wait_for_workers, east)
    running = [
        Meeting(cluster, key_in(cell, HOME, "east"), is_plain=is_plain)
        for cell in (HOME, "east")
        for is_plain in (False, True)
    ]
    talks = [asyncio.create_task(meeting.run()) for meeting in running]
    await asyncio.sleep(4)
    assert cells_of(cluster, running) == [HOME, HOME, "east", "east"]

    await asyncio.to_thread(cluster.manage, "cells", "drain", "east")
    west = await asyncio.to_thread(cluster.add_cell, "west")
    await asyncio.to_thread(wait_for_workers, west)
    three = (HOME, "east", "west")
    later = [Meeting(cluster, key_in(cell, *three), frames=32) for cell in three]
    await asyncio.gather(*(meeting.run() for meeting in later))
    await asyncio.gather(*talks)

    assert cells_of(cluster, running) == [HOME, HOME, "east", "east"]  # where they began
    first, second, third = cells_of(cluster, later)
    assert (first, third) == (HOME, "west")
    assert second in (HOME, "west")
    for meeting in (*running, *later):
        meeting.check()
    for server in (cluster.redis, east, west):
        assert isinstance(server, RedisServer)
        wait_until(lambda: is_empty(server), f"{server.name} still has sessions")  # noqa: B023
    listed = await asyncio.to_thread(cluster.manage, "cells", "remove", "east")
    assert [line.partition(":")[0] for line in listed.splitlines()] == [HOME, "west"]


async def test_a_cell_that_is_away_costs_no_new_meeting(cluster: LocalCluster) -> None:
    """Whose first choice it is waits a moment, and is let in by the next."""
    north = await asyncio.to_thread(cluster.add_cell, "north", workers=0)
    north.kill()
    meeting = Meeting(cluster, key_in("north", *cell_names(cluster)), frames=32)
    await meeting.run()

    assert cells_of(cluster, [meeting]) != ["north"]
    meeting.check()
    assert cluster.webs[0].answers("readyz")
    await asyncio.to_thread(cluster.manage, "cells", "drain", "north")
    await asyncio.to_thread(cluster.manage, "cells", "remove", "north")


async def test_workers_of_a_cell_that_is_not_there_do_not_start(cluster: LocalCluster) -> None:
    with pytest.raises(RuntimeError, match="ASR_CELL: there is no cell 'south'"):
        await asyncio.to_thread(cluster.manage, "recognize", ASR_CELL="south")


def cell_names(cluster: LocalCluster) -> list[str]:
    others = ask(cluster, "SELECT name FROM sessions_app_cell WHERE name != 'home'")
    return [HOME, *(name for (name,) in others)]


def wait_for_workers(server: RedisServer) -> None:
    workers = redis.Redis.from_url(server.url)
    wait_until(lambda: bool(workers.hlen("asr:workers")), "no worker comes", timeout_s=120)
