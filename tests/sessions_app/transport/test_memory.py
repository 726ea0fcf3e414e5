"""The logs of one process: what they hold, forget and refuse, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.transport.interface import (
    CREDIT,
    REPLAY,
    SAMPLE_BYTES,
    SENDER_SILENCE_S,
    AudioFinished,
    LogLost,
    Overloaded,
    SenderConflict,
    Superseded,
)
from sessions_app.transport.memory import MAX_READ, MemoryTransport, _Log
from tests.support.clock import Clock
from tests.support.senders import Socket

SESSION = 7


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> MemoryTransport:
    return MemoryTransport(clock=clock)


async def open_log(
    transport: MemoryTransport, sender: str = "one", *, session_pk: int = SESSION, take_over: bool = False
) -> Socket:
    socket = Socket()
    await transport.open(session_pk, sender, durable=0, may_take_over=take_over, listener=socket)
    return socket


def numbered(start: int, count: int) -> bytes:
    return b"".join(position.to_bytes(SAMPLE_BYTES, "little") for position in range(start, start + count))


def new_log(*lengths: int, start: int = 0) -> _Log:
    log = _Log(start, start, start, start, left_at=0.0)
    for length in lengths:
        log.chunks.append(numbered(log.end, length))
        log.end += length
    return log


class TestLog:
    @given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.data())
    def test_it_is_read_from_any_position(self, lengths: list[int], data: st.DataObject) -> None:
        log = new_log(*lengths, start=1000)
        position = data.draw(st.integers(1000, log.end))
        assert log.read(position) == numbered(position, log.end - position)

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.data())
    def test_what_is_not_durable_is_never_forgotten(self, lengths: list[int], data: st.DataObject) -> None:
        log = new_log(*lengths)
        log.durable = data.draw(st.integers(0, log.end))
        log.forget_durable()
        assert log.read(log.durable) == numbered(log.durable, log.end - log.durable)
        assert not log.chunks or log.start + len(log.chunks[0]) // SAMPLE_BYTES > log.durable

    def test_a_reading_ends_with_the_piece_that_makes_it_large(self) -> None:
        second = MAX_READ // SAMPLE_BYTES
        log = new_log(second // 2, second // 2, second)
        assert len(log.read(0)) == MAX_READ
        assert len(log.read(1)) == 2 * MAX_READ - SAMPLE_BYTES

    def test_flushes_are_forgotten_when_more_than_their_place_is_durable(self) -> None:
        log = new_log(100)
        log.flushes.extend([20, 60])
        log.durable = 20
        log.forget_durable()
        assert log.flush_from(0) == 20
        assert log.flush_from(21) == 60
        log.durable = 61
        log.forget_durable()
        assert log.flush_from(0) is None

    def test_it_has_room_until_either_limit(self) -> None:
        log = new_log()
        log.end = CREDIT - 1
        assert log.has_room
        log.end = CREDIT
        assert not log.has_room
        log.processed = log.end = REPLAY - 1
        assert log.has_room
        log.processed = log.end = REPLAY
        assert not log.has_room


class TestRoom:
    async def test_before_a_worker_is_there_everyone_is_let_in(self, transport: MemoryTransport) -> None:
        for session_pk in range(20):
            await open_log(transport, session_pk=session_pk)

    async def test_then_as_many_as_it_has_room_for(self, transport: MemoryTransport) -> None:
        await transport.join_workers(2)
        for session_pk in (1, 2):
            await open_log(transport, session_pk=session_pk)
        with pytest.raises(Overloaded, match="no room") as refused:
            await open_log(transport, session_pk=3)
        assert refused.value.retry_after_s > 0
        await open_log(transport, "again", session_pk=2, take_over=True)

    async def test_a_session_that_has_ended_makes_room(self, transport: MemoryTransport) -> None:
        await transport.join_workers(1)
        await open_log(transport, session_pk=1)
        await transport.take()
        await transport.release(1)
        await open_log(transport, session_pk=2)

    async def test_a_worker_that_leaves_takes_no_new_ones(self, transport: MemoryTransport) -> None:
        await transport.join_workers(2)
        assert await transport.has_workers()
        await transport.leave_workers()
        assert not await transport.has_workers()
        with pytest.raises(Overloaded):
            await open_log(transport)

    async def test_sessions_that_were_left_unfinished_are_taken_beyond_it(
        self, transport: MemoryTransport
    ) -> None:
        await transport.join_workers(1)
        for session_pk in (1, 2, 3):
            await transport.offer(session_pk, durable=0)
        assert [await transport.take() for _ in range(3)] == [1, 2, 3]


class TestSenders:
    async def test_one_that_says_nothing_for_long_is_replaced(
        self, transport: MemoryTransport, clock: Clock
    ) -> None:
        first = await open_log(transport)
        clock.now += SENDER_SILENCE_S - 0.1
        with pytest.raises(SenderConflict):
            await open_log(transport, "two")
        clock.now += 0.1
        await open_log(transport, "two")
        assert [type(error) for error in first.lost] == [Superseded]

    async def test_audio_and_flushes_are_signs_of_life(
        self, transport: MemoryTransport, clock: Clock
    ) -> None:
        await open_log(transport)
        signs: list[Callable[[], Awaitable[object]]] = [
            lambda: transport.append(SESSION, "one", b""),
            lambda: transport.flush(SESSION, "one"),
        ]
        for say in signs:
            clock.now += SENDER_SILENCE_S - 0.1
            await say()
            with pytest.raises(SenderConflict):
                await open_log(transport, "two")

    async def test_one_that_opens_again_is_not_told_that_it_was_replaced(
        self, transport: MemoryTransport
    ) -> None:
        first = await open_log(transport)
        await open_log(transport)
        assert first.lost == []

    async def test_one_that_was_replaced_may_do_nothing(self, transport: MemoryTransport) -> None:
        await open_log(transport)
        await open_log(transport, "two", take_over=True)
        for attempt in (
            transport.append(SESSION, "one", b"aaaa"),
            transport.flush(SESSION, "one"),
            transport.finish(SESSION, "one"),
        ):
            with pytest.raises(Superseded):
                await attempt
        await transport.leave(SESSION, "one")
        await transport.append(SESSION, "two", b"aaaa")

    async def test_a_log_that_is_gone_is_lost_to_its_sender(self, transport: MemoryTransport) -> None:
        for attempt in (
            transport.append(1, "one", b""),
            transport.flush(1, "one"),
            transport.finish(1, "one"),
        ):
            with pytest.raises(LogLost):
                await attempt
        await transport.leave(1, "one")

    async def test_one_that_is_held_when_its_session_ends_learns_it(self, transport: MemoryTransport) -> None:
        await open_log(transport)
        await transport.take()
        await transport.append(SESSION, "one", bytes(SAMPLE_BYTES * CREDIT))
        held = asyncio.create_task(transport.append(SESSION, "one", b"aaaa"))
        await asyncio.sleep(0.01)
        await transport.release(SESSION)
        with pytest.raises(LogLost):
            await asyncio.wait_for(held, 2)

    async def test_one_that_is_held_and_leaves_appends_nothing(self, transport: MemoryTransport) -> None:
        await open_log(transport)
        await transport.append(SESSION, "one", bytes(SAMPLE_BYTES * CREDIT))
        held = asyncio.create_task(transport.append(SESSION, "one", b"aaaa"))
        await asyncio.sleep(0.01)
        await transport.leave(SESSION, "one")
        with pytest.raises(Superseded):
            await asyncio.wait_for(held, 2)
        assert transport._logs[SESSION].end == CREDIT

    async def test_after_the_end_it_is_told_where_that_was(self, transport: MemoryTransport) -> None:
        await open_log(transport)
        await transport.append(SESSION, "one", bytes(4 * 160))
        await transport.finish(SESSION, "one")
        with pytest.raises(AudioFinished, match="has ended at 160") as finished:
            await open_log(transport, "two", take_over=True)
        assert finished.value.position == 160

    async def test_the_absence_of_one_counts_from_its_goodbye(
        self, transport: MemoryTransport, clock: Clock
    ) -> None:
        await open_log(transport)
        await transport.take()
        clock.now += 5
        assert await transport.sender_gone_s(SESSION) == 0
        await transport.leave(SESSION, "one")
        clock.now += 3
        assert await transport.sender_gone_s(SESSION) == 3

    async def test_of_one_that_never_came_from_the_offer(
        self, transport: MemoryTransport, clock: Clock
    ) -> None:
        await transport.offer(SESSION, durable=300)
        await transport.take()
        clock.now += 4
        assert await transport.sender_gone_s(SESSION) == 4


class TestOwners:
    async def test_one_that_is_given_up_is_offered_once_more(self, transport: MemoryTransport) -> None:
        await open_log(transport)
        await transport.take()
        await transport.give_up(SESSION)
        await transport.give_up(SESSION)
        assert await transport.take() == SESSION
        assert transport._offers.empty()

    async def test_an_offer_whose_session_has_gone_is_passed_over(self, transport: MemoryTransport) -> None:
        await transport.offer(1, durable=0)
        await transport.take()
        await transport.give_up(1)
        transport._logs.pop(1)
        await transport.offer(2, durable=0)
        assert await transport.take() == 2
