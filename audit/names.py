"""Names of what entries tell of: the applications that have them say them; the log itself keeps none."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from .models import Entry

Namer = Callable[[QuerySet[Entry], User | AnonymousUser], QuerySet[Entry]]
"""Annotates entries with `speaker_name`, of those that are still there and that this reader may see."""

_namers: list[Namer] = []


def register(namer: Namer) -> None:
    """Let this say names from now on; called from `AppConfig.ready`."""
    _namers.append(namer)


def named(entries: QuerySet[Entry], reader: User | AnonymousUser) -> QuerySet[Entry]:
    """Return the entries with all names that somebody may read."""
    for namer in _namers:
        entries = namer(entries, reader)
    return entries
