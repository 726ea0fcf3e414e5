"""The document about scale says what follows from the figures, and the simulated cells fill evenly."""

from __future__ import annotations

import re
from typing import Any

import pytest

from benchmarks import scale
from benchmarks.scale import Costs, needs, per_cell, spread

COSTS = Costs(web=2.0, worker=4.0, redis=1.0, postgres=0.5, paraformer=24.0, people=200.0, line_s=6.0)


def test_the_document_has_the_tables_that_the_results_give() -> None:
    """If not: python -m benchmarks.scale."""
    page = scale.PAGE.read_text(encoding="utf-8")
    assert scale.updated(page) == page


def test_costs_come_from_four_benchmarks() -> None:
    read: dict[str, dict[str, Any]] = {
        "transport": {"cpu_ms_redis_by_process": {"web": 1.0, "worker": 2.0, "redis": 3.0, "postgres": 4.0}},
        "streams": {"streams_at_70": 28},
        "people": {"cpu_ms_partials": 210.0},
        "failover": {"audio_s": 3000, "lines": 500},
    }
    costs = Costs.measured(read.__getitem__)
    assert (costs.web, costs.worker, costs.redis, costs.postgres) == (1.0, 2.0, 3.0, 4.0)
    assert (round(costs.paraformer, 9), costs.people, costs.line_s) == (25.0, 210.0, 6.0)


class TestNeeds:
    def test_grow_with_the_meetings(self) -> None:
        few, many = needs(1_000, COSTS), needs(10_000, COSTS)
        assert (few.web_cores, many.web_cores) == (3, 29)
        assert (few.paraformer_cores, many.paraformer_cores) == (40, 400)
        assert many.gbit_per_s == pytest.approx(10 * few.gbit_per_s)
        assert many.lines_per_s == 1667
        assert many.redis_gb == pytest.approx(38.4)

    def test_one_redis_is_enough_until_it_is_not(self) -> None:
        assert per_cell(COSTS) == 600
        assert [needs(meetings, COSTS).cells for meetings in (1, 600, 601, 6000)] == [1, 1, 2, 13]


class TestSpread:
    def test_every_meeting_is_somewhere_or_was_refused(self) -> None:
        found = spread(1_000, 10, room=90)
        assert sum(found.by_rank) + found.refused == 1_000
        assert found.fullest == 90

    def test_with_room_for_all_they_are_where_they_prefer_to_be(self) -> None:
        found = spread(1_000, 10, room=1_000)
        assert found.by_rank == (1_000, 0, 0)
        assert 70 < found.emptiest <= found.fullest < 130

    def test_a_cell_that_is_away_costs_nobody_a_meeting(self) -> None:
        found = spread(1_000, 10, room=150, away=1)
        assert 70 < found.by_rank[1] < 130  # its share
        assert found.refused == 0

    def test_where_all_are_full_they_are_refused(self) -> None:
        found = spread(10, 2, room=2)
        assert (found.fullest, found.emptiest, found.refused) == (2, 2, 6)

    def test_nobody_asks_more_than_three(self) -> None:
        found = spread(100, 5, room=100, away=3)
        assert found.refused > 0
        assert found.refused == 100 - sum(found.by_rank)


def test_the_tables_show_thousands_as_people_read_them() -> None:
    table = scale.needs_table(COSTS)
    assert "| meetings at once | 100 | 1,000 | 10,000 | 100,000 |" in table
    assert re.search(r"\| cells \| 1 \| 3 \| 21 \| 209 \|", table)
