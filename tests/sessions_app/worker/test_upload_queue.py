"""Files transcribed by a worker beside its sessions: to their end, by whoever goes on, or no further."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from channels.layers import get_channel_layer

from recognition.audio import SAMPLE_RATE
from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine
from sessions_app.models import Session, Upload
from sessions_app.recordings import files
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from sessions_app.uploads import store
from sessions_app.uploads.file_log import Facts
from sessions_app.uploads.tus import Announcement
from sessions_app.wire import layer_messages
from sessions_app.worker import live_session, upload_queue
from sessions_app.worker.recognition_worker import RecognitionWorker
from sessions_app.worker.running_set import RunningSet
from tests.support.senders import Socket

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script(
    [ScriptedLine("大家好，我们开始开会。", voice=0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)
AUDIO = SCRIPT.audio()
TEXTS = [line.text for line in SCRIPT.lines]

State = Upload.State

PATIENCE_S = 90
"""How long a busy machine may take."""


@pytest.fixture(autouse=True)
def quick(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(live_session, "pause_after", lambda failures: 0.0)
    monkeypatch.setattr(upload_queue, "POLL_S", 0.02)


class Worker:
    """A worker that can be started and stopped."""

    def __init__(self, engine: Engine) -> None:
        self.transport = MemoryTransport()
        self.worker = RecognitionWorker(
            [RunningSet("embedded", engine, EndpointingOptions())], self.transport, capacity=1
        )
        self._running = asyncio.create_task(self.worker.run())

    async def stop(self) -> None:
        self.worker.stop()
        await asyncio.wait_for(self._running, 20)


@pytest.fixture
async def work(engine: Engine) -> AsyncIterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(engine))
        return started[-1]

    yield start
    for each in started:
        if not each._running.done():
            await each.stop()


def send(tmp_path: Path, audio: np.ndarray = AUDIO, name: str = "周会.wav") -> Upload:
    file = tmp_path / "sent.wav"
    soundfile.write(file, files.to_int16(audio), SAMPLE_RATE)
    return send_bytes(file.read_bytes(), name)


def send_bytes(data: bytes, name: str = "周会.wav") -> Upload:
    upload = store.begin(Announcement(len(data), name), owner=None, token=None)
    return store.append(upload, 0, data)


async def until(upload: Upload, condition: Callable[[Upload], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition(upload):
            await asyncio.sleep(0.02)
            await upload.arefresh_from_db()


def is_over(upload: Upload) -> bool:
    return upload.finished_at is not None and upload.lease_until is None


async def lines_of(upload: Upload) -> list[str]:
    session = await Session.objects.aget(upload=upload)
    return [line.text async for line in session.utterances.order_by("seq")]


async def test_a_file_becomes_a_meeting(work: Callable[[], Worker], tmp_path: Path) -> None:
    upload = await asyncio.to_thread(send, tmp_path)
    worker = work()
    await until(upload, is_over)
    assert (upload.state, upload.error) == (State.DONE, "")
    assert await lines_of(upload) == TEXTS
    session = await Session.objects.aget(upload=upload)
    assert (session.title, session.durable, session.closed_by) == ("周会", len(AUDIO), "sender")
    assert not store.path_of(upload).exists()
    await worker.stop()
    kept = await asyncio.to_thread(files.read, session.pk, 0, len(AUDIO))
    np.testing.assert_array_equal(kept, files.to_int16(AUDIO))


async def test_it_takes_nobodys_place(work: Callable[[], Worker], tmp_path: Path) -> None:
    """A worker that has room for one meeting has it beside a file."""
    await asyncio.to_thread(send, tmp_path, np.concatenate([AUDIO] * 30))
    worker = work()
    async with asyncio.timeout(PATIENCE_S):
        while not worker.worker._live:
            await asyncio.sleep(0.01)
    assert worker.worker.session_count == 0
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "spoken", model_set="embedded")
    sender: dict[str, Any] = {
        "durable": 0,
        "may_take_over": False,
        "listener": Socket(),
        "model_set": "embedded",
    }
    await worker.transport.open(session.pk, "a", **sender)
    await worker.transport.append(session.pk, "a", AUDIO.tobytes())
    await worker.transport.finish(session.pk, "a")
    async with asyncio.timeout(PATIENCE_S):
        while not session.has_ended:
            await asyncio.sleep(0.02)
            await session.arefresh_from_db()


async def test_only_so_many_at_once(work: Callable[[], Worker], tmp_path: Path, settings: Any) -> None:
    settings.UPLOADS_AT_ONCE = 2
    uploads = [await asyncio.to_thread(send, tmp_path) for _ in range(4)]
    worker = work()
    most = 0
    async with asyncio.timeout(PATIENCE_S):
        while await Upload.objects.filter(finished_at=None).aexists():
            most = max(most, len(worker.worker._live))
            await asyncio.sleep(0.005)
    assert most <= 2
    for upload in uploads:
        await until(upload, is_over)
        assert await lines_of(upload) == TEXTS


async def test_a_worker_without_places_for_files_leaves_them(
    work: Callable[[], Worker], tmp_path: Path, settings: Any
) -> None:
    settings.UPLOADS_AT_ONCE = 0
    upload = await asyncio.to_thread(send, tmp_path)
    work()
    await asyncio.sleep(0.3)
    await upload.arefresh_from_db()
    assert upload.state == State.WAITING


async def test_a_worker_that_stops_leaves_the_rest_to_the_next(
    work: Callable[[], Worker], tmp_path: Path
) -> None:
    upload = await asyncio.to_thread(send, tmp_path, np.concatenate([AUDIO] * 40))
    first = work()
    session = None
    async with asyncio.timeout(PATIENCE_S):
        while session is None or session.last_seq < 4:
            await asyncio.sleep(0.01)
            session = await Session.objects.filter(upload=upload).afirst()
    await first.stop()
    await upload.arefresh_from_db()
    await session.arefresh_from_db()
    assert upload.state == State.WAITING
    assert 0 < session.durable < 40 * len(AUDIO)
    await Upload.objects.aupdate(lease_until=None)
    work()
    await until(upload, is_over)
    assert upload.state == State.DONE
    assert await lines_of(upload) == TEXTS * 40
    await session.arefresh_from_db()
    assert session.durable == 40 * len(AUDIO)
    assert session.epoch == 2


async def test_called_off_it_ends_with_what_was_said_until_then(
    work: Callable[[], Worker], tmp_path: Path
) -> None:
    upload = await asyncio.to_thread(send, tmp_path, np.concatenate([AUDIO] * 200))
    work()
    async with asyncio.timeout(PATIENCE_S):
        while not await Session.objects.filter(upload=upload, last_seq__gt=1).aexists():
            await asyncio.sleep(0.01)
    await upload.arefresh_from_db()
    await asyncio.to_thread(store.cancel, upload)
    layer: Any = get_channel_layer()
    await layer.group_send(layer_messages.WORKERS, {"type": "session.stop", "key": upload.session_key})
    await until(upload, is_over)
    session = await Session.objects.aget(upload=upload)
    assert (upload.state, session.state, session.closed_by) == (State.CANCELLED, "ended", "person")
    assert session.durable < 200 * len(AUDIO)
    assert not store.path_of(upload).exists()


async def test_called_off_is_noticed_though_no_message_comes(
    work: Callable[[], Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LEASE", timedelta(seconds=0.4))
    upload = await asyncio.to_thread(send, tmp_path, np.concatenate([AUDIO] * 200))
    work()
    async with asyncio.timeout(PATIENCE_S):
        while not await Session.objects.filter(upload=upload, last_seq__gt=1).aexists():
            await asyncio.sleep(0.01)
    await upload.arefresh_from_db()
    await asyncio.to_thread(store.cancel, upload)
    await until(upload, is_over)
    session = await Session.objects.aget(upload=upload)
    assert session.has_ended
    assert session.durable < 200 * len(AUDIO)


async def test_no_recording_no_meeting(work: Callable[[], Worker]) -> None:
    upload = await asyncio.to_thread(send_bytes, b"no sound at all", "notes.mp3")
    work()
    await until(upload, is_over)
    assert (upload.state, upload.error, upload.session_id) == (State.FAILED, "not_audio", None)
    assert not await Session.objects.aexists()


async def test_longer_than_a_meeting_may_be_is_refused_before_it_begins(
    work: Callable[[], Worker], tmp_path: Path, settings: Any
) -> None:
    settings.MAX_SESSION_S = 1.0
    upload = await asyncio.to_thread(send, tmp_path)
    work()
    await until(upload, is_over)
    assert (upload.state, upload.error, upload.session_id) == (State.FAILED, "too_long", None)


async def test_a_file_that_somebody_took_away_ends_its_meeting(
    work: Callable[[], Worker], tmp_path: Path
) -> None:
    upload = await asyncio.to_thread(send, tmp_path)
    await asyncio.to_thread(store.open_session, upload, Facts(0, ""))
    store.path_of(upload).unlink()
    work()
    await until(upload, is_over)
    assert (upload.state, upload.error) == (State.FAILED, "gone")
    assert (await Session.objects.aget(upload=upload)).has_ended
