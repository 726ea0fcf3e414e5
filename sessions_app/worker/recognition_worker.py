"""The recognition worker: a background Channels consumer that takes sessions and recognises them.

In the default installation it lives in the serving process, otherwise in processes of its own. Audio
comes by the transport; the channel layer brings what concerns all workers, and carries results away.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from sessions_app.cells.placement import HOME
from sessions_app.models import MAX_FAILURES
from sessions_app.store import commits, hotwords, writing_rules
from sessions_app.store.commits import Lease
from sessions_app.store.in_database import in_database
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.interface import AudioLog, Fenced, Transport, Unreachable
from sessions_app.transport.layers import layer_of
from sessions_app.webhooks.deliverer import Deliverer
from sessions_app.wire import layer_messages
from sessions_app.wire.layer_messages import LAYER_ERRORS
from speakers.maintenance import SpeakerMaintenance
from speakers.voiceprints.identification import Gallery

from .failed_session import end_in_failure
from .housekeeping import Housekeeping
from .line_writing import LineWriting
from .live_session import LiveSession
from .running_set import RunningSet
from .upload_queue import UploadQueue

logger = logging.getLogger(__name__)

LAYER_RETRY_S = 0.5

HAND_OVER_S = 10.0
"""How long a worker that stops waits for what is being recognised."""


class RecognitionWorker(AsyncConsumer):
    """Runs on the event loop of its engine, as `await worker.run()`, until `stop()`.

    Args:
        sets: The model sets at work here, the default first.
        capacity: Sessions that it can recognise at once, of whichever sets.
    """

    def __init__(self, sets: Sequence[RunningSet], transport: Transport, *, capacity: int) -> None:
        self._sets = {each.name: each for each in sets}
        self._default = sets[0]
        self._transport = transport
        self._capacity = capacity
        self._live: dict[str, LiveSession] = {}
        self._recognising: dict[int, asyncio.Task[None]] = {}
        name = f"{socket.gethostname()}-{os.getpid()}"
        self._speakers = SpeakerMaintenance(
            [each.engine for each in sets], name, on_gallery=self._set_gallery
        )
        self._uploads = UploadQueue(
            f"{name}-{uuid.uuid4().hex[:8]}",
            list(self._sets),
            recognise=self._recognise_file,
            stop=self._stop_session,
        )
        self._housekeeping = Housekeeping()
        self._webhooks = Deliverer()
        self._loading: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._is_stopping = False

    async def run(self) -> None:
        """Take sessions until `stop`. Redis need not be there yet."""
        while not self._is_stopping:
            try:
                await self._run()
                return
            except LAYER_ERRORS as error:
                if self._tasks:  # it had begun
                    raise
                logger.warning("no messages come to this worker yet: %s", error)
                await asyncio.sleep(LAYER_RETRY_S)

    async def _run(self) -> None:
        self._inbox = asyncio.Queue()
        self._inbox.put_nowait({"type": "worker.start"})
        scope: Any = {"type": "channel"}
        receive: Any = self._inbox.get
        send: Any = _no_reply
        await self(scope, receive, send)

    @property
    def session_count(self) -> int:
        """Number of the sessions that it is recognising; files are none, they take nobody's place."""
        return sum(not live.is_background for live in self._live.values())

    def stop(self) -> None:
        self._is_stopping = True
        if self._loading:
            self._loading.cancel()  # the database may be away for long
        self._inbox.put_nowait({"type": "worker.stop"})

    # Messages.

    async def worker_start(self, message: dict[str, Any]) -> None:
        await self.channel_layer.group_add(layer_messages.WORKERS, self.channel_name)
        self._loading = asyncio.create_task(self._speakers.load())
        await self._loading
        self._spawn(self._speakers.run())
        self._spawn(self._housekeeping.run())
        self._spawn(self._uploads.run())
        self._spawn(self._webhooks.run())
        await self._transport.join_workers(self._capacity, model_sets=list(self._sets))
        self._spawn(self._take_sessions())

    async def worker_stop(self, message: dict[str, Any]) -> None:
        await self._transport.leave_workers()
        await cancel_and_wait(*self._tasks)
        for live in self._live.values():
            live.hand_over()
        if sessions := self._recognising.values():
            await asyncio.wait(sessions, timeout=HAND_OVER_S)
        await cancel_and_wait(*self._recognising.values())
        await self._uploads.aclose()
        raise StopConsumer

    async def session_stop(self, message: dict[str, Any]) -> None:
        """End a session, as somebody asked for on a page."""
        self._stop_session(message["key"])

    async def session_corrected(self, message: dict[str, Any]) -> None:
        """Correct a session: somebody said whose a voice or a line is."""
        if live := self._live.get(message["key"]):
            self._spawn(live.apply_corrections())

    async def speakers_changed(self, message: dict[str, Any]) -> None:
        """Look after speakers: somebody was enrolled or forgotten, or asks for a job."""
        self._speakers.look_now()
        self._uploads.look_now()

    def _stop_session(self, key: str) -> None:
        if live := self._live.get(key):
            live.stop()

    async def _set_gallery(self, gallery: Gallery) -> None:
        for live in list(self._live.values()):
            if live.hears_as(gallery):
                self._spawn(live.set_gallery(gallery))

    # Sessions.

    async def _take_sessions(self) -> None:
        while True:
            session_pk = await self._transport.take()
            if earlier := self._recognising.get(session_pk):
                # It was taken away from us and came back before we noticed.
                await cancel_and_wait(earlier)
            task = asyncio.create_task(self._recognise(session_pk, self._transport))
            self._recognising[session_pk] = task

    async def _recognise_file(self, session_pk: int, log: AudioLog) -> None:
        """Recognise a session whose audio is a file, in the current task."""
        task = asyncio.current_task()
        assert task
        self._recognising[session_pk] = task
        await self._recognise(session_pk, log)

    async def _recognise(self, session_pk: int, log: AudioLog) -> None:
        try:
            await self._recognise_owned(session_pk, log)
        except Fenced:
            logger.warning("session %s: another worker has it now", session_pk)
        except Exception:  # one session's trouble must not be everyone's
            logger.exception("session %s: failed here", session_pk)
            await in_database(commits.count_failure, session_pk)
        finally:
            del self._recognising[session_pk]
            await log.give_up(session_pk)  # if it has not ended

    async def _recognise_owned(self, session_pk: int, log: AudioLog) -> None:
        cell = self._transport.cell if log is self._transport else None
        lease = await in_database(commits.acquire, session_pk, cell=cell)
        if lease is None:
            await log.release(session_pk)
            return
        publish = partial(self._publish, lease.cell)
        if lease.failures >= MAX_FAILURES:
            await end_in_failure(lease, transport=log, publish=publish)
            return
        if lease.cell != HOME:  # where those wait who knew its id before it began
            await self._publish(
                HOME, layer_messages.session_group(lease.key), layer_messages.changed_message(lease.key)
            )
        running = await self._set_of(lease)
        live = LiveSession(
            lease,
            transport=log,
            engine=running.engine,
            endpointing=running.endpointing,
            tracker=self._speakers.new_tracker(running.engine, expected=lease.expected),
            publish=publish,
            is_background=log is not self._transport,
            hotwords=partial(in_database, hotwords.of_session, session_pk),
            writing=LineWriting(
                with_digits=lease.itn,
                script=lease.script,
                rules=partial(in_database, writing_rules.of_session, session_pk),
            ),
        )
        self._live[lease.key] = live
        logger.info(
            "session %s: recognising from %d with %s, epoch %d",
            session_pk,
            lease.durable,
            running.name,
            lease.epoch,
        )
        try:
            await live.run()
        finally:
            del self._live[lease.key]
            self._housekeeping.look_now()
        logger.info("session %s: done with it here", session_pk)

    async def _set_of(self, lease: Lease) -> RunningSet:
        """Return the session's set; where it is served no more, the default is from now on."""
        if running := self._sets.get(lease.model_set):
            return running
        logger.warning(
            "session %s: there is no model set %s any more, it goes on with %s",
            lease.session_pk,
            lease.model_set,
            self._default.name,
        )
        await in_database(commits.set_model_set, lease.session_pk, self._default.name)
        return self._default

    async def _publish(self, cell: str, group: str, message: dict[str, Any]) -> None:
        try:
            layer = self.channel_layer if cell == HOME else await layer_of(cell)
            await layer.group_send(group, message)
        except (*LAYER_ERRORS, Unreachable) as error:
            logger.warning("a message to %s was lost: %s", group, error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("%s failed", task.get_coro(), exc_info=error)


async def _no_reply(message: dict[str, Any]) -> None:
    """Reply to nobody: there is no other end of a background consumer."""
