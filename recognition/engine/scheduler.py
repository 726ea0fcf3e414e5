"""Batching policy: the work to run next, across sessions. Pure: the caller brings the clock.

One thread runs all models, so every moment asks: which stage now, and for whom? Finals go before
partials, for a final is what people wait for and what the database keeps; and one that has begun is finished
before the next begins. Within a stage it is first come, first served, grouped so that padding does not
eat what batching gains. Recognisers that take long have a thread of their own: the stages are two lanes
then, and each asks for itself.

Sessions that come faster than they were spoken yield to all others: their work is done when nothing else is
due, never in one batch with that of others, and a session at a time has its turn. A batch that has begun
cannot be interrupted, so their finals go one by one while somebody else is speaking.

When more comes than can be done, partials give way, in this order: previews stay away; partials come later,
in larger and cheaper batches; then utterances go without them; then finals come later. Audio and finals are
never dropped.
"""

from __future__ import annotations

import enum
import math
from bisect import insort
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from recognition.interfaces import Models

Payload = TypeVar("Payload")


class Stage(enum.IntEnum):
    """The models, most urgent first. Finding speech is cheap and everything waits for it."""

    DETECT = 0
    PUNCTUATE = 1
    EMBED = 2
    SEGMENT = 3
    RECOGNIZE = 4
    DECODE = 5
    PREVIEW = 6


STAGES = tuple(Stage)

YIELDING = (False, True)

SPEAKING_S = 5.0
"""For so long after the last work of a session that keeps pace its next is expected at any moment."""

RECOGNISERS = (Stage.RECOGNIZE, Stage.DECODE, Stage.PREVIEW)


def lanes(models: Models) -> Sequence[Sequence[Stage]]:
    """Return the stages of each thread: one runs all, or a second one the recognisers."""
    if not models.recognises_apart:
        return [STAGES]
    return [tuple(stage for stage in STAGES if stage not in RECOGNISERS), RECOGNISERS]


class Pressure(enum.IntEnum):
    """Pressure on the models: the work that gives way."""

    NONE = 0
    SLOWER_PARTIALS = 1
    NO_PARTIALS = 2
    LATER_FINALS = 3


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of a batch of one stage: its size, and its lateness."""

    size: int
    padded_samples: int
    """Budget for entries x longest, the cost after padding; one entry may exceed it alone."""

    min_samples: int = 0
    """Samples that even the shortest entry costs."""

    max_padding: float = math.inf
    """Padding that a batch may have, in costs of its entries alone: those of like lengths go together."""

    rest: float = 0.0
    """Between two batches, in durations of the first, entries wait for company; a full batch does not."""

    longest_rest_s: float = math.inf
    """But none so long: a stream that has fallen behind must catch up."""

    late_s: float = math.inf
    """When the first entry has waited so long, batches may be `size_when_late` large."""

    size_when_late: int = 0

    patience_s: float = math.inf
    """An entry that has waited so long is of no use any more."""


DEFAULT_LIMITS: Mapping[Stage, BatchLimits] = {
    Stage.DETECT: BatchLimits(size=64, padded_samples=2**31),
    Stage.PUNCTUATE: BatchLimits(size=16, padded_samples=2**31),
    Stage.EMBED: BatchLimits(size=8, padded_samples=24 * 16_000),
    Stage.SEGMENT: BatchLimits(size=4, padded_samples=40 * 16_000),
    Stage.RECOGNIZE: BatchLimits(size=4, padded_samples=20 * 16_000, late_s=1.0, size_when_late=8),
    Stage.DECODE: BatchLimits(
        size=8,
        padded_samples=2**31,
        rest=1.5,
        longest_rest_s=0.35,
        late_s=0.3,
        size_when_late=16,
        patience_s=3.0,
    ),
    # Worth having only while the core has nothing better to do.
    Stage.PREVIEW: BatchLimits(size=4, padded_samples=8 * 16_000, patience_s=0.3),
}

GPU_LIMITS: Mapping[Stage, BatchLimits] = {
    Stage.DETECT: BatchLimits(size=512, padded_samples=2**31, rest=1.0),
    Stage.PUNCTUATE: BatchLimits(size=128, padded_samples=2**31),
    Stage.EMBED: BatchLimits(size=64, padded_samples=512 * 16_000),
    Stage.SEGMENT: BatchLimits(size=64, padded_samples=640 * 16_000),
    Stage.RECOGNIZE: BatchLimits(size=64, padded_samples=512 * 16_000, late_s=1.0, size_when_late=64),
    Stage.DECODE: replace(DEFAULT_LIMITS[Stage.DECODE], size=128, size_when_late=128, rest=1.0),
    Stage.PREVIEW: replace(DEFAULT_LIMITS[Stage.PREVIEW], size=64, padded_samples=128 * 16_000),
}
"""Starting a batch costs a GPU more than what is in it."""


def limits_for(models: Models) -> Mapping[Stage, BatchLimits]:
    """Return the limits that suit the device that computes, and recognisers to which nothing is short."""
    limits = dict(GPU_LIMITS if models.device == "cuda" else DEFAULT_LIMITS)
    if min_samples := models.offline.min_samples:
        again = [Stage.RECOGNIZE, Stage.PREVIEW, *([Stage.DECODE] if models.revises else [])]
        limits |= {stage: _of_like_lengths(limits[stage], min_samples) for stage in again}
    return limits


def _of_like_lengths(limits: BatchLimits, min_samples: int) -> BatchLimits:
    """Return limits for entries that cost at least so much, and gain little from company."""
    return replace(
        limits,
        rest=0.0,
        late_s=max(limits.late_s, 1.0),  # the batch before takes nearly as long
        size=min(limits.size, 4),
        size_when_late=min(limits.size_when_late, 4),
        padded_samples=5 * min_samples,
        min_samples=min_samples,
        max_padding=0.25,
    )


@dataclass(frozen=True, slots=True, eq=False)
class QueuedJob(Generic[Payload]):
    """Work of one session for one stage."""

    stage: Stage
    session: Hashable
    samples: int
    """Audio that is new in it."""

    queued_at: float
    """Or, of a stream that has fallen behind, when its turn would have come."""

    payload: Payload = field(repr=False)

    heard: int = 0
    """Samples of its utterance up to its end, for a first pass that computes all of them again."""

    yields: bool = False
    """Whether all other sessions go first."""


class Scheduler(Generic[Payload]):
    """Queues of jobs, two per stage; says what to run at a given moment."""

    def __init__(self, limits: Mapping[Stage, BatchLimits] = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._queues: dict[tuple[Stage, bool], deque[QueuedJob[Payload]]] = {
            (stage, yields): deque() for stage in Stage for yields in YIELDING
        }
        self._resting_until = dict.fromkeys(Stage, -math.inf)
        self._running: dict[Stage, float] = {}  # since when
        self._spoken_at = -math.inf
        self._turns: dict[Hashable, float] = {}  # of sessions that yield: when each had its last

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, job: QueuedJob[Payload]) -> None:
        insort(self._queues[job.stage, job.yields], job, key=lambda waiting: waiting.queued_at)
        if not job.yields:
            self._spoken_at = max(self._spoken_at, job.queued_at)

    def discard(self, session: Hashable, stages: Iterable[Stage] = Stage) -> None:
        """Take out what waits for this session: nobody wants it any more."""
        for stage in stages:
            for yields in YIELDING:
                waiting = self._queues[stage, yields]
                self._queues[stage, yields] = deque(job for job in waiting if job.session != session)
        if stages is Stage:
            self._turns.pop(session, None)

    def due_at(self, lane: Sequence[Stage] = STAGES) -> float | None:
        """Return the moment at which `next_batch` will have something; None if nothing waits."""
        waiting = [(stage, yields) for yields in YIELDING for stage in lane if self._queues[stage, yields]]
        return min((self._due_at(*queue) for queue in waiting), default=None)

    def next_batch(self, now: float, lane: Sequence[Stage] = STAGES) -> list[QueuedJob[Payload]]:
        """Take the jobs to run now, all of one stage, a session at most once; empty if waiting is better.

        Args:
            lane: The stages that share a thread, most urgent first. What was taken of them before must have
                been run.
        """
        for stage in lane:
            if (started := self._running.pop(stage, None)) is not None:
                self._resting_until[stage] = now + (now - started) * self.limits[stage].rest
        for yields in YIELDING:
            for stage in lane:
                if self._queues[stage, yields] and self._due_at(stage, yields) <= now:
                    self._running[stage] = now
                    return self._take(stage, yields, now)
        return []

    def expired(self, now: float) -> list[QueuedJob[Payload]]:
        """Take out the jobs whose patience is at an end."""
        found: list[QueuedJob[Payload]] = []
        for (stage, _), queue in self._queues.items():
            while queue and now - queue[0].queued_at > self.limits[stage].patience_s:
                found.append(queue.popleft())
        return found

    def pressure(self, now: float) -> Pressure:
        """Return what gives way at this moment, to the sessions that keep pace."""
        waited = {stage: now - since for stage, since in self.oldest()}
        partial, final = waited.get(Stage.DECODE, 0.0), waited.get(Stage.RECOGNIZE, 0.0)
        if final > self.limits[Stage.RECOGNIZE].late_s:
            return Pressure.LATER_FINALS
        if partial > self.limits[Stage.DECODE].patience_s:
            return Pressure.NO_PARTIALS
        if partial > self.limits[Stage.DECODE].late_s:
            return Pressure.SLOWER_PARTIALS
        return Pressure.NONE

    def oldest(self) -> Iterable[tuple[Stage, float]]:
        """Since when the first job of each stage has waited, for a session that keeps pace.

        May be asked from any thread.
        """
        # tuple() copies in one step: while Python iterates, another thread may add.
        firsts = [(stage, tuple(self._queues[stage, False])[:1]) for stage in Stage]
        return [(stage, job.queued_at) for stage, first in firsts for job in first]

    def waiting(self, stage: Stage) -> int:
        """Return the number of jobs of this stage that wait."""
        return sum(len(self._queues[stage, yields]) for yields in YIELDING)

    def _due_at(self, stage: Stage, yields: bool) -> float:
        queue, limits = self._queues[stage, yields], self.limits[stage]
        first = queue[0].queued_at
        if len(queue) >= limits.size:
            return first
        return max(first, min(self._resting_until[stage], first + limits.longest_rest_s))

    def _take(self, stage: Stage, yields: bool, now: float) -> list[QueuedJob[Payload]]:
        queue: Sequence[QueuedJob[Payload]] = self._queues[stage, yields]
        order = self._in_turn(queue) if yields else queue
        taken, held = _batch(order, self._limits_now(stage, yields, now), now)
        self._queues[stage, yields] = deque(sorted(held, key=lambda job: job.queued_at) if yields else held)
        if yields:
            self._turns |= dict.fromkeys((job.session for job in taken), now)
        return taken

    def _in_turn(self, queue: Iterable[QueuedJob[Payload]]) -> list[QueuedJob[Payload]]:
        """Return the jobs in the order in which their sessions had something done, the latest last."""
        return sorted(queue, key=lambda job: (self._turns.get(job.session, -math.inf), job.queued_at))

    def _limits_now(self, stage: Stage, yields: bool, now: float) -> BatchLimits:
        limits = self.limits[stage]
        if yields and stage is Stage.RECOGNIZE and now - self._spoken_at < SPEAKING_S:
            return replace(limits, size=1, size_when_late=1)
        return limits


def _batch(
    queue: Sequence[QueuedJob[Payload]], limits: BatchLimits, now: float
) -> tuple[list[QueuedJob[Payload]], list[QueuedJob[Payload]]]:
    """Return the jobs to run together, and those that wait on, both in the order of the queue."""
    batch: list[QueuedJob[Payload]] = []
    held: list[QueuedJob[Payload]] = []
    sessions: set[Hashable] = set()
    costs: list[int] = []
    is_late = now - queue[0].queued_at > limits.late_s
    size = limits.size_when_late if is_late else limits.size
    for job in queue:
        with_it = [*costs, max(job.samples, job.heard, limits.min_samples)]
        fits = not batch or _fits(with_it, limits)
        if len(batch) < size and job.session not in sessions and fits:
            batch.append(job)
            costs = with_it
        else:
            held.append(job)
        # Of a session that had to wait, nothing later may overtake.
        sessions.add(job.session)
    return batch, held


def _fits(costs: Sequence[int], limits: BatchLimits) -> bool:
    """Return whether entries of these costs may be one batch."""
    padded = len(costs) * max(costs)
    return padded <= limits.padded_samples and padded <= (1 + limits.max_padding) * sum(costs)
