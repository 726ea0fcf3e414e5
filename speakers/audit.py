"""Audit log of what is done with voices. Entries name the doer and the speaker's key, never the speaker."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User

from .models import AuditEntry


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
