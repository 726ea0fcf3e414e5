"""Housekeeping beside a worker's sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone
from pytest_django import Settings

from minutes import extraction
from minutes.lines import Line
from sessions_app.models import Minutes, Session
from sessions_app.recordings import files
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.worker.housekeeping import Housekeeping
from tests.sessions_app.meetings import make_lines, make_session


@database_sync_to_async
def make_meeting(key: str) -> None:
    make_lines(make_session(key))


@database_sync_to_async
def make_trashed_for_too_long() -> Session:
    session = make_session("old")
    Session.objects.filter(pk=session.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    return session


@database_sync_to_async
def titles() -> list[str]:
    return list(Session.objects.order_by("pk").values_list("drawn_title", flat=True))


async def until_titles_are(wanted: list[str]) -> None:
    async with asyncio.timeout(30):
        while await titles() != wanted:
            await asyncio.sleep(0.01)


@pytest.mark.django_db(transaction=True)
async def test_overviews_are_drawn_the_trash_is_emptied_and_again_as_soon_as_it_is_asked() -> None:
    await make_meeting("20261130-0114-bfa0")
    await make_trashed_for_too_long()
    housekeeping = Housekeeping()
    task = asyncio.create_task(housekeeping.run())
    try:
        await until_titles_are(["预算通过了吗"])
        await make_meeting("second")
        housekeeping.look_now()
        await until_titles_are(["预算通过了吗", "预算通过了吗"])
    finally:
        await cancel_and_wait(task)


@database_sync_to_async
def meetings_with_minutes() -> list[str]:
    return list(Minutes.objects.order_by("pk").values_list("session__key", flat=True))


@pytest.mark.django_db(transaction=True)
async def test_minutes_are_made_of_each_meeting_that_has_ended() -> None:
    await make_meeting("first")
    await make_meeting("second")
    task = asyncio.create_task(Housekeeping().run())
    try:
        async with asyncio.timeout(30):
            while await meetings_with_minutes() != ["second", "first"]:
                await asyncio.sleep(0.01)
    finally:
        await cancel_and_wait(task)


class Unfit(Exception):
    """What a fault in the extraction may raise."""


@pytest.mark.parametrize("is_live", [False, True])
@pytest.mark.django_db(transaction=True)
async def test_a_meeting_whose_minutes_cannot_be_made_is_logged_once_and_passed_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_live: bool
) -> None:
    extract = extraction.extract

    def fail_on_the_unfit(lines: Sequence[Line], *more: Any) -> Any:
        if lines[0].text == "坏的":
            raise Unfit
        return extract(lines, *more)

    monkeypatch.setattr(extraction, "extract", fail_on_the_unfit)
    said = [("fit", "好的"), ("unfit", "坏的")]
    for key, text in reversed(said) if is_live else said:  # so that the unfit one is looked at first
        await make_said(key, text, is_live)
    housekeeping = Housekeeping()
    task = asyncio.create_task(housekeeping.run())
    try:
        async with asyncio.timeout(30):
            while await meetings_with_minutes() != ["fit"]:
                await asyncio.sleep(0.01)
        housekeeping.look_now()
        await make_trashed_for_too_long()  # what comes after minutes is done as well
        async with asyncio.timeout(30):
            while await is_there("old"):
                housekeeping.look_now()
                await asyncio.sleep(0.01)
    finally:
        await cancel_and_wait(task)
    assert caplog.text.count("the minutes of meeting 'unfit' cannot be made") == 1


@database_sync_to_async
def make_said(key: str, text: str, is_live: bool) -> None:
    session = make_session(key, is_live=is_live)
    make_lines(session, [text])
    Session.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(minutes=9))


@database_sync_to_async
def is_there(key: str) -> bool:
    return Session.objects.filter(key=key).exists()


@pytest.mark.django_db(transaction=True)
async def test_a_recording_that_cannot_be_deleted_is_logged_and_the_work_goes_on(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEDIA_ROOT = tmp_path
    files.journal_path((await make_trashed_for_too_long()).pk).mkdir(parents=True)
    housekeeping = Housekeeping()
    task = asyncio.create_task(housekeeping.run())
    try:
        await until_titles_are([])
        await make_meeting("20261130-0114-bfa0")
        housekeeping.look_now()
        await until_titles_are(["预算通过了吗"])
    finally:
        await cancel_and_wait(task)
    assert "a recording could not be deleted" in caplog.text
