"""Maintenance by a recognition worker beside its sessions: it follows the gallery and does jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from recognition.engine.engine import Engine
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.tracking import SpeakerTracker, TrackingOptions

from . import calibration, jobs, lifecycle, reembedding
from .exceptions import Undecipherable
from .gallery import GalleryReader
from .jobs import in_database
from .repeating import has_answered, repeat

logger = logging.getLogger(__name__)

JOB_POLL_S = 2.0
"""How soon a change is noticed whose notification got lost."""

EXPIRE_S = 60.0


class SpeakerMaintenance:
    """Tasks that follow the gallery and do jobs, until they are cancelled.

    Each model that tells voices apart has a gallery of its own, with everybody in it.

    Args:
        engines: Of the worker's model sets, that of the default first.
        worker: Names this worker among all.
        on_gallery: Called whenever somebody was enrolled or forgotten.
    """

    def __init__(
        self, engines: Sequence[Engine], worker: str, *, on_gallery: Callable[[Gallery], Awaitable[None]]
    ) -> None:
        self._engine, *self._others = engines
        self._worker = worker
        self._on_gallery = on_gallery
        # Without an embedder, nobody is enrolled and all lines are one stranger's.
        voices = dict(map(_voices_of, engines))
        self._readers = {
            model_id: GalleryReader(model_id, dimension) for model_id, dimension in voices.items()
        }
        self._options = dict.fromkeys(voices, TrackingOptions())
        self._wakes = [asyncio.Event() for _ in range(5)]

    @property
    def gallery(self) -> Gallery:
        """The enrolled voices as the default models hear them; empty until the first look."""
        return self._readers[_voices_of(self._engine)[0]].gallery

    def new_tracker(self, engine: Engine, *, expected: Collection[int] = ()) -> SpeakerTracker:
        """Return a tracker for the voices of one more session, which this engine recognises.

        Args:
            expected: Keys of the speakers who are expected there.
        """
        model_id, _ = _voices_of(engine)
        return SpeakerTracker(self._readers[model_id].gallery, self._options[model_id], expected=expected)

    def look_now(self) -> None:
        """Look into the database, which may have something."""
        for event in self._wakes:
            event.set()

    async def run(self) -> None:
        follow, quick, long, remote, answers = self._wakes
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(self._refresh, follow, every_s=JOB_POLL_S))
            tasks.create_task(repeat(self._do_quick_jobs, quick, every_s=JOB_POLL_S))
            tasks.create_task(repeat(self._do_long_jobs, long, every_s=JOB_POLL_S))
            tasks.create_task(repeat(self._do_remote_jobs, remote, every_s=JOB_POLL_S))
            tasks.create_task(repeat(self._do_quick_remote_jobs, answers, every_s=JOB_POLL_S))
            tasks.create_task(repeat(self._expire, asyncio.Event(), every_s=EXPIRE_S))

    async def load(self) -> None:
        """Read the gallery before the first session needs it, as soon as the database answers."""
        while True:
            if await has_answered(self._refresh):
                return
            await asyncio.sleep(JOB_POLL_S)

    async def _refresh(self) -> None:
        try:
            for reader in self._readers.values():
                if await in_database(reader.refresh):
                    await self._follow(reader.gallery)
        except Undecipherable as error:
            logger.error("nobody can be identified: %s", error)
            await asyncio.sleep(EXPIRE_S)

    async def _follow(self, gallery: Gallery) -> None:
        """Use a gallery that has changed; voices that its model has not heard are heard by it soon."""
        model_id = gallery.model_id
        self._options[model_id] = await in_database(calibration.options, model_id)
        logger.info("%d speakers are enrolled%s", len(gallery), f" with {model_id}" if model_id else "")
        await self._on_gallery(gallery)
        if model_id:
            await in_database(reembedding.ask_if_needed, model_id)

    async def _do_quick_jobs(self) -> None:
        await self._do_jobs(is_long=False)

    async def _do_long_jobs(self) -> None:
        await self._do_jobs(is_long=True)

    async def _do_remote_jobs(self) -> None:
        await self._do_jobs(is_long=True, is_remote=True)

    async def _do_quick_remote_jobs(self) -> None:
        await self._do_jobs(is_long=False, is_remote=True)

    async def _do_jobs(self, *, is_long: bool, is_remote: bool = False) -> None:
        await jobs.run_pending(
            self._engine,
            lambda: self.gallery,
            self._worker,
            is_long=is_long,
            is_remote=is_remote,
            others=self._others,
        )

    async def _expire(self) -> None:
        await in_database(lifecycle.expire)


def _voices_of(engine: Engine) -> tuple[str, int]:
    """Return the id and the dimension of the model that tells this engine's voices apart."""
    embedder = engine.models.embedder
    return (embedder.model_id, embedder.dimension) if embedder else ("", 0)
