"""The log itself: entries are added to it, and taken out when they are old."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from . import origin
from .coalescing import Coalescing
from .models import Action, Entry
from .origin import Origin

SELDOM_S = 3600.0
"""One entry in this time for what a page or a player does again and again."""

_recent = Coalescing()
_lock = threading.Lock()


def entry(
    action: Action,
    *,
    by: User | None = None,
    whence: Origin | None = None,
    speaker: uuid.UUID | None = None,
    meeting: str = "",
    **detail: Any,
) -> Entry:
    """Return an entry, not saved.

    Args:
        by: Who did it; otherwise whoever sent the request that is being answered, or the service itself.
        whence: Who asked, where no request is being answered.
        detail: Keys and figures.
    """
    whence = whence or origin.current()
    actor = by or whence.user
    return Entry(
        action=action,
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        address=whence.address,
        speaker=speaker,
        meeting=meeting,
        detail=detail | ({"token": whence.token} if whence.token and not actor else {}),
    )


def record(action: Action, **facts: Any) -> None:
    """Add an entry at once, in the transaction of what it tells of; `entry` has the arguments."""
    entry(action, **facts).save()


def record_seldom(action: Action, *, every_s: float = SELDOM_S, **facts: Any) -> None:
    """Add an entry unless this process did so some time ago; the next one says how often it did not."""
    if made := seldom(action, every_s=every_s, **facts):
        try:
            made.save()
        except BaseException:
            with _lock:
                _recent.forget(_sameness(made))
            raise


def seldom(action: Action, *, every_s: float = SELDOM_S, **facts: Any) -> Entry | None:
    """Return an entry, not saved; None if this process told the same some time ago."""
    made = entry(action, **facts)
    with _lock:
        more = _recent.happen(_sameness(made), time.monotonic(), every_s)
    if more:
        made.detail["more"] = more
    return None if more is None else made


def forget_recent() -> None:
    """Tell everything that happens next, though the same was told a moment ago."""
    with _lock:
        _recent.clear()


def _sameness(made: Entry) -> tuple[Any, ...]:
    detail = tuple(sorted((name, str(value)) for name, value in made.detail.items() if name != "more"))
    return (made.action, made.actor_id, made.actor_name, made.address, made.speaker, made.meeting, detail)


def write(entries: Iterable[Entry]) -> None:
    """Add several at once."""
    Entry.objects.bulk_create(entries)


def prune(days: float, *, is_rehearsal: bool = False) -> int:
    """Delete entries that are older, and return how many those are; 0 days keep for ever."""
    if not days:
        return 0
    old = Entry.objects.filter(at__lt=timezone.now() - timedelta(days=days))
    if is_rehearsal:
        return old.count()
    count = old._raw_delete(old.db)
    if count:
        record(Action.LOG_PRUNED, entries=count)
    return count
