"""Housekeeping by a recognition worker beside its sessions.

Overviews are drawn, minutes made, the trash is emptied, recordings of ended sessions go where they belong.
"""

from __future__ import annotations

import asyncio
import logging

from sessions_app.catalogue import overviews, trash
from sessions_app.minutes import asking, keeping, language_model, live, translating
from sessions_app.recordings import files
from sessions_app.recordings.object_storage import StorageAway
from sessions_app.store.in_database import in_database
from speakers.repeating import repeat

logger = logging.getLogger(__name__)

EVERY_S = 15.0
TRANSLATE_EVERY_S = 2.0
"""How soon a finished line is on its way to be translated."""

BREATH_S = 0.2
"""Between two handfuls of overviews, or two meetings' minutes: live sessions come first."""


class Housekeeping:
    """Work that can wait, done every some seconds until it is cancelled."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        # Keys of meetings of which something cannot be made; tried again by the next process, and those that
        # went on at their end.
        self._undrawn: set[int] = set()
        self._failed: set[int] = set()
        self._failed_live: set[int] = set()

    def look_now(self) -> None:
        """Look for something to do: a session has ended."""
        self._wake.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(self._keep_house, self._wake, every_s=EVERY_S))
            tasks.create_task(repeat(self._translate, asyncio.Event(), every_s=TRANSLATE_EVERY_S))

    async def _translate(self) -> None:
        if language_model.is_set_up():
            await in_database(translating.send_due)

    async def _keep_house(self) -> None:
        try:
            await self._tidy()
        except StorageAway as error:
            logger.error("recordings wait here: %s", error)
        except OSError as error:
            # `manage.py prune` finds what is left of it.
            logger.error("a recording could not be deleted: %s", error)

    async def _tidy(self) -> None:
        while await in_database(overviews.refresh_stale, self._undrawn):  # noqa: ASYNC110 - a breath
            await asyncio.sleep(BREATH_S)
        while await in_database(keeping.make_missing, self._failed):  # noqa: ASYNC110 - the same
            await asyncio.sleep(BREATH_S)
        while await in_database(live.refresh, self._failed_live):  # noqa: ASYNC110 - the same
            await asyncio.sleep(BREATH_S)
        await in_database(live.send_due)
        await in_database(asking.forget_old)
        if emptied := await in_database(trash.empty):
            logger.info("%d sessions were deleted for good: their time in the trash was over", emptied)
        if moved := await asyncio.to_thread(files.move_to_storage):
            logger.info("%d recordings were moved into the storage", moved)
