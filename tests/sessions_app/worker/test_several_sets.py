"""Sessions of different model sets at once in one worker; each is recognised by its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app.models import Session
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from sessions_app.worker.recognition_worker import RecognitionWorker
from sessions_app.worker.running_set import RunningSet
from tests.support.senders import Socket

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = {"own": "大家好。", "second": "再见。"}
AUDIO = Script([ScriptedLine("好。", seconds=2.0)]).speak(0, pause_s=1.5)


@pytest.fixture
async def transport(settings: Any, tmp_path: Path) -> AsyncIterator[MemoryTransport]:
    """With a worker that has two sets, each with a text of its own for the same audio."""
    settings.MEDIA_ROOT = tmp_path
    transport = MemoryTransport()
    async with worker_with(WORDS, transport):
        yield transport


@asynccontextmanager
async def worker_with(names: Iterable[str], transport: MemoryTransport) -> AsyncIterator[None]:
    """A worker with these sets, the first being its default."""
    sets = [
        RunningSet(name, Engine(scripted_models(Script([ScriptedLine(WORDS[name])]))), EndpointingOptions())
        for name in names
    ]
    for each in sets:
        each.engine.start()
    worker = RecognitionWorker(sets, transport, capacity=4)
    running = asyncio.create_task(worker.run())
    yield
    worker.stop()
    await running
    for each in sets:
        await each.engine.aclose()


async def send(transport: MemoryTransport, key: str, model_set: str, log_set: str | None = None) -> Session:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, key, model_set=model_set)
    options: dict[str, Any] = {"durable": 0, "may_take_over": False, "listener": Socket()}
    await transport.open(session.pk, "s", **options, model_set=model_set if log_set is None else log_set)
    for piece in np.array_split(AUDIO.astype("<f4"), 10):
        await transport.append(session.pk, "s", piece.tobytes())
    await transport.finish(session.pk, "s")
    return session


async def ended(session: Session) -> list[str]:
    async with asyncio.timeout(20):
        while (await Session.objects.aget(pk=session.pk)).state != Session.State.ENDED:
            await asyncio.sleep(0.02)
    return [line.text async for line in session.utterances.order_by("seq")]


async def test_each_session_is_recognised_by_its_own_set(transport: MemoryTransport) -> None:
    names = ["own", "second", "own", "second"]
    sessions = await asyncio.gather(*(send(transport, f"s{n}", name) for n, name in enumerate(names)))

    lines = await asyncio.gather(*map(ended, sessions))

    assert lines == [[WORDS[name]] for name in names]


async def test_another_worker_goes_on_with_the_sessions_set(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    transport = MemoryTransport()
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "taken-over", model_set="second")
    options: dict[str, Any] = {"durable": 0, "may_take_over": False, "listener": Socket()}
    async with worker_with(["second", "own"], transport):
        await transport.open(session.pk, "s", **options, model_set="second")
        await transport.append(session.pk, "s", AUDIO.astype("<f4").tobytes())
        await until(lambda: session.utterances.count() == 1)
    async with worker_with(["own", "second"], transport):
        await transport.append(session.pk, "s", AUDIO.astype("<f4").tobytes())
        await transport.finish(session.pk, "s")

        assert await ended(session) == [WORDS["second"]] * 2


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.02)


async def test_it_says_which_sets_it_has(transport: MemoryTransport) -> None:
    async with asyncio.timeout(20):
        while not await transport.has_workers("own"):
            await asyncio.sleep(0.02)
    assert await transport.has_workers("second")
    assert not await transport.has_workers("third")


async def test_where_a_set_is_served_no_more_the_default_goes_on_and_is_the_sessions(
    transport: MemoryTransport,
) -> None:
    session = await send(transport, "from-before", "gone", log_set="own")

    assert await ended(session) == [WORDS["own"]]
    assert (await Session.objects.aget(pk=session.pk)).model_set == "own"
