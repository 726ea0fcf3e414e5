"""Delivery of webhooks by a worker, beside its sessions: each receiver has a task of its own."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

from sessions_app.store.in_database import in_database
from sessions_app.transport.cancel import cancel_and_wait
from speakers.exceptions import Undecipherable

from . import queue, sending
from .addresses import Network
from .queue import Parcel, Result
from .retries import Outcome
from .sending import ReceiverUnreachable

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""How often the outbox is looked at."""

PRUNE_S = 3600.0


class Deliverer:
    """Delivers until it is cancelled; any number of workers may do so at once.

    Args:
        networks: See `addresses.is_allowed`; those of the settings if not given.
    """

    def __init__(self, networks: Iterable[Network] | None = None) -> None:
        self._worker = uuid.uuid4().hex
        self._networks = list(settings.WEBHOOK_NETWORKS if networks is None else networks)
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._pruned_at = 0.0

    async def run(self) -> None:
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY_S)
        finally:
            await cancel_and_wait(*self._busy.values())

    async def look(self) -> None:
        """Begin to deliver wherever something waits."""
        try:
            for webhook in await in_database(queue.due):
                if webhook not in self._busy:
                    self._busy[webhook] = asyncio.create_task(
                        self._deliver(webhook), name=f"webhook {webhook}"
                    )
            await self._prune()
        except DatabaseError as error:
            logger.warning("the database does not answer: %s", error)

    async def finish(self) -> None:
        """Wait until all that is due was tried."""
        while self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def _prune(self) -> None:
        if not self._pruned_at or time.monotonic() - self._pruned_at > PRUNE_S:
            self._pruned_at = time.monotonic()
            await in_database(queue.prune)

    async def _deliver(self, webhook: int) -> None:
        try:
            if await in_database(queue.claim, webhook, self._worker):
                try:
                    await self._empty(webhook)
                finally:
                    await asyncio.shield(in_database(queue.release, webhook, self._worker))
        except (DatabaseError, Undecipherable) as error:
            logger.warning("webhook %d: %s", webhook, error)
        except ObjectDoesNotExist:
            logger.info("webhook %d: what was to be told has been deleted", webhook)
        finally:
            del self._busy[webhook]

    async def _empty(self, webhook: int) -> None:
        """Send one message after the other, until none is left or nobody listens."""
        while parcel := await in_database(queue.next_parcel, webhook, self._worker):
            result = await self._send(parcel)
            meant = await in_database(queue.settle, webhook, self._worker, parcel.pk, result)
            if meant is not Outcome.DELIVERED:
                logger.info(
                    "webhook %d: delivery %d: %s: %s", webhook, parcel.pk, meant.value, result.text[:200]
                )

    async def _send(self, parcel: Parcel) -> Result:
        try:
            answer = await sending.post(parcel.url, parcel.headers, parcel.body, networks=self._networks)
        except ReceiverUnreachable as error:
            return Result(None, str(error))
        return Result(answer.status, answer.text, answer.took_ms)
