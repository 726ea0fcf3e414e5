"""Tests in several processes at once: which of them stay together, and which begin first.

A file's tests stay together, so that fixtures are made once; `pytest.mark.xdist_group("name")` puts tests of
several files together, or a part of a file apart. `pytest.mark.slow(90)` tells about how long it takes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

SLOW_S = 3
"""Of a test that is marked as slow without a figure."""

MAX_PROCESSES = 8
"""With more of them, more is loaded again than there is time won."""


def process_count() -> int:
    """Return twice as many as there are cores: half of the time tests wait."""
    return min(2 * (os.cpu_count() or 1), MAX_PROCESSES)


class Groups(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """Group by mark or else by file; a process gets its next group when it begins the last test of one."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        # A process begins a test only when it knows the next one, so it needs two.
        if not self.workqueue or self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def name_groups(items: Iterable[pytest.Item]) -> None:
    """Write its group behind an id, for `Groups`: as xdist does it, it is lost since pytest 9.2."""
    for item in items:
        if mark := item.get_closest_marker("xdist_group"):
            item._id = type(item.id).parse(f"{item.nodeid}@{mark.args[0]}")


def group_of(nodeid: str) -> str:
    """Return the group that is written behind an id, else its file."""
    file, _, name = nodeid.partition("::")
    return name.rpartition("@")[2] if name.rfind("@") > name.rfind("]") else file


def longest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Sort by how long their groups take; what is in progress at the end must be short."""
    items = list(items)
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        seconds[group_of(item.nodeid)] += seconds_of(item)
    return sorted(items, key=lambda item: -seconds[group_of(item.nodeid)])


def seconds_of(item: pytest.Item) -> float:
    """Return about how long a test takes, as its mark says."""
    slow = item.get_closest_marker("slow")
    if slow is None:
        return 0
    return float(slow.args[0]) if slow.args else SLOW_S
