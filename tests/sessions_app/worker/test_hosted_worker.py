"""The worker in the process that serves: how it starts, and what is told when it cannot."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelError, ModelSetError
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app import model_sets
from sessions_app.transport.current import get_transport
from sessions_app.worker.hosted_worker import (
    HostedWorker,
    Recognition,
    capacity_of,
    failure_message,
    load_recognition,
)
from sessions_app.worker.lifespan import lifespan
from speakers import maintenance
from speakers.gallery import GalleryReader
from tests.recognition.model_sets.tone_family import HERE

SCRIPT = Script([ScriptedLine("大家好。")])
SET = 'title = "Script"\n\n[endpointing]\nENDPOINTING\n\n[[script]]\ntext = "大家好。"\n'
STREAMS = {"quick": 40, "thorough": 4, "usual": 12}
BREAKS = f"""
title = "Breaks"
[vad]
title = "None"
licence = "MIT"
kind = "{HERE}.ToneVad"
[offline]
title = "Breaks"
licence = "MIT"
kind = "{HERE}.Breaks"
"""


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> Path:
    """The model set of the settings."""
    settings.MODEL_SETS = [str(tmp_path / "own.toml")]
    settings.MEDIA_ROOT = tmp_path
    write(tmp_path / "own.toml")
    return tmp_path / "own.toml"


def write(file: Path, endpointing: str = "") -> None:
    file.write_text(SET.replace("ENDPOINTING", endpointing), encoding="utf-8")
    model_sets.read_once.cache_clear()


class TestTheEndSilenceOfTheSettings:
    def end_silences(self, settings: Any, ms: int) -> tuple[int, int]:
        settings.END_SILENCE_MS = ms
        endpointing = load_recognition()[0].endpointing
        return endpointing.end_silence_ms, endpointing.long_silence_ms

    def test_without_it_the_set_decides(self, settings: Any, file: Path) -> None:
        assert self.end_silences(settings, 0) == (800, 400)
        write(file, "end_silence_ms = 600")
        assert self.end_silences(settings, 0) == (600, 300)

    def test_it_overrules_every_set_for_long_utterances_as_well(self, settings: Any, file: Path) -> None:
        write(file, "end_silence_ms = 600")
        assert self.end_silences(settings, 1000) == (1000, 500)

    def test_what_a_set_says_of_long_utterances_keeps_its_share(self, settings: Any, file: Path) -> None:
        write(file, "end_silence_ms = 600\nlong_end_silence_ms = 450")
        assert self.end_silences(settings, 1000) == (1000, 750)

    def test_all_else_stays_as_the_set_has_it(self, settings: Any, file: Path) -> None:
        write(file, "threshold = 0.7\npre_roll_ms = 300")
        settings.END_SILENCE_MS = 500
        endpointing = load_recognition()[0].endpointing
        assert (endpointing.threshold, endpointing.pre_roll_ms) == (0.7, 300)

    def test_one_that_does_not_go_with_the_set_is_refused_by_name(self, settings: Any, file: Path) -> None:
        write(file, "longest_utterance_ms = 5000")
        with pytest.raises(ModelSetError) as refused:
            self.end_silences(settings, 8000)
        assert str(refused.value) == (
            f"ASR_END_SILENCE_MS and {file}: [endpointing]: end_silence_ms = 8000 is refused; with this "
            "longest_utterance_ms it takes 5000 or less"
        )


class TestLoading:
    def test_the_capacity_is_measured_unless_the_settings_name_one(self, settings: Any, file: Path) -> None:
        assert capacity_of(load_recognition()) > 1
        settings.CAPACITY = 1
        assert capacity_of(load_recognition()) == 1

    def test_the_set_that_takes_most_says_how_many_sessions_there_may_be(self, settings: Any) -> None:
        models = scripted_models(SCRIPT)
        sets = [Recognition(name, models, EndpointingOptions(), streams) for name, streams in STREAMS.items()]

        assert capacity_of(sets) == 4
        settings.CAPACITY = 30
        assert capacity_of(sets) == 30

    def test_a_set_that_cannot_be_loaded_is_named(self, file: Path) -> None:
        file.write_text(BREAKS, encoding="utf-8")
        with pytest.raises(
            ModelError, match=r"own.toml: \[offline\]: it cannot be loaded or run: RuntimeError"
        ):
            load_recognition()

    def test_models_that_cannot_be_measured_are_named(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_off(models: Any) -> None:
            raise RuntimeError("CUDA error: out of memory")

        monkeypatch.setattr("sessions_app.worker.hosted_worker.measure", break_off)
        with pytest.raises(ModelError, match=r"own.toml: measured at the start: .*CUDA error: out of memory"):
            load_recognition()


class TestFailureMessages:
    def test_a_mistake_in_a_set_is_told_as_it_is_and_leaves_nothing_in_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert failure_message(ModelError("own.toml: [vad]: no")) == "own.toml: [vad]: no"
        assert caplog.records == []

    def test_what_is_nobodys_mistake_is_in_the_log_with_its_traceback(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert (
            failure_message(ZeroDivisionError("by zero")) == "Recognition failed: ZeroDivisionError: by zero"
        )
        [record] = caplog.records
        assert record.exc_info


@pytest.fixture(autouse=True)
def transport() -> Iterator[None]:
    """A transport that no other test has used."""
    get_transport.cache_clear()
    yield
    get_transport.cache_clear()


class Lifespan:
    """A server of ASGI's lifespan protocol, as far as the application sees it."""

    def __init__(self) -> None:
        self.to_application: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.from_application: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def ask(self, event: str) -> dict[str, Any]:
        self.to_application.put_nowait({"type": f"lifespan.{event}"})
        async with asyncio.timeout(20):
            return await self.from_application.get()

    async def run(self) -> None:
        await lifespan({"type": "lifespan"}, self.to_application.get, self.from_application.put)


@pytest.mark.django_db(transaction=True)
class TestLifespan:
    async def test_it_starts_and_stops(self, file: Path) -> None:
        server = Lifespan()
        running = asyncio.create_task(server.run())
        assert await server.ask("startup") == {"type": "lifespan.startup.complete"}
        assert await server.ask("shutdown") == {"type": "lifespan.shutdown.complete"}
        await running

    async def test_a_set_with_a_mistake_fails_the_start_with_its_place(self, file: Path) -> None:
        write(file, "end_silence_ms = -5")
        server = Lifespan()
        running = asyncio.create_task(server.run())
        answer = await server.ask("startup")
        assert answer["type"] == "lifespan.startup.failed"
        assert answer["message"].startswith(f"{file}: [endpointing]: end_silence_ms = -5 is refused")
        await running

    async def test_so_does_whatever_nobody_foresaw(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def break_off(worker: HostedWorker) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(HostedWorker, "start", break_off)
        server = Lifespan()
        running = asyncio.create_task(server.run())
        assert await server.ask("startup") == {
            "type": "lifespan.startup.failed",
            "message": "Recognition failed: ZeroDivisionError: by zero",
        }
        await running


@pytest.mark.django_db(transaction=True)
class TestWhileTheDatabaseIsAway:
    @pytest.fixture
    def refusals(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Refuse as often as the list says; it counts down."""
        left = [0]
        refresh = GalleryReader.refresh

        def refused(reader: GalleryReader) -> bool:
            if left[0] > 0:
                left[0] -= 1
                raise OperationalError("could not connect to server")
            return refresh(reader)

        monkeypatch.setattr(GalleryReader, "refresh", refused)
        monkeypatch.setattr(maintenance, "JOB_POLL_S", 0.02)
        return left

    async def test_a_worker_waits_for_it_and_then_takes_sessions(
        self, file: Path, refusals: list[int], caplog: pytest.LogCaptureFixture
    ) -> None:
        refusals[0] = 3
        worker = HostedWorker()
        await worker.start()
        async with asyncio.timeout(20):
            while not await get_transport().has_workers():
                await asyncio.sleep(0.02)
        await worker.stop()
        waited = [record for record in caplog.records if "could not connect" in record.getMessage()]
        assert len(waited) == 3
        assert all(record.levelno == logging.WARNING for record in waited)

    async def test_a_worker_that_waits_for_it_can_be_stopped(self, file: Path, refusals: list[int]) -> None:
        refusals[0] = 10**9
        worker = HostedWorker()
        await worker.start()
        for _ in itertools.takewhile(lambda _: refusals[0] == 10**9, itertools.count()):
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            await worker.stop()

    async def test_what_else_ends_a_worker_is_told_to_whoever_runs_it(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_off(reader: GalleryReader) -> bool:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(GalleryReader, "refresh", break_off)
        worker = HostedWorker()
        await worker.start()
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10):
                await worker.run()
        await worker.stop()


@pytest.mark.django_db(transaction=True)
async def test_a_worker_stops_although_an_answer_of_redis_hides_that_it_should(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = asyncio.Event()

    async def offer_unfinished(transport: object) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:  # as redis-py loses it
            hidden.set()
        await asyncio.sleep(60)

    monkeypatch.setattr("sessions_app.worker.hosted_worker._offer_unfinished", offer_unfinished)
    worker = HostedWorker()
    await worker.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await worker.stop()
    assert hidden.is_set()
