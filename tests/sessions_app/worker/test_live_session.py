"""One session on one worker, without sockets: what it does when something gives way."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recognition.audio import samples
from recognition.core.events import Event, Final, OverlappingSpeech
from recognition.engine.transcriber import Transcriber
from recognition.fakes.scripted import Script, ScriptedEmbedder, ScriptedLine, scripted_models
from sessions_app.metrics import registry
from sessions_app.models import MAX_FAILURES, Session
from sessions_app.recordings import files
from sessions_app.sockets.fanout import Fanout
from sessions_app.sockets.feed import SessionFeed
from sessions_app.store import commits, queries, voices
from sessions_app.transport.interface import LogLost
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.protocol import Line, PartialLine
from sessions_app.worker import live_session
from tests.support.senders import Socket

from .at_work import worker_at_work

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script(
    [ScriptedLine("大家好，我们开始开会。", voice=0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)

AUDIO = SCRIPT.audio()


@pytest.fixture
async def transport(settings: Any, tmp_path: Any) -> AsyncIterator[MemoryTransport]:
    """Of a process with a worker."""
    settings.MEDIA_ROOT = tmp_path
    async with worker_at_work(scripted_models(SCRIPT)) as transport:
        yield transport


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_session, "pause_after", lambda failures: 0.0)
    monkeypatch.setattr(live_session, "DISK_FULL_RETRY_S", 0.02)


def axis(number: int) -> np.ndarray:
    """The voice of this number, as the scripted embedder hears it."""
    voice: np.ndarray = np.eye(ScriptedEmbedder.dimension, dtype=np.float32)[number]
    return voice


async def send(transport: MemoryTransport, key: str, audio: np.ndarray = AUDIO) -> Session:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, key)
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", audio.tobytes())
    await transport.finish(session.pk, "sender")
    return session


async def ended(session: Session) -> Session:
    async with asyncio.timeout(20):
        while True:
            await asyncio.to_thread(session.refresh_from_db)
            if session.has_ended:
                return session
            await asyncio.sleep(0.05)


async def texts(session: Session) -> list[str]:
    return await asyncio.to_thread(lambda: list(session.utterances.values_list("text", flat=True)))


async def test_a_tail_reaches_those_who_follow(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    models = scripted_models(Script([ScriptedLine("大家好。", seconds=2.0, tail=2)]))
    fanout, heard = Fanout(), Follower()
    async with worker_at_work(models) as transport:
        heard.feed = await fanout.follow("tail", heard)
        session, _ = await asyncio.to_thread(commits.get_or_create_session, "tail")
        await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
        await transport.append(session.pk, "sender", AUDIO[: samples(0.9)].tobytes())
        async with asyncio.timeout(20):
            while not heard.partials:
                await asyncio.sleep(0.01)
        await transport.finish(session.pk, "sender")
        await ended(session)
    await fanout.aclose()
    assert heard.partials[0] == PartialLine(0, "大", "家好")


class Follower:
    """Notes what is being said."""

    def __init__(self) -> None:
        self.feed = SessionFeed()
        self.partials: list[PartialLine] = []

    def feed_changed(self) -> None:
        if self.feed.partial:
            self.partials.append(self.feed.partial)


@pytest.mark.parametrize("encrypted", [False, True])
async def test_while_the_disk_is_full_a_session_waits_and_then_goes_on(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch, settings: Any, encrypted: bool
) -> None:
    settings.ENCRYPT_RECORDINGS = encrypted
    refusals = iter([errno.ENOSPC] * 5)

    def full(*arguments: Any, write: Any = os.pwrite) -> int:
        if error := next(refusals, None):
            raise OSError(error, "No space left on device")
        return int(write(*arguments))

    monkeypatch.setattr(os, "pwrite", full)
    session = await ended(await send(transport, "full"))
    assert not session.has_failed
    assert session.closed_by == "sender"
    assert await texts(session) == [line.text for line in SCRIPT.lines]
    np.testing.assert_array_equal(
        await asyncio.to_thread(files.read, session.pk, 0, len(AUDIO)), files.to_int16(AUDIO)
    )


async def test_while_the_disk_is_full_a_recording_waits_to_be_encoded(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = iter([errno.ENOSPC] * 3)

    def encode(*arguments: Any, do: Any = files.encode_flac, **options: Any) -> Any:
        if error := next(refusals, None):
            raise OSError(error, "No space left on device")
        return do(*arguments, **options)

    monkeypatch.setattr(files, "encode_flac", encode)
    session = await ended(await send(transport, "full at its end"))
    async with asyncio.timeout(20):
        while await asyncio.to_thread(files.journals):
            await asyncio.sleep(0.02)
    assert await asyncio.to_thread(files.length, session.pk) == len(AUDIO)
    assert "failed here" not in caplog.text


async def test_what_redis_lost_before_anybody_recognised_it_is_not_at_the_end_of_the_recording(
    settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    models = scripted_models(Script([ScriptedLine("大家好。", seconds=2.0)]))
    async with worker_at_work(models) as transport:
        session, _ = await asyncio.to_thread(commits.get_or_create_session, "lost")
        earlier = files.Journal(session.pk)
        earlier.write(0, np.full(len(AUDIO) + samples(3), 0.5, np.float32))
        earlier.sync()
        earlier.close()
        await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
        await transport.append(session.pk, "sender", AUDIO.tobytes())
        await transport.finish(session.pk, "sender")
        await ended(session)
    kept = await asyncio.to_thread(files.read, session.pk, 0, len(AUDIO) + samples(3))
    np.testing.assert_array_equal(kept, files.to_int16(AUDIO))


async def test_a_fault_that_passes_costs_nothing(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter(range(MAX_FAILURES - 1))

    def rows_for(*arguments: Any, rows: Any = voices.rows_for, **options: Any) -> Any:
        if next(faults, None) is not None:
            raise ValueError("passing")
        return rows(*arguments, **options)

    monkeypatch.setattr(voices, "rows_for", rows_for)
    session = await ended(await send(transport, "passing"))
    assert not session.has_failed
    assert session.failures == 0
    assert await texts(session) == [line.text for line in SCRIPT.lines]


async def test_one_that_stays_ends_the_session_and_no_other(
    transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, _ = await asyncio.to_thread(commits.get_or_create_session, "poisoned")

    def rows_for(session: int, *arguments: Any, rows: Any = voices.rows_for, **options: Any) -> Any:
        if session == poisoned.pk:
            raise ValueError("staying")
        return rows(session, *arguments, **options)

    monkeypatch.setattr(voices, "rows_for", rows_for)
    await send(transport, "poisoned")
    healthy = await ended(await send(transport, "healthy"))
    assert await texts(healthy) == [line.text for line in SCRIPT.lines]
    assert (await ended(poisoned)).has_failed
    assert poisoned.closed_by == "failure"
    assert await texts(poisoned) == []
    np.testing.assert_array_equal(
        await asyncio.to_thread(files.read, poisoned.pk, 0, len(AUDIO)), files.to_int16(AUDIO)
    )
    async with asyncio.timeout(5):
        while True:
            try:
                await transport.append(poisoned.pk, "sender", AUDIO.tobytes())
            except LogLost:
                break
            await asyncio.sleep(0.05)


def test_later_attempts_wait_longer() -> None:
    pauses = [pause(failures) for failures in range(MAX_FAILURES)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert 15 < sum(pauses) < 30


pause = live_session.pause_after


class TestSenderThatIsAway:
    """Its session waits for it, and not only by the clock: it may be us who keep it away."""

    @pytest.fixture
    async def session(self, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch) -> Session:
        """One whose sender has been away for very long already."""
        monkeypatch.setattr(live_session, "READ_S", 0.02)

        async def gone_s(session: int) -> float:
            return 0.0 if transport._owned(session).sender else 1e6

        monkeypatch.setattr(transport, "sender_gone_s", gone_s)
        session, _ = await asyncio.to_thread(commits.get_or_create_session, "away")
        await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
        await transport.append(session.pk, "sender", AUDIO.tobytes())
        return session

    async def paused(self, session: Session) -> None:
        async with asyncio.timeout(20):
            while session.state != Session.State.PAUSED:
                await asyncio.sleep(0.05)
                await asyncio.to_thread(session.refresh_from_db)

    async def test_a_worker_that_has_just_begun_gives_it_time_to_return(
        self, transport: MemoryTransport, session: Session, settings: Any
    ) -> None:
        settings.SENDER_RETURN_S = 1000
        await transport.leave(session.pk, "sender")
        await self.paused(session)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(session.refresh_from_db)
        assert session.state == Session.State.PAUSED
        await transport.open(session.pk, "again", durable=0, may_take_over=False, listener=Socket())
        await transport.finish(session.pk, "again")
        await ended(session)

    async def test_one_that_resumes_is_waited_for_longer_and_everyone_can_see_until_when(
        self, transport: MemoryTransport, session: Session, settings: Any
    ) -> None:
        settings.SENDER_RETURN_S, settings.SENDER_RESUME_S = 0.05, 600
        await asyncio.to_thread(commits.note_sender, session.pk, resumes=True)
        await transport.leave(session.pk, "sender")
        await self.paused(session)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(session.refresh_from_db)
        assert session.state == Session.State.PAUSED
        assert session.awaited_until
        assert 590 < (session.awaited_until - timezone.now()).total_seconds() < 601
        settings.SENDER_RESUME_S = 0.05
        await ended(session)
        assert session.closed_by == "absence"
        assert session.until == ""
        assert session.durable == len(AUDIO)

    async def test_while_the_database_does_not_answer_it_is_not_missed(
        self, transport: MemoryTransport, session: Session, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SENDER_RETURN_S = 0.2
        monkeypatch.setattr(live_session, "HINDERED_S", 0.01)
        ask = commits.sender_resumes
        is_slow = True

        def ask_slowly(lease: commits.Lease) -> bool:
            time.sleep(0.05 if is_slow else 0)
            return ask(lease)

        monkeypatch.setattr(commits, "sender_resumes", ask_slowly)
        await transport.leave(session.pk, "sender")
        await self.paused(session)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(session.refresh_from_db)
        assert session.state == Session.State.PAUSED
        is_slow = False
        monkeypatch.setattr(live_session, "HINDERED_S", 10.0)
        await ended(session)


async def test_one_that_reached_its_greatest_length_says_so(
    transport: MemoryTransport, settings: Any
) -> None:
    settings.MAX_SESSION_S = len(AUDIO) / 16_000
    assert (await ended(await send(transport, "long"))).closed_by == "limit"


def published(name: str) -> float:
    return registry.get_sample_value(f"{name}_count", {"until": "published"}) or 0.0


async def test_the_age_of_every_line_is_counted_when_it_is_published(transport: MemoryTransport) -> None:
    before = published("asr_final_age_seconds")
    await ended(await send(transport, "aged"))
    assert published("asr_final_age_seconds") - before == len(SCRIPT.lines)


async def test_the_log_tells_the_way_of_a_session_by_positions_and_never_what_was_said(
    transport: MemoryTransport, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="sessions_app.worker.live_session"):
        session = await ended(await send(transport, "told"))
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert f"session {session.pk}: read the audio from 0 to {len(AUDIO)}" in told
    assert any("lines committed, all before" in line for line in told)
    assert not any(line.text in message for line in SCRIPT.lines for message in told)


AT_ONCE = Script(
    [ScriptedLine("大家好。", voice=0, seconds=4.0), ScriptedLine("好的。", voice=1, seconds=2.0)]
)

WORDLESS = OverlappingSpeech(samples(0.5), samples(2.0), axis(1), samples(1.5))


class TestSeveralAtOnce:
    """Lines of one utterance, and speech without words in them, are identified together."""

    @pytest.fixture
    async def transport(self, settings: Any, tmp_path: Any) -> AsyncIterator[MemoryTransport]:
        settings.MEDIA_ROOT = tmp_path
        async with worker_at_work(scripted_models(AT_ONCE)) as transport:
            yield transport

    @pytest.fixture(autouse=True)
    def said(self, monkeypatch: pytest.MonkeyPatch) -> list[Final]:
        """What recognition says besides, after the first line; in that one somebody speaks without words."""
        more: list[Final] = []
        real = Transcriber.events

        async def events(transcriber: Transcriber) -> AsyncIterator[Event]:
            async for event in real(transcriber):
                if not (isinstance(event, Final) and event.utterance == 0):
                    yield event
                    continue
                yield replace(event, overlaps=(WORDLESS,))
                while more:
                    yield more.pop(0)

        monkeypatch.setattr(Transcriber, "events", events)
        return more

    async def hold(self, transport: MemoryTransport) -> list[Line]:
        session = await ended(await send(transport, "at-once", AT_ONCE.audio()))
        return await asyncio.to_thread(queries.lines_after, session.pk, 0, limit=9)

    async def test_each_has_a_voice_of_its_own_however_alike_they_sound(
        self, transport: MemoryTransport, said: list[Final]
    ) -> None:
        said.append(Final(0, samples(1.0), samples(2.5), "对。", (), axis(0), samples(1.5)))

        first, second, _ = await self.hold(transport)

        voices = [first.spoken.speaker_name, second.spoken.speaker_name, first.overlaps[0].speaker_name]
        assert voices == ["Speaker 1", "Speaker 2", "Speaker 3"]

    async def test_they_are_told_as_they_are_kept(self, transport: MemoryTransport) -> None:
        fanout, heard = Fanout(), Follower()
        heard.feed = await fanout.follow("at-once", heard)

        kept = await self.hold(transport)

        async with asyncio.timeout(20):
            while heard.feed.last_seq < len(kept):
                await asyncio.sleep(0.01)
        await fanout.aclose()
        assert heard.feed.lines_after(0) == kept
        [overlap] = kept[0].overlaps
        assert (overlap.start_ms, overlap.end_ms) == (500, 2000)

    async def test_who_speaks_without_words_is_known_when_they_speak_alone(
        self, transport: MemoryTransport
    ) -> None:
        """The second line of the script is by the one who spoke during the first."""
        first, last = await self.hold(transport)

        assert first.overlaps[0].speaker_id == last.spoken.speaker_id != first.spoken.speaker_id
