"""Audit log of what is done with voices. Entries name the doer and the speaker's key, never the speaker."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from .models import AuditEntry, Speaker


def record(
    action: AuditEntry.Action, *, speaker: uuid.UUID | None, by: User | None = None, **detail: Any
) -> None:
    """Add an entry.

    Args:
        by: Who did it; None for the service itself.
        detail: Keys and figures.
    """
    AuditEntry.objects.create(
        action=action,
        actor=by,
        actor_name=by.get_username() if by else "",
        speaker=speaker,
        detail=detail,
    )


def entries_of(speaker: Speaker) -> QuerySet[AuditEntry]:
    """Return the log of somebody's voice, and of the entries that were merged into theirs."""
    return AuditEntry.objects.filter(speaker__in=_merged_into(speaker))


def _merged_into(speaker: Speaker) -> set[uuid.UUID]:
    """Return the key of a speaker, and those of all entries that became part of this one."""
    known, new = set(), {speaker.uuid}
    while new:
        known |= new
        merges = AuditEntry.objects.filter(action=AuditEntry.Action.MERGED, speaker__in=new)
        new = {uuid.UUID(detail["gone"]) for detail in merges.values_list("detail", flat=True)} - known
    return known
