"""Deliveries: a receiver that is away misses nothing, none counts twice, and nobody waits for another."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from pytest_django import Settings

from sessions_app.models import Delivery, Webhook
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.webhooks import deliverer, sending
from sessions_app.webhooks.deliverer import Deliverer

from .hooks import fill, make_hook
from .receivers import OK, receiving, status

pytestmark = pytest.mark.django_db(transaction=True)

HERE = [ipaddress.ip_network("127.0.0.0/8")]

make = database_sync_to_async(make_hook)
wait_for = database_sync_to_async(fill)


@pytest.fixture(autouse=True)
def _keys(settings: Settings, tmp_path: Path) -> None:
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


async def delivered(worker: Deliverer | None = None) -> None:
    """One look at the outbox, and all that follows from it."""
    worker = worker or Deliverer(HERE)
    await worker.look()
    await worker.finish()


@database_sync_to_async
def states() -> list[str]:
    return list(Delivery.objects.values_list("state", flat=True))


@database_sync_to_async
def let_time_pass() -> None:
    """As if the next attempt were due."""
    Webhook.objects.update(not_before=None)
    Delivery.objects.update(not_before=None)


async def test_what_waits_is_delivered_in_order() -> None:
    async with receiving() as receiver:
        ids = await wait_for(await make(receiver.url), 5)
        await delivered()
    assert receiver.ids == ids
    assert set(await states()) == {"delivered"}


async def test_a_receiver_that_was_away_misses_nothing_and_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hangs, is gone, fails, and loses its answers; what it counts is each message once, in order."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    answers = itertools.chain([OK, b"", None, status(503), OK, b"", OK, status(429)], itertools.repeat(OK))
    said: list[bytes | None] = [OK]

    def answer() -> bytes | None:
        return said[0]

    async with receiving(answer) as receiver:
        ids = await wait_for(await make(receiver.url), 8)
        for said[0] in itertools.islice(answers, 12):
            await delivered()
            await let_time_pass()
    counted = list(dict.fromkeys(receiver.ids))
    assert counted == ids
    assert set(await states()) == {"delivered"}


async def test_a_receiver_whose_answers_get_lost_is_told_the_same_again() -> None:
    said = [b""]
    async with receiving(lambda: said[0]) as receiver:
        [message_id] = await wait_for(await make(receiver.url), 1)
        await delivered()
        said[0] = OK
        await let_time_pass()
        await delivered()
    assert receiver.ids == [message_id, message_id]


async def test_many_workers_deliver_each_message_once() -> None:
    workers = [Deliverer(HERE) for _ in range(4)]
    async with receiving() as one, receiving() as other:
        first = await wait_for(await make(one.url, name="one"), 10)
        second = await wait_for(await make(other.url, name="other"), 10)
        await asyncio.gather(*(delivered(worker) for worker in workers))
        await delivered()
    assert (one.ids, other.ids) == (first, second)


async def test_a_receiver_that_hangs_delays_only_its_own() -> None:
    async with receiving(lambda: None) as hanging, receiving() as good:
        await wait_for(await make(hanging.url, name="a"), 3)
        ids = await wait_for(await make(good.url, name="b"), 3)
        worker = Deliverer(HERE)
        await worker.look()
        while good.ids != ids or not hanging.requests:
            await asyncio.sleep(0.01)  # whoever runs the test has a time-out
        assert len(hanging.requests) == 1
        more = await wait_for(await first_named("b"), 2)
        await worker.look()
        while good.ids != ids + more:
            await asyncio.sleep(0.01)
            await worker.look()
        await cancel_and_wait(*worker._busy.values())


@database_sync_to_async
def first_named(name: str) -> Webhook:
    return Webhook.objects.get(name=name)


async def test_a_worker_that_stops_leaves_its_webhook_to_others() -> None:
    said: list[bytes | None] = [None]
    async with receiving(lambda: said[0]) as receiver:
        ids = await wait_for(await make(receiver.url), 2)
        running = asyncio.create_task(Deliverer(HERE).run())
        while not receiver.requests:
            await asyncio.sleep(0.01)
        await cancel_and_wait(running)
        said[0] = OK
        await delivered()
    assert list(dict.fromkeys(receiver.ids)) == ids


async def test_a_private_address_is_refused_and_told(settings: Settings) -> None:
    settings.WEBHOOK_NETWORKS = []
    async with receiving() as receiver:
        await wait_for(await make(receiver.url), 1)
        await delivered(Deliverer())
        assert receiver.connections == 0
    [answer] = await column("answer")
    assert "ASR_WEBHOOK_NETWORKS" in answer
    settings.WEBHOOK_NETWORKS = HERE
    await let_time_pass()
    async with receiving() as receiver:
        await set_url(receiver.url)
        await delivered(Deliverer())
        assert len(receiver.ids) == 1


@database_sync_to_async
def column(name: str) -> list[Any]:
    return list(Delivery.objects.values_list(name, flat=True))


@database_sync_to_async
def set_url(url: str) -> None:
    Webhook.objects.update(url=url)


async def test_an_answer_is_kept_for_people_to_see() -> None:
    async with receiving(lambda: status(422, "no such field")) as receiver:
        await wait_for(await make(receiver.url), 1)
        await delivered()
    assert (await column("status"), await column("answer")) == ([422], ["no such field"])


async def test_secrets_that_cannot_be_read_stop_nothing_else(settings: Settings, tmp_path: Path) -> None:
    async with receiving() as receiver:
        await wait_for(await make(receiver.url), 1)
        settings.VOICEPRINT_KEY_FILE = tmp_path / "lost"
        await delivered()
        assert receiver.ids == []
        settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
        await delivered()
        assert len(receiver.ids) == 1


async def test_the_outbox_is_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer, "EVERY_S", 0.01)
    async with receiving() as receiver:
        hook = await make(receiver.url)
        running = asyncio.create_task(Deliverer(HERE).run())
        try:
            ids = await wait_for(hook, 1)
            while receiver.ids != ids:
                await asyncio.sleep(0.01)
            ids += await wait_for(hook, 1)
            while receiver.ids != ids:
                await asyncio.sleep(0.01)
        finally:
            await cancel_and_wait(running)
