"""Entries of an event loop, written together by a task: no line of a live meeting waits for them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.db import database_sync_to_async
from django.db import DatabaseError, IntegrityError

from . import log
from .export import as_object
from .models import Action, Entry

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""A crash loses the entries of so long, and no others."""

MAX_KEPT = 10_000
"""Entries that wait for a database that does not answer; what is beyond goes into the program's own log."""

write_entries = database_sync_to_async(log.write, thread_sensitive=False)


class Later:
    """Entries that are not written yet; belongs to one event loop."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None

    def note(self, action: Action, **facts: Any) -> None:
        """Put this on record soon; returns at once. `audit.log.entry` has the arguments."""
        made = log.seldom(action, **facts)
        if made is None:
            return
        if len(self._entries) >= MAX_KEPT:
            logger.error("the audit log cannot be written, so it is told here: %s", as_object(made))
            return
        self._entries.append(made)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon(), name="audit log")

    async def aclose(self) -> None:
        """Write what is left."""
        writing, self._writing = self._writing, None
        if writing:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        if self._entries:
            await self._write()

    async def _write_soon(self) -> None:
        while self._entries:
            await asyncio.sleep(EVERY_S)
            await self._write()

    async def _write(self) -> None:
        entries, self._entries = self._entries, []
        try:
            await write_entries(entries)
        except IntegrityError:  # somebody's account was deleted meanwhile: the name stays
            for each in entries:
                each.actor = None
            await write_entries(entries)
        except (DatabaseError, asyncio.CancelledError) as error:
            self._entries = entries + self._entries
            if isinstance(error, asyncio.CancelledError):
                raise
            logger.warning("the audit log waits for the database: %s", error)


_laters: dict[asyncio.AbstractEventLoop, Later] = {}


def get_later() -> Later:
    """Return what is written later by this event loop."""
    loop = asyncio.get_running_loop()
    for closed in [known for known in _laters if known.is_closed()]:
        del _laters[closed]
    return _laters.setdefault(loop, Later())
