"""Machines for so many meetings, by what was measured: brings the tables in docs/scale.md up to date.

    python -m benchmarks.scale

Costs come from `benchmarks/results/`; what is assumed besides stands here, with its reason. The cells that
meetings land in are simulated with the product's own placement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognition.audio import SAMPLE_RATE
from sessions_app.cells.placement import CELLS_TRIED, ranked
from sessions_app.transport.interface import REPLAY, SAMPLE_BYTES

from . import results
from .performance_page import as_table, with_table

PAGE = Path("docs/scale.md")

MEETINGS = (100, 1_000, 10_000, 100_000)

LOAD = 0.7
"""Share of a core that is planned for: latencies were measured up to there."""

REDIS_LOAD = 0.6
"""The same of Redis' one thread, which has no second one beside it."""

CORES = 32
"""Of a machine; Redis needs two of them, so several cells may share one."""

SPARE_CELLS = 1.25
"""Room in all cells over what is needed: shares are uneven, and a cell may be away."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of CPU time for each second of one meeting; and the length of a line on average."""

    web: float
    worker: float
    redis: float
    postgres: float
    paraformer: float
    people: float
    line_s: float

    @classmethod
    def measured(cls, read: Callable[[str], Mapping[str, Any]]) -> Costs:
        """Return those of the results that this reads, by the names of their benchmarks."""
        parts, meetings = read("transport")["cpu_ms_redis_by_process"], read("failover")
        return cls(
            web=parts["web"],
            worker=parts["worker"],
            redis=parts["redis"],
            postgres=parts["postgres"],
            paraformer=1000 * LOAD / read("streams")["streams_at_70"],
            people=read("people")["cpu_ms_partials"],
            line_s=meetings["audio_s"] / meetings["lines"],
        )


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many meetings at once need."""

    meetings: int
    web_cores: int
    paraformer_cores: int
    people_cores: int
    cells: int
    postgres_cores: int
    lines_per_s: int
    redis_gb: float
    """Audio in all cells, if none of it were durable: the most that is kept for each meeting."""

    gbit_per_s: float
    """Out of all cells: to workers, and to one replica each."""


def needs(meetings: int, costs: Costs) -> Needs:
    """Return what so many meetings at once need; cores are whole ones."""

    def cores(ms: float) -> int:
        return math.ceil(meetings * ms / 1000 / LOAD)

    audio_bytes = SAMPLE_RATE * SAMPLE_BYTES
    return Needs(
        meetings,
        web_cores=cores(costs.web),
        paraformer_cores=cores(costs.paraformer + costs.worker),
        people_cores=cores(costs.people + costs.worker),
        cells=math.ceil(meetings / per_cell(costs) * (SPARE_CELLS if meetings > per_cell(costs) else 1)),
        postgres_cores=cores(costs.postgres),
        lines_per_s=math.ceil(meetings / costs.line_s),
        redis_gb=meetings * REPLAY * SAMPLE_BYTES / 1e9,
        gbit_per_s=meetings * 2 * audio_bytes * 8 / 1e9,
    )


def per_cell(costs: Costs) -> int:
    """Return how many meetings one Redis is planned to carry."""
    return math.floor(1000 * REDIS_LOAD / costs.redis)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where meetings went that began one after the other, all before the first has ended."""

    fullest: int
    emptiest: int
    by_rank: tuple[int, ...]
    """How many the first cell of their ranking took, the second, the third."""

    refused: int


def spread(meetings: int, cells: int, *, room: int, away: int = 0) -> Spread:
    """Simulate meetings over cells with room for so many each, some of which do not answer."""
    names = [f"cell-{number}" for number in range(cells)]
    answering = set(names[away:])
    taken: Counter[str] = Counter()
    ranks: Counter[int] = Counter()
    for number in range(meetings):
        choices = ranked(f"meeting-{number}", names)[:CELLS_TRIED]
        free = [rank for rank, cell in enumerate(choices) if cell in answering and taken[cell] < room]
        if free:
            taken[choices[free[0]]] += 1
            ranks[free[0]] += 1
    loads = [taken[name] for name in answering]
    by_rank = tuple(ranks[rank] for rank in range(CELLS_TRIED))
    return Spread(max(loads), min(loads), by_rank, meetings - sum(by_rank))


def needs_table(costs: Costs) -> str:
    """One column for each number of meetings."""
    columns = [needs(meetings, costs) for meetings in MEETINGS]
    rows: list[Sequence[Any]] = [
        ["cores of web processes", *(each.web_cores for each in columns)],
        ["cores of workers, Paraformer in 8 bits", *(f"{each.paraformer_cores:,}" for each in columns)],
        ["cores of workers, `people`", *(f"{each.people_cores:,}" for each in columns)],
        [f"machines of {CORES} cores for web and workers, Paraformer", *map(_machines, columns)],
        ["cells", *(each.cells for each in columns)],
        ["cores of PostgreSQL", *(each.postgres_cores for each in columns)],
        ["lines written a second", *(f"{each.lines_per_s:,}" for each in columns)],
        ["memory of all Redis for audio, at most, GB", *(f"{each.redis_gb:,.1f}" for each in columns)],
        ["traffic out of all Redis, Gbit/s", *(f"{each.gbit_per_s:,.1f}" for each in columns)],
    ]
    return as_table(["meetings at once", *(f"{meetings:,}" for meetings in MEETINGS)], rows)


def _machines(each: Needs) -> int:
    """Return machines for web and workers, and one more that may die."""
    return math.ceil((each.web_cores + each.paraformer_cores) / CORES) + 1


def spread_table(costs: Costs) -> str:
    """What becomes of 10,000 meetings: all cells there, one away, and as few cells as would just do."""
    room, meetings = per_cell(costs), 10_000
    cells = needs(meetings, costs).cells
    tightest = math.ceil(meetings / room)
    cases = [(cells, 0), (cells, 1), (cells, 2), (tightest, 0)]
    rows = [_spread_row(meetings, count, away, room) for count, away in cases]
    heads = ["cells", "of them away", "fullest", "emptiest", "in the first", "second", "third", "refused"]
    return as_table(heads, rows)


def _spread_row(meetings: int, cells: int, away: int, room: int) -> Sequence[Any]:
    found = spread(meetings, cells, room=room, away=away)
    return [
        cells,
        away,
        found.fullest,
        found.emptiest,
        *(f"{count:,}" for count in found.by_rank),
        found.refused,
    ]


def updated(page: str) -> str:
    """Return the page with its tables as the results have them."""
    costs = Costs.measured(results.read)
    page = with_table(page, "needs", needs_table(costs))
    return with_table(page, "spread", f"With room for {per_cell(costs)} in each:\n\n{spread_table(costs)}")


def main() -> None:
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE} shows what benchmarks/results holds")


if __name__ == "__main__":
    main()
