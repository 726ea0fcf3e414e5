"""What a worker does beside its sessions: follow the gallery, do jobs, bear a database that is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError
from pytest_django import Settings

from recognition.engine.engine import Engine
from recognition.fakes.scripted import ScriptedEmbedder
from speakers import calibration, jobs, lifecycle, maintenance
from speakers.maintenance import SpeakerMaintenance
from speakers.models import Calibration, Job, Speaker
from speakers.voiceprints.identification import Gallery

from .people import make_speaker

pytestmark = pytest.mark.django_db(transaction=True)

VOICE = np.eye(ScriptedEmbedder.dimension, dtype=np.float32)[0]
MODEL = ScriptedEmbedder.model_id


@pytest.fixture(autouse=True)
def _rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "JOB_POLL_S", 60.0)
    monkeypatch.setattr(maintenance, "EXPIRE_S", 60.0)


class Worker:
    """A worker's maintenance, and the galleries that its sessions were told of."""

    def __init__(self, engine: Engine) -> None:
        self.told: list[list[int]] = []
        self.maintenance = SpeakerMaintenance([engine], "worker-1", on_gallery=self.on_gallery)

    async def on_gallery(self, gallery: Gallery) -> None:
        self.told.append(gallery.speakers.tolist())

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    running = asyncio.create_task(worker.maintenance.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def worker(engine: Engine) -> Worker:
    return Worker(engine)


async def enrolled(name: str) -> Speaker:
    speaker: Speaker = await jobs.in_database(make_speaker, name, VOICE, model_id=MODEL)
    return speaker


class TestLoading:
    async def test_before_the_first_look_nobody_is_known(self, worker: Worker) -> None:
        await enrolled("Alice")

        assert len(worker.maintenance.gallery) == 0

    async def test_whoever_is_enrolled_is_known_before_the_first_session(
        self, worker: Worker, engine: Engine
    ) -> None:
        alice = await enrolled("Alice")

        await worker.maintenance.load()

        assert worker.told == [[alice.pk]]
        assert worker.maintenance.new_tracker(engine).model_id == MODEL

    async def test_it_waits_for_a_database_that_is_away(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(maintenance, "JOB_POLL_S", 0.0)
        refusals = iter([OperationalError("away"), OperationalError("away")])
        refresh = worker.maintenance._readers[MODEL].refresh

        def refuse() -> bool:
            for error in refusals:
                raise error
            return refresh()

        monkeypatch.setattr(worker.maintenance._readers[MODEL], "refresh", refuse)

        await worker.maintenance.load()

        assert worker.told == [[]]
        away = [record for record in caplog.records if "does not answer: away" in record.getMessage()]
        assert [record.levelno for record in away] == [logging.WARNING] * 2

    async def test_voices_that_another_model_heard_are_to_be_heard_again(self, worker: Worker) -> None:
        await jobs.in_database(make_speaker, "Alice", VOICE, model_id="older", audio=b"her voice")

        await worker.maintenance.load()

        assert [job.kind async for job in Job.objects.all()] == ["reembed"]

    async def test_without_a_model_for_voices_all_are_strangers(self, engine: Engine) -> None:
        engine.models = replace(engine.models, embedder=None)
        worker = Worker(engine)
        await enrolled("Alice")

        await worker.maintenance.load()

        assert worker.told == [[]]
        assert worker.maintenance.new_tracker(engine).identify(1, None, 0.0).speaker is None


class TestFollowing:
    async def test_who_is_enrolled_and_forgotten_is_told_to_the_sessions(self, worker: Worker) -> None:
        await worker.maintenance.load()
        async with at_work(worker):
            alice = await enrolled("Alice")
            key = alice.pk
            worker.maintenance.look_now()
            await worker.until(lambda: len(worker.told) == 2)
            await jobs.in_database(lifecycle.forget, alice, by=None)
            worker.maintenance.look_now()
            await worker.until(lambda: len(worker.told) == 3)

        assert worker.told == [[], [key], []]

    async def test_it_looks_by_itself_if_nobody_tells_it(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(maintenance, "JOB_POLL_S", 0.01)
        await worker.maintenance.load()
        async with at_work(worker):
            alice = await enrolled("Alice")
            await worker.until(lambda: len(worker.told) == 2)

        assert worker.told[-1] == [alice.pk]

    async def test_without_a_change_sessions_are_told_nothing(self, worker: Worker) -> None:
        await worker.maintenance.load()
        async with at_work(worker):
            for _ in range(3):
                worker.maintenance.look_now()
                await asyncio.sleep(0.02)

        assert worker.told == [[]]

    async def test_other_limits_hold_for_the_sessions_that_begin_then(
        self, worker: Worker, engine: Engine
    ) -> None:
        await worker.maintenance.load()
        before = worker.maintenance.new_tracker(engine).options.identification
        limits = Calibration(model_id=MODEL, threshold=0.99, margin=3.0, shortest_speech_s=2.0)
        async with at_work(worker):
            await jobs.in_database(calibration.change, limits)
            worker.maintenance.look_now()
            await worker.until(lambda: len(worker.told) == 2)

        after = worker.maintenance.new_tracker(engine).options.identification
        assert (after.margin, after.shortest_speech_s) == (3.0, 2.0)
        assert before != after

    async def test_without_the_key_it_says_so_and_goes_on_with_jobs(
        self, worker: Worker, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        await enrolled("Alice")
        settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]
        job = await jobs.in_database(jobs.ask_for, "wipe")
        async with at_work(worker):
            await worker.until(lambda: "nobody can be identified" in caplog.text)
            async with asyncio.timeout(10):
                while (await Job.objects.aget(pk=job.pk)).state == "queued":
                    await asyncio.sleep(0.01)

        assert "Put that key back" in caplog.text
        assert worker.told == []


class TestJobs:
    async def test_what_waits_is_done_when_it_is_told(self, worker: Worker) -> None:
        async with at_work(worker):
            job = await jobs.in_database(jobs.ask_for, "wipe")
            worker.maintenance.look_now()
            async with asyncio.timeout(10):
                while (await Job.objects.aget(pk=job.pk)).state not in ("done", "failed"):
                    await asyncio.sleep(0.01)

        assert (await Job.objects.aget(pk=job.pk)).worker == "worker-1"

    async def test_what_has_run_out_is_deleted(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[int] = []
        monkeypatch.setattr(maintenance, "EXPIRE_S", 0.01)

        def expire(*_: Any) -> None:
            calls.append(1)
            if len(calls) == 1:
                raise OperationalError("away")

        monkeypatch.setattr(lifecycle, "expire", expire)
        async with at_work(worker):
            await worker.until(lambda: len(calls) > 2)  # it bears that the database was away

    async def test_what_nobody_foresaw_ends_it_with_its_reason(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> bool:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(worker.maintenance._readers[MODEL], "refresh", fail)

        with pytest.raises(ExceptionGroup) as failed:
            async with asyncio.timeout(10):
                await worker.maintenance.run()

        assert failed.group_contains(ZeroDivisionError)
