"""How many streams a core holds: what is told of a run, and what is not."""

from __future__ import annotations

import pytest
import torch

from benchmarks import streams
from benchmarks.simulation import Report


def report(count: int, *, given_up: int = 0, backlog_s: float = 0.0) -> Report:
    made = Report(count, audio_s=60.0 * count, clock_s=60.0, busy_s={"DECODE": 1.2 * count})
    made.final_s, made.first_partial_s = [0.2] * 100, [0.5] * 100
    made.dropped_partials, made.backlog_s = given_up, backlog_s
    return made


LOADS = [report(7), report(10), report(20, given_up=60)]


def test_a_core_holds_what_gives_hardly_a_line_up() -> None:
    assert streams._streams_per_core(LOADS) == 10
    assert streams._streams_per_core([report(10, given_up=3), report(4, backlog_s=2.0)]) == 0


def test_at_seventy_percent_is_the_load_nearest_to_that() -> None:
    at_70 = streams._at_load(LOADS, 0.7)
    assert at_70
    assert at_70.streams == 7
    figures = streams._at_70(at_70)
    assert (figures["streams_at_70"], figures["final_p95_s_at_70"]) == (7, 0.2)
    assert figures["first_partial_p50_s"] == 0.5


@pytest.mark.parametrize("tried", [[report(10)], [report(20, given_up=60), report(14, given_up=40)]])
def test_nothing_is_told_of_seventy_percent_if_nothing_near_it_was_tried(tried: list[Report]) -> None:
    assert streams._at_load(tried, 0.7) is None
    assert set(streams._at_70(None).values()) == {None}


def test_an_overloaded_core_is_never_the_one_with_most_streams() -> None:
    most = streams._at_load(LOADS, 1.0)
    assert most
    assert most.streams == 10


def test_the_same_is_told_whether_or_not_there_was_a_load_at_seventy_percent() -> None:
    assert streams._at_70(report(7)).keys() == streams._at_70(None).keys()


def test_a_load_says_whether_the_core_keeps_up() -> None:
    assert [streams._figures(load)["keeps_up"] for load in LOADS] == [True, True, False]


def test_a_profile_tells_what_takes_the_most_of_the_time() -> None:
    wide = torch.randn(500, 500)

    shares = streams.profile(lambda: [wide @ wide for _ in range(20)])

    assert next(iter(shares)) == "aten::mm"
    assert 0.5 < sum(shares.values()) <= 1.01
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
