"""The log as JSON lines, the oldest entry first: for other systems, and for keeping it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.db.models import QuerySet

from .models import Entry

CONTENT_TYPE = "application/jsonl; charset=utf-8"
MAX_AT_ONCE = 1000

Piece = TypeVar("Piece")


def json_lines(entries: QuerySet[Entry]) -> Iterator[str]:
    """Yield the entries as lines of JSON, some hundred at a time."""
    last = 0
    while page := _page(entries, last):
        last = page[-1].pk
        yield "".join(json.dumps(as_object(each), ensure_ascii=False) + "\n" for each in page)


async def in_threads(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """Yield the pieces where an event loop must not wait for the database that they come from."""

    def take() -> Piece | None:
        return next(pieces, None)

    while (piece := await database_sync_to_async(take, thread_sensitive=False)()) is not None:
        yield piece


def _page(entries: QuerySet[Entry], last: int) -> list[Entry]:
    return list(entries.filter(pk__gt=last).order_by("pk")[:MAX_AT_ONCE])


def as_object(each: Entry) -> dict[str, Any]:
    """Return an entry as JSON has it; docs/audit.md names the keys."""
    return {
        "id": each.pk,
        "at": each.at.isoformat(),
        "actor": each.actor_id,
        "actor_name": each.actor_name,
        "address": each.address,
        "action": each.action,
        "speaker": str(each.speaker) if each.speaker else None,
        "meeting": each.meeting,
        "detail": each.detail,
    }
