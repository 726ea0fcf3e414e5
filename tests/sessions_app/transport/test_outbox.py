"""Audio between a socket and Redis: asked for in the same words until it is there, and told of then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from deploy.local_servers import RedisServer
from recognition.audio import samples
from sessions_app.transport import outbox
from sessions_app.transport.interface import CREDIT, REPLAY, SAMPLE_BYTES, LogLost, Superseded
from sessions_app.transport.outbox import KEPT, RENEW_S, Outbox, PendingAudio
from sessions_app.transport.scripts import audio_key, session_key
from tests.support.clock import Clock
from tests.support.senders import Socket

SESSION = 7

AHEAD = 2 * CREDIT
"""More than is spoken while a test runs."""


def samples_of(count: int) -> bytes:
    return bytes(SAMPLE_BYTES * count)


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
def pending(socket: Socket) -> PendingAudio:
    pending = PendingAudio(SESSION, "one", socket)
    pending.reopen(100, 100, 100, 0.0, turn=3)
    return pending


def answer(end: int, processed: int = 100, durable: int = 100, *, is_finished: int = 0) -> list[bytes | int]:
    return [b"ok", end, processed, durable, is_finished]


class TestPendingAudio:
    def test_all_that_waits_goes_in_one_request(self, pending: PendingAudio) -> None:
        pending.add(samples_of(2))
        pending.add(samples_of(3))
        request = pending.request()
        assert request.keys == (session_key(SESSION), audio_key(SESSION))
        sender, turn, start, count, _, audio = request.arguments
        assert (sender, turn, start, count, len(audio)) == ("one", 3, 100, 5, 5 * SAMPLE_BYTES)

    def test_what_was_not_answered_is_asked_for_in_the_same_words(self, pending: PendingAudio) -> None:
        pending.add(samples_of(2))
        first = pending.request()
        pending.add(samples_of(3))
        assert pending.request() == first
        pending.receive(answer(102), 0.0)
        assert pending.request().arguments[2:4] == (102, 3)

    def test_where_it_will_end_counts_what_is_on_its_way(self, pending: PendingAudio) -> None:
        pending.add(samples_of(2))
        pending.request()
        pending.add(samples_of(3))
        assert pending.expected_end == 105
        assert not pending.is_flushed
        pending.receive(answer(102), 0.0)
        assert pending.expected_end == 105
        pending.request()
        pending.receive(answer(105), 0.0)
        assert pending.is_flushed

    def test_the_socket_is_told_of_audio_and_not_of_every_sign_of_life(
        self, pending: PendingAudio, socket: Socket
    ) -> None:
        pending.request()
        pending.receive(answer(100), 0.0)
        assert socket.kept == []
        pending.add(samples_of(2))
        pending.request()
        pending.receive(answer(102), 0.0)
        assert socket.kept == [102]

    def test_there_is_room_until_the_credit_is_used_up(self, pending: PendingAudio) -> None:
        pending.add(samples_of(CREDIT - 1))
        assert pending.has_room(0.0)
        pending.add(samples_of(1))
        assert not pending.has_room(0.0)
        pending.request()
        pending.receive(answer(100 + CREDIT, 101), 0.0)
        assert pending.has_room(0.0)

    def test_one_at_the_pace_of_speech_has_room_also_while_recognition_stands(
        self, pending: PendingAudio
    ) -> None:
        pending.add(samples_of(CREDIT + samples(9)))
        assert not pending.has_room(8.9)
        assert pending.has_room(9.1)

    def test_but_not_without_an_end(self, pending: PendingAudio) -> None:
        pending.add(samples_of(REPLAY))
        assert not pending.has_room(1000.0)

    def test_the_pace_counts_from_where_it_goes_on(self, pending: PendingAudio) -> None:
        pending.reopen(samples(30), samples(30), samples(30), 100.0)
        pending.add(samples_of(CREDIT + samples(1)))
        assert not pending.has_room(100.9)
        assert pending.has_room(101.1)

    def test_or_too_much_is_not_durable(self, pending: PendingAudio) -> None:
        pending.reopen(100 + REPLAY - 1, 100 + REPLAY - 1, 100, 0.0)
        assert pending.has_room(0.0)
        pending.add(samples_of(1))
        assert not pending.has_room(0.0)

    @pytest.mark.parametrize(
        ("refusal", "kind"),
        [
            ([b"superseded"], Superseded),
            ([b"lost"], LogLost),
            ([b"behind", 99], LogLost),
            ([b"strange"], LogLost),
        ],
    )
    def test_one_that_may_append_no_more_is_told_once_and_asks_no_more(
        self, pending: PendingAudio, socket: Socket, refusal: list[bytes | int], kind: type[Exception]
    ) -> None:
        pending.add(samples_of(1))
        pending.request()
        pending.receive(refusal, 0.0)
        assert [type(error) for error in socket.lost] == [kind]
        assert isinstance(pending.failure, kind)
        assert not pending.is_due(1e9)

    def test_when_the_log_is_opened_anew_what_was_on_its_way_still_is(self, pending: PendingAudio) -> None:
        pending.add(b"aaaa")
        pending.request()
        pending.add(b"bbbb")
        pending.receive([b"lost"], 0.0)
        pending.reopen(40, 40, 40, 0.0)
        assert pending.failure is None
        assert pending.expected_end == 42
        assert pending.request().arguments == ("one", 0, 40, 2, 1500, b"aaaabbbb")

    def test_it_is_due_for_audio_for_who_is_held_and_for_a_sign_of_life(self, pending: PendingAudio) -> None:
        pending.receive(answer(100), 50.0)
        assert not pending.is_due(50.0)
        assert pending.is_due(50.0 + RENEW_S)
        pending.is_held = True
        assert pending.is_due(50.0)
        pending.is_held = False
        pending.add(samples_of(1))
        assert pending.is_due(50.0)


class TestAudioThatRedisHasForgotten:
    """A replica has become the master before it had all of the log."""

    def write(self, pending: PendingAudio, *pieces: bytes, durable: int = 100) -> None:
        for piece in pieces:
            pending.add(piece)
            pending.request()
            pending.receive(answer(pending.expected_end, durable=durable), 0.0)

    def test_goes_there_again_before_what_is_on_its_way(self, pending: PendingAudio, socket: Socket) -> None:
        self.write(pending, b"aaaa", b"bbbbcccc")
        pending.add(b"dddd")
        pending.request()
        pending.add(b"eeee")
        pending.receive([b"behind", 101], 0.0)
        assert socket.lost == []
        assert pending.expected_end == 105
        assert pending.request().arguments[2:4] == (101, 4)
        assert pending.request().arguments[-1] == b"bbbbccccddddeeee"

    def test_may_begin_in_the_middle_of_a_piece(self, pending: PendingAudio) -> None:
        self.write(pending, b"aaaabbbb")
        pending.receive([b"behind", 101], 0.0)
        assert pending.request().arguments[-1] == b"bbbb"

    def test_can_be_forgotten_twice(self, pending: PendingAudio) -> None:
        self.write(pending, b"aaaa", b"bbbb")
        pending.receive([b"behind", 100], 0.0)
        pending.request()
        pending.receive(answer(102), 0.0)
        pending.receive([b"behind", 101], 0.0)
        assert pending.request().arguments[-1] == b"bbbb"

    def test_the_sender_hears_nothing_of_it_but_what_is_kept(
        self, pending: PendingAudio, socket: Socket
    ) -> None:
        self.write(pending, b"aaaa")
        pending.receive([b"behind", 100], 0.0)
        pending.request()
        pending.receive(answer(101), 0.0)
        assert socket.kept == [101, 101]

    def test_is_kept_for_seconds_or_until_it_is_durable(self, pending: PendingAudio) -> None:
        self.write(pending, *[samples_of(KEPT // 4)] * 8)
        assert pending.rewind(pending.end - KEPT)
        assert not pending.rewind(pending.end - KEPT - 1)
        self.write(pending, b"aaaa", durable=pending.expected_end + 1)
        assert pending._kept_bytes == 0

    def test_of_what_is_kept_no_longer_the_rest_goes_when_the_log_is_opened_anew(
        self, pending: PendingAudio
    ) -> None:
        self.write(pending, b"aaaa", b"bbbb")
        pending.receive([b"lost"], 0.0)
        pending.reopen(60, 60, 60, 0.0)
        assert pending.request().arguments[2:4] == (60, 2)
        assert pending.request().arguments[-1] == b"aaaabbbb"

    def test_its_sender_is_not_held_back_for_recognition_that_redis_has_forgotten(
        self, pending: PendingAudio
    ) -> None:
        pending.add(samples_of(CREDIT))
        pending.request()
        pending.receive(answer(100 + CREDIT, 100 + CREDIT), 0.0)
        pending.receive(answer(100 + CREDIT, 100), 0.0)
        assert pending.has_room(0.0)

    def test_an_end_that_was_said_is_owed_until_redis_knows_of_it(self, pending: PendingAudio) -> None:
        pending.receive(answer(100), 0.0)
        assert not pending.owes_end
        pending.has_finished = True
        pending.receive(answer(100), 0.0)
        assert pending.owes_end
        assert pending.end_request().arguments == ("one", 3, 100)
        pending.receive(answer(100, is_finished=1), 0.0)
        assert not pending.owes_end


class TestOutbox:
    @pytest.fixture
    async def redis(self, any_redis: RedisServer) -> AsyncIterator[Redis]:
        client = Redis.from_url(any_redis.url)
        await client.flushall()
        await self.let_in(client, SESSION, "one")
        yield client
        await client.aclose()

    @pytest.fixture
    async def written(self, redis: Redis) -> AsyncIterator[Outbox]:
        outbox = Outbox(redis)
        yield outbox
        await outbox.aclose()

    async def let_in(self, redis: Redis, session_pk: int, sender: str) -> None:
        for name, value in {"sender": sender, "end": "0", "processed": "0", "durable": "0"}.items():
            await redis.hset(session_key(session_pk), name, value)

    async def log(self, redis: Redis, session_pk: int) -> bytes:
        entries: Any = await redis.xrange(audio_key(session_pk))
        return b"".join(fields[b"audio"] for _, fields in entries)

    def begin(self, box: Outbox, socket: Socket, session_pk: int = SESSION, sender: str = "one") -> None:
        box.begin(session_pk, sender, socket, end=0, processed=0, durable=0)

    async def test_what_is_appended_is_in_redis_when_it_is_flushed(
        self, redis: Redis, written: Outbox, socket: Socket
    ) -> None:
        self.begin(written, socket)
        assert await written.append(SESSION, "one", b"aaaa") == 1
        assert await written.append(SESSION, "one", b"bbbb") == 2
        await written.flushed(SESSION, "one")
        assert await self.log(redis, SESSION) == b"aaaabbbb"
        assert socket.kept[-1] == 2

    async def test_senders_of_one_process_share_their_requests_and_do_not_mix(
        self, redis: Redis, written: Outbox
    ) -> None:
        sockets = {number: Socket() for number in (1, 2, 3)}
        for number, socket in sockets.items():
            await self.let_in(redis, number, f"s{number}")
            self.begin(written, socket, number, f"s{number}")
            await written.append(number, f"s{number}", bytes([number]) * 4 * number)
        for number, socket in sockets.items():
            await written.flushed(number, f"s{number}")
            assert socket.kept == [number]
            assert await self.log(redis, number) == bytes([number]) * 4 * number

    async def test_while_a_worker_stands_all_that_is_spoken_is_taken_and_no_more(
        self, redis: Redis, socket: Socket
    ) -> None:
        clock = Clock()
        outbox = Outbox(redis, clock=clock)
        self.begin(outbox, socket)
        for _ in range(10):
            await asyncio.wait_for(outbox.append(SESSION, "one", samples_of(samples(1))), 5)
            clock.now += 1
        for _ in range(CREDIT // samples(1)):
            await outbox.append(SESSION, "one", samples_of(samples(1)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outbox.append(SESSION, "one", samples_of(1)), 0.5)
        await outbox.flushed(SESSION, "one")
        assert len(await self.log(redis, SESSION)) // SAMPLE_BYTES == samples(10) + CREDIT
        await outbox.aclose()

    async def test_of_one_that_was_replaced_nothing_is_taken(
        self, redis: Redis, written: Outbox, socket: Socket
    ) -> None:
        self.begin(written, socket)
        await redis.hset(session_key(SESSION), "sender", "two")
        await written.append(SESSION, "one", b"aaaa")
        with pytest.raises(Superseded):
            await written.flushed(SESSION, "one")
        with pytest.raises(Superseded):
            await written.append(SESSION, "one", b"aaaa")
        assert not await redis.exists(audio_key(SESSION))
        assert [type(error) for error in socket.lost] == [Superseded]

    async def test_one_that_is_not_known_or_has_left_may_not_append(
        self, written: Outbox, socket: Socket
    ) -> None:
        with pytest.raises(Superseded):
            await written.append(SESSION, "one", b"aaaa")
        self.begin(written, socket)
        written.forget(SESSION, "one")
        written.forget(SESSION, "one")
        with pytest.raises(Superseded):
            await written.append(SESSION, "one", b"aaaa")

    async def test_one_that_is_held_goes_on_when_recognition_does(
        self, redis: Redis, written: Outbox, socket: Socket
    ) -> None:
        self.begin(written, socket)
        await written.append(SESSION, "one", samples_of(AHEAD))
        held = asyncio.create_task(written.append(SESSION, "one", samples_of(1)))
        await written.flushed(SESSION, "one")
        assert not held.done()
        await redis.hset(session_key(SESSION), "processed", str(CREDIT + 1))
        assert await asyncio.wait_for(held, 5) == AHEAD + 1

    async def test_one_that_gives_up_waiting_is_held_no_more(self, written: Outbox, socket: Socket) -> None:
        self.begin(written, socket)
        await written.append(SESSION, "one", samples_of(AHEAD))
        held = asyncio.create_task(written.append(SESSION, "one", samples_of(1)))
        await asyncio.sleep(0)
        pending = written._find(SESSION, "one")
        assert pending.is_held
        held.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await held
        assert not pending.is_held
        assert pending.expected_end == AHEAD

    async def test_while_redis_is_away_audio_waits_and_is_written_once(
        self, redis: Redis, written: Outbox, socket: Socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox, "REDIS_RETRY_S", 0.01)
        away = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
        written._redis = away
        self.begin(written, socket)
        await written.append(SESSION, "one", b"aaaa")
        await asyncio.sleep(0.15)
        assert socket.kept == []
        assert socket.lost == []
        written._redis = redis
        await asyncio.wait_for(written.flushed(SESSION, "one"), 5)
        assert socket.kept == [1]
        assert await redis.xlen(audio_key(SESSION)) == 1
        await away.aclose()
