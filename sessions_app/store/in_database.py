"""Calls of the database from asyncio: in threads of their own, and patient."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

RETRY_S = (0.1, 0.5, 1.0, 2.0)


async def in_database(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run this in a thread, again and again until the database answers.

    For what must not be lost, where the caller can wait: the audio log holds what comes meanwhile.
    """
    attempt = 0
    while True:
        try:
            # Not the one thread that all synchronous code shares: a slow page would hold up every session.
            return await database_sync_to_async(work, thread_sensitive=False)(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            delay = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            logger.warning("the database does not answer, again in %.1f s: %s", delay, error)
        attempt += 1
        await asyncio.sleep(delay)
