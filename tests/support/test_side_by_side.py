"""Which tests a process gets, and in which order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from .side_by_side import MAX_PROCESSES, group_of, longest_first, name_groups, process_count


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/test_a.py::test_it", "tests/test_a.py"),
        ("tests/test_a.py::TestIt::test_it[x@y]", "tests/test_a.py"),
        ("tests/test_a.py::test_it[daphne]@daphne", "daphne"),
        ("tests/test_a.py::TestIt::test_it@browser: pages", "browser: pages"),
    ],
)
def test_tests_of_a_file_stay_together_unless_a_mark_says_otherwise(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_a_mark_comes_with_the_id_by_which_a_process_is_told_what_to_run(
    request: pytest.FixtureRequest,
) -> None:
    apart, together = (
        pytest.Function.from_parent(request.node.parent, name=name, callobj=list) for name in "ab"
    )
    together.add_marker(pytest.mark.xdist_group("browser: pages"))
    name_groups([apart, together])
    assert group_of(apart.nodeid) == "tests/support/test_side_by_side.py"
    assert group_of(together.nodeid) == "browser: pages"


def item(nodeid: str, mark: pytest.MarkDecorator | None = None) -> Any:
    return SimpleNamespace(nodeid=nodeid, get_closest_marker=lambda name: mark and mark.mark)


def test_what_takes_longest_begins_first_and_the_rest_keeps_its_order() -> None:
    items = [
        item("b.py::test_quick"),
        item("a.py::test_quick"),
        item("b.py::test_slow", pytest.mark.slow),
        item("c.py::test_slow", pytest.mark.slow(90)),
        item("d.py::test_quick"),
    ]
    ordered = [found.nodeid for found in longest_first(items)]
    assert ordered == [
        "c.py::test_slow",
        "b.py::test_quick",
        "b.py::test_slow",
        "a.py::test_quick",
        "d.py::test_quick",
    ]


def test_there_are_more_processes_than_cores_but_not_many() -> None:
    assert 2 <= process_count() <= MAX_PROCESSES
