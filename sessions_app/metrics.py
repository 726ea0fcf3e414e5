"""Figures for Prometheus about the recognition of this process.

`asrsite.metrics` shows them at /metrics; a process of `manage.py recognize` has a port of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client import Histogram as LabelledHistogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from recognition.engine.metrics import Histogram, StageStatistics
from recognition.engine.scheduler import Stage

if TYPE_CHECKING:
    from recognition.engine.engine import Engine

registry = CollectorRegistry(auto_describe=False)
"""The figures that this process shows."""

ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)


AGE_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0)

partial_age = LabelledHistogram(
    "asr_partial_age_seconds",
    "From the end of the audio that a partial was made of to its being published, or written to sockets.",
    ["until"],
    buckets=AGE_BUCKETS_S,
    registry=registry,
)
final_age = LabelledHistogram(
    "asr_final_age_seconds",
    "From the end of a line, before the silence that ends it, to its being published, or written to sockets.",
    ["until"],
    buckets=AGE_BUCKETS_S,
    registry=registry,
)


senders = Gauge(
    "asr_senders",
    "Sockets of this process that send, by the cell where their sessions live.",
    ["cell"],
    registry=registry,
)


def observe_age(histogram: LabelledHistogram, until: str, heard_at: float | None) -> None:
    """Count the age of a text.

    Args:
        until: "published" or "written".
        heard_at: When a worker read the end of its audio, in seconds of the wall clock, which web and worker
            machines share; None if that is not known.
    """
    if heard_at is not None:
        histogram.labels(until).observe(max(0.0, time.time() - heard_at))


class RecognitionCollector(Collector):
    """Figures of the engines and the sessions of one worker; may be asked from any thread.

    Args:
        engines: By the names of their model sets.
        capacity: Sessions that the worker takes at once.
        sessions: How many it has now.
        loop_lag: How late its event loop is, counted since the start.
        cell: Where its sessions live; None if there are no several.
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        *,
        capacity: int,
        sessions: Callable[[], int],
        loop_lag: Histogram,
        cell: str | None = None,
    ) -> None:
        self._engines = engines
        self._capacity = capacity
        self._sessions = sessions
        self._loop_lag = loop_lag
        self._cell = cell

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "asr_capacity_sessions", "Sessions that this worker takes at once.", value=self._capacity
        )
        yield GaugeMetricFamily(
            "asr_sessions", "Sessions that this worker is recognising.", value=self._sessions()
        )
        if self._cell:
            place = GaugeMetricFamily("asr_worker_cell", "Its cell: 1.", labels=["cell"])
            place.add_metric([self._cell], 1)
            yield place
        pressure = GaugeMetricFamily(
            "asr_pressure",
            "What gives way: 0 nothing, 1 partials come later, 2 not at all, 3 finals come later.",
            labels=["models"],
        )
        for name, engine in self._engines.items():
            pressure.add_metric([name], engine.scheduler.pressure(engine.now()))
        yield pressure
        yield self._gauges("asr_queue_age_seconds", "How long the job that waits longest has waited.", _ages)
        yield self._gauges("asr_queue_jobs", "Jobs that wait.", _waiting)
        yield self._gauges(
            "asr_real_time_factor", "Seconds of computing per second of audio, since the start.", _factors
        )
        for name, documentation, value in _COUNTERS:
            counter = CounterMetricFamily(name, documentation, labels=_LABELS)
            for models, stage, own in self._stages():
                counter.add_metric([models, _label(stage)], value(own))
            yield counter
        yield self._histograms("asr_batch_jobs", "Jobs in a batch.", lambda own: own.batch_sizes)
        yield self._histograms(
            "asr_wait_seconds", "From queueing a job to running it.", lambda own: own.waits_s
        )
        lag = HistogramMetricFamily("asr_loop_lag_seconds", "How late the event loop was.")
        lag.add_metric([], _buckets(self._loop_lag), self._loop_lag.total)
        yield lag

    def _stages(self) -> Iterator[tuple[str, Stage, StageStatistics]]:
        for models, engine in self._engines.items():
            for stage, own in engine.statistics.stages.items():
                yield models, stage, own

    def _gauges(
        self, name: str, documentation: str, values: Callable[[Engine], dict[Stage, float]]
    ) -> Metric:
        metric = GaugeMetricFamily(name, documentation, labels=_LABELS)
        for models, engine in self._engines.items():
            for stage, value in values(engine).items():
                metric.add_metric([models, _label(stage)], value)
        return metric

    def _histograms(
        self, name: str, documentation: str, histogram: Callable[[StageStatistics], Histogram]
    ) -> Metric:
        metric = HistogramMetricFamily(name, documentation, labels=_LABELS)
        for models, stage, own in self._stages():
            metric.add_metric([models, _label(stage)], _buckets(histogram(own)), histogram(own).total)
        return metric


def _ages(engine: Engine) -> dict[Stage, float]:
    now = engine.now()
    waiting = dict(engine.scheduler.oldest())
    return {stage: now - waiting.get(stage, now) for stage in Stage}


def _waiting(engine: Engine) -> dict[Stage, float]:
    return {stage: engine.scheduler.waiting(stage) for stage in Stage}


def _factors(engine: Engine) -> dict[Stage, float]:
    stages = engine.statistics.stages
    return {stage: own.busy_s / own.audio_s for stage, own in stages.items() if own.samples}


_LABELS = ("models", "stage")

_COUNTERS: list[tuple[str, str, Callable[[StageStatistics], float]]] = [
    ("asr_audio_seconds", "Audio that was computed.", lambda own: own.audio_s),
    ("asr_busy_seconds", "Time that it took.", lambda own: own.busy_s),
    ("asr_failed_jobs", "Jobs whose batch failed.", lambda own: own.failed),
    ("asr_dropped_jobs", "Jobs given up because they came too late: partials only.", lambda own: own.dropped),
]


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds: Iterable[str] = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))


def _label(stage: Stage) -> str:
    return stage.name.lower()
