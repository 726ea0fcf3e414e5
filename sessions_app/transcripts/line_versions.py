"""Versions of lines, over time: which lines came and went together, and which a person took out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

BY_HAND = "remove"
"""The reason under which a person takes a line out; every other way leaves its words in another line."""

TAKEN_BACK = "restore"
"""The reason under which a line reads as it did before: it says nothing about why it was so."""


@dataclass(frozen=True, slots=True)
class LineVersion:
    """One state of a line, as its history has it. What one edit changes has one date."""

    line: int
    key: int
    """Names the version, for restoring it."""

    at: datetime
    by: str
    reason: str
    is_removed: bool
    is_first: bool
    """A person made the line: before, it was not there."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The end of a line, by a person who took it out."""

    at: datetime
    by: str
    version: int
    """The last one before, which brings the line back."""


def lines_to_flip(
    line: int, since: datetime, versions: Iterable[LineVersion], removed_now: Mapping[int, bool]
) -> dict[int, bool]:
    """Return which other lines a version of `line` brings or takes, as line: is it removed then?

    A line that was merged into this one comes back with a version from before the merge, one that was cut off
    goes. Lines that came or went by another edit since are left alone.

    Args:
        since: The date of the version.
        versions: Of all lines of the session, the oldest first.
        removed_now: Of those lines, by their keys.
    """
    histories = by_line(versions)
    edits = {version.at for version in histories.pop(line, []) if version.at > since}
    flips = {}
    for other, history in histories.items():
        wanted = _is_removed_at(history, since)
        if _last_flip(history) in edits and wanted != removed_now.get(other, wanted):
            flips[other] = wanted
    return flips


def removal_by_hand(history: Sequence[LineVersion]) -> Removal | None:
    """Return the removal by which a line is gone; None if a person did not take it out, or its words live on.

    Args:
        history: Of one line that is not there, the oldest version first.
    """
    removals = [version for version in history if version.is_removed and version.reason != TAKEN_BACK]
    present = [version for version in history if not version.is_removed]
    if not present or not removals or removals[-1].reason != BY_HAND:
        return None
    return Removal(removals[-1].at, removals[-1].by, present[-1].key)


def by_line(versions: Iterable[LineVersion]) -> dict[int, list[LineVersion]]:
    """Return the history of each line."""
    histories: dict[int, list[LineVersion]] = {}
    for version in versions:
        histories.setdefault(version.line, []).append(version)
    return histories


def _is_removed_at(history: Sequence[LineVersion], moment: datetime) -> bool:
    """Tell whether a line was away then; the machine writes no history, and its lines were there."""
    before = [version for version in history if version.at <= moment]
    return before[-1].is_removed if before else history[0].is_first


def _last_flip(history: Sequence[LineVersion]) -> datetime | None:
    """Return when a line last came or went; None for never."""
    for earlier, later in zip(reversed(history[:-1]), reversed(history[1:]), strict=True):
        if earlier.is_removed != later.is_removed:
            return later.at
    return history[0].at if history[0].is_first else None
