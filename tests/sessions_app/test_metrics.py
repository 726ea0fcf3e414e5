from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from prometheus_client import CollectorRegistry
from pytest_django import Settings

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.work import DetectSpeech
from recognition.engine.engine import Engine
from recognition.engine.metrics import LAG_BOUNDS_S, Histogram
from recognition.engine.runner import ModelRequest
from recognition.engine.scheduler import Pressure, QueuedJob, Scheduler, Stage
from recognition.engine.transcriber import Transcriber
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app.metrics import RecognitionCollector, registry

SCRIPT = Script(
    [ScriptedLine("大家好，我们开始开会。", seconds=2.0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def figures(engine: Engine, loop_lag: Histogram | None = None) -> CollectorRegistry:
    shown = CollectorRegistry()
    lag = loop_lag or Histogram(LAG_BOUNDS_S)
    shown.register(RecognitionCollector({"own": engine}, capacity=12, sessions=lambda: 3, loop_lag=lag))
    return shown


async def transcribe(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    for piece in np.array_split(SCRIPT.audio(), 20):
        transcriber.feed(piece)
        await transcriber.caught_up(samples(2))
    transcriber.finish()
    async for _ in transcriber.events():
        pass


async def test_each_stage_counts_its_audio_and_its_batches(engine: Engine) -> None:
    await transcribe(engine)
    shown = figures(engine)

    heard = shown.get_sample_value("asr_audio_seconds_total", {"models": "own", "stage": "detect"})
    assert heard == pytest.approx(len(SCRIPT.audio()) / 16_000, abs=0.2)
    assert shown.get_sample_value("asr_batch_jobs_sum", {"models": "own", "stage": "recognize"}) == 2
    assert (
        shown.get_sample_value("asr_batch_jobs_bucket", {"models": "own", "stage": "recognize", "le": "1"})
        == 2
    )
    assert shown.get_sample_value("asr_wait_seconds_count", {"models": "own", "stage": "embed"}) == 2
    busy = shown.get_sample_value("asr_busy_seconds_total", {"models": "own", "stage": "detect"})
    assert busy
    assert heard
    assert busy / heard == shown.get_sample_value(
        "asr_real_time_factor", {"models": "own", "stage": "detect"}
    )
    assert shown.get_sample_value("asr_dropped_jobs_total", {"models": "own", "stage": "decode"}) == 0


def test_what_waits_shows_its_age_and_what_gives_way() -> None:
    clock = Clock()
    scheduler: Scheduler[ModelRequest] = Scheduler()
    engine = Engine(scripted_models(SCRIPT), scheduler, clock=clock)
    for _ in range(2):
        work = DetectSpeech(np.zeros(3200, np.float32))
        order = ModelRequest(engine.open_stream(), work, lambda result: None)
        scheduler.add(QueuedJob(Stage.RECOGNIZE, id(order), 3200, clock.now, order))
        clock.now += 1.0
    shown = figures(engine)

    assert shown.get_sample_value("asr_queue_age_seconds", {"models": "own", "stage": "recognize"}) == 2.0
    assert shown.get_sample_value("asr_queue_jobs", {"models": "own", "stage": "recognize"}) == 2
    assert shown.get_sample_value("asr_queue_age_seconds", {"models": "own", "stage": "decode"}) == 0
    assert shown.get_sample_value("asr_pressure", {"models": "own"}) == Pressure.LATER_FINALS


async def test_a_worker_shows_its_sessions_its_capacity_and_how_late_its_loop_is(engine: Engine) -> None:
    lag = Histogram(LAG_BOUNDS_S)
    for value in (0.0005, 0.015, 5.0):
        lag.add(value)
    shown = figures(engine, lag)

    assert shown.get_sample_value("asr_sessions") == 3
    assert shown.get_sample_value("asr_capacity_sessions") == 12
    assert shown.get_sample_value("asr_loop_lag_seconds_bucket", {"le": "0.02"}) == 2
    assert shown.get_sample_value("asr_loop_lag_seconds_count") == 3


class TestPage:
    REMOTE = "203.0.113.9"

    def test_this_machine_sees_the_figures_of_the_process_and_of_its_worker(self) -> None:
        engine = Engine(scripted_models(SCRIPT))
        collector = RecognitionCollector(
            {"own": engine}, capacity=12, sessions=lambda: 0, loop_lag=Histogram(LAG_BOUNDS_S)
        )
        registry.register(collector)
        try:
            answer = Client().get("/metrics")
        finally:
            registry.unregister(collector)

        assert answer.status_code == 200
        text = answer.content.decode()
        assert "asr_capacity_sessions 12.0" in text
        assert "process_resident_memory_bytes" in text

    def test_others_see_them_with_the_token_only(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = "figures"
        for headers, status in [
            ({}, 403),
            ({"Authorization": "Bearer wrong"}, 403),
            ({"Authorization": "Bearer figures"}, 200),
        ]:
            answer = Client(REMOTE_ADDR=self.REMOTE).get("/metrics", headers=headers)
            assert answer.status_code == status, headers

    def test_without_a_token_set_none_is_good(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""
        answer = Client(REMOTE_ADDR=self.REMOTE).get("/metrics", headers={"Authorization": "Bearer "})
        assert answer.status_code == 403

    def test_a_proxy_on_this_machine_does_not_make_its_visitors_local(self) -> None:
        answer = Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 403
