"""What consumers and workers rely on, held against every transport. Redis is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis as blocking_redis

from deploy.local_servers import RedisServer
from recognition.audio import samples
from sessions_app.cells.placement import HOME
from sessions_app.transport import cells
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.cells import CellsTransport
from sessions_app.transport.interface import (
    CREDIT,
    REPLAY,
    AudioChunk,
    AudioFinished,
    Fenced,
    LogLost,
    Overloaded,
    SenderConflict,
    Superseded,
    Transport,
)
from sessions_app.transport.memory import MemoryTransport
from sessions_app.transport.redis import RedisTransport
from tests.support.senders import Socket

SESSION = 7


def audio(start: int, length: int) -> bytes:
    """Samples that say where they belong."""
    return b"".join(position.to_bytes(4, "little") for position in range(start, start + length))


@pytest.fixture(params=["memory", "redis", "valkey", "cells"])
async def transport(
    request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Transport]:
    made: Transport = MemoryTransport()
    if request.param != "memory":
        name = "valkey" if request.param == "valkey" else "redis"
        server: RedisServer = request.getfixturevalue(f"{name}_server")
        blocking_redis.Redis.from_url(server.url).flushall()
        made = RedisTransport(server.url)
    if request.param == "cells":
        settings.REDIS_URL = server.url
        monkeypatch.setattr(cells, "find_names", only_home)
        monkeypatch.setattr(cells, "find_takers", only_home)
        made = CellsTransport()
    await made.join_workers(4)
    yield made
    await made.aclose()


async def only_home() -> list[str]:
    return [HOME]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.02)


async def open_sender(transport: Transport, sender: str = "one", **options: Any) -> Socket:
    socket = Socket()
    settings: dict[str, Any] = {"durable": 0, "may_take_over": False} | options
    await transport.open(SESSION, sender, listener=socket, **settings)
    return socket


async def read(transport: Transport, position: int = 0, *, to: int | None = None) -> AudioChunk:
    """The next audio; up to a position, if one is given."""
    chunk = await transport.read(SESSION, position, timeout_s=5)
    while to is not None and chunk.end < to:
        more = await transport.read(SESSION, chunk.end, timeout_s=5)
        assert more.audio
        chunk = AudioChunk(chunk.start, chunk.audio + more.audio, more.is_end)
    return chunk


async def let_others_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def takes_within(transport: Transport, seconds: float) -> bool:
    """Whether it takes a session."""
    taking = asyncio.create_task(transport.take())
    await asyncio.wait([taking], timeout=seconds)
    await cancel_and_wait(taking)
    return not taking.cancelled()


async def append_again_and_again(transport: Transport) -> None:
    """What is not allowed any more is found out a moment later."""
    for _ in range(100):
        await transport.append(SESSION, "one", audio(0, 160))
        await asyncio.sleep(0.02)


class TestTheLog:
    async def test_what_is_appended_is_read_in_order(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 3200))
        await transport.append(SESSION, "one", audio(3200, 1600))
        assert await transport.take() == SESSION
        assert (await read(transport, to=4800)).audio == audio(0, 4800)

    async def test_audio_that_comes_soon_after_other_audio_is_read_with_what_follows(
        self, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sessions_app.pacing.HANDOVER_INTERVAL_S", 0.5)
        await open_sender(transport)
        await transport.take()

        async def read_while_audio_comes(*starts: int) -> AudioChunk:
            reading = asyncio.create_task(read(transport, starts[0]))
            await let_others_run()
            for start in starts:
                await transport.append(SESSION, "one", audio(start, 1600))
                await let_others_run()
            return await reading

        assert (await read_while_audio_comes(0)).end == 1600
        assert (await read_while_audio_comes(1600, 3200)).end == 4800

    async def test_reading_begins_at_any_sample(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 3200))
        await transport.append(SESSION, "one", audio(3200, 3200))
        await transport.take()
        chunk = await read(transport, 1234, to=6400)
        assert (chunk.start, chunk.audio) == (1234, audio(1234, 6400 - 1234))

    async def test_a_reader_waits_for_audio(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.take()
        reading = asyncio.create_task(transport.read(SESSION, 0, timeout_s=5))
        await asyncio.sleep(0.05)
        await transport.append(SESSION, "one", audio(0, 160))
        assert (await reading).audio == audio(0, 160)

    async def test_a_reader_does_not_wait_for_ever(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.take()
        assert await transport.read(SESSION, 0, timeout_s=0.05) == AudioChunk(0, b"", is_end=False)

    async def test_sessions_do_not_mix(self, transport: Transport) -> None:
        for session in (1, 2):
            await transport.open(session, "s", durable=0, may_take_over=False, listener=Socket())
            await transport.append(session, "s", audio(session * 1000, 160))
        assert {await transport.take(), await transport.take()} == {1, 2}
        for session in (1, 2):
            chunk = await transport.read(session, 0, timeout_s=5)
            assert chunk.audio == audio(session * 1000, 160)

    async def test_the_end_is_told_with_or_after_the_last_audio(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.finish(SESSION, "one")
        await transport.take()
        chunk = await read(transport)
        if not chunk.is_end:
            chunk = await read(transport, chunk.end)
        assert chunk.is_end
        assert chunk.end == 160

    async def test_the_end_can_be_read_again(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.finish(SESSION, "one")
        await transport.take()
        await read(transport)
        await transport.report(SESSION, processed=160, durable=160)
        assert await transport.read(SESSION, 160, timeout_s=5) == AudioChunk(160, b"", is_end=True)

    async def test_saying_the_end_twice_changes_nothing(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.finish(SESSION, "one")
        await transport.finish(SESSION, "one")
        await transport.take()
        assert (await read(transport)).is_end

    async def test_what_is_durable_is_forgotten_and_the_rest_kept(self, transport: Transport) -> None:
        await open_sender(transport)
        for start in range(0, 8000, 1600):
            await transport.append(SESSION, "one", audio(start, 1600))
        await transport.take()
        await read(transport, to=8000)
        await transport.report(SESSION, processed=8000, durable=5000)
        assert (await read(transport, 5000, to=8000)).audio == audio(5000, 3000)

    async def test_a_log_begins_where_the_session_is_durable(self, transport: Transport) -> None:
        socket = Socket()
        position = await transport.open(SESSION, "one", durable=5000, may_take_over=False, listener=socket)
        assert position == 5000
        await transport.append(SESSION, "one", audio(5000, 160))
        await transport.take()
        assert (await read(transport, 5000)).audio == audio(5000, 160)

    async def test_the_sender_is_told_what_is_kept(self, transport: Transport) -> None:
        socket = await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.append(SESSION, "one", audio(160, 160))
        await transport.finish(SESSION, "one")
        assert socket.kept[-1] == 320


AHEAD = 2 * CREDIT
"""More than is spoken while a test runs."""


class TestBackPressure:
    async def test_a_sender_waits_while_too_much_is_not_processed(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", bytes(4 * AHEAD))
        held = asyncio.create_task(transport.append(SESSION, "one", audio(0, 160)))
        await asyncio.sleep(0.3)
        assert not held.done()
        await transport.take()
        await read(transport, to=AHEAD)
        await transport.report(SESSION, processed=AHEAD, durable=0)
        assert await asyncio.wait_for(held, 5) == AHEAD + 160

    async def test_and_while_too_much_is_not_durable(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.take()
        end = 0
        while end < REPLAY:
            end = await transport.append(SESSION, "one", bytes(4 * CREDIT))
            await read(transport, end - CREDIT, to=end)
            await transport.report(SESSION, processed=end, durable=0)
        held = asyncio.create_task(transport.append(SESSION, "one", audio(0, 160)))
        await asyncio.sleep(0.3)
        assert not held.done()
        await transport.report(SESSION, processed=end, durable=end)
        await asyncio.wait_for(held, 5)

    async def test_one_that_is_held_back_hears_that_it_was_replaced(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", bytes(4 * AHEAD))
        held = asyncio.create_task(transport.append(SESSION, "one", audio(0, 160)))
        await asyncio.sleep(0.1)
        await open_sender(transport, "two", may_take_over=True)
        with pytest.raises(Superseded):
            await asyncio.wait_for(held, 5)


class TestSenders:
    async def test_there_is_one_at_a_time(self, transport: Transport) -> None:
        await open_sender(transport)
        with pytest.raises(SenderConflict):
            await open_sender(transport, "two")

    async def test_an_attempt_that_comes_late_replaces_no_later_one(self, transport: Transport) -> None:
        await open_sender(transport, "first", attempt=1)
        later = await open_sender(transport, "third", attempt=3, may_take_over=True)
        with pytest.raises(Superseded):
            await open_sender(transport, "second", attempt=2, may_take_over=True)
        await transport.append(SESSION, "third", audio(0, 160))
        await until(lambda: _has_kept(later, 160))
        assert later.lost == []

    async def test_nor_does_it_when_the_later_one_has_left(self, transport: Transport) -> None:
        await open_sender(transport, "third", attempt=3)
        await transport.leave(SESSION, "third")
        with pytest.raises(Superseded):
            await open_sender(transport, "second", attempt=2, may_take_over=True)
        await open_sender(transport, "fourth", attempt=4, may_take_over=True)

    async def test_one_who_counts_no_attempts_replaces_whom_it_may(self, transport: Transport) -> None:
        await open_sender(transport, "third", attempt=3)
        await open_sender(transport, "page", may_take_over=True)
        await open_sender(transport, "program", attempt=1, may_take_over=True)

    async def test_of_fifty_at_once_one_wins(self, transport: Transport) -> None:
        attempts = [open_sender(transport, f"s{number}") for number in range(50)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(result, Socket) for result in results) == 1
        assert sum(isinstance(result, SenderConflict) for result in results) == 49

    async def test_the_newest_with_the_right_wins_and_goes_on_at_the_end(self, transport: Transport) -> None:
        old = await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.append(SESSION, "one", audio(160, 160))
        await until(lambda: _has_kept(old, 320))
        position = await transport.open(SESSION, "two", durable=0, may_take_over=True, listener=Socket())
        assert position == 320
        with pytest.raises(Superseded):
            await append_again_and_again(transport)

    async def test_nothing_of_the_old_comes_behind_the_new(self, transport: Transport) -> None:
        old = await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await until(lambda: _has_kept(old, 160))
        await open_sender(transport, "two", may_take_over=True)
        for _ in range(3):
            try:
                await transport.append(SESSION, "one", audio(90_000, 160))
            except Superseded:
                break
        await transport.append(SESSION, "two", audio(160, 160))
        await transport.finish(SESSION, "two")
        await transport.take()
        assert (await read(transport, to=320)).audio == audio(0, 320)

    async def test_a_silent_old_one_is_told(self, transport: Transport) -> None:
        old = await open_sender(transport)
        await open_sender(transport, "two", may_take_over=True)
        await until(lambda: _was_lost(old))
        assert isinstance(old.lost[0], Superseded)

    async def test_one_that_left_makes_room(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.leave(SESSION, "one")
        assert await transport.open(SESSION, "two", durable=0, may_take_over=False, listener=Socket()) == 160

    async def test_one_that_was_replaced_does_not_take_the_new_one_along(self, transport: Transport) -> None:
        await open_sender(transport)
        await open_sender(transport, "two", may_take_over=True)
        await transport.leave(SESSION, "one")
        with pytest.raises(SenderConflict):
            await open_sender(transport, "three")

    async def test_the_time_without_a_sender_is_known(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.take()
        assert await transport.sender_gone_s(SESSION) == 0
        await transport.leave(SESSION, "one")
        await asyncio.sleep(0.1)
        assert 0.1 <= await transport.sender_gone_s(SESSION) < 2
        await open_sender(transport, "two")
        assert await transport.sender_gone_s(SESSION) == 0

    async def test_nobody_sends_after_the_end(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.finish(SESSION, "one")
        with pytest.raises(AudioFinished):
            await open_sender(transport, "two", may_take_over=True)


class TestWorkers:
    async def test_a_session_is_offered_once(self, transport: Transport) -> None:
        await open_sender(transport)
        await open_sender(transport, "two", may_take_over=True)
        await transport.offer(SESSION, durable=0)
        await transport.take()
        assert not await takes_within(transport, 0.5)

    async def test_an_unfinished_session_is_offered_without_a_sender(self, transport: Transport) -> None:
        await transport.offer(SESSION, durable=640)
        assert await transport.take() == SESSION
        assert await transport.sender_gone_s(SESSION) >= 0
        assert await transport.read(SESSION, 640, timeout_s=0.05) == AudioChunk(640, b"", is_end=False)

    async def test_one_session_too_many_is_refused(self, transport: Transport) -> None:
        for session in range(4):
            await transport.open(session, "s", durable=0, may_take_over=False, listener=Socket())
        with pytest.raises(Overloaded) as refused:
            await transport.open(99, "s", durable=0, may_take_over=False, listener=Socket())
        assert refused.value.retry_after_s > 0

    async def test_a_sender_that_returns_is_never_one_too_many(self, transport: Transport) -> None:
        for session in range(4):
            await transport.open(session, "s", durable=0, may_take_over=False, listener=Socket())
        await transport.leave(2, "s")
        await transport.open(2, "again", durable=0, may_take_over=False, listener=Socket())

    async def test_neither_is_one_whose_audio_was_taken_in_before_all_was_forgotten(
        self, transport: Transport
    ) -> None:
        for session in range(4):
            await transport.open(session, "s", durable=0, may_take_over=False, listener=Socket())
        end = await transport.open(99, "s", durable=640, may_take_over=False, listener=Socket())
        assert end == 640
        assert await transport.append(99, "s", audio(640, 160)) == 800

    async def test_a_session_that_ended_makes_room(self, transport: Transport) -> None:
        for session in range(4):
            await transport.open(session, "s", durable=0, may_take_over=False, listener=Socket())
        await transport.release(await transport.take())
        await transport.open(99, "s", durable=0, may_take_over=False, listener=Socket())

    async def test_one_that_left_takes_no_new_sessions(self, transport: Transport) -> None:
        await transport.leave_workers()
        await until(lambda: _has_no_workers(transport))
        with pytest.raises(Overloaded):
            await open_sender(transport)

    async def test_what_is_given_up_is_taken_again(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.take()
        await read(transport)
        await transport.give_up(SESSION)
        with pytest.raises(Fenced):
            await transport.read(SESSION, 0, timeout_s=0.05)
        assert await asyncio.wait_for(transport.take(), 5) == SESSION
        assert (await read(transport)).audio == audio(0, 160)

    async def test_a_released_session_is_forgotten(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.take()
        await transport.release(SESSION)
        with pytest.raises(Fenced):
            await transport.report(SESSION, processed=0, durable=0)
        with pytest.raises((Superseded, LogLost)):
            await append_again_and_again(transport)

    async def test_only_the_owner_reads_and_reports(self, transport: Transport) -> None:
        await open_sender(transport)
        for request in (
            transport.read(SESSION, 0, timeout_s=0.05),
            transport.report(SESSION, processed=0, durable=0),
            transport.sender_gone_s(SESSION),
        ):
            with pytest.raises(Fenced):
                await request

    async def test_the_length_of_a_session_does_not_matter(self, transport: Transport) -> None:
        """Forty hours: more samples than 31 bits count."""
        far = samples(40 * 3600)
        await transport.open(SESSION, "one", durable=far, may_take_over=False, listener=Socket())
        await transport.append(SESSION, "one", audio(0, 320))
        await transport.take()
        assert (await read(transport, far)).end == far + 320
        await transport.report(SESSION, processed=far + 320, durable=far + 100)
        assert (await read(transport, far + 100)).audio == audio(100, 220)


async def _has_kept(socket: Socket, position: int) -> bool:
    return bool(socket.kept) and socket.kept[-1] == position


async def _was_lost(socket: Socket) -> bool:
    return bool(socket.lost)


async def _has_no_workers(transport: Transport) -> bool:
    return not await transport.has_workers()


class TestFlush:
    async def chunks(self, transport: Transport, count: int, position: int = 0) -> list[AudioChunk]:
        """So many readings, as a worker makes them."""
        found: list[AudioChunk] = []
        after_flush = False
        while len(found) < count:
            chunk = await transport.read(SESSION, position, timeout_s=5, after_flush=after_flush)
            found.append(chunk)
            after_flush = chunk.is_flush or (after_flush and not chunk.audio)
            position = chunk.end
        return found

    async def test_stands_behind_the_audio_that_was_sent_before(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 1600))
        assert await transport.flush(SESSION, "one") == 1600
        await transport.append(SESSION, "one", audio(1600, 800))
        await transport.finish(SESSION, "one")
        await transport.take()
        first, second = await self.chunks(transport, 2)
        assert first == AudioChunk(0, audio(0, 1600), is_end=False, is_flush=True)
        assert (second.start, second.audio, second.is_flush) == (1600, audio(1600, 800), False)

    async def test_wakes_a_reader_that_has_all_audio_and_is_read_once(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 1600))
        await transport.take()
        await read(transport, to=1600)
        reading = asyncio.create_task(transport.read(SESSION, 1600, timeout_s=5))
        await asyncio.sleep(0.05)
        await transport.flush(SESSION, "one")
        assert await reading == AudioChunk(1600, b"", is_end=False, is_flush=True)
        again = await transport.read(SESSION, 1600, timeout_s=0.2, after_flush=True)
        assert again == AudioChunk(1600, b"", is_end=False)

    async def test_twice_at_one_place_is_once(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        assert await transport.flush(SESSION, "one") == await transport.flush(SESSION, "one") == 160
        await transport.finish(SESSION, "one")
        await transport.take()
        first, second = await self.chunks(transport, 2)
        assert first.is_flush
        assert second == AudioChunk(160, b"", is_end=True)

    async def test_another_worker_reads_it_at_the_same_place(self, transport: Transport) -> None:
        await open_sender(transport)
        for start in (0, 800):
            await transport.append(SESSION, "one", audio(start, 800))
            await transport.flush(SESSION, "one")
        await transport.take()
        before = await self.chunks(transport, 2)
        await transport.give_up(SESSION)
        assert await asyncio.wait_for(transport.take(), 5) == SESSION
        assert await self.chunks(transport, 2) == before
        await transport.report(SESSION, processed=1600, durable=800)
        [later] = await self.chunks(transport, 1, 800)
        assert later.is_flush
        assert later.end in (800, 1600)

    async def test_the_mark_outlasts_its_audio_until_more_is_durable(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 800))
        await transport.flush(SESSION, "one")
        await transport.take()
        await transport.report(SESSION, processed=800, durable=800)
        [mark] = await self.chunks(transport, 1, 800)
        assert mark == AudioChunk(800, b"", is_end=False, is_flush=True)

    async def test_only_the_sender_may(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await open_sender(transport, "two", may_take_over=True)
        with pytest.raises(Superseded):
            await transport.flush(SESSION, "one")

    async def test_after_the_end_it_says_where_that_is(self, transport: Transport) -> None:
        await open_sender(transport)
        await transport.append(SESSION, "one", audio(0, 160))
        await transport.finish(SESSION, "one")
        assert await transport.flush(SESSION, "one") == 160
        await transport.take()
        assert (await self.chunks(transport, 1))[0].is_flush is False


async def test_workers_tell_what_they_have_loaded_until_they_leave(transport: Transport) -> None:
    told = await transport.workers()
    assert [(each.capacity, each.model_sets) for each in told] == [(4, ("",))]

    await transport.leave_workers()
    while await transport.workers():
        await asyncio.sleep(0.01)
