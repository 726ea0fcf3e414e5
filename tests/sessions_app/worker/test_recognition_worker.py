"""The worker between transport, database and channel layer: what it takes, lets go, and survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer, get_channel_layer
from redis.exceptions import ConnectionError as RedisConnectionError

from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine
from sessions_app.models import Session
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire import layer_messages
from sessions_app.worker import live_session, recognition_worker
from sessions_app.worker.live_session import LiveSession
from sessions_app.worker.recognition_worker import RecognitionWorker
from sessions_app.worker.running_set import RunningSet
from tests.support.senders import Socket

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script(
    [ScriptedLine("大家好，我们开始开会。", voice=0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)

AUDIO = SCRIPT.audio()


@pytest.fixture
async def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
async def worker(
    transport: MemoryTransport,
    engine: Engine,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RecognitionWorker]:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(live_session, "pause_after", lambda failures: 0.0)
    monkeypatch.setattr(live_session, "READ_S", 0.02)
    worker = RecognitionWorker([RunningSet("", engine, EndpointingOptions())], transport, capacity=3)
    running = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await asyncio.wait_for(running, 20)


async def send(transport: MemoryTransport, key: str, *, is_all: bool = False) -> Session:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, key)
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", AUDIO.tobytes())
    if is_all:
        await transport.finish(session.pk, "sender")
    return session


async def until(session: Session, condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition(session):
            await asyncio.sleep(0.02)
            await session.arefresh_from_db()


async def tell(kind: str, **more: Any) -> None:
    """As a page does: over the channel layer."""
    layer: Any = get_channel_layer()
    await layer.group_send(layer_messages.WORKERS, {"type": kind, **more})


async def test_it_is_there_for_as_many_sessions_as_it_has_room_for(
    worker: RecognitionWorker, transport: MemoryTransport
) -> None:
    async with asyncio.timeout(10):
        while not await transport.has_workers():
            await asyncio.sleep(0.01)
    assert transport._capacity == 3


async def test_it_counts_the_sessions_that_it_recognises(
    worker: RecognitionWorker, transport: MemoryTransport
) -> None:
    assert worker.session_count == 0
    sessions = [await send(transport, f"s{number}") for number in range(2)]
    for session in sessions:
        await until(session, lambda session: session.last_seq == 2)
    assert worker.session_count == 2
    for session in sessions:
        await transport.finish(session.pk, "sender")
        await until(session, lambda session: session.has_ended)
    async with asyncio.timeout(5):
        while worker.session_count:
            await asyncio.sleep(0.01)


class TestBeforeRedisIsThere:
    @pytest.fixture(params=["new_channel", "group_add"])
    def refusals(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Let the layer fail so many times at the start."""
        left = [2]
        work = getattr(InMemoryChannelLayer, request.param)

        async def maybe(layer: InMemoryChannelLayer, *arguments: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise RedisConnectionError("connection refused")
            return await work(layer, *arguments)

        monkeypatch.setattr(recognition_worker, "LAYER_RETRY_S", 0.02)
        monkeypatch.setattr(InMemoryChannelLayer, request.param, maybe)
        return left

    async def test_it_asks_again_and_then_takes_sessions(
        self, refusals: list[int], worker: RecognitionWorker, transport: MemoryTransport
    ) -> None:
        session = await send(transport, "early", is_all=True)
        await until(session, lambda session: session.has_ended)
        assert refusals == [0]

    async def test_it_can_be_stopped(self, refusals: list[int], worker: RecognitionWorker) -> None:
        refusals[0] = 10**6
        await asyncio.sleep(0.1)  # the fixture stops it


async def test_a_session_ends_when_somebody_says_so_on_a_page(
    worker: RecognitionWorker, transport: MemoryTransport
) -> None:
    session, other = await send(transport, "stopped"), await send(transport, "other")
    for each in (session, other):
        await until(each, lambda session: session.last_seq == 2)
    await tell("session.stop", key="stopped")
    await tell("session.stop", key="of another worker")
    await until(session, lambda session: session.has_ended)
    await session.arefresh_from_db()
    assert session.closed_by == "person"
    await other.arefresh_from_db()
    assert not other.has_ended


async def test_corrections_reach_the_session_that_they_are_for(
    worker: RecognitionWorker, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrected: list[str] = []

    async def apply(live: LiveSession) -> None:
        corrected.append(live.lease.key)

    monkeypatch.setattr(LiveSession, "apply_corrections", apply)
    for key in ("one", "two"):
        await until(await send(transport, key), lambda session: session.last_seq == 2)
    await tell("session.corrected", key="two")
    await tell("session.corrected", key="of another worker")
    async with asyncio.timeout(5):
        while not corrected:
            await asyncio.sleep(0.01)
    assert corrected == ["two"]


async def test_one_that_has_ended_already_is_let_go_and_not_recognised_again(
    worker: RecognitionWorker, transport: MemoryTransport
) -> None:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "over")
    await Session.objects.aupdate(state=Session.State.ENDED)
    await transport.offer(session.pk, durable=0)
    async with asyncio.timeout(5):
        while transport._logs:
            await asyncio.sleep(0.01)
    await session.arefresh_from_db()
    assert session.epoch == 0


async def test_one_that_another_worker_has_taken_is_left_to_it(
    worker: RecognitionWorker, transport: MemoryTransport, caplog: pytest.LogCaptureFixture
) -> None:
    session = await send(transport, "taken")
    await until(session, lambda session: session.last_seq == 2)
    await asyncio.to_thread(commits.acquire, session.pk)
    await transport.append(session.pk, "sender", AUDIO.tobytes())
    async with asyncio.timeout(10):
        while f"session {session.pk}: another worker has it now" not in caplog.messages:
            await asyncio.sleep(0.02)
    await session.arefresh_from_db()
    assert session.failures == 0


async def test_a_layer_that_is_full_costs_a_hint_and_no_line(
    worker: RecognitionWorker, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*arguments: Any) -> None:
        raise ChannelFull

    session = await send(transport, "quiet")
    await until(session, lambda session: session.last_seq == 2)
    monkeypatch.setattr(worker.channel_layer, "group_send", full)
    await transport.append(session.pk, "sender", AUDIO.tobytes())
    await transport.finish(session.pk, "sender")
    await until(session, lambda session: session.has_ended)
    assert session.last_seq == 4
    assert not session.has_failed


async def test_one_that_stops_commits_what_it_has_and_leaves_the_session_open(
    transport: MemoryTransport, engine: Engine, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    worker = RecognitionWorker([RunningSet("", engine, EndpointingOptions())], transport, capacity=3)
    running = asyncio.create_task(worker.run())
    session = await send(transport, "left")
    await until(session, lambda session: session.last_seq >= 1)
    worker.stop()
    await asyncio.wait_for(running, 20)
    await session.arefresh_from_db()
    assert (session.state, session.last_seq) == (Session.State.PAUSED, 2)
    assert session.recorded == len(AUDIO)
    assert not await transport.has_workers()
    again = RecognitionWorker([RunningSet("", engine, EndpointingOptions())], transport, capacity=3)
    running = asyncio.create_task(again.run())
    await transport.append(session.pk, "sender", AUDIO.tobytes())
    await transport.finish(session.pk, "sender")
    await until(session, lambda session: session.has_ended)
    assert session.last_seq == 4
    again.stop()
    await asyncio.wait_for(running, 20)
