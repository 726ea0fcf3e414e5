"""A hundred thousand voiceprints: what a line costs, and an enrollment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from speakers.voiceprints.identification import Enrolled, Gallery, identify
from speakers.voiceprints.scoring import Cohort, Scoring
from speakers.voiceprints.tracking import SpeakerTracker

PEOPLE = 100_000
DIMENSION = 192
"""Of CAM++ at full size."""

TIMES = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Milliseconds of one core."""

    identify_ms: float
    """One voice among all."""

    line_ms: float
    """A line of a meeting with five voices: whose it is, and what it says of earlier lines."""

    enroll_ms: float
    """One more person in a worker's memory, once the database has it."""

    memory_mb: float


def measure() -> Scale:
    """Against random voices, which are as much work as real ones."""
    random = np.random.default_rng(0)

    def voices(count: int) -> np.ndarray:
        drawn = random.standard_normal((count, DIMENSION), dtype=np.float32)
        unit: np.ndarray = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit

    everybody = {number: Enrolled(row, 10.0) for number, row in enumerate(voices(PEOPLE))}
    empty = Gallery("random", Scoring(Cohort.of(voices(2000))), DIMENSION)
    gallery = empty.changed(everybody)
    one, speakers = voices(1)[0], voices(5)
    tracker = SpeakerTracker(gallery)
    lines = iter(range(10_000))

    def line() -> None:
        number = next(lines)
        heard = speakers[number % 5] + 0.4 * voices(1)[0]
        tracker.identify(number, heard.astype(np.float32), 3.0)
        tracker.take_revisions()

    return Scale(
        identify_ms=_median_ms(lambda: identify(one, gallery, speech_s=3.0)),
        line_ms=_median_ms(line),
        enroll_ms=_median_ms(lambda: gallery.changed({PEOPLE + 1: Enrolled(one, 10.0)}), times=5),
        memory_mb=(gallery.voices.rows.nbytes + gallery._outlines.nbytes) / 1e6,
    )


def _median_ms(run: Callable[[], object], *, times: int = TIMES) -> float:
    run()
    spent = []
    for _ in range(times):
        started = time.thread_time()
        run()
        spent.append(time.thread_time() - started)
    return statistics.median(spent) * 1e3
