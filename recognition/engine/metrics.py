"""Figures of the recognition: counted here, shown elsewhere. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from recognition.audio import seconds

from .scheduler import QueuedJob, Stage

WAIT_BOUNDS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
LAG_BOUNDS_S = (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0)
SIZE_BOUNDS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(slots=True)
class Histogram:
    """Counts of values up to each bound, and beyond the last."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class StageStatistics:
    """One stage since the start of the process."""

    batch_sizes: Histogram = field(default_factory=lambda: Histogram(SIZE_BOUNDS))
    waits_s: Histogram = field(default_factory=lambda: Histogram(WAIT_BOUNDS_S))
    """From being queued to being taken, per job."""

    samples: int = 0
    """Audio that was computed."""

    busy_s: float = 0.0
    """Time that it took; over `audio_s` it is the stage's real-time factor."""

    failed: int = 0
    dropped: int = 0
    """Jobs given up because they came too late to be of use: partials only."""

    @property
    def audio_s(self) -> float:
        return seconds(self.samples)


@dataclass(slots=True)
class Statistics:
    """All stages."""

    stages: dict[Stage, StageStatistics] = field(
        default_factory=lambda: {stage: StageStatistics() for stage in Stage}
    )

    def count_batch(
        self, batch: Sequence[QueuedJob[Any]], *, taken_at: float, took_s: float, failed: int
    ) -> None:
        """A batch has been computed."""
        own = self.stages[batch[0].stage]
        own.batch_sizes.add(len(batch))
        own.busy_s += took_s
        own.failed += failed
        for job in batch:
            own.waits_s.add(max(0.0, taken_at - job.queued_at))
            own.samples += job.samples

    def count_dropped(self, jobs: Sequence[QueuedJob[Any]]) -> None:
        """Jobs have been given up."""
        for job in jobs:
            self.stages[job.stage].dropped += 1
