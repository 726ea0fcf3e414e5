"""A worker process killed in the middle of meetings with different sets and wishes, beside a real Redis."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import redis
import soundfile
from websockets.asyncio.client import ClientConnection

from deploy.local_servers import LocalProcess, RedisServer, wait_until
from recognition.audio import samples
from recognition.evaluation.scoring import character_error_rate
from recognition.model_sets.reading import read_model_set
from tests.support.clients import Told, listen, new_id, open_socket, recording_file, send_audio, send_meeting
from tests.support.people import spoken
from tests.support.server import ROOT, START_PATIENCE_S, Server

pytestmark = pytest.mark.slow(180)

SETS = ("embedded", "people")
AUDIO = spoken(16.0)
KILLED_AT = samples(11.0)
"""Behind the first lines, in the middle of another."""

PATIENCE_S = 240


@dataclass
class Meeting:
    """One sender with its socket, and what it was told."""

    models: str
    wishes: str = ""
    audio: np.ndarray = field(default_factory=lambda: AUDIO)
    killed_at: int = KILLED_AT
    key: str = field(default_factory=new_id)
    told: Told = field(default_factory=Told)

    async def begin(self, server: Server) -> None:
        self.socket: ClientConnection = await open_socket(
            server, self.key, f"mode=sender&models={self.models}{self.wishes}"
        )
        self.listening = asyncio.create_task(listen(self.socket, self.told))
        await send_audio(self.socket, self.audio[: self.killed_at])

    async def go_on(self) -> None:
        await send_audio(self.socket, self.audio[self.killed_at :])
        await self.socket.send("close")

    async def has_a_line(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not self.told.lines:
                await asyncio.sleep(0.1)

    async def end(self) -> None:
        await asyncio.wait_for(self.listening, PATIENCE_S)


@pytest.fixture
def web(tmp_path: Path, redis_server: RedisServer, people_models_dir: Path) -> Iterator[Server]:
    """A process that takes meetings and recognises none; it knows of both sets."""
    if read_model_set("embedded").missing(people_models_dir):
        pytest.skip("the weights of the embedded models are not in this checkout")
    (tmp_path / "models").symlink_to(people_models_dir)
    redis.Redis.from_url(redis_server.url).flushall()
    server = Server(
        tmp_path,
        REDIS_URL=redis_server.url,
        ASR_MODELS=",".join(SETS),
        ASR_CAPACITY="4",
        ASR_SENDER_IDLE_S=str(PATIENCE_S),  # nobody speaks while a worker starts
    )
    server.migrate()
    with ExitStack() as stack:
        stack.callback(redis.Redis.from_url(redis_server.url).flushall)
        yield server
        stack.callback(lambda: server.is_running and server.stop())


def worker(web: Server, name: str, models: str) -> LocalProcess:
    """Return a worker process for these sets, which is not started."""
    return LocalProcess(
        name,
        [sys.executable, "manage.py", "recognize", "--processes", "1"],
        log=web.data_dir / f"{name}.log",
        environment={**web.environment, "ASR_MODELS": models},
        folder=ROOT,
    )


async def wait_for_start(process: LocalProcess, times: int = 1) -> None:
    def is_there() -> bool:
        assert process.is_running, process.log.read_text()
        return process.log.read_text().count("Recognising in process") == times

    complaint = f"{process.name} does not come"
    await asyncio.to_thread(wait_until, is_there, complaint, timeout_s=START_PATIENCE_S)


async def undisturbed(web: Server, models: str) -> list[str]:
    told = await send_meeting(web, new_id(), AUDIO, f"mode=sender&models={models}", patience_s=PATIENCE_S)
    return told.lines


@asynccontextmanager
async def killed_in_the_middle(
    web: Server, victim: LocalProcess, heir: LocalProcess, meetings: Sequence[Meeting]
) -> AsyncIterator[None]:
    """Kill a worker in the middle of meetings when another has come; what is left to be said is sent then."""
    with victim, ExitStack() as later:
        await wait_for_start(victim)
        web.start()
        for meeting in meetings:
            await meeting.begin(web)
        for meeting in meetings:
            await meeting.has_a_line()
        later.enter_context(heir)
        await wait_for_start(heir)

        victim.kill()
        for meeting in meetings:
            await meeting.go_on()
        yield


async def test_each_meeting_goes_on_at_a_worker_that_has_its_set_and_loses_nothing(web: Server) -> None:
    victim, heir = worker(web, "victim", "embedded,people"), worker(web, "heir", "embedded")
    of_embedded, of_people = meetings = [Meeting(models) for models in SETS]
    async with killed_in_the_middle(web, victim, heir, meetings):
        await of_embedded.end()
        assert web.session(of_people.key, "state") == ("live",)  # nobody is left that has its models
        victim.start()
        await wait_for_start(victim, times=2)
        await of_people.end()

        for meeting in meetings:
            await check_that_nothing_is_lost(web, meeting)


def named_twice() -> np.ndarray:
    """Return two lines of the sample meeting which name somebody that the recogniser does not know."""
    meeting, _ = soundfile.read(ROOT / "sessions_app/sample/meeting.flac", dtype="float32")
    return np.concatenate(
        [meeting[samples(start) : samples(end)] for start, end in ((12.0, 17.5), (85.6, 93.4))]
    )


async def test_what_a_meeting_wishes_for_outlives_its_worker(web: Server) -> None:
    audio = named_twice()
    killed_at = samples(8.0)  # in the second line
    wishes = f"&hotwords={quote('王磊')}&script=traditional"
    wishing, other = meetings = [
        Meeting("embedded", each, audio, killed_at) for each in (wishes, "&script=simplified")
    ]
    victim, heir = worker(web, "victim", "embedded"), worker(web, "heir", "embedded")
    async with killed_in_the_middle(web, victim, heir, meetings):
        for meeting in meetings:
            await meeting.end()

    assert wishing.told.errors == other.told.errors == []
    assert [line[:6] for line in wishing.told.lines] == ["王磊，你先說", "那就這麼定了"]
    assert "王磊負責" in wishing.told.lines[1]
    assert [line[:6] for line in other.told.lines] == ["汪磊，你先说", "那就这么定了"]
    assert "我们负责" in other.told.lines[1]


async def check_that_nothing_is_lost(web: Server, meeting: Meeting) -> None:
    """By its audio, its lines, and what they are where no worker dies."""
    assert meeting.told.close_code == 1000
    assert meeting.told.errors == []
    assert meeting.told.seqs == list(range(1, len(meeting.told.seqs) + 1))
    [end] = meeting.told.events("session_end")
    assert end["received_s"] == end["recognised_s"] == len(AUDIO) / 16_000
    assert web.session(meeting.key, "model_set, durable") == (meeting.models, len(AUDIO))
    kept, _ = soundfile.read(await recording_file(web, meeting.key), dtype="int16")
    np.testing.assert_array_equal(kept, (AUDIO * 32_768).astype(np.int16))
    expected = await undisturbed(web, meeting.models)
    # Synthetic voices are hard for the set for people: whoever begins anew hears them a little otherwise.
    assert character_error_rate([("".join(expected), "".join(meeting.told.lines))]) < 0.25
