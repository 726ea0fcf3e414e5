"""What befalls processes that share a Redis: death, sleep, and Redis's own restarts. Each `RedisTransport`
here is as one process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable

import pytest
import redis as blocking_redis

from deploy.local_servers import RedisServer
from sessions_app.transport import ownership
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.interface import (
    AudioFinished,
    Fenced,
    LogLost,
    Overloaded,
    SenderConflict,
    Superseded,
    Unreachable,
)
from sessions_app.transport.log_reader import stretch_of
from sessions_app.transport.ownership import WORKER_LEASE_S, _Heart
from sessions_app.transport.redis import RedisTransport
from sessions_app.transport.scripts import audio_key, offers_key, read_script, run, session_key
from tests.support.senders import Socket

from .test_transport import SESSION, append_again_and_again, audio, takes_within, until

MakeProcess = Callable[[], RedisTransport]


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
    return await start_worker(processes)


@pytest.fixture
async def web(processes: MakeProcess) -> RedisTransport:
    return processes()


async def start_worker(processes: MakeProcess, capacity: int = 8) -> RedisTransport:
    transport = processes()
    await transport.join_workers(capacity)
    return transport


async def open_sender(web: RedisTransport, sender: str = "one", *, take_over: bool = False) -> Socket:
    socket = Socket()
    await web.open(SESSION, sender, durable=0, may_take_over=take_over, listener=socket)
    return socket


async def send(web: RedisTransport, sender: str, start: int, length: int) -> None:
    await web.append(SESSION, sender, audio(start, length))
    await web._outbox.flushed(SESSION, sender)


async def die(transport: RedisTransport) -> None:
    """As kill -9: it stops, and says nothing."""
    await transport._outbox.aclose()
    await transport._reader.aclose()
    if transport._ownership._heart:
        await asyncio.to_thread(transport._ownership._heart.stop)
        transport._ownership._heart = None


async def read_again_and_again(transport: RedisTransport, position: int) -> None:
    for _ in range(50):
        await transport.read(SESSION, position, timeout_s=0.1)


async def take(transport: RedisTransport) -> int:
    return await asyncio.wait_for(transport.take(), 10)


class TestWorkers:
    async def test_another_takes_the_sessions_of_one_that_died(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        first = await start_worker(processes)
        await open_sender(web)
        await send(web, "one", 0, 3200)
        assert await take(first) == SESSION
        await first.report(SESSION, processed=3200, durable=1600)

        second = await start_worker(processes)
        await die(first)

        assert await take(second) == SESSION
        chunk = await second.read(SESSION, 1600, timeout_s=5)
        assert chunk.audio == audio(1600, 1600)

    async def test_one_that_is_alive_keeps_its_sessions(
        self, processes: MakeProcess, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await take(worker)
        other = await start_worker(processes)
        assert not await takes_within(other, 2.5)
        assert await worker.sender_gone_s(SESSION) == 0

    async def test_one_that_slept_learns_that_it_is_no_owner(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        sleeper = await start_worker(processes)
        await open_sender(web)
        await take(sleeper)
        waiting = asyncio.create_task(sleeper.read(SESSION, 0, timeout_s=30))
        await asyncio.sleep(0.1)
        await die(sleeper)  # as SIGSTOP
        other = await start_worker(processes)
        await take(other)

        await sleeper.join_workers(8)  # as SIGCONT

        with pytest.raises(Fenced):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(Fenced):
            await sleeper.report(SESSION, processed=0, durable=0)
        await sleeper.release(SESSION)
        assert await other.sender_gone_s(SESSION) == 0

    async def test_the_report_of_a_former_owner_changes_nothing(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        former = await start_worker(processes)
        await open_sender(web)
        await send(web, "one", 0, 3200)
        await take(former)
        other = await start_worker(processes)
        await die(former)
        await take(other)
        with pytest.raises(Fenced):
            await former.report(SESSION, processed=3200, durable=3200)
        assert (await other.read(SESSION, 0, timeout_s=5)).audio == audio(0, 3200)

    async def test_a_worker_whose_event_loop_hangs_lets_go(
        self, processes: MakeProcess, web: RedisTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.transport.ownership.HUNG_S", 0.5)
        hung = await start_worker(processes)
        await open_sender(web)
        await take(hung)
        assert hung._ownership._pulse
        hung._ownership._pulse.cancel()
        other = await start_worker(processes)
        assert await take(other) == SESSION

    async def test_sessions_spread_over_those_that_have_room(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        taken: dict[int, int] = {}

        async def take_all(worker: RedisTransport, number: int) -> None:
            while True:
                taken[await worker.take()] = number

        workers = [await start_worker(processes, capacity=10) for _ in range(3)]
        taking = [asyncio.create_task(take_all(w, n)) for n, w in enumerate(workers)]
        for session in range(18):
            await web.open(session, "s", durable=0, may_take_over=False, listener=Socket())
            await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            while len(taken) < 18:
                await asyncio.sleep(0.05)
        for task in taking:
            task.cancel()
        loads = sorted(list(taken.values()).count(number) for number in range(3))
        assert loads[0] >= 3
        assert loads[-1] <= 10

    async def test_nobody_takes_more_than_it_has_room_for(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        worker = await start_worker(processes, capacity=1)
        await open_sender(web)
        await worker.offer(8, durable=0)
        await take(worker)
        assert not await takes_within(worker, 1)

    async def test_but_what_a_dead_one_left_is_taken_in_the_end(
        self, processes: MakeProcess, web: RedisTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.transport.ownership.REDIS_TIMEOUT_S", 0.5)
        dead = await start_worker(processes, capacity=1)
        await web.open(8, "s", durable=0, may_take_over=False, listener=Socket())
        await take(dead)
        full = await start_worker(processes, capacity=1)
        await open_sender(web)
        assert await take(full) == SESSION
        await die(dead)
        assert await take(full) == 8

    async def test_it_is_found_behind_many_that_are_alive(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        alive = await start_worker(processes, capacity=30)
        for session in range(20):
            await web.open(session, "s", durable=0, may_take_over=False, listener=Socket())
            await take(alive)
        dead = await start_worker(processes)
        await alive.leave_workers()
        await web.open(20, "s", durable=0, may_take_over=False, listener=Socket())
        assert await take(dead) == 20
        await die(dead)
        assert await take(await start_worker(processes)) == 20

    async def test_without_any_worker_new_sessions_are_refused(self, web: RedisTransport) -> None:
        with pytest.raises(Overloaded):
            await open_sender(web)

    async def test_without_any_worker_what_was_let_in_before_is_kept_until_one_comes(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        await web.open(SESSION, "one", durable=640, may_take_over=False, listener=Socket())
        await web.append(SESSION, "one", audio(640, 160))
        worker = await start_worker(processes)
        assert await take(worker) == SESSION

    async def test_a_dead_worker_gives_no_room(
        self, processes: MakeProcess, web: RedisTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.transport.ownership.ALIVE_S", 0.5)
        await die(await start_worker(processes))
        await until(lambda: _has_no_workers(web))
        with pytest.raises(Overloaded):
            await open_sender(web)

    async def test_one_that_stops_leaves_no_name_behind(self, processes: MakeProcess, redis_url: str) -> None:
        transport = RedisTransport(redis_url)
        await transport.join_workers(8)
        await transport.aclose()
        redis = blocking_redis.Redis.from_url(redis_url)
        assert redis.hlen("asr:workers") == 0
        assert redis.xinfo_consumers(offers_key(""), "workers") == []

    async def test_an_ended_session_leaves_nothing_behind(
        self, worker: RedisTransport, web: RedisTransport, redis_url: str
    ) -> None:
        await open_sender(web)
        await send(web, "one", 0, 160)
        await web.finish(SESSION, "one")
        await take(worker)
        await worker.release(SESSION)
        redis = blocking_redis.Redis.from_url(redis_url)
        assert redis.exists(session_key(SESSION), audio_key(SESSION)) == 0
        assert redis.xlen(offers_key("")) == 0


class TestSenders:
    async def test_one_whose_process_was_killed_may_return_at_once(
        self, processes: MakeProcess, worker: RedisTransport
    ) -> None:
        """Also the plain sender, which can show no right to it."""
        killed = processes()
        await open_sender(killed)
        await send(killed, "one", 0, 160)
        await die(killed)
        returned = await processes().open(SESSION, "two", durable=0, may_take_over=False, listener=Socket())
        assert returned == 160

    async def test_of_one_whose_process_was_killed_the_absence_is_known(
        self, processes: MakeProcess, worker: RedisTransport
    ) -> None:
        killed = processes()
        await open_sender(killed)
        await take(worker)
        await die(killed)
        async with asyncio.timeout(5):
            while not await worker.sender_gone_s(SESSION):
                await asyncio.sleep(0.05)

    async def test_one_that_says_nothing_stays_connected(
        self, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await take(worker)
        await asyncio.sleep(2)
        assert await worker.sender_gone_s(SESSION) == 0

    async def test_a_conflict_is_told_within_a_second(
        self, processes: MakeProcess, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        async with asyncio.timeout(1):
            with pytest.raises(SenderConflict):
                await open_sender(processes(), "two")

    async def test_the_newest_wins_between_processes(
        self, processes: MakeProcess, worker: RedisTransport, web: RedisTransport
    ) -> None:
        old = await open_sender(web)
        await send(web, "one", 0, 160)
        await open_sender(processes(), "two", take_over=True)
        await until(lambda: _was_lost(old))
        with pytest.raises(Superseded):
            await web.append(SESSION, "one", audio(160, 160))

    async def test_what_was_written_twice_is_there_once(
        self, worker: RedisTransport, web: RedisTransport
    ) -> None:
        """The answer to a request got lost, and it was made again."""
        await open_sender(web)
        keys = [session_key(SESSION), audio_key(SESSION)]
        for _ in range(2):
            answer = await run(web._redis, read_script("append"), keys, "one", 1, 0, 160, 1500, audio(0, 160))
            assert answer == [b"ok", 160, 0, 0, 0]
        await take(worker)
        assert (await worker.read(SESSION, 0, timeout_s=5)).audio == audio(0, 160)

    async def test_the_end_is_where_a_returning_sender_would_have_gone_on(
        self, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await web.append(SESSION, "one", audio(0, 160))
        await web.finish(SESSION, "one")
        with pytest.raises(AudioFinished) as finished:
            await open_sender(web, "two", take_over=True)
        assert finished.value.position == 160


class TestRestartsOfRedis:
    @pytest.fixture(autouse=True)
    def _quiet(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.CRITICAL)

    async def test_nothing_is_lost_and_nobody_has_to_do_anything(
        self, any_redis: RedisServer, worker: RedisTransport, web: RedisTransport
    ) -> None:
        await open_sender(web)
        await send(web, "one", 0, 1600)
        await take(worker)
        any_redis.kill()
        await web.append(SESSION, "one", audio(1600, 1600))
        await asyncio.sleep(0.5)
        any_redis.start()
        await web.append(SESSION, "one", audio(3200, 1600))
        await web.finish(SESSION, "one")
        if not worker._ownership.owns(SESSION):
            await take(worker)
        heard = b""
        async with asyncio.timeout(60):
            while not (chunk := await worker.read(SESSION, len(heard) // 4, timeout_s=5)).is_end:
                heard += chunk.audio
        assert heard + chunk.audio == audio(0, 4800)

    async def test_new_sessions_are_taken_afterwards(
        self, any_redis: RedisServer, worker: RedisTransport, web: RedisTransport
    ) -> None:
        taking = asyncio.create_task(worker.take())
        await asyncio.sleep(0.3)
        any_redis.kill()
        await asyncio.sleep(0.3)
        any_redis.start()
        await until(web.has_workers)
        await open_sender(web)
        assert await asyncio.wait_for(taking, 10) == SESSION

    async def test_workers_that_are_alive_are_waited_for_before_their_sessions_are_taken(
        self, any_redis: RedisServer, processes: MakeProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each was silent for longer than its lease, but only because nobody could be heard."""
        monkeypatch.setattr(ownership, "BEAT_S", 0.6)  # so it is not heard at once
        worker, web = await start_worker(processes), processes()
        await open_sender(web)
        await take(worker)
        other = await start_worker(processes)
        taking = asyncio.create_task(other.take())
        await asyncio.sleep(0.3)
        any_redis.kill()
        await asyncio.sleep(ownership.WORKER_LEASE_S + ownership.SETTLE_S)
        any_redis.start()
        await asyncio.sleep(2 * ownership.SETTLE_S)

        assert worker._ownership.owns(SESSION)
        assert not taking.done()
        await cancel_and_wait(taking)

    async def test_a_newcomer_does_not_wait_for_ever(
        self, any_redis: RedisServer, web: RedisTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.transport.redis.REDIS_OPEN_TIMEOUT_S", 0.5)
        any_redis.kill()
        try:
            with pytest.raises(Unreachable):
                await open_sender(web)
        finally:
            any_redis.start()

    async def test_if_redis_forgot_everything_senders_and_workers_begin_anew(
        self, redis_url: str, worker: RedisTransport, web: RedisTransport
    ) -> None:
        socket = await open_sender(web)
        await send(web, "one", 0, 1600)
        await take(worker)
        blocking_redis.Redis.from_url(redis_url).flushall()

        with pytest.raises(LogLost):
            await append_again_and_again(web)
        assert isinstance(socket.lost[0], LogLost)
        with pytest.raises(Fenced):
            await read_again_and_again(worker, 1600)

        await until(web.has_workers)
        await web.open(SESSION, "one", durable=800, may_take_over=False, listener=socket)
        assert await take(worker) == SESSION
        # First what Redis had and the web process still has: a plain sender could not send it again.
        assert (await worker.read(SESSION, 800, timeout_s=5)).audio[:3200] == audio(800, 800)


class TestStretches:
    def entry(self, end: int, data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
        return f"{end}-0".encode(), {b"audio": data}

    def test_are_joined(self) -> None:
        entries = [self.entry(100, audio(0, 100)), self.entry(150, audio(100, 50))]
        assert stretch_of(entries, 0).audio == audio(0, 150)

    def test_begin_in_the_middle_of_an_entry(self) -> None:
        assert stretch_of([self.entry(100, audio(0, 100))], 30).audio == audio(30, 70)

    def test_end_at_the_mark(self) -> None:
        chunk = stretch_of([self.entry(100, audio(0, 100)), (b"100-2", {b"end": b"1"})], 0)
        assert (chunk.end, chunk.is_end) == (100, True)

    def test_with_a_hole_before_them_are_for_somebody_else(self) -> None:
        with pytest.raises(Fenced):
            stretch_of([self.entry(300, audio(200, 100))], 100)


async def _was_lost(socket: Socket) -> bool:
    return bool(socket.lost)


async def _has_no_workers(transport: RedisTransport) -> bool:
    return not await transport.has_workers()


async def test_a_heart_that_hangs_in_a_request_does_not_keep_its_worker_from_stopping(
    monkeypatch: pytest.MonkeyPatch, processes: MakeProcess
) -> None:
    beats, goes_on = threading.Event(), threading.Event()

    def hang(heart: _Heart, beat: object) -> list[int]:
        beats.set()
        goes_on.wait()
        return []

    monkeypatch.setattr(_Heart, "_keep", hang)
    worker = await start_worker(processes)
    try:
        assert await asyncio.to_thread(beats.wait, 10)
        await asyncio.wait_for(worker.aclose(), 20)
    finally:
        goes_on.set()


class TestModelSets:
    """Two workers with different sets, and one with both."""

    async def open(self, web: RedisTransport, session: int, model_set: str) -> None:
        await web.open(session, "s", durable=0, may_take_over=False, listener=Socket(), model_set=model_set)

    async def start(self, processes: MakeProcess, *names: str, capacity: int = 8) -> RedisTransport:
        transport = processes()
        await transport.join_workers(capacity, model_sets=names)
        return transport

    async def test_each_takes_the_sessions_of_its_own(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        people = await self.start(processes, "people")
        embedded = await self.start(processes, "embedded")
        await self.open(web, 1, "embedded")
        await self.open(web, 2, "people")

        async with asyncio.timeout(10):
            assert [await people.take(), await embedded.take()] == [2, 1]

    async def test_a_session_whose_set_nobody_has_is_refused_by_its_name(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        await self.start(processes, "people")

        with pytest.raises(Overloaded, match="no recogniser has the model set embedded at present"):
            await self.open(web, 1, "embedded")

    async def test_readiness_is_asked_by_set(self, processes: MakeProcess, web: RedisTransport) -> None:
        await self.start(processes, "people", "embedded")

        assert [await web.has_workers(name) for name in ("people", "embedded", "other", None)] == [
            True, True, False, True,
        ]  # fmt: skip

    async def test_one_with_several_takes_of_all_and_keeps_them(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        both = await self.start(processes, "people", "embedded")
        for session, name in enumerate(("people", "embedded", "people"), 1):
            await self.open(web, session, name)

        async with asyncio.timeout(10):
            assert sorted([await both.take() for _ in range(3)]) == [1, 2, 3]
        await asyncio.sleep(3 * WORKER_LEASE_S)  # long enough to be taken for dead
        for session in (1, 2, 3):
            assert await both.sender_gone_s(session) == 0

    async def test_one_that_was_idle_takes_no_more_than_it_has_room_for(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        small = await self.start(processes, "people", "embedded", capacity=1)
        await self.open(web, 1, "people")
        await web.offer(2, durable=0, model_set="embedded")
        first = await asyncio.wait_for(small.take(), 10)
        other = await self.start(processes, "people", "embedded")

        assert {first, await asyncio.wait_for(other.take(), 20)} == {1, 2}

    async def test_a_dead_ones_sessions_go_to_one_that_has_their_set(
        self, processes: MakeProcess, web: RedisTransport
    ) -> None:
        first = await self.start(processes, "people")
        await self.open(web, 1, "people")
        assert await asyncio.wait_for(first.take(), 10) == 1
        await die(first)
        other, second = await self.start(processes, "embedded"), await self.start(processes, "people")

        assert await asyncio.wait_for(second.take(), 20) == 1
        assert not await takes_within(other, 1)
