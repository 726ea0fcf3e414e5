"""Housekeeping beside a worker's sessions."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from sessions_app.models import Session
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.worker.housekeeping import Housekeeping
from tests.sessions_app.meetings import make_lines, make_session


@pytest.mark.django_db(transaction=True)
async def test_overviews_are_drawn_the_trash_is_emptied_and_again_as_soon_as_it_is_asked() -> None:
    @database_sync_to_async
    def prepare() -> None:
        make_lines(make_session("20261130-0114-bfa0"))
        old = make_session("old")
        Session.objects.filter(pk=old.pk).update(trashed_at=timezone.now() - timedelta(days=31))

    @database_sync_to_async
    def titles() -> list[str]:
        return list(Session.objects.order_by("pk").values_list("drawn_title", flat=True))

    async def until(wanted: list[str]) -> None:
        async with asyncio.timeout(30):
            while await titles() != wanted:
                await asyncio.sleep(0.01)

    await prepare()
    housekeeping = Housekeeping()
    task = asyncio.create_task(housekeeping.run())
    try:
        await until(["预算通过了吗"])
        await database_sync_to_async(lambda: make_lines(make_session("second")))()
        housekeeping.look_now()
        await until(["预算通过了吗", "预算通过了吗"])
    finally:
        await cancel_and_wait(task)
