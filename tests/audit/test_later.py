from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from audit import later, log
from audit.later import Later
from audit.models import Action, Entry
from audit.origin import Origin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "EVERY_S", 0.01)


async def written(count: int) -> list[str]:
    async with asyncio.timeout(10):
        while await Entry.objects.acount() < count:
            await asyncio.sleep(0.01)
    return [each.meeting async for each in Entry.objects.order_by("pk")]


async def test_what_is_noted_is_written_soon_and_together() -> None:
    notes = Later()
    for meeting in ("a", "b", "a"):
        notes.note(Action.MEETING_READ, meeting=meeting)
    assert not await Entry.objects.aexists()
    assert await written(2) == ["a", "b"]


async def test_what_is_left_when_the_server_stops_is_written() -> None:
    notes = Later()
    notes.note(Action.MEETING_READ, meeting="a")
    await notes.aclose()
    assert await written(1) == ["a"]


async def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = 2

    async def write(entries: list[Entry]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("gone")
        await asyncio.to_thread(log.write, entries)

    monkeypatch.setattr(later, "write_entries", write)
    notes = Later()
    for meeting in ("a", "b"):
        notes.note(Action.MEETING_READ, meeting=meeting)
    assert await written(2) == ["a", "b"]


async def test_what_does_not_fit_is_told_in_the_programs_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(later, "MAX_KEPT", 1)
    notes = Later()
    with caplog.at_level(logging.ERROR):
        for meeting in ("a", "b"):
            notes.note(Action.MEETING_READ, meeting=meeting)
    await notes.aclose()
    assert await written(1) == ["a"]
    assert "'meeting': 'b'" in caplog.text


async def test_an_account_that_is_deleted_meanwhile_leaves_its_name() -> None:
    anna: Any = await User.objects.acreate(username="anna")
    notes = Later()
    notes.note(Action.MEETING_READ, meeting="a", whence=Origin(anna, "203.0.113.9"))
    await User.objects.all().adelete()
    await notes.aclose()
    entry = await Entry.objects.aget()
    assert (entry.actor_id, entry.actor_name) == (None, "anna")
