"""Minutes without a language model: what is found of the decisions and promises in ten made meetings.

    python -m benchmarks.minutes [--show MEETING]

`benchmarks/meetings/README.md` says how they were made; 06 to 10 are held out. Writes
`benchmarks/results/minutes.json`.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from minutes.extraction import extract
from minutes.lines import Line
from minutes.statements import Kind, Statement

from . import results

MEETINGS = Path(__file__).with_name("meetings")
HELD_OUT = ("06", "07", "08", "09", "10")
TODAY = date(2026, 11, 16)
THREE_HOURS_MS = 3 * 3600 * 1000
CHARACTER_MS, PAUSE_MS = 220, 600

_LINE = re.compile(r"^([^:：>]{1,20})[:：]\s*(.+)$")
_PROMISE = re.compile(r"^> promise (?P<who>[^|]*)\|(?P<until>.*)$")


@dataclass(slots=True)
class Known:
    """Something that a careful reader noted."""

    kind: Kind
    line: int
    who: str = ""
    until: str = ""


@dataclass(slots=True)
class Meeting:
    """A made meeting with what is to be found in it."""

    name: str
    lines: list[Line] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)

    @property
    def is_held_out(self) -> bool:
        return self.name.startswith(HELD_OUT)


@dataclass(slots=True)
class Score:
    """What was found, what of it is right, and what was there."""

    found: int = 0
    right: int = 0
    known: int = 0
    who_right: int = 0
    until_right: int = 0
    promises_right: int = 0

    def add(self, other: Score) -> None:
        """Count what another has as well."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.known if self.known else 0.0


def read(path: Path) -> Meeting:
    """Read a made meeting; each line takes the time of its characters."""
    meeting = Meeting(path.stem)
    now_ms = 0
    for row in path.read_text(encoding="utf-8").splitlines():
        if match := _PROMISE.match(row):
            who, until = match["who"].strip(), match["until"].strip()
            meeting.known.append(Known(Kind.ACTION, len(meeting.lines), who, until))
        elif row.startswith("> decision"):
            meeting.known.append(Known(Kind.DECISION, len(meeting.lines)))
        elif match := _LINE.match(row):
            name, text = match[1], match[2]
            end_ms = now_ms + CHARACTER_MS * len(text)
            meeting.lines.append(Line(len(meeting.lines) + 1, now_ms, end_ms, name, name, text))
            now_ms = end_ms + PAUSE_MS
        elif row.strip():
            raise ValueError(f"{path.name}: this is neither a line nor a note on one: {row}")
    return meeting


def all_meetings() -> list[Meeting]:
    return [read(path) for path in sorted(MEETINGS.glob("*.txt"))]


def score(meeting: Meeting, found: Iterable[Statement]) -> tuple[Score, list[Statement], list[Known]]:
    """Return the score of what was found, what of it is wrong, and what is missing.

    A statement is right if one of its lines is where a reader noted one of its kind; each note counts once.
    """
    left = list(meeting.known)
    result, wrong = Score(known=len(left)), []
    for statement in found:
        result.found += 1
        here = [each for each in left if each.kind == statement.kind and each.line in statement.lines]
        if not here:
            wrong.append(statement)
            continue
        best = max(here, key=lambda each: each.who == statement.speaker)
        left.remove(best)
        result.right += 1
        if best.kind is Kind.ACTION:
            result.promises_right += 1
            result.who_right += best.who == statement.speaker
            result.until_right += best.until == statement.until
    return result, wrong, left


def noted(statements: Iterable[Statement]) -> list[Statement]:
    return [each for each in statements if each.kind in (Kind.DECISION, Kind.ACTION)]


def citations_valid(meeting: Meeting, statements: Sequence[Statement]) -> list[bool]:
    """Tell of each statement whether it cites lines of the meeting, one of which says it."""
    texts = {line.key: line.text for line in meeting.lines}
    return [
        bool(each.lines)
        and all(line in texts for line in each.lines)
        and any(each.text.rstrip("…").casefold() in texts[line].casefold() for line in each.lines)
        for each in statements
    ]


def three_hours(meetings: Sequence[Meeting]) -> list[Line]:
    """Return a meeting of three hours, of the lines of all, again and again."""
    lines: list[Line] = []
    now_ms = 0
    while now_ms < THREE_HOURS_MS:
        for line in (line for meeting in meetings for line in meeting.lines):
            length_ms = line.end_ms - line.start_ms
            lines.append(Line(len(lines) + 1, now_ms, now_ms + length_ms, line.speaker, line.name, line.text))
            now_ms += length_ms + PAUSE_MS
    return lines


def cpu_s(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the seconds of CPU that the minutes of these lines take, and once jieba is loaded."""
    taken = []
    for _ in range(2):
        begun = time.process_time()
        extract(lines, TODAY)
        taken.append(time.process_time() - begun)
    return taken[0], taken[1]


def measure(show: str = "") -> dict[str, float]:
    """Return the figures, and print what is wrong or missing in the meetings whose names begin like this."""
    meetings = all_meetings()
    cold_s, warm_s = cpu_s(three_hours(meetings))
    total, held_out, valid = Score(), Score(), []
    for meeting in meetings:
        statements = extract(meeting.lines, TODAY).statements
        valid += citations_valid(meeting, statements)
        own, wrong, missing = score(meeting, noted(statements))
        total.add(own)
        if meeting.is_held_out:
            held_out.add(own)
        print(f"{meeting.name}: precision {own.precision:.2f}, recall {own.recall:.2f}")
        if show and meeting.name.startswith(show) and not meeting.is_held_out:
            _print(meeting, wrong, missing)
    return {
        "precision": round(total.precision, 3),
        "recall": round(total.recall, 3),
        "held_out_precision": round(held_out.precision, 3),
        "held_out_recall": round(held_out.recall, 3),
        "who_right": round(total.who_right / max(1, total.promises_right), 3),
        "until_right": round(total.until_right / max(1, total.promises_right), 3),
        "known": total.known,
        "citations_valid_share": sum(valid) / len(valid),
        "three_hours_lines": len(three_hours(meetings)),
        "three_hours_cpu_s": round(cold_s, 2),
        "three_hours_warm_cpu_s": round(warm_s, 2),
    }


def _print(meeting: Meeting, wrong: Sequence[Statement], missing: Sequence[Known]) -> None:
    for statement in wrong:
        print(f"  wrong: {statement.kind} {statement.speaker} {statement.text}")
    for known in missing:
        print(f"  missing: {known.kind} {known.who} {meeting.lines[known.line - 1].text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    shown = ["", *(f"{number:02}" for number in range(1, 6))]
    parser.add_argument("--show", default="", choices=shown, help="also print what is wrong in this meeting")
    figures = measure(parser.parse_args().show)
    results.write("minutes", figures)
    print(
        f"Of decisions and promises: precision {figures['precision']}, recall {figures['recall']} "
        f"(held out: {figures['held_out_precision']}, {figures['held_out_recall']}); "
        f"three hours in {figures['three_hours_cpu_s']} s of CPU."
    )


if __name__ == "__main__":
    main()
