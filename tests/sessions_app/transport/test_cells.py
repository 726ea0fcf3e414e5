"""Web processes and workers over several cells: a session lives in one, and no cell knows of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis as blocking_redis
from redis.exceptions import RedisError

from deploy.local_servers import RedisServer
from sessions_app.cells import directory
from sessions_app.cells.placement import HOME
from sessions_app.metrics import registry
from sessions_app.transport import layers
from sessions_app.transport.cells import CellsTransport
from sessions_app.transport.interface import Fenced, Overloaded, Superseded, Unreachable
from tests.support.senders import Socket

from .test_transport import audio

pytestmark = pytest.mark.django_db(transaction=True)

MakeProcess = Callable[[str], CellsTransport]


@pytest.fixture
def addresses(redis_server: RedisServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Home, and a cell called east."""
    blocking_redis.Redis.from_url(redis_server.url).flushall()
    settings.REDIS_URL = redis_server.url
    monkeypatch.setattr(layers, "_layers", {})
    east = redis_server.url.replace("/0", "/5")
    directory.add("east", east)
    return {HOME: redis_server.url, "east": east}


@pytest.fixture
async def processes(addresses: dict[str, str]) -> AsyncIterator[MakeProcess]:
    made: list[CellsTransport] = []

    def process(cell: str = HOME) -> CellsTransport:
        made.append(CellsTransport(cell))
        return made[-1]

    yield process
    for transport in made:
        await transport.aclose()


async def start_workers(processes: MakeProcess, *cells: str) -> list[CellsTransport]:
    workers = [processes(cell) for cell in cells]
    for worker in workers:
        await worker.join_workers(2, model_sets=[f"of-{worker.cell}", "of-all"])
    return workers


async def begin(web: CellsTransport, session: int, cell: str, sender: str = "one") -> Socket:
    socket = Socket()
    await web.open(
        session, sender, durable=0, may_take_over=False, listener=socket, model_set="of-all", cell=cell
    )
    return socket


async def take(worker: CellsTransport) -> int:
    async with asyncio.timeout(10):
        return await worker.take()


async def test_each_session_reaches_the_workers_of_its_cell(processes: MakeProcess) -> None:
    here, there = await start_workers(processes, HOME, "east")
    web = processes(HOME)
    for session, cell in ((1, HOME), (2, "east")):
        await begin(web, session, cell)
        await web.append(session, "one", audio(0, 1000 * session))

    assert await take(here) == 1
    assert await take(there) == 2
    assert (await here.read(1, 0, timeout_s=5)).audio == audio(0, 1000)
    assert (await there.read(2, 0, timeout_s=5)).audio == audio(0, 2000)
    with pytest.raises(Fenced):
        await here.read(2, 0, timeout_s=1)


async def test_a_session_leaves_nothing_in_another_cell(
    processes: MakeProcess, addresses: dict[str, str]
) -> None:
    _, there = await start_workers(processes, HOME, "east")
    web = processes(HOME)
    await begin(web, 2, "east")
    await web.append(2, "one", audio(0, 1000))
    await web.flush(2, "one")
    await web.finish(2, "one")

    home, east = (blocking_redis.Redis.from_url(addresses[cell]) for cell in (HOME, "east"))
    assert not home.exists("asr:session:2", "asr:audio:2")
    assert east.exists("asr:session:2", "asr:audio:2") == 2
    await take(there)
    await there.report(2, processed=1000, durable=1000)
    assert await there.sender_gone_s(2) == 0
    await web.leave(2, "one")
    await there.release(2)
    assert not east.exists("asr:session:2", "asr:audio:2")


async def test_a_full_cell_fills_no_other(processes: MakeProcess) -> None:
    await start_workers(processes, HOME, "east")
    web = processes(HOME)
    for session in (1, 2):
        await begin(web, session, "east")

    with pytest.raises(Overloaded):
        await begin(web, 3, "east")
    await begin(web, 3, HOME)


async def test_a_sender_that_was_not_let_in_sends_nothing(processes: MakeProcess) -> None:
    web = processes(HOME)
    with pytest.raises(Superseded):
        await web.append(1, "one", audio(0, 10))
    await web.leave(1, "one")


async def test_a_cell_that_is_not_there_is_unreachable(processes: MakeProcess) -> None:
    with pytest.raises(Unreachable, match="there is no cell 'west'"):
        await begin(processes(HOME), 1, "west")


async def test_workers_of_all_cells_are_known(processes: MakeProcess) -> None:
    await start_workers(processes, HOME, "east")
    web = processes(HOME)

    assert sorted(worker.model_sets[0] for worker in await web.workers()) == ["of-east", "of-home"]
    assert [worker.model_sets[0] for worker in await web.workers_of("east")] == ["of-east"]


class TestReadiness:
    async def test_is_of_any_cell_that_takes_new_sessions(self, processes: MakeProcess) -> None:
        await start_workers(processes, "east")
        web = processes(HOME)

        assert await web.has_workers("of-east")
        assert not await web.has_workers("of-home")
        await asyncio.to_thread(directory.set_takes_new, "east", False)
        assert not await web.has_workers("of-east")

    async def test_outlives_a_cell_that_is_away(self, processes: MakeProcess) -> None:
        await asyncio.to_thread(directory.add, "west", "redis://127.0.0.1:1/0")
        await start_workers(processes, "east")
        web = processes(HOME)

        assert await web.has_workers("of-east")
        assert [worker.model_sets[0] for worker in await web.workers()] == ["of-east"]

    async def test_but_not_all_of_them(self, processes: MakeProcess, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        await asyncio.to_thread(directory.set_takes_new, "east", False)
        with pytest.raises(RedisError):
            await processes(HOME).has_workers()


async def test_senders_are_counted_by_cell(processes: MakeProcess) -> None:
    def count(cell: str) -> float:
        return registry.get_sample_value("asr_senders", {"cell": cell}) or 0

    before = count("east")
    await start_workers(processes, "east")
    web = processes(HOME)
    await begin(web, 1, "east")
    await begin(web, 1, "east")  # anew, after its log was lost
    assert count("east") == before + 1
    await web.leave(1, "one")
    assert count("east") == before


class TestLayers:
    async def test_a_cell_has_one_of_its_own(self, addresses: dict[str, str]) -> None:
        home, east = await layers.layer_of(HOME), await layers.layer_of("east")
        channel = await east.new_channel()
        await east.group_add("session-1", channel)

        await home.group_send("session-1", {"text": "elsewhere"})
        await east.group_send("session-1", {"text": "here"})
        async with asyncio.timeout(5):
            assert (await east.receive(channel))["text"] == "here"
        assert await layers.layer_of("east") is east

    async def test_without_redis_there_is_one(self, addresses: dict[str, str], settings: Any) -> None:
        settings.REDIS_URL = ""
        assert await layers.layer_of("east") is await layers.layer_of(HOME)

    async def test_one_of_a_cell_that_is_gone_is_not_found(self, addresses: dict[str, str]) -> None:
        with pytest.raises(Unreachable):
            await layers.layer_of("west")
