"""One web process, two workers, Redis and PostgreSQL: who is enrolled or forgotten is so everywhere, soon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection, connect

from deploy.local_cluster import LocalCluster
from deploy.local_servers import wait_until
from recognition.fakes.scripted import Script, ScriptedLine
from speakers.enrollment import to_flac
from tests.support.api import Api
from tests.support.clients import new_id, send_audio

pytestmark = pytest.mark.slow(15)

SOON_S = 5.0
TEXT = "大家好，我们开始开会。"
SCRIPT = Script(
    [
        ScriptedLine(TEXT, seconds=2.0),
        ScriptedLine(TEXT, seconds=12.0),
        ScriptedLine(TEXT, voice=1, seconds=12.0),
    ]
)
FILE = f"""
title = "One voice"

[[script]]
text = "{TEXT}"
voice = 0
seconds = 2.0
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, servers_of_its_own: None) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "script.toml").write_text(FILE)
    with LocalCluster(webs=1, workers=2, models=str(folder / "script.toml"), data_dir=folder) as cluster:
        code = "from django.contrib.auth.models import User; User.objects.create_superuser('p', password='p')"
        cluster.manage("shell", "--no-imports", "-c", code)
        yield cluster


@pytest.fixture
def api(cluster: LocalCluster) -> Api:
    return Api(cluster.webs[0].http, "p", "p")


class Meeting:
    """A session that goes on, in which the one voice speaks again and again."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._lines: dict[int, str] = {}
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message)
            line = told.get("event", {}).get("line") or (told if told.get("final") else None)
            if line:
                self._lines[line["seq"]] = line["spk"]["speaker_name"]
                self._changed.set()

    async def say(self) -> str:
        """Who is said to have spoken."""
        count = len(self._lines)
        await send_audio(self._socket, SCRIPT.speak(0))
        async with asyncio.timeout(20):
            while len(self._lines) == count:
                await self._next()
        return self._lines[max(self._lines)]

    async def names_become(self, name: str) -> None:
        """Until all lines are of this speaker."""
        while set(self._lines.values()) != {name}:
            await self._next()

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@pytest.fixture
async def meetings(cluster: LocalCluster) -> AsyncIterator[list[Meeting]]:
    """One at least on each worker; in all of them somebody unknown has spoken."""
    async with AsyncExitStack() as stack:
        found: list[Meeting] = []
        listening: list[asyncio.Task[None]] = []
        while at_work(cluster) < len(cluster.workers):
            assert len(found) < 20, "one worker has all sessions"
            address = cluster.webs[0].socket(new_id(), "mode=sender&v=2")
            socket = await stack.enter_async_context(connect(address, proxy=None))
            meeting = Meeting(socket)
            listening.append(asyncio.create_task(meeting.listen()))
            assert await meeting.say() == "Speaker 1"
            found.append(meeting)
        yield found
        for task in listening:
            task.cancel()


def at_work(cluster: LocalCluster) -> int:
    """How many workers have sessions, as their logs tell."""
    logs = map(cluster.log, cluster.workers)
    return sum(log.count(": recognising from") > log.count(": done with it here") for log in logs)


async def all_become(meetings: list[Meeting], name: str) -> None:
    async with asyncio.timeout(SOON_S), asyncio.TaskGroup() as tasks:
        for meeting in meetings:
            tasks.create_task(meeting.names_become(name))


async def test_every_worker_knows_who_is_enrolled_and_forgets_who_is_forgotten_within_five_seconds(
    api: Api, meetings: list[Meeting]
) -> None:
    alice = await asyncio.to_thread(api.enroll, "Alice", to_flac(SCRIPT.speak(1)))
    await all_become(meetings, "Alice")
    assert {await meeting.say() for meeting in meetings} == {"Alice"}

    await asyncio.to_thread(api.call, "DELETE", f"speakers/{alice}")
    await all_become(meetings, "Speaker 1")
    assert "Alice" not in {await meeting.say() for meeting in meetings}


async def test_so_it_is_when_the_workers_are_not_told(
    api: Api, cluster: LocalCluster, meetings: list[Meeting]
) -> None:
    """The message that something changed may get lost: here it is sent where nobody listens."""
    alice = await asyncio.to_thread(api.enroll, "Alice", to_flac(SCRIPT.speak(1)))
    await all_become(meetings, "Alice")

    code = f"from speakers.models import Speaker; Speaker.objects.get(uuid='{alice}').delete()"
    await asyncio.to_thread(cluster.manage, "shell", "--no-imports", "-c", code, REDIS_URL="")
    await all_become(meetings, "Speaker 1")

    assert "Alice" not in {await meeting.say() for meeting in meetings}


def test_one_worker_wipes_what_is_left_in_the_files(api: Api, cluster: LocalCluster) -> None:
    # Another voice: who listens may not know yet that the one before was forgotten, and would ask who it is.
    alice = api.enroll("Alice Zaphod", to_flac(SCRIPT.speak(2)))
    api.call("DELETE", f"speakers/{alice}")

    code = "from speakers.models import Job; print(*Job.objects.filter(kind='wipe').values_list('state'))"
    wait_until(
        lambda: set(cluster.manage("shell", "--no-imports", "-c", code).split()) == {"('done',)"},
        "nobody wipes",
    )
