"""The measure of minutes: what counts as found, and the meetings that it is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import minutes
from minutes.extraction import extract
from minutes.statements import Kind, Statement

MEETING = """赵敏: 我明天发。
> promise 赵敏 | 明天
林静: 那就用蓝色。
> decision
> promise  |
"""


@pytest.fixture
def meeting(tmp_path: Path) -> minutes.Meeting:
    file = tmp_path / "01-small.txt"
    file.write_text(MEETING, encoding="utf-8")
    return minutes.read(file)


def action(line: int, who: str, until: str = "") -> Statement:
    return Statement(Kind.ACTION, "", (line,), speaker=who, until=until)


def test_a_meeting_is_read_with_its_notes(meeting: minutes.Meeting) -> None:
    assert [line.name for line in meeting.lines] == ["赵敏", "林静"]
    assert [(known.kind, known.line, known.who, known.until) for known in meeting.known] == [
        (Kind.ACTION, 1, "赵敏", "明天"),
        (Kind.DECISION, 2, "", ""),
        (Kind.ACTION, 2, "", ""),
    ]


def test_a_row_that_is_neither_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("> decison\n", encoding="utf-8")
    with pytest.raises(ValueError, match="neither"):
        minutes.read(file)


def test_what_is_found_at_its_line_is_right_and_each_note_counts_once(meeting: minutes.Meeting) -> None:
    found = [
        action(1, "赵敏", "明天"),
        action(1, "赵敏"),
        action(2, "林静"),
        Statement(Kind.DECISION, "", (1,)),
    ]
    score, wrong, missing = minutes.score(meeting, found)
    assert (score.found, score.right, score.known) == (4, 2, 3)
    assert (score.precision, round(score.recall, 2)) == (0.5, 0.67)
    assert (score.promises_right, score.who_right, score.until_right) == (2, 1, 2)
    assert [each.kind for each in wrong] == [Kind.ACTION, Kind.DECISION]
    assert [each.kind for each in missing] == [Kind.DECISION]


def test_nothing_found_is_no_precision(meeting: minutes.Meeting) -> None:
    score, _wrong, missing = minutes.score(meeting, [])
    assert (score.precision, score.recall, len(missing)) == (0.0, 0.0, 3)


def test_a_citation_is_valid_where_its_line_says_it(meeting: minutes.Meeting) -> None:
    statements = [
        Statement(Kind.DECISION, "那就用蓝色", (2,)),
        Statement(Kind.DECISION, "那就用蓝色", (1,)),
        Statement(Kind.DECISION, "那就用蓝色", (7,)),
        Statement(Kind.DECISION, "那就用蓝色", ()),
    ]
    assert minutes.citations_valid(meeting, statements) == [True, False, False, False]


def test_there_are_ten_meetings_half_of_them_held_out_and_none_is_without_notes() -> None:
    meetings = minutes.all_meetings()
    assert (len(meetings), sum(meeting.is_held_out for meeting in meetings)) == (10, 5)
    assert all(len(meeting.known) >= 7 for meeting in meetings)


def test_what_is_found_in_them_is_what_was_promised() -> None:
    total = minutes.Score()
    for meeting in minutes.all_meetings():
        found = minutes.noted(extract(meeting.lines, minutes.TODAY).statements)
        total.add(minutes.score(meeting, found)[0])
    assert total.precision >= 0.8
    assert total.recall >= 0.6
