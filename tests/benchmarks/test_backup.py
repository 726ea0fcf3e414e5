"""The comparison of what was restored sees each kind of damage; and a small run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.backup import Holdings, differences, measure

BEFORE = Holdings(
    sessions={"ended": "1", "ended-later": "2"},
    lines={"ended": ["a", "b"], "running": ["c", "d"], "ended-later": ["e", "f"]},
    voices={"ended": ["v"], "running": ["w"]},
    recordings={"1.flac": "x", "2.flac": "y"},
)
AFTER = Holdings(
    sessions={"ended": "1"},
    lines={"ended": ["a", "b"], "running": ["c"], "ended-later": ["e"]},
    voices={"ended": ["v"], "running": ["another by now"]},
    recordings={"1.flac": "x"},
)


def test_what_came_after_the_backup_is_not_missed() -> None:
    assert differences(BEFORE, AFTER) == []


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (replace(AFTER, sessions={"ended": "other"}), "session ended"),
        (replace(AFTER, sessions={"ended": "1", "foreign": "3"}), "session foreign"),
        (replace(AFTER, lines={**AFTER.lines, "ended": ["a"]}), "lines of ended"),
        (replace(AFTER, lines={**AFTER.lines, "ended": ["b", "a"]}), "lines of ended"),
        (replace(AFTER, lines={**AFTER.lines, "running": ["d"]}), "lines of running, which went on"),
        (replace(AFTER, voices={}), "voices of ended"),
        (replace(AFTER, recordings={"1.flac": "z"}), "file 1.flac"),
    ],
)
def test_what_is_not_the_same_is_told(damaged: Holdings, told: str) -> None:
    assert differences(BEFORE, damaged) == [told]


@pytest.mark.slow(30)
async def test_a_few_meetings_are_back_while_one_goes_on(tmp_path: Path) -> None:
    figures = await measure(tmp_path, meetings=4, running=1)
    assert figures["sessions_back"] == figures["recordings_back"] == 3
    assert figures["lines_back"] >= 6
    assert figures["running_back"] == 1
    assert (figures["differences"], figures["missing_sessions"], figures["missing_recordings"]) == (0, 0, 0)
