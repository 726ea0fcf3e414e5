"""A name that a benchmark does not know is refused before anything is measured."""

from __future__ import annotations

import os

import pytest

from tests.support import warm_python


@pytest.mark.parametrize(
    ("command", "known"),
    [
        (["benchmarks"], "transport"),
        (["benchmarks.transport"], "slow-reader"),
        (["benchmarks.endurance"], "8-bits"),
        (["benchmarks.full_size_models", "nowhere"], "paraformer"),
    ],
)
def test_an_unknown_name_is_refused_and_the_known_ones_are_told(command: list[str], known: str) -> None:
    done = warm_python.run(["-m", *command, "fload"], environment=os.environ, does="networks")
    assert done.returncode == 2
    assert "there is no 'fload'; there are" in done.stderr
    assert known in done.stderr.partition("there are")[2]
