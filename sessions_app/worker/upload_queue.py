"""Files that wait to be transcribed, a few at a time, by a worker beside its sessions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from channels.db import database_sync_to_async
from django.conf import settings

from recognition.audio import samples
from sessions_app.models import Upload
from sessions_app.store.in_database import in_database
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.interface import AudioLog
from sessions_app.uploads import queue, store
from sessions_app.uploads.file_log import Facts, FileLog, Unreadable, read_facts
from speakers.repeating import repeat

logger = logging.getLogger(__name__)

POLL_S = 2.0
"""How soon a file is noticed whose notification got lost."""

SWEEP_S = 300.0

Recognise = Callable[[int, AudioLog], Awaitable[None]]

claim = database_sync_to_async(store.claim, thread_sensitive=False)
sweep = database_sync_to_async(store.sweep, thread_sensitive=False)


class UploadQueue:
    """Claims files while there is room, until it is cancelled.

    Args:
        worker: Names this worker among all.
        sets: Names of its model sets.
        recognise: Recognises a session from a log, until it has ended or somebody else is to go on.
        stop: Ends a session that is recognised here, by its key.
    """

    def __init__(
        self, worker: str, sets: Sequence[str], *, recognise: Recognise, stop: Callable[[str], None]
    ) -> None:
        self._worker = worker
        self._sets = sets
        self._recognise = recognise
        self._stop = stop
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swept_at = 0.0

    def look_now(self) -> None:
        """Look into the database, which may have something."""
        self._wake.set()

    async def run(self) -> None:
        await repeat(self._look, self._wake, every_s=POLL_S)

    async def _look(self) -> None:
        await self._fill_up()
        await self._sweep()

    async def aclose(self) -> None:
        """Leave the rest to others."""
        await cancel_and_wait(*self._tasks)

    async def _fill_up(self) -> None:
        while len(self._tasks) < settings.UPLOADS_AT_ONCE:
            upload = await claim(self._worker, self._sets)
            if upload is None:
                return
            task = asyncio.create_task(self._do(upload), name=f"upload {upload.pk}")
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("%s failed", task.get_name(), exc_info=error)

    async def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= SWEEP_S:
            self._swept_at = time.monotonic()
            await sweep()

    async def _do(self, upload: Upload) -> None:
        keeping = asyncio.create_task(self._keep(upload))
        try:
            await self._transcribe(upload)
        except asyncio.CancelledError:
            await in_database(store.give_back, upload)
            raise
        finally:
            await cancel_and_wait(keeping)

    async def _transcribe(self, upload: Upload) -> None:
        path = store.path_of(upload)
        fault = ""
        if queue.is_given_up(upload.attempts):
            fault = "given_up"
        elif not path.exists() and upload.state != Upload.State.CANCELLED:
            fault = "gone"
        if upload.session_id is None:
            try:
                session_pk = await in_database(store.open_session, upload, await _facts(upload, fault))
            except Unreadable as error:
                logger.info("upload %s: %s", upload.pk, error.reason)
                await in_database(store.fail, upload, error.reason)
                return
        else:
            session_pk = upload.session_id
        is_wanted = not fault and upload.state == Upload.State.RUNNING
        log = FileLog(path if is_wanted else None, max_samples=samples(settings.MAX_SESSION_S))
        logger.info(
            "upload %s: transcribed as session %s, attempt %d", upload.pk, session_pk, upload.attempts
        )
        try:
            await self._recognise(session_pk, log)
        finally:
            await log.aclose()
        heard_fault = "cut_off" if log.fault == "not_audio" else log.fault
        state = await in_database(store.settle, upload, fault or heard_fault)
        logger.info("upload %s: %s", upload.pk, state)

    async def _keep(self, upload: Upload) -> None:
        """Prolong the lease; end the session of a file that nobody wants any more."""
        while True:
            await asyncio.sleep(store.LEASE.total_seconds() / 4)
            if not await in_database(store.prolong, upload):
                self._stop(upload.session_key)


async def _facts(upload: Upload, fault: str) -> Facts:
    """Look into a file. Raises `Unreadable`."""
    if fault:
        raise Unreadable(fault)
    facts = await read_facts(store.path_of(upload))
    if not store.check_length(facts):
        raise Unreadable("too_long")
    return facts
