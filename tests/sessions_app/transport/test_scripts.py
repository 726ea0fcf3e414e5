"""The decisions in Redis, one script at a time, on a real one; and calls that must not be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from deploy.local_servers import RedisServer
from sessions_app.transport import scripts
from sessions_app.transport.scripts import (
    WORKERS,
    Call,
    LuaScript,
    audio_key,
    offers_key,
    patiently,
    read_script,
    run,
    run_all,
    session_key,
)

SESSION = 7
SET = "own"
KEY, LOG, OFFERS = session_key(SESSION), audio_key(SESSION), offers_key(SET)
GROUP = "workers"
LEASE_MS, SILENCE_MS = 60_000, 100_000
TURN = 1


@pytest.fixture
async def redis(any_redis: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(any_redis.url)
    await client.flushall()
    await client.xgroup_create(OFFERS, GROUP, "0", mkstream=True)
    yield client
    await client.aclose()


async def call(redis: Redis, name: str, keys: list[str], *arguments: Any) -> Any:
    return await run(redis, read_script(name), keys, *arguments)


async def keep(
    redis: Redis, worker: str, capacity: int = 4, *entries: bytes, lease_ms: int = 3000, names: str = SET
) -> list[bytes]:
    """A worker says that it is alive; those of the entries that are not its own any more."""
    streams = [offers_key(name) for name in names.split(",")]
    owned = [part for entry in entries for part in (2, entry)]
    lost = await call(redis, "keep", [WORKERS, *streams], GROUP, worker, capacity, lease_ms, names, *owned)
    return [entries[place] for place in lost]


async def open_log(redis: Redis, sender: str = "one", *, durable: int = 0, take_over: bool = False) -> Any:
    arguments = SESSION, sender, durable, int(take_over), LEASE_MS, SILENCE_MS, SET, GROUP, scripts.OFFERS, 0
    return await call(redis, "open", [KEY, OFFERS, WORKERS], *arguments)


async def append(redis: Redis, start: int, count: int, sender: str = "one") -> Any:
    return await call(redis, "append", [KEY, LOG], sender, TURN, start, count, LEASE_MS, b"abcd" * count)


async def mark(redis: Redis, name: str, sender: str = "one", *, end: int = 0, turn: int = 1) -> Any:
    return await call(redis, name, [KEY, LOG], sender, turn, end)


async def gone_ms(redis: Redis) -> int:
    ms, _ = await call(redis, "sender_gone", [KEY])
    return int(ms)


async def report(redis: Redis, durable: int, worker: str = "w") -> Any:
    return await call(redis, "report", [KEY, LOG], worker, durable, durable)


async def take(redis: Redis, worker: str = "w", *, idle_ms: int = 60_000, has_room: bool = True) -> Any:
    found = await call(redis, "take", [OFFERS], GROUP, worker, idle_ms, int(has_room))
    return found and found[1:]


async def owned(redis: Redis, worker: str = "w") -> bytes:
    """The entry of the session, taken and owned by this worker."""
    entry, number = await take(redis, worker)
    assert int(number) == SESSION
    assert await call(redis, "own", [KEY, OFFERS], GROUP, worker, entry) == 1
    return bytes(entry)


async def grow_old(redis: Redis, entry: bytes) -> None:
    """As if the owner of the entry had not been heard of for long."""
    await redis.xclaim(OFFERS, GROUP, "w", 0, [entry], idle=100_000, justid=True)


async def log(redis: Redis) -> list[tuple[bytes, dict[bytes, bytes]]]:
    entries: Any = await redis.xrange(LOG)
    return [(name, fields) for name, fields in entries]


class TestOpen:
    async def test_a_new_session_needs_a_worker_with_room(self, redis: Redis) -> None:
        assert await open_log(redis) == [b"overloaded"]
        assert not await redis.exists(KEY)
        await keep(redis, "w", capacity=1)
        assert await open_log(redis) == [b"ok", 0, 0, 0, 1]

    async def test_room_is_that_of_the_workers_that_are_alive(self, redis: Redis) -> None:
        await keep(redis, "dead", capacity=9, lease_ms=-1)
        assert await open_log(redis) == [b"overloaded"]

    async def test_each_session_takes_its_part_of_the_room(self, redis: Redis) -> None:
        await keep(redis, "w", capacity=1)
        await call(redis, "offer", [session_key(1), OFFERS], 1, 0, SET)
        assert await open_log(redis) == [b"overloaded"]

    async def test_it_begins_where_the_session_is_durable_and_is_offered_once(self, redis: Redis) -> None:
        await keep(redis, "w")
        assert await open_log(redis, durable=5000) == [b"ok", 5000, 5000, 5000, 1]
        assert await open_log(redis) == [b"ok", 5000, 5000, 5000, 2]
        assert await redis.xlen(OFFERS) == 1

    async def test_one_that_is_alive_is_replaced_only_by_right(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        conflict, left_ms, until = await open_log(redis, "two")
        assert conflict == b"conflict"
        assert 0 < left_ms <= LEASE_MS
        assert until == int(await redis.hget(KEY, "connected_until") or 0)
        assert (await open_log(redis, "two", take_over=True))[0] == b"ok"
        assert await append(redis, 0, 1) == [b"superseded"]

    async def test_one_whose_lease_is_over_is_replaced_by_anybody(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        await redis.hset(KEY, "connected_until", "1")
        assert (await open_log(redis, "two"))[0] == b"ok"

    async def test_so_is_one_that_has_said_nothing_for_long(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        seconds, _ = await redis.time()
        await redis.hset(KEY, "heard_at", str(seconds * 1000 - SILENCE_MS))
        assert (await open_log(redis, "two"))[0] == b"ok"

    async def test_after_the_end_it_says_where_that_was(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        await append(redis, 0, 160)
        await mark(redis, "finish")
        assert await open_log(redis, "one") == [b"finished", 160]


class TestAppend:
    @pytest.fixture(autouse=True)
    async def opened(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)

    async def test_an_entry_is_named_by_its_end(self, redis: Redis) -> None:
        assert await append(redis, 0, 2) == [b"ok", 2, 0, 0, 0]
        assert await append(redis, 2, 3) == [b"ok", 5, 0, 0, 0]
        assert await log(redis) == [(b"2-0", {b"audio": b"abcd" * 2}), (b"5-0", {b"audio": b"abcd" * 3})]

    async def test_asked_again_it_changes_nothing(self, redis: Redis) -> None:
        assert await append(redis, 0, 2) == await append(redis, 0, 2) == [b"ok", 2, 0, 0, 0]
        assert len(await log(redis)) == 1

    @pytest.mark.parametrize(("start", "count"), [(1, 5), (0, 1)])
    async def test_audio_with_a_hole_or_twice_in_other_pieces_is_refused(
        self, redis: Redis, start: int, count: int
    ) -> None:
        await append(redis, 0, 2)
        assert await append(redis, start, count) == [b"lost"]
        assert len(await log(redis)) == 1

    async def test_without_audio_it_only_stays_the_sender(self, redis: Redis) -> None:
        await redis.hset(KEY, "connected_until", "1")
        assert await append(redis, 0, 0) == [b"ok", 0, 0, 0, 0]
        assert int(await redis.hget(KEY, "connected_until") or 0) > 1
        assert await log(redis) == []

    async def test_it_brings_back_how_far_recognition_is(self, redis: Redis) -> None:
        await append(redis, 0, 9)
        await redis.hset(KEY, mapping={"processed": "7", "durable": "5"})
        assert await append(redis, 9, 1) == [b"ok", 10, 7, 5, 0]

    async def test_behind_the_end_there_is_no_more(self, redis: Redis) -> None:
        await mark(redis, "finish")
        assert await append(redis, 0, 1) == [b"lost"]

    async def test_a_log_that_is_gone_is_lost(self, redis: Redis) -> None:
        await redis.delete(KEY)
        for name in ("flush", "finish"):
            assert await mark(redis, name) == [b"lost"]
        assert await append(redis, 0, 1) == [b"lost"]

    async def test_only_the_sender_may(self, redis: Redis) -> None:
        for name in ("flush", "finish"):
            assert await mark(redis, name, "two") == [b"superseded"]
        assert await append(redis, 0, 1, sender="two") == [b"superseded"]


class TestAMasterThatKnowsLess:
    """It has taken the place of another, and did not get all of that one's news."""

    @pytest.fixture(autouse=True)
    async def opened(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        await append(redis, 0, 4)

    @pytest.mark.parametrize("count", [0, 3])
    async def test_says_where_its_log_ends(self, redis: Redis, count: int) -> None:
        assert await append(redis, 9, count) == [b"behind", 4]
        assert len(await log(redis)) == 1

    @pytest.mark.parametrize("name", ["flush", "finish"])
    async def test_sets_no_mark_before_audio_that_it_has_not_got(self, redis: Redis, name: str) -> None:
        assert await mark(redis, name, end=9) == [b"behind", 4]
        assert len(await log(redis)) == 1
        assert (await mark(redis, name, end=4))[0] == b"ok"

    async def test_has_not_replaced_a_sender_whose_turn_it_does_not_know(self, redis: Redis) -> None:
        newer = "two", TURN + 1, 4, 1, LEASE_MS, b"abcd"
        assert await call(redis, "append", [KEY, LOG], *newer) == [b"lost"]
        for name in ("flush", "finish"):
            assert await mark(redis, name, "two", turn=TURN + 1) == [b"lost"]
            assert await mark(redis, name, "two", turn=TURN) == [b"superseded"]

    async def test_is_told_whether_the_end_was_said(self, redis: Redis) -> None:
        assert (await append(redis, 4, 0))[-1] == 0
        await mark(redis, "finish", end=4)
        assert (await append(redis, 4, 0))[-1] == 1

    async def test_asks_no_sender_for_what_the_database_has(self, redis: Redis) -> None:
        assert await open_log(redis, "one", durable=7) == [b"ok", 7, 7, 7, 2]
        assert await open_log(redis, "one", durable=6) == [b"ok", 7, 7, 7, 3]

    async def test_is_told_again_how_far_recognition_is(self, redis: Redis) -> None:
        await owned(redis)
        await report(redis, 3)
        assert (await call(redis, "sender_gone", [KEY]))[1] == 3


class TestMarks:
    @pytest.fixture(autouse=True)
    async def some_audio(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        await append(redis, 0, 4)

    async def test_a_flush_stands_behind_the_audio_and_before_the_end(self, redis: Redis) -> None:
        assert await mark(redis, "flush") == [b"ok", 4]
        assert await mark(redis, "finish") == [b"ok"]
        assert [name for name, _ in await log(redis)] == [b"4-0", b"4-1", b"4-2"]

    async def test_each_stands_there_once(self, redis: Redis) -> None:
        for _ in range(2):
            await mark(redis, "flush")
        for _ in range(2):
            await mark(redis, "finish")
        assert [fields for _, fields in await log(redis)][1:] == [{b"flush": b"1"}, {b"end": b"1"}]

    async def test_behind_the_end_no_utterance_is_ended(self, redis: Redis) -> None:
        await mark(redis, "finish")
        assert await mark(redis, "flush") == [b"ok", 4]
        assert [name for name, _ in await log(redis)] == [b"4-0", b"4-2"]

    async def test_what_is_durable_is_forgotten_and_marks_at_that_place_are_not(self, redis: Redis) -> None:
        await mark(redis, "flush")
        await append(redis, 4, 2)
        await owned(redis)
        assert await report(redis, 4) == 1
        assert [name for name, _ in await log(redis)] == [b"4-1", b"6-0"]
        assert await report(redis, 6) == 1
        assert await log(redis) == []


class TestOwnership:
    @pytest.fixture(autouse=True)
    async def offered(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)

    async def test_a_session_is_taken_by_one(self, redis: Redis) -> None:
        await owned(redis)
        assert await take(redis, "other") is None

    async def test_who_has_no_room_takes_only_what_a_dead_one_left(self, redis: Redis) -> None:
        assert await take(redis, has_room=False) is None
        entry = await owned(redis)
        assert await take(redis, "other", has_room=False) is None
        await grow_old(redis, entry)
        assert await take(redis, "other", has_room=False) == [entry, b"7"]
        assert await keep(redis, "w", 4, entry) == [entry]
        assert await keep(redis, "other", 4, entry) == []

    async def test_one_that_says_it_is_alive_keeps_its_own(self, redis: Redis) -> None:
        entry = await owned(redis)
        await grow_old(redis, entry)
        assert await keep(redis, "w", 4, entry) == []
        assert await take(redis, "other") is None

    async def test_one_that_is_handed_over_is_taken_at_once(self, redis: Redis) -> None:
        entry = await owned(redis)
        await call(redis, "give_up", [KEY, OFFERS], GROUP, "w", entry, 60_000)
        assert await take(redis, "other") == [entry, b"7"]

    async def test_only_its_owner_hands_it_over_reports_or_releases_it(self, redis: Redis) -> None:
        entry = await owned(redis)
        await call(redis, "give_up", [KEY, OFFERS], GROUP, "other", entry, 60_000)
        await call(redis, "release", [KEY, LOG, OFFERS], GROUP, "other")
        assert await report(redis, 0, worker="other") == 0
        assert await report(redis, 0) == 1
        assert await keep(redis, "w", 4, entry) == []

    async def test_one_that_has_ended_leaves_nothing(self, redis: Redis) -> None:
        entry = await owned(redis)
        await append(redis, 0, 4)
        await call(redis, "release", [KEY, LOG, OFFERS], GROUP, "w")
        assert not await redis.exists(KEY, LOG)
        assert await redis.xlen(OFFERS) == 0
        assert await keep(redis, "w", 4, entry) == [entry]

    async def test_an_entry_whose_session_has_ended_is_no_session(self, redis: Redis) -> None:
        entry, _ = await take(redis)
        await redis.delete(KEY)
        assert await call(redis, "own", [KEY, OFFERS], GROUP, "w", entry) == 0
        assert await redis.xlen(OFFERS) == 0

    async def test_one_that_has_a_worker_is_not_offered_again(self, redis: Redis) -> None:
        await owned(redis)
        await call(redis, "offer", [KEY, OFFERS], SESSION, 0, SET)
        assert await redis.xlen(OFFERS) == 1

    async def test_a_worker_that_stops_is_forgotten_unless_sessions_go_by_its_name(
        self, redis: Redis
    ) -> None:
        entry = await owned(redis)
        await call(redis, "retire", [WORKERS, OFFERS], GROUP, "w")
        assert await redis.hlen(WORKERS) == 0
        assert await take(redis, "other", idle_ms=0) == [entry, b"7"]
        await call(redis, "retire", [WORKERS, OFFERS], GROUP, "w")
        consumers: Any = await redis.xinfo_consumers(OFFERS, GROUP)
        assert [consumer["name"] for consumer in consumers] == [b"other"]


class TestModelSets:
    async def has_room(self, redis: Redis, session: int, name: str) -> Any:
        arguments = session, "one", 0, 0, LEASE_MS, SILENCE_MS, name, GROUP, scripts.OFFERS, 0
        keys = [session_key(session), offers_key(name), WORKERS]
        [answer, *_] = await call(redis, "open", keys, *arguments)
        return answer

    async def own(self, redis: Redis, worker: str, name: str) -> None:
        stream = offers_key(name)
        _, entry, number = await call(redis, "take", [stream], GROUP, worker, 60_000, 1)
        await call(redis, "own", [session_key(int(number)), stream], GROUP, worker, entry)

    @pytest.fixture(autouse=True)
    async def second(self, redis: Redis) -> None:
        await redis.xgroup_create(offers_key("second"), GROUP, "0", mkstream=True)

    async def test_one_that_no_worker_has_is_told_apart_from_a_lack_of_room(self, redis: Redis) -> None:
        await keep(redis, "w", names="own")
        assert await self.has_room(redis, 1, "second") == b"no models"
        assert not await redis.exists(session_key(1))
        await keep(redis, "v", names="own,second")
        assert await self.has_room(redis, 1, "second") == b"ok"

    async def test_a_session_of_another_set_counts_as_well(self, redis: Redis) -> None:
        await keep(redis, "w", 2, names="own,second")
        assert await self.has_room(redis, 1, "own") == b"ok"
        assert await self.has_room(redis, 2, "second") == b"ok"
        assert await self.has_room(redis, 3, "own") == b"overloaded"
        assert await self.has_room(redis, 3, "second") == b"overloaded"

    async def test_so_does_one_that_a_worker_has(self, redis: Redis) -> None:
        await keep(redis, "w", 1, names="own,second")
        assert await self.has_room(redis, 1, "own") == b"ok"
        await self.own(redis, "w", "own")
        assert await self.has_room(redis, 2, "second") == b"overloaded"

    async def test_room_elsewhere_is_none_for_it(self, redis: Redis) -> None:
        await keep(redis, "w", 1, names="own,second")
        await keep(redis, "v", 9, names="own")
        assert await self.has_room(redis, 1, "second") == b"ok"
        await self.own(redis, "w", "second")
        assert await self.has_room(redis, 2, "second") == b"overloaded"
        assert await self.has_room(redis, 3, "own") == b"ok"

    async def test_one_whose_name_begins_like_anothers_is_another(self, redis: Redis) -> None:
        await keep(redis, "w", names="own-2")
        assert await self.has_room(redis, 1, "own") == b"no models"

    async def test_those_that_a_worker_does_not_have_it_leaves_to_others(self, redis: Redis) -> None:
        await keep(redis, "w", names="own,second")
        await self.has_room(redis, 1, "second")
        assert await take(redis) is None

    async def test_a_session_that_an_earlier_version_left_is_offered_anew(self, redis: Redis) -> None:
        await redis.hset(KEY, mapping={"end": 5, "processed": 5, "durable": 5, "left_at": 1, "entry": "1-1"})
        await call(redis, "offer", [KEY, OFFERS], SESSION, 5, SET)
        await call(redis, "offer", [KEY, OFFERS], SESSION, 5, SET)
        assert await redis.xlen(OFFERS) == 1


class TestAbsence:
    async def test_of_a_session_that_is_not_known(self, redis: Redis) -> None:
        assert await call(redis, "sender_gone", [KEY]) == [-1, 0]

    async def test_is_none_while_the_lease_lasts_and_then_counts(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        assert await gone_ms(redis) == 0
        seconds, _ = await redis.time()
        await redis.hset(KEY, "connected_until", str(seconds * 1000 - 5000))
        assert 5000 <= await gone_ms(redis) < 60_000

    async def test_counts_from_the_goodbye_of_the_one_that_was_the_sender(self, redis: Redis) -> None:
        await keep(redis, "w")
        await open_log(redis)
        await call(redis, "leave", [KEY], "another")
        assert await gone_ms(redis) == 0
        await call(redis, "leave", [KEY], "one")
        await asyncio.sleep(0.02)
        assert 10 <= await gone_ms(redis) < 60_000

    async def test_of_one_that_never_came_counts_from_the_offer(self, redis: Redis) -> None:
        await call(redis, "offer", [KEY, OFFERS], SESSION, 300, SET)
        assert 0 <= await gone_ms(redis) < 60_000
        assert await redis.hmget(KEY, "end", "processed", "durable") == [b"300"] * 3


class TestCalls:
    async def test_scripts_that_redis_has_forgotten_are_told_again(self, redis: Redis) -> None:
        await keep(redis, "w")
        await redis.script_flush()
        assert await run_all(redis, [Call(read_script("sender_gone"), [KEY], [])] * 2) == [[-1, 0]] * 2

    async def test_an_error_of_one_is_raised(self, redis: Redis) -> None:
        await redis.set(KEY, "no hash")
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await call(redis, "sender_gone", [KEY])

    async def test_they_are_asked_again_until_redis_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scripts, "REDIS_RETRY_S", 0.001)
        failures = iter(range(3))

        async def request() -> str:
            if next(failures, None) is not None:
                raise RedisConnectionError("away")
            return "here"

        assert await patiently(request) == "here"

    async def test_no_other_error_is_waited_for(self) -> None:
        async def request() -> str:
            raise ValueError("ours")

        with pytest.raises(ValueError, match="ours"):
            await patiently(request)

    def test_a_script_is_known_by_the_digest_of_its_source(self) -> None:
        assert read_script("own") == read_script("own")
        assert read_script("own").sha != read_script("take").sha
        assert isinstance(read_script("own"), LuaScript)
        assert len(read_script("own").sha) == 40
