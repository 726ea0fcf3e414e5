"""Another Redis in the place of the master, which knows a little less; and a real one, by real sentinels.

What a replica that lags has not got is what a Redis has lost that is put back to what it was before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import redis as blocking_redis
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.cache.backends.redis import RedisCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deploy.local_sentinels import WatchedRedis
from deploy.local_servers import RedisServer
from recognition.audio import samples
from sessions_app.transport import connecting
from sessions_app.transport.interface import CREDIT, AudioChunk, LogLost, Superseded
from sessions_app.transport.outbox import KEPT
from sessions_app.transport.redis import RedisTransport
from sessions_app.transport.scripts import session_key
from tests.support.senders import Socket

from .test_transport import SESSION, audio, until

MakeProcess = Callable[[], RedisTransport]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


class Memory:
    """All that a Redis knows, to be put back."""

    def __init__(self, url: str) -> None:
        self._redis = blocking_redis.Redis.from_url(url)
        self._kept = {key: self._redis.dump(key) or b"" for key in self._redis.scan_iter("asr:*")}

    def put_back(self) -> None:
        with self._redis.pipeline() as at_once:
            at_once.flushall()
            for key, value in self._kept.items():
                at_once.restore(key, 0, value)
            at_once.execute()


@pytest.fixture
def redis_url(any_redis: RedisServer) -> str:
    blocking_redis.Redis.from_url(any_redis.url).flushall()
    return any_redis.url


@pytest.fixture
async def processes(redis_url: str) -> AsyncIterator[MakeProcess]:
    made: list[RedisTransport] = []

    def process() -> RedisTransport:
        made.append(RedisTransport(redis_url))
        return made[-1]

    yield process
    for transport in made:
        await transport.aclose()


@pytest.fixture
async def worker(processes: MakeProcess) -> RedisTransport:
    transport = processes()
    await transport.join_workers(8)
    return transport


@pytest.fixture
async def web(processes: MakeProcess, worker: RedisTransport) -> RedisTransport:
    return processes()


async def open_sender(web: RedisTransport, sender: str = "one", *, durable: int = 0) -> Socket:
    socket = Socket()
    await web.open(SESSION, sender, durable=durable, may_take_over=True, listener=socket)
    return socket


async def send(web: RedisTransport, start: int, length: int, sender: str = "one") -> None:
    await web.append(SESSION, sender, audio(start, length))
    await web._outbox.flushed(SESSION, sender)


async def read_to_end(worker: RedisTransport, start: int = 0) -> bytes:
    heard = b""
    async with asyncio.timeout(10):
        while True:
            chunk: AudioChunk = await worker.read(SESSION, start + len(heard) // 4, timeout_s=0.5)
            heard += chunk.audio
            if chunk.is_end:
                return heard


class TestAudio:
    async def test_that_was_acknowledged_and_forgotten_is_there_again(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        socket = await open_sender(web)
        await send(web, 0, 1600)
        assert await worker.take() == SESSION
        before = Memory(redis_url)
        await send(web, 1600, 1600)
        assert socket.kept[-1] == 3200
        before.put_back()

        await send(web, 3200, 1600)
        await web.finish(SESSION, "one")

        assert await read_to_end(worker) == audio(0, 4800)
        assert socket.lost == []

    async def test_that_a_worker_has_read_already_is_not_read_twice(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await send(web, 0, 1600)
        await worker.take()
        before = Memory(redis_url)
        await send(web, 1600, 1600)
        assert (await worker.read(SESSION, 0, timeout_s=5)).end == 3200
        before.put_back()

        await send(web, 3200, 800)

        assert (await worker.read(SESSION, 3200, timeout_s=5)).audio == audio(3200, 800)

    async def test_more_than_is_kept_is_for_its_sender_to_send_again(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        socket = await open_sender(web)
        await send(web, 0, 160)
        await worker.take()
        before = Memory(redis_url)
        piece = KEPT // 4
        for number in range(6):
            await send(web, 160 + number * piece, piece)
            await worker.report(SESSION, processed=160 + (number + 1) * piece, durable=0)
        before.put_back()

        with pytest.raises(LogLost):
            await send(web, 160 + 6 * piece, 160)

        assert [type(lost) for lost in socket.lost] == [LogLost]
        assert await web.open(SESSION, "again", durable=0, may_take_over=True, listener=socket) == 160


class TestEnds:
    async def test_one_that_was_said_is_said_again(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await send(web, 0, 1600)
        await worker.take()
        before = Memory(redis_url)
        await send(web, 1600, 1600)
        await web.finish(SESSION, "one")
        before.put_back()

        assert await read_to_end(worker) == audio(0, 3200)

    async def test_one_that_is_said_meanwhile_waits_for_the_audio_before_it(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await send(web, 0, 1600)
        await worker.take()
        before = Memory(redis_url)
        await send(web, 1600, 1600)
        before.put_back()

        await web.finish(SESSION, "one")

        assert await read_to_end(worker) == audio(0, 3200)

    async def test_so_does_a_flush(self, redis_url: str, worker: RedisTransport, web: RedisTransport) -> None:
        await open_sender(web)
        await send(web, 0, 1600)
        before = Memory(redis_url)
        await send(web, 1600, 1600)
        before.put_back()
        assert await web.flush(SESSION, "one") == 3200


class TestSenders:
    async def test_one_that_is_forgotten_has_not_been_replaced(
        self, redis_url: str, processes: MakeProcess, web: RedisTransport
    ) -> None:
        await open_sender(web)
        before = Memory(redis_url)
        other = processes()
        socket = await open_sender(other, "two")
        before.put_back()

        with pytest.raises(LogLost):
            await send(other, 0, 160, "two")

        assert [type(lost) for lost in socket.lost] == [LogLost]
        await open_sender(other, "two")
        with pytest.raises(Superseded):
            await send(web, 0, 160)

    async def test_one_that_returns_is_asked_for_nothing_that_is_durable(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        before = Memory(redis_url)
        await send(web, 0, 1600)
        before.put_back()
        position = await web.open(SESSION, "two", durable=800, may_take_over=True, listener=Socket())
        assert position == 800

    async def test_progress_that_is_forgotten_holds_nobody_back_and_is_told_again(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await send(web, 0, 2 * CREDIT)
        await worker.take()
        before = Memory(redis_url)
        await worker.report(SESSION, processed=2 * CREDIT, durable=0)
        before.put_back()
        await open_sender(web, "two")
        await asyncio.wait_for(send(web, 2 * CREDIT, 160, "two"), 5)

        assert await worker.sender_gone_s(SESSION) == 0  # as it asks when nothing comes

        told = blocking_redis.Redis.from_url(redis_url).hget(session_key(SESSION), "processed")
        assert told == str(2 * CREDIT).encode()


@pytest.fixture(scope="module")
def watched(any_redis: RedisServer, servers_of_its_own: None) -> Iterator[WatchedRedis]:
    with WatchedRedis(program=any_redis.command[0]) as watched:
        yield watched


async def test_when_the_master_dies_its_replica_goes_on_and_nothing_is_lost(watched: WatchedRedis) -> None:
    worker, web = RedisTransport(watched.url), RedisTransport(watched.url)
    layer = RedisPubSubChannelLayer(hosts=[connecting.layer_host(watched.url, socket_timeout=30)])
    cache = RedisCache(
        [watched.url], {"OPTIONS": {"pool_class": "sessions_app.transport.connecting.CachePool"}}
    )
    try:
        await worker.join_workers(4)
        socket = await open_sender(web)
        await send(web, 0, 1600)
        assert await worker.take() == SESSION
        channel = await layer.new_channel()
        await layer.group_add("group", channel)
        cache.set("known", "before")

        dying = asyncio.create_task(asyncio.to_thread(watched.kill_master))
        for start in range(1600, 1600 + samples(3), 1600):  # as somebody who goes on speaking
            await web.append(SESSION, "one", audio(start, 1600))
            await asyncio.sleep(0.05)
        await dying
        await web.finish(SESSION, "one")

        if not worker._ownership.owns(SESSION):
            assert await asyncio.wait_for(worker.take(), 20) == SESSION
        assert await read_to_end(worker) == audio(0, 1600 + samples(3))
        assert socket.lost == []
        assert await asyncio.wait_for(_heard_again(layer, channel), 20)
        await until(lambda: _is_cached(cache))
    finally:
        await worker.aclose()
        await web.aclose()
        await layer.flush()


async def _heard_again(layer: RedisPubSubChannelLayer, channel: str) -> bool:
    """Send hints until one is heard: those of the first moments are lost."""
    hearing = asyncio.create_task(layer.receive(channel))
    while not hearing.done():
        with contextlib.suppress(RedisError):
            await layer.group_send("group", {"type": "hint"})
        await asyncio.wait([hearing], timeout=0.2)
    message: dict[str, Any] = hearing.result()
    return message == {"type": "hint"}


async def _is_cached(cache: RedisCache) -> bool:
    try:
        return bool(await asyncio.to_thread(cache.get, "known") == "before")
    except RedisError:
        return False


async def test_the_master_is_found_though_a_sentinel_is_gone(watched: WatchedRedis) -> None:
    watched.sentinels[0].kill()
    client: Redis = connecting.connect(watched.url)
    blocking = connecting.connect_blocking(watched.url)
    try:
        assert await client.ping()
        assert await asyncio.to_thread(blocking.ping)
    finally:
        await connecting.close(client)
        connecting.close_blocking(blocking)
        watched.sentinels[0].start()
