"""Decisions about uploads: whose is next, when a file is given up, when its meeting was. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recognition.audio import seconds

MAX_ATTEMPTS = 8
"""Workers that a file may take with it at one place."""

MAX_UNFINISHED = 100
"""Files that one sender may have here at a time, which are not transcribed yet."""

EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
"""A clock that was never set says less."""

FREE_BYTES = 2**29
"""Of the disk, that no file may take: meetings are recorded on it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that could be begun."""

    pk: int
    sender: str
    """Names whoever sent it."""


def in_turn(waiting: Sequence[Waiting], running: Iterable[str]) -> list[int]:
    """Return the files in the order in which they are begun.

    Who has the fewest at work comes first, so that a hundred files of one do not keep another's waiting.
    Those of one sender go in the order in which they came.

    Args:
        waiting: The oldest first.
        running: Senders of the files at work.
    """
    at_work = Counter(running)
    order: list[tuple[int, int, int]] = []
    for place, file in enumerate(waiting):
        order.append((at_work[file.sender], place, file.pk))
        at_work[file.sender] += 1
    return [pk for _, _, pk in sorted(order)]


def attempts_after(attempts: int, *, got_further: bool) -> int:
    """Return how many workers have had a file at this place, now that one more takes it."""
    return 1 if got_further else attempts + 1


def is_given_up(attempts: int) -> bool:
    return attempts > MAX_ATTEMPTS


def retry_s(attempts: int) -> float:
    """Return for how long a file waits that a worker left unfinished."""
    return float(min(2**attempts, 60))


def begun_at(
    recorded_at: dt.datetime | None, changed_at: dt.datetime | None, samples: int, now: dt.datetime
) -> dt.datetime | None:
    """Return when a recording began, as far as its file tells; None if that makes no sense.

    Args:
        recorded_at: By the file itself: its beginning.
        changed_at: When the file was last written: the end of the recording, if nobody has touched it.
    """
    for moment, length_s in ((recorded_at, 0.0), (changed_at, seconds(samples))):
        if moment and EARLIEST <= moment <= now:
            return moment - dt.timedelta(seconds=length_s)
    return None


def parse_date(text: str | None) -> dt.datetime | None:
    """Read the date in a file; without a zone it is UTC."""
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def title_of(name: str) -> str:
    """Return a file's name without its ending."""
    stem, dot, ending = name.rpartition(".")
    return stem.strip() if dot and stem.strip() and len(ending) <= 5 else name


def fits(size: int, *, free: int, coming: int) -> bool:
    """Tell whether the disk has room for a file.

    Args:
        coming: Bytes of others that are still to come.
    """
    return size + coming + FREE_BYTES <= free
