from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.engine.metrics import LAG_BOUNDS_S, SIZE_BOUNDS, WAIT_BOUNDS_S, Histogram, Statistics
from recognition.engine.scheduler import QueuedJob, Stage


def job(session: str, seconds: float, at: float, stage: Stage = Stage.DECODE) -> QueuedJob[None]:
    return QueuedJob(stage, session, round(16_000 * seconds), at, None)


class TestHistogram:
    def test_a_value_counts_up_to_its_bound(self) -> None:
        histogram = Histogram((1, 2, 4))

        for value in (1, 1.5, 2, 3, 100):
            histogram.add(value)

        assert histogram.counts == [1, 2, 1, 1]
        assert histogram.total == 107.5


class TestStatistics:
    def test_a_batch_counts_its_size_its_audio_and_the_time_it_took(self) -> None:
        statistics = Statistics()

        statistics.count_batch([job("a", 0.6, 1.0), job("b", 0.6, 1.2)], taken_at=1.25, took_s=0.05, failed=1)

        decode = statistics.stages[Stage.DECODE]
        assert decode.batch_sizes.counts[1] == 1
        assert decode.audio_s == pytest.approx(1.2)
        assert decode.busy_s == 0.05
        assert decode.waits_s.total == pytest.approx(0.3)
        assert decode.failed == 1
        assert statistics.stages[Stage.DETECT].busy_s == 0

    def test_what_was_given_up_is_counted(self) -> None:
        statistics = Statistics()

        statistics.count_dropped([job("a", 0.6, 1.0), job("b", 0.6, 1.0)])

        assert statistics.stages[Stage.DECODE].dropped == 2


class TestBounds:
    @given(st.lists(st.floats(0, 200), max_size=50))
    def test_every_value_is_counted_once(self, values: list[float]) -> None:
        histogram = Histogram((1, 10, 100))
        for value in values:
            histogram.add(value)
        assert sum(histogram.counts) == len(values)
        assert histogram.total == pytest.approx(sum(values))

    @given(st.floats(0, 200))
    def test_it_is_counted_where_it_lies(self, value: float) -> None:
        histogram = Histogram((1, 10, 100))
        histogram.add(value)
        [place] = [number for number, count in enumerate(histogram.counts) if count]
        lower, upper = (0, 1, 10, 100)[place], (1, 10, 100, float("inf"))[place]
        assert lower <= value <= upper

    @pytest.mark.parametrize("bounds", [WAIT_BOUNDS_S, LAG_BOUNDS_S, SIZE_BOUNDS])
    def test_bounds_ascend(self, bounds: tuple[float, ...]) -> None:
        assert list(bounds) == sorted(set(bounds))

    def test_two_histograms_share_nothing(self) -> None:
        one, other = Histogram((1,)), Histogram((1,))
        one.add(0.5)
        assert other.counts == [0, 0]


class TestEachStage:
    def test_is_counted_for_itself(self) -> None:
        statistics = Statistics()
        for stage in Stage:
            jobs = [job("a", 0.1, 0.0, stage)] * (stage + 1)
            statistics.count_batch(jobs, taken_at=0.0, took_s=float(stage), failed=0)
        for stage, own in statistics.stages.items():
            assert own.samples == 1600 * (stage + 1)
            assert own.busy_s == stage

    def test_a_job_that_was_taken_before_it_was_due_has_not_waited(self) -> None:
        statistics = Statistics()
        statistics.count_batch([job("a", 0.6, 5.0)], taken_at=4.0, took_s=0.1, failed=0)
        assert statistics.stages[Stage.DECODE].waits_s.total == 0.0

    def test_two_sets_of_statistics_share_nothing(self) -> None:
        one, other = Statistics(), Statistics()
        one.count_dropped([job("a", 0.6, 1.0)])
        assert other.stages[Stage.DECODE].dropped == 0

    def test_batches_add_up(self) -> None:
        statistics = Statistics()
        for _ in range(3):
            statistics.count_batch([job("a", 1.0, 0.0)], taken_at=0.5, took_s=0.25, failed=1)
        own = statistics.stages[Stage.DECODE]
        assert (own.audio_s, own.busy_s, own.failed) == (3.0, 0.75, 3)
        assert own.waits_s.total == 1.5
