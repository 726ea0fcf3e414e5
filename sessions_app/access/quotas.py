"""Quotas: how much of this installation one account may take. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


class Kind(enum.StrEnum):
    """The things that are counted."""

    SESSIONS = "sessions"
    MINUTES = "minutes"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one account; 0 for none."""

    sockets: int = 0
    """Open at once, in one web process."""

    sessions: int = 0
    """Going on at once."""

    minutes: float = 0.0
    """Recorded within `DAYS`."""

    storage_mb: float = 0.0
    """Of recordings that are kept."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The share of this installation that one account takes now."""

    sessions: int = 0
    minutes: float = 0.0
    storage_bytes: int = 0


DAYS = 30
"""Minutes are counted over so many days."""


def exceeded(limits: Limits, usage: Usage) -> Kind | None:
    """Return what an account has no more of, before it begins another session."""
    if limits.sessions and usage.sessions >= limits.sessions:
        return Kind.SESSIONS
    if limits.minutes and usage.minutes >= limits.minutes:
        return Kind.MINUTES
    if limits.storage_mb and usage.storage_bytes >= limits.storage_mb * MEGABYTE:
        return Kind.STORAGE
    return None


def in_words(kind: Kind, limits: Limits) -> str:
    """Say which quota is used up, and what helps."""
    match kind:
        case Kind.SESSIONS:
            return (
                f"this account has {limits.sessions} sessions going on, and may have no more: end one first"
            )
        case Kind.MINUTES:
            return f"this account has recorded its {limits.minutes:g} minutes of {DAYS} days"
        case Kind.STORAGE:
            return f"the recordings of this account fill its {limits.storage_mb:g} MB: delete some first"
