from __future__ import annotations

import pytest

from benchmarks.soak import Samples, slope


def test_growth_after_the_warm_up_counts_and_before_it_does_not() -> None:
    at = [hour / 10 for hour in range(20)]
    rss = [hour * 100.0 for hour in range(5)] + [500 + 3 * hour for hour in at[5:]]
    assert slope(at, rss) == pytest.approx(3.0)


def test_too_little_to_tell_is_no_growth() -> None:
    assert slope([0.0], [5.0]) == 0.0


def test_figures_are_of_each_kind() -> None:
    samples = Samples([0.0, 1.0, 2.0, 3.0], [50, 51, 52, 53], [10, 10, 10, 10], [3, 3, 3, 3])
    figures = samples.figures
    assert figures.pop("rss_mib_meanwhile") == [50, 50, 50, 51, 51, 52, 52, 53]
    assert figures == {"rss_mib": 53, "mib_per_h": 1.0, "files_per_h": 0.0, "threads_per_h": 0.0}
