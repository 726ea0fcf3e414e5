"""What a process hears of the sessions that its sockets follow, though the channel layer fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from sessions_app.metrics import registry
from sessions_app.sockets import ear, fanout
from sessions_app.sockets.fanout import Fanout
from sessions_app.sockets.feed import SessionFeed
from sessions_app.store import commits, queries
from sessions_app.store.commits import Lease
from sessions_app.transport import layers
from sessions_app.wire import layer_messages
from sessions_app.wire.protocol import Line, PartialLine, SpeakerRef
from tests.sessions_app.meetings import new_line

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "meeting"


class Listener:
    def __init__(self) -> None:
        self.changed = asyncio.Event()

    def feed_changed(self) -> None:
        self.changed.set()


class FailingLayer(InMemoryChannelLayer):
    """Is not there at first."""

    def __init__(self, failures: list[Exception | None]) -> None:
        super().__init__()
        self._failures = failures

    async def new_channel(self, prefix: str = "specific.") -> str:
        if self._failures:
            failure = self._failures.pop(0)
            if failure is None:
                await asyncio.Event().wait()  # never answers
            else:
                raise failure
        return await super().new_channel(prefix)


@pytest.fixture
def failures() -> list[Exception | None]:
    return []


@pytest.fixture
def layer(failures: list[Exception | None]) -> FailingLayer:
    return FailingLayer(failures)


@pytest.fixture
async def following(layer: FailingLayer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fanout]:
    monkeypatch.setattr(layers, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(fanout, "DATABASE_POLL_S", 0.05)
    monkeypatch.setattr(ear, "AGAIN_S", 0.05)
    monkeypatch.setattr(ear, "CHANNEL_OPEN_TIMEOUT_S", 0.2)
    following = Fanout()
    yield following
    await following.aclose()


def begin_session() -> Lease:
    session, _ = commits.get_or_create_session(KEY)
    lease = commits.acquire(session.pk)
    assert lease
    return lease


async def publish(layer: InMemoryChannelLayer, text: str) -> None:
    message = layer_messages.partial_message(KEY, PartialLine(0, text))
    await layer.group_send(layer_messages.session_group(KEY), message)


async def until_text(feed: SessionFeed, text: str) -> None:
    async with asyncio.timeout(10):
        while feed.partial != PartialLine(0, text):
            await asyncio.sleep(0.01)


async def test_what_is_said_reaches_who_follows(following: Fanout, layer: FailingLayer) -> None:
    feed = await following.follow(KEY, Listener())
    await publish(layer, "大家")
    await until_text(feed, "大家")


async def test_lines_come_with_how_far_the_session_is(following: Fanout, layer: FailingLayer) -> None:
    feed = await following.follow(KEY, Listener())
    lines = [
        Line(seq, seq, 0, 500, "好的。", SpeakerRef("id", "张三", 0.9, is_enrolled=True)) for seq in (1, 2)
    ]
    message = layer_messages.commit_message(KEY, lines, received=32_000, durable=16_000)
    await layer.group_send(layer_messages.session_group(KEY), message)
    async with asyncio.timeout(10):
        while feed.last_seq < 2:
            await asyncio.sleep(0.01)
    assert feed.lines_after(0) == lines
    assert (feed.received, feed.durable) == (32_000, 16_000)


async def test_the_age_of_a_text_is_counted_once_it_is_written_to_the_sockets_of_this_process(
    following: Fanout,
    layer: FailingLayer,
) -> None:
    def written() -> float:
        return registry.get_sample_value("asr_partial_age_seconds_sum", {"until": "written"}) or 0.0

    feed = await following.follow(KEY, Listener())
    before = written()
    message = layer_messages.partial_message(KEY, PartialLine(0, "大家"), heard_at=time.time() - 5)
    await layer.group_send(layer_messages.session_group(KEY), message)
    async with asyncio.timeout(10):
        while feed.partial is None:
            await asyncio.sleep(0.01)
    assert 5 <= written() - before < 60


async def test_lines_that_a_process_of_another_version_sends_are_read_from_the_database(
    following: Fanout, layer: FailingLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "DATABASE_POLL_S", 60.0)
    lease = await asyncio.to_thread(begin_session)
    feed = await following.follow(KEY, Listener())
    _, [kept] = await asyncio.to_thread(partial(commits.commit, lease, durable=100, lines=[new_line(0, 100)]))
    message = layer_messages.commit_message(KEY, [queries.as_line(kept)], received=100, durable=100)
    del message["lines"][0]["is_edited"]
    await layer.group_send(layer_messages.session_group(KEY), message)
    async with asyncio.timeout(10):
        while feed.last_seq < 1:
            await asyncio.sleep(0.01)
    assert feed.lines_after(0) == [queries.as_line(kept)]


@pytest.mark.parametrize("failure", [ConnectionError("no"), OSError("no"), None])
async def test_nobody_waits_for_a_layer_that_is_not_there_and_it_is_heard_when_it_is(
    following: Fanout, layer: FailingLayer, failures: list[Exception | None], failure: Exception | None
) -> None:
    failures += [failure] * 3
    async with asyncio.timeout(20):
        first = await following.follow(KEY, Listener())
        assert await following.follow(KEY, Listener()) is first
        while first.partial is None:
            await publish(layer, "大家")
            await asyncio.sleep(0.02)
    assert first.partial == PartialLine(0, "大家")


async def test_meanwhile_the_database_tells_what_happens(
    following: Fanout, failures: list[Exception | None]
) -> None:
    failures += [ConnectionError("no")] * 1000
    listener = Listener()
    feed = await following.follow(KEY, listener)
    await asyncio.to_thread(commits.get_or_create_session, KEY)
    async with asyncio.timeout(20):
        while not feed.state:
            await asyncio.sleep(0.02)
    assert feed.state == "live"
    assert listener.changed.is_set()


async def test_a_session_that_was_withdrawn_and_came_again_is_followed(
    following: Fanout, failures: list[Exception | None]
) -> None:
    failures += [ConnectionError("no")] * 1000
    refused, _ = await asyncio.to_thread(commits.get_or_create_session, KEY)
    await following.follow(KEY, Listener())
    assert following.session_pk(KEY) == refused.pk

    await asyncio.to_thread(commits.withdraw, refused.pk)
    let_in, _ = await asyncio.to_thread(commits.get_or_create_session, KEY)

    async with asyncio.timeout(20):
        while following.session_pk(KEY) != let_in.pk:
            await asyncio.sleep(0.02)


async def test_who_leaves_meanwhile_leaves_nothing_behind(
    following: Fanout, failures: list[Exception | None]
) -> None:
    failures += [ConnectionError("no")] * 1000
    listener = Listener()
    await following.follow(KEY, listener)
    await following.leave(KEY, listener)
    assert following._followed == {}


async def until_heard(layer: InMemoryChannelLayer) -> None:
    async with asyncio.timeout(10):
        while not layer.groups:
            await asyncio.sleep(0.01)


class TestOtherCells:
    @pytest.fixture(autouse=True)
    def east(
        self, layer: FailingLayer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> InMemoryChannelLayer:
        east = InMemoryChannelLayer()
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        monkeypatch.setattr(layers, "_layers", {"east": east})
        return east

    def begin_in_east(self) -> None:
        session, _ = commits.get_or_create_session(KEY)
        commits.move_unbegun(session, "east")
        assert commits.acquire(session.pk)

    async def test_a_session_is_heard_where_it_lives(
        self, following: Fanout, east: InMemoryChannelLayer
    ) -> None:
        await asyncio.to_thread(self.begin_in_east)
        feed = await following.follow(KEY, Listener())
        await until_heard(east)
        await publish(east, "there")
        await until_text(feed, "there")

    async def test_it_is_found_where_somebody_waited_before_it_began(
        self,
        following: Fanout,
        layer: FailingLayer,
        east: InMemoryChannelLayer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(fanout, "DATABASE_POLL_S", 600)
        feed = await following.follow(KEY, Listener())
        await asyncio.to_thread(self.begin_in_east)
        await layer.group_send(layer_messages.session_group(KEY), layer_messages.changed_message(KEY))
        await until_heard(east)
        await publish(east, "there")
        await until_text(feed, "there")

    async def test_nobody_listens_there_any_more_when_nobody_follows(
        self, following: Fanout, east: InMemoryChannelLayer
    ) -> None:
        await asyncio.to_thread(self.begin_in_east)
        listener = Listener()
        await following.follow(KEY, listener)
        await until_heard(east)
        await following.leave(KEY, listener)
        assert not east.groups

    async def test_what_is_changed_at_home_is_heard_as_well(
        self, following: Fanout, layer: FailingLayer
    ) -> None:
        await asyncio.to_thread(self.begin_in_east)
        feed = await following.follow(KEY, Listener())
        await publish(layer, "from home")
        await until_text(feed, "from home")
