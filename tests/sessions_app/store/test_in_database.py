"""Calls of the database that must not be lost: patient while it is away, and no longer than that."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from sessions_app.store import in_database as module
from sessions_app.store.in_database import RETRY_S, in_database


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between attempts, without waiting."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def at_once(delay: float) -> None:
        waited.append(delay)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return waited


class Call:
    """One that fails so often, and then answers."""

    def __init__(self, times: int = 0, error: Exception | None = None) -> None:
        self.times, self.error = times, error or OperationalError("could not connect")
        self.attempts = 0
        self.threads: set[int] = set()

    def __call__(self, *args: object, **kwargs: object) -> tuple[object, ...]:
        self.attempts += 1
        self.threads.add(threading.get_ident())
        if self.attempts <= self.times:
            raise self.error
        return (*args, *kwargs.items())


async def test_what_it_is_asked_is_what_is_answered(waits: list[float]) -> None:
    assert await in_database(Call(), 1, 2, limit=3) == (1, 2, ("limit", 3))
    assert waits == []


async def test_it_runs_beside_the_event_loop(waits: list[float]) -> None:
    call = Call()

    await in_database(call)

    assert threading.get_ident() not in call.threads


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
async def test_while_nobody_answers_it_asks_again(
    waits: list[float], error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    call = Call(2, error)

    await in_database(call)

    assert call.attempts == 3
    assert waits == list(RETRY_S[:2])
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "again in 0.1 s" in caplog.text


async def test_it_asks_ever_more_seldom_and_never_gives_up(waits: list[float]) -> None:
    call = Call(20)

    await in_database(call)

    assert call.attempts == 21
    assert waits == sorted(waits)
    assert waits[-5:] == [RETRY_S[-1]] * 5


@pytest.mark.parametrize("error", [IntegrityError("a rule"), ValueError("a mistake"), KeyError("a")])
async def test_what_another_attempt_does_not_mend_is_told_at_once(
    waits: list[float], error: Exception
) -> None:
    call = Call(1, error)

    with pytest.raises(type(error)):
        await in_database(call)

    assert (call.attempts, waits) == (1, [])


async def test_who_stops_waiting_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (60.0,))
    call = Call(10**9)
    asking = asyncio.create_task(in_database(call))
    while not call.attempts:
        await asyncio.sleep(0.001)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
