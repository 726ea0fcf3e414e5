"""Ending tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from sessions_app.transport.cancel import cancel_and_wait


async def deaf(times: int) -> None:
    """Hears no cancellation but the last."""
    for _ in range(times):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)


async def fail() -> None:
    raise ValueError("not ours to hear")


@pytest.mark.parametrize("work", [lambda: deaf(0), lambda: deaf(1), lambda: deaf(3), fail])
async def test_they_have_ended_however_they_take_it(work: Callable[[], Coroutine[None, None, None]]) -> None:
    task: asyncio.Task[None] = asyncio.create_task(work())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel_and_wait(task), 10)
    assert task.done()


async def test_all_end_together() -> None:
    tasks = [asyncio.create_task(deaf(number % 2)) for number in range(10)]
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel_and_wait(*tasks), 10)
    assert all(task.cancelled() for task in tasks)


async def test_of_none_there_is_nothing_to_wait_for() -> None:
    await cancel_and_wait()
