"""A worker's chores, repeated."""

from __future__ import annotations

import asyncio

import pytest
from django.db import DatabaseError

from sessions_app.transport.cancel import cancel_and_wait
from speakers.repeating import has_answered, repeat


class Chore:
    """Counts how often it was done; fails as often as it is told to."""

    def __init__(self, *, failures: int = 0) -> None:
        self.done = asyncio.Queue[int]()
        self._count = 0
        self._failures = failures

    async def __call__(self) -> None:
        self._count += 1
        self.done.put_nowait(self._count)
        if self._count <= self._failures:
            raise DatabaseError("the server closed the connection")


async def count(chore: Chore) -> int:
    async with asyncio.timeout(10):
        return await chore.done.get()


class TestRepeat:
    async def test_a_chore_is_done_at_once_and_again_as_soon_as_it_is_asked_for(self) -> None:
        chore, wake = Chore(), asyncio.Event()
        task = asyncio.create_task(repeat(chore, wake, every_s=3600))
        try:
            assert await count(chore) == 1
            wake.set()
            assert await count(chore) == 2
        finally:
            await cancel_and_wait(task)

    async def test_nobody_has_to_ask_for_it(self) -> None:
        chore = Chore()
        task = asyncio.create_task(repeat(chore, asyncio.Event(), every_s=0.01))
        try:
            assert [await count(chore) for _ in range(3)] == [1, 2, 3]
        finally:
            await cancel_and_wait(task)

    async def test_a_request_that_comes_while_it_is_done_is_not_lost(self) -> None:
        wake = asyncio.Event()
        chore = Chore()

        async def ask_meanwhile() -> None:
            await chore()
            if chore.done.qsize() == 1:
                wake.set()

        task = asyncio.create_task(repeat(ask_meanwhile, wake, every_s=3600))
        try:
            async with asyncio.timeout(10):
                while chore.done.qsize() < 2:
                    await asyncio.sleep(0)
        finally:
            await cancel_and_wait(task)

    async def test_it_goes_on_when_the_database_was_away(self, caplog: pytest.LogCaptureFixture) -> None:
        chore = Chore(failures=2)
        task = asyncio.create_task(repeat(chore, asyncio.Event(), every_s=0.01))
        try:
            assert [await count(chore) for _ in range(3)] == [1, 2, 3]
        finally:
            await cancel_and_wait(task)
        assert caplog.text.count("the database does not answer: the server closed the connection") == 2

    async def test_it_ends_with_any_other_error(self) -> None:
        async def fail() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await repeat(fail, asyncio.Event(), every_s=3600)


class TestHasAnswered:
    async def test_it_has_if_the_chore_was_done(self) -> None:
        assert await has_answered(Chore())

    async def test_it_has_not_if_the_database_was_away(self) -> None:
        assert not await has_answered(Chore(failures=1))
