"""Which work to run next, across sessions. Pure: the caller brings the clock.

One thread runs all models, so every moment asks: which stage now, and for whom? Finals go before
partials, for a final is what people wait for and what the database keeps. Within a stage it is first
come, first served, grouped so that padding does not eat what batching gains.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Payload = TypeVar("Payload")


class Stage(enum.IntEnum):
    """The models, most urgent first. Finding speech is cheap and everything waits for it."""

    DETECT = 0
    RECOGNIZE = 1
    PUNCTUATE = 2
    EMBED = 3
    DECODE = 4


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How large a batch of one stage may be."""

    size: int
    padded_samples: int
    """Budget for entries x longest, the cost after padding; one entry may exceed it alone."""

    wait_s: float = 0.0
    """How long an entry waits for company when nothing else runs."""


DEFAULT_LIMITS: Mapping[Stage, BatchLimits] = {
    Stage.DETECT: BatchLimits(size=64, padded_samples=2**31),
    Stage.RECOGNIZE: BatchLimits(size=4, padded_samples=20 * 16_000),
    Stage.PUNCTUATE: BatchLimits(size=16, padded_samples=2**31),
    Stage.EMBED: BatchLimits(size=8, padded_samples=24 * 16_000),
    Stage.DECODE: BatchLimits(size=8, padded_samples=2**31, wait_s=0.03),
}


@dataclass(frozen=True, slots=True, eq=False)
class Job(Generic[Payload]):
    """Work of one session for one stage."""

    stage: Stage
    session: Hashable
    samples: int
    queued_at: float
    payload: Payload = field(repr=False)


class Scheduler(Generic[Payload]):
    """Queues of jobs, one per stage; says what to run at a given moment."""

    def __init__(self, limits: Mapping[Stage, BatchLimits] = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._queues: dict[Stage, deque[Job[Payload]]] = {stage: deque() for stage in Stage}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, job: Job[Payload]) -> None:
        self._queues[job.stage].append(job)

    def discard(self, session: Hashable, stages: Iterable[Stage] = Stage) -> None:
        """Take out what waits for this session: nobody wants it any more."""
        for stage in stages:
            self._queues[stage] = deque(job for job in self._queues[stage] if job.session != session)

    def due_at(self) -> float | None:
        """When `next_batch` will have something; None if nothing waits."""
        return min(filter(lambda due: due is not None, map(self._due_at, Stage)), default=None)  # type: ignore[type-var]

    def next_batch(self, now: float) -> list[Job[Payload]]:
        """Take the jobs to run now, all of one stage, a session at most once; empty if waiting is better."""
        for stage in Stage:
            due = self._due_at(stage)
            if due is not None and due <= now:
                return self._take(stage)
        return []

    def oldest(self) -> Iterable[tuple[Stage, float]]:
        """Since when the first job of each waiting stage has waited."""
        return [(stage, queue[0].queued_at) for stage, queue in self._queues.items() if queue]

    def _due_at(self, stage: Stage) -> float | None:
        queue, limits = self._queues[stage], self.limits[stage]
        if not queue:
            return None
        is_full = len(queue) >= limits.size
        return queue[0].queued_at + (0.0 if is_full else limits.wait_s)

    def _take(self, stage: Stage) -> list[Job[Payload]]:
        limits = self.limits[stage]
        batch: list[Job[Payload]] = []
        held: list[Job[Payload]] = []
        sessions: set[Hashable] = set()
        longest = 0
        for job in self._queues[stage]:
            longest_with = max(longest, job.samples)
            fits = not batch or (len(batch) + 1) * longest_with <= limits.padded_samples
            if len(batch) < limits.size and job.session not in sessions and fits:
                batch.append(job)
                longest = longest_with
            else:
                held.append(job)
            # Of a session that had to wait, nothing later may overtake.
            sessions.add(job.session)
        self._queues[stage] = deque(held)
        return batch
