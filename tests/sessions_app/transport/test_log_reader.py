"""The audio of the sessions of one worker, read together from a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from deploy.local_servers import RedisServer
from sessions_app.transport import log_reader
from sessions_app.transport.interface import AudioChunk, Fenced
from sessions_app.transport.log_reader import MAX_ENTRIES, Entry, LogReader, stretch_of
from sessions_app.transport.scripts import audio_key

FLUSH, END = {b"flush": b"1"}, {b"end": b"1"}


def numbered(start: int, count: int) -> bytes:
    return b"".join(position.to_bytes(4, "little") for position in range(start, start + count))


def audio_entry(start: int, count: int) -> Entry:
    return b"%d-0" % (start + count), {b"audio": numbered(start, count)}


class TestStretch:
    @given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.data())
    def test_is_all_audio_from_any_position_of_the_first_entry(
        self, lengths: list[int], data: st.DataObject
    ) -> None:
        entries: list[Entry] = []
        end = 500
        for length in lengths:
            entries.append(audio_entry(end, length))
            end += length
        position = data.draw(st.integers(500, 500 + lengths[0]))
        assert stretch_of(entries, position) == AudioChunk(
            position, numbered(position, end - position), is_end=False
        )

    def test_ends_at_a_flush_though_there_is_more(self) -> None:
        entries = [audio_entry(0, 4), (b"4-1", FLUSH), audio_entry(4, 2)]
        assert stretch_of(entries, 1) == AudioChunk(1, numbered(1, 3), is_end=False, is_flush=True)

    def test_ends_with_the_log(self) -> None:
        assert stretch_of([audio_entry(0, 4), (b"4-2", END)], 0) == AudioChunk(0, numbered(0, 4), is_end=True)
        assert stretch_of([(b"4-2", END)], 4) == AudioChunk(4, b"", is_end=True)

    @pytest.mark.parametrize(
        "entries", [[audio_entry(10, 4)], [(b"14-1", FLUSH)], [audio_entry(8, 1), (b"14-1", FLUSH)]]
    )
    def test_with_a_hole_is_for_somebody_else(self, entries: list[Entry]) -> None:
        with pytest.raises(Fenced):
            stretch_of(entries, 8)


@pytest.fixture
async def redis(any_redis: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(any_redis.url, socket_timeout=5)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def reader(redis: Redis) -> AsyncIterator[LogReader]:
    reader = LogReader(redis)
    yield reader
    await reader.aclose()


async def write(redis: Redis, session_pk: int, start: int, count: int) -> None:
    name, fields = audio_entry(start, count)
    await redis.xadd(audio_key(session_pk), {"audio": fields[b"audio"]}, id=name.decode())


async def test_each_session_gets_its_own_audio_whoever_waits_besides(redis: Redis, reader: LogReader) -> None:
    readings = {
        session_pk: asyncio.create_task(reader.read(session_pk, 0, timeout_s=5)) for session_pk in (1, 2, 3)
    }
    await asyncio.sleep(0.02)
    for session_pk in readings:
        await write(redis, session_pk, 0, session_pk)
    for session_pk, reading in readings.items():
        assert await reading == AudioChunk(0, numbered(0, session_pk), is_end=False)


async def test_one_reading_takes_a_bounded_number_of_entries(redis: Redis, reader: LogReader) -> None:
    for position in range(MAX_ENTRIES + 3):
        await write(redis, 1, position, 1)
    chunk = await reader.read(1, 0, timeout_s=5)
    assert chunk.end == MAX_ENTRIES
    assert (await reader.read(1, chunk.end, timeout_s=5)).end == MAX_ENTRIES + 3


async def test_who_waits_in_vain_is_told_so_and_takes_nothing_away(redis: Redis, reader: LogReader) -> None:
    assert await reader.read(1, 0, timeout_s=0.05) == AudioChunk(0, b"", is_end=False)
    await write(redis, 1, 0, 3)
    assert (await reader.read(1, 0, timeout_s=5)).end == 3
    assert (await reader.read(1, 0, timeout_s=5)).end == 3


async def test_a_flush_at_the_position_is_read_until_it_is_known(redis: Redis, reader: LogReader) -> None:
    await write(redis, 1, 0, 3)
    await redis.xadd(audio_key(1), {"flush": "1"}, id="3-1")
    assert (await reader.read(1, 3, timeout_s=5)).is_flush
    assert not (await reader.read(1, 3, timeout_s=0.05, after_flush=True)).is_flush


async def test_who_waits_for_a_session_that_is_taken_away_stops(reader: LogReader) -> None:
    reading = asyncio.create_task(reader.read(1, 0, timeout_s=5))
    await asyncio.sleep(0.01)
    reader.fence(1)
    reader.fence(2)
    with pytest.raises(Fenced):
        await reading


async def test_a_hole_in_one_log_stops_only_its_reader(redis: Redis, reader: LogReader) -> None:
    await write(redis, 1, 100, 5)
    await write(redis, 2, 0, 5)
    torn, whole = await asyncio.gather(
        reader.read(1, 50, timeout_s=5), reader.read(2, 0, timeout_s=5), return_exceptions=True
    )
    assert isinstance(torn, Fenced)
    assert isinstance(whole, AudioChunk)
    assert whole.end == 5


async def test_while_redis_cannot_be_read_a_reader_waits(
    redis: Redis, reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "REDIS_RETRY_S", 0.01)
    await redis.set(audio_key(1), "no stream")
    reading = asyncio.create_task(reader.read(1, 0, timeout_s=5))
    await asyncio.sleep(0.05)
    assert not reading.done()
    await redis.delete(audio_key(1))
    await write(redis, 1, 0, 2)
    assert (await reading).end == 2


async def test_a_later_question_for_the_same_session_takes_the_place_of_the_earlier(
    redis: Redis, reader: LogReader
) -> None:
    earlier = asyncio.create_task(reader.read(1, 0, timeout_s=0.2))
    await asyncio.sleep(0.01)
    later = asyncio.create_task(reader.read(1, 0, timeout_s=5))
    await asyncio.sleep(0.01)
    await write(redis, 1, 0, 2)
    assert (await later).end == 2
    assert (await earlier).end in (0, 2)
