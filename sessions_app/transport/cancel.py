"""Ending tasks of asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_S = 0.2


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: a cancellation is lost in redis-py when it meets an answer from the network on its
    way, and in a task group when it meets an error of one of its tasks.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
