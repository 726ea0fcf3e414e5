"""A worker dies while its session goes on: another reads the log and makes the same lines, none twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis as blocking_redis

from deploy.local_servers import RedisServer
from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app.models import Session
from sessions_app.recordings import files
from sessions_app.store import commits
from sessions_app.transport.interface import Fenced, Transport
from sessions_app.transport.memory import MemoryTransport
from sessions_app.transport.redis import RedisTransport
from sessions_app.worker.line_writing import LineWriting
from sessions_app.worker.live_session import LiveSession
from speakers.maintenance import SpeakerMaintenance
from speakers.voiceprints.identification import Gallery
from tests.sessions_app.transport.test_redis import die
from tests.support.senders import Socket

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script(
    [
        ScriptedLine("大家好，我们开始开会。", voice=0, seconds=2.0),
        ScriptedLine("好的。", voice=1, seconds=1.5),
    ]
)

FIRST, SECOND = SCRIPT.speak(0, pause_s=1.0), SCRIPT.speak(1, pause_s=1.0)
FLUSHES = (samples(1.0), samples(1.0), len(FIRST), len(FIRST) + samples(0.7))
"""In the middle of the first line, there again, where nobody speaks, in the middle of the second."""

AUDIO = np.concatenate([FIRST, SECOND])

Line = tuple[int | None, str, int, int]


class Watcher:
    """Takes what a worker publishes."""

    def __init__(self) -> None:
        self.has_begun = False
        self.lines = 0

    async def publish(self, group: str, message: dict[str, Any]) -> None:
        self.has_begun = True
        self.lines += len(message.get("lines", ()))

    async def sees(self, lines: int) -> None:
        async with asyncio.timeout(10):
            while not self.has_begun or self.lines < lines:
                await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
async def new_engine() -> AsyncIterator[Callable[[], Engine]]:
    made: list[Engine] = []

    def new() -> Engine:
        made.append(Engine(scripted_models(SCRIPT)))
        made[-1].start()
        return made[-1]

    yield new
    for engine in made:
        await engine.aclose()


async def send(transport: Transport, key: str, *, is_all: bool = False) -> Session:
    """The audio with its flushes; and its end, if that is all."""
    session, _ = await asyncio.to_thread(commits.get_or_create_session, key)
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    position = 0
    for flush in FLUSHES:
        if flush > position:
            await transport.append(session.pk, "sender", AUDIO[position:flush].tobytes())
        position = flush
        assert await transport.flush(session.pk, "sender") == flush
    await transport.append(session.pk, "sender", AUDIO[position:].tobytes())
    if is_all:
        await transport.finish(session.pk, "sender")
    return session


async def live(session: Session, transport: Transport, engine: Engine, watcher: Watcher) -> LiveSession:
    async def ignore(gallery: Gallery) -> None:
        pass

    speakers = SpeakerMaintenance([engine], "worker", on_gallery=ignore)
    await speakers.load()
    lease = await asyncio.to_thread(commits.acquire, session.pk)
    assert lease
    return LiveSession(
        lease,
        transport=transport,
        engine=engine,
        endpointing=EndpointingOptions(),
        tracker=speakers.new_tracker(engine),
        publish=watcher.publish,
        writing=LineWriting(with_digits=True),
    )


async def lines(session: Session) -> list[Line]:
    def read() -> list[Line]:
        return list(session.utterances.order_by("seq").values_list("seq", "text", "start", "end"))

    return await asyncio.to_thread(read)


async def undisturbed(new_engine: Callable[[], Engine]) -> list[Line]:
    transport = MemoryTransport()
    session = await send(transport, "undisturbed", is_all=True)
    assert await transport.take() == session.pk
    await (await live(session, transport, new_engine(), Watcher())).run()
    return await lines(session)


async def dies(working: asyncio.Task[None]) -> None:
    """As kill -9: whatever it was about to do, it does not."""
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_lines_end_where_the_sender_said_so(new_engine: Callable[[], Engine]) -> None:
    found = await undisturbed(new_engine)
    assert [line[0] for line in found] == [1, 2, 3, 4]
    assert [end for _, _, _, end in found] == [
        FLUSHES[0], pytest.approx(samples(2.0), abs=samples(0.4)), FLUSHES[3],
        pytest.approx(len(FIRST) + samples(1.5), abs=samples(0.4)),
    ]  # fmt: skip
    assert found[1][2] == FLUSHES[0]


@pytest.mark.parametrize("told", [0, 1, 2, 3])
async def test_another_worker_makes_the_same_lines_whenever_the_first_dies(
    new_engine: Callable[[], Engine], told: int
) -> None:
    expected = await undisturbed(new_engine)
    transport, watcher = MemoryTransport(), Watcher()
    session = await send(transport, "taken over")
    await transport.take()
    first = await live(session, transport, new_engine(), watcher)
    working = asyncio.create_task(first.run())
    await watcher.sees(told)
    await dies(working)
    await transport.give_up(session.pk)
    assert await asyncio.wait_for(transport.take(), 5) == session.pk
    second = await live(session, transport, new_engine(), Watcher())
    before = await lines(session)
    assert len(before) >= told
    assert second.lease.epoch == first.lease.epoch + 1
    assert second.lease.last_seq == len(before)
    await transport.finish(session.pk, "sender")
    await second.run()
    assert await lines(session) == expected
    assert before == expected[: len(before)]


class TestRestart:
    """The one process of a small installation stops in mid-sentence, and another one begins."""

    async def heard(self, new_engine: Callable[[], Engine], *cuts: int) -> tuple[Session, list[list[Line]]]:
        """Hear the meeting with restarts at these places; the lines at each of them, and at the end."""
        found = []
        key = f"restarted at {cuts}"
        begins = 0
        for end in (*cuts, len(AUDIO)):
            session, _ = await asyncio.to_thread(commits.get_or_create_session, key)
            transport = MemoryTransport()
            position = await transport.open(
                session.pk, "sender", durable=session.kept, may_take_over=False, listener=Socket()
            )
            assert position == begins  # a plain sender, which can send nothing twice
            await transport.append(session.pk, "sender", AUDIO[begins:end].tobytes())
            await transport.take()
            working = await live(session, transport, new_engine(), Watcher())
            if end == len(AUDIO):
                await transport.finish(session.pk, "sender")
            else:
                working.hand_over()
            await asyncio.wait_for(working.run(), 20)
            found.append(await lines(session))
            begins = end
        await asyncio.to_thread(session.refresh_from_db)
        return session, found

    @pytest.mark.parametrize("cut_s", [0.3, 0.9, 1.7, 3.6])
    async def test_the_words_at_the_seam_are_heard_from_both_sides(
        self, new_engine: Callable[[], Engine], cut_s: float
    ) -> None:
        _, [expected] = await self.heard(new_engine)
        session, [before, after] = await self.heard(new_engine, samples(cut_s))
        assert after == expected
        assert before == expected[: len(before)]
        assert len(before) == (1 if cut_s > 2.5 else 0)
        assert session.has_ended

    async def test_so_they_are_after_a_second_restart_in_the_same_sentence(
        self, new_engine: Callable[[], Engine]
    ) -> None:
        _, [expected] = await self.heard(new_engine)
        _, [*_before, after] = await self.heard(new_engine, samples(0.6), samples(1.1), samples(1.15))
        assert after == expected

    @pytest.mark.parametrize("encrypted", [False, True])
    async def test_the_recording_has_no_seam(
        self, new_engine: Callable[[], Engine], settings: Any, encrypted: bool
    ) -> None:
        settings.ENCRYPT_RECORDINGS = encrypted
        session, _ = await self.heard(new_engine, samples(0.9))
        recording = await asyncio.to_thread(files.read, session.pk, 0, len(AUDIO))
        np.testing.assert_array_equal(recording, files.to_int16(AUDIO))

    async def test_where_the_recording_was_deleted_times_are_right_all_the_same(
        self, new_engine: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, [expected] = await self.heard(new_engine)
        monkeypatch.setattr(files, "read", lambda pk, start, end: np.empty(0, np.int16))
        _, [_, after] = await self.heard(new_engine, samples(2.5))
        assert after[-1][1:] == expected[-1][1:]


async def test_one_whose_work_was_never_recognised_leaves_all_of_it(new_engine: Callable[[], Engine]) -> None:
    expected = await undisturbed(new_engine)
    transport = MemoryTransport()
    session = await send(transport, "taken over", is_all=True)
    await transport.take()
    idle = Engine(scripted_models(SCRIPT))  # never started: as models that hang
    working = asyncio.create_task((await live(session, transport, idle, Watcher())).run())
    await asyncio.sleep(0.3)
    assert await lines(session) == []
    await dies(working)
    await transport.give_up(session.pk)
    await transport.take()
    await (await live(session, transport, new_engine(), Watcher())).run()
    assert await lines(session) == expected


async def test_one_that_only_slept_can_write_no_more(new_engine: Callable[[], Engine]) -> None:
    transport = MemoryTransport()
    session = await send(transport, "taken over", is_all=True)
    await transport.take()
    sleeper = await live(session, transport, new_engine(), Watcher())
    second = await live(session, transport, new_engine(), Watcher())
    with pytest.raises(Fenced):
        await sleeper.run()
    assert await lines(session) == []
    await second.run()
    assert [line[0] for line in await lines(session)] == [1, 2, 3, 4]


async def test_the_recording_is_that_of_one_worker(new_engine: Callable[[], Engine]) -> None:
    transport, watcher = MemoryTransport(), Watcher()
    session = await send(transport, "taken over")
    await transport.take()
    working = asyncio.create_task((await live(session, transport, new_engine(), watcher)).run())
    await watcher.sees(1)
    await dies(working)
    await transport.give_up(session.pk)
    await transport.take()
    await transport.finish(session.pk, "sender")
    await (await live(session, transport, new_engine(), Watcher())).run()
    recording = await asyncio.to_thread(files.read, session.pk, 0, len(AUDIO))
    np.testing.assert_array_equal(recording, files.to_int16(AUDIO))


async def test_a_process_that_dies_leaves_its_session_to_another_by_redis(
    new_engine: Callable[[], Engine], redis_server: RedisServer
) -> None:
    expected = await undisturbed(new_engine)
    blocking_redis.Redis.from_url(redis_server.url).flushall()
    web, first, second = (RedisTransport(redis_server.url) for _ in range(3))
    await first.join_workers(4)
    session = await send(web, "taken over")
    assert await asyncio.wait_for(first.take(), 10) == session.pk
    watcher = Watcher()
    working = asyncio.create_task((await live(session, first, new_engine(), watcher)).run())
    await watcher.sees(1)
    await dies(working)
    await die(first)
    await second.join_workers(4)
    assert await asyncio.wait_for(second.take(), 10) == session.pk
    await web.finish(session.pk, "sender")
    await (await live(session, second, new_engine(), Watcher())).run()
    assert await lines(session) == expected
    for transport in (web, first, second):
        await transport.aclose()
