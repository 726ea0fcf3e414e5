"""Maintenance by a recognition worker beside its sessions: it follows the gallery and does jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

from recognition.engine.engine import Engine
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.tracking import SpeakerTracker, TrackingOptions

from . import calibration, jobs, lifecycle, reembedding
from .exceptions import Undecipherable
from .gallery import GalleryReader
from .jobs import in_database

logger = logging.getLogger(__name__)

JOB_POLL_S = 2.0
"""How soon a change is noticed whose notification got lost."""

EXPIRE_S = 60.0


class SpeakerMaintenance:
    """Tasks that follow the gallery and do jobs, until they are cancelled.

    Args:
        worker: Names this worker among all.
        on_gallery: Called whenever somebody was enrolled or forgotten.
    """

    def __init__(
        self, engine: Engine, worker: str, *, on_gallery: Callable[[Gallery], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._on_gallery = on_gallery
        embedder = engine.models.embedder
        # Without one, nobody is enrolled and all lines are one stranger's.
        model_id, dimension = (embedder.model_id, embedder.dimension) if embedder else ("", 0)
        self._reader = GalleryReader(model_id, dimension)
        self._options = TrackingOptions()
        self._wakes = [asyncio.Event(), asyncio.Event(), asyncio.Event()]

    @property
    def gallery(self) -> Gallery:
        """The enrolled voices; empty until the first look into the database."""
        return self._reader.gallery

    def new_tracker(self) -> SpeakerTracker:
        """Return a tracker for the voices of one more session."""
        return SpeakerTracker(self.gallery, self._options)

    def look_now(self) -> None:
        """Look into the database, which may have something."""
        for event in self._wakes:
            event.set()

    async def run(self) -> None:
        follow, quick, long = self._wakes
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._refresh, follow))
            tasks.create_task(self._repeat(self._do_quick_jobs, quick))
            tasks.create_task(self._repeat(self._do_long_jobs, long))
            tasks.create_task(self._expire())

    async def load(self) -> None:
        """Read the gallery before the first session needs it, as soon as the database answers."""
        while True:
            if await self._has_answered(self._read_first):
                return
            await asyncio.sleep(JOB_POLL_S)

    async def _read_first(self) -> None:
        await self._refresh()
        if self._engine.models.embedder:
            await in_database(reembedding.ask_if_needed, self.gallery.model_id)

    async def _has_answered(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do this, and return whether the database answered."""
        try:
            await work()
        except DatabaseError as error:
            logger.warning("the database does not answer: %s", error)
            return False
        return True

    async def _repeat(self, work: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            await self._has_answered(work)
            try:
                async with asyncio.timeout(JOB_POLL_S):
                    await wake.wait()
            except TimeoutError:
                pass

    async def _refresh(self) -> None:
        try:
            has_changed = await in_database(self._reader.refresh)
            if has_changed:
                self._options = await in_database(calibration.options, self.gallery.model_id)
        except Undecipherable as error:
            logger.error("nobody can be identified: %s", error)
            await asyncio.sleep(EXPIRE_S)
            return
        if has_changed:
            logger.info("%d speakers are enrolled", len(self.gallery))
            await self._on_gallery(self.gallery)

    async def _do_quick_jobs(self) -> None:
        await jobs.run_pending(self._engine, lambda: self.gallery, self._worker)

    async def _do_long_jobs(self) -> None:
        await jobs.run_pending(self._engine, lambda: self.gallery, self._worker, is_long=True)

    async def _expire(self) -> None:
        while True:
            try:
                await in_database(lifecycle.expire)
            except DatabaseError as error:
                logger.warning("the database does not answer: %s", error)
            await asyncio.sleep(EXPIRE_S)
