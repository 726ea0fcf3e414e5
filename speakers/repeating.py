"""A worker's chores: repeated as soon as somebody asks for it, otherwise every some seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

logger = logging.getLogger(__name__)


async def repeat(work: Callable[[], Awaitable[None]], wake: asyncio.Event, *, every_s: float) -> None:
    """Do this until it is cancelled; while the database does not answer it is only tried.

    Args:
        wake: Set by whoever does not want to wait.
        every_s: How long a request that got lost is waited for.
    """
    while True:
        wake.clear()
        await has_answered(work)
        try:
            async with asyncio.timeout(every_s):
                await wake.wait()
        except TimeoutError:
            pass


async def has_answered(work: Callable[[], Awaitable[None]]) -> bool:
    """Do this, and return whether the database answered."""
    try:
        await work()
    except DatabaseError as error:
        logger.warning("the database does not answer: %s", error)
        return False
    return True
