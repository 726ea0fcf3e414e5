from __future__ import annotations

import pytest

from recognition.engine.metrics import Histogram, Statistics
from recognition.engine.scheduler import QueuedJob, Stage


def job(session: str, seconds: float, at: float, stage: Stage = Stage.DECODE) -> QueuedJob[None]:
    return QueuedJob(stage, session, round(16_000 * seconds), at, None)


class TestHistogram:
    def test_a_value_counts_up_to_its_bound(self):
        histogram = Histogram((1, 2, 4))

        for value in (1, 1.5, 2, 3, 100):
            histogram.add(value)

        assert histogram.counts == [1, 2, 1, 1]
        assert histogram.total == 107.5


class TestStatistics:
    def test_a_batch_counts_its_size_its_audio_and_the_time_it_took(self):
        statistics = Statistics()

        statistics.count_batch([job("a", 0.6, 1.0), job("b", 0.6, 1.2)], taken_at=1.25, took_s=0.05, failed=1)

        decode = statistics.stages[Stage.DECODE]
        assert decode.batch_sizes.counts[1] == 1
        assert decode.audio_s == pytest.approx(1.2)
        assert decode.busy_s == 0.05
        assert decode.waits_s.total == pytest.approx(0.3)
        assert decode.failed == 1
        assert statistics.stages[Stage.DETECT].busy_s == 0

    def test_what_was_given_up_is_counted(self):
        statistics = Statistics()

        statistics.count_dropped([job("a", 0.6, 1.0), job("b", 0.6, 1.0)])

        assert statistics.stages[Stage.DECODE].dropped == 2
