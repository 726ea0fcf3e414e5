"""The log as JSON lines, the oldest entry first: for other systems, and for keeping it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from channels.db import database_sync_to_async
from django.db.models import QuerySet

from .models import Entry

CONTENT_TYPE = "application/jsonl; charset=utf-8"
MAX_AT_ONCE = 1000


def json_lines(entries: QuerySet[Entry]) -> Iterator[str]:
    """Yield the entries as lines of JSON, some hundred at a time."""
    last = 0
    while page := _page(entries, last):
        last = page[-1].pk
        yield _written(page)


async def json_lines_in_threads(entries: QuerySet[Entry]) -> AsyncIterator[str]:
    """Yield the same where an event loop must not wait for the database."""
    last = 0
    while page := await database_sync_to_async(_page, thread_sensitive=False)(entries, last):
        last = page[-1].pk
        yield _written(page)


def _page(entries: QuerySet[Entry], last: int) -> list[Entry]:
    return list(entries.filter(pk__gt=last).order_by("pk")[:MAX_AT_ONCE])


def _written(page: Iterable[Entry]) -> str:
    return "".join(json.dumps(as_object(each), ensure_ascii=False) + "\n" for each in page)


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
