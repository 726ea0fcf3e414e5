"""A session that recognition cannot cope with ends: its audio is recorded, and everybody is told."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessions_app.models import Session
from sessions_app.recordings import files
from sessions_app.store import commits
from sessions_app.store.commits import Lease
from sessions_app.transport.interface import Fenced, LogLost
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire import layer_messages
from sessions_app.worker.failed_session import end_in_failure
from tests.support.senders import Socket

pytestmark = pytest.mark.django_db(transaction=True)

AUDIO = np.linspace(-0.5, 0.5, 48_000, dtype=np.float32)
DURABLE = 16_000


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
async def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
async def lease(transport: MemoryTransport) -> Lease:
    """Of a session a third of which was recognised and recorded."""
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "broken")
    await Session.objects.aupdate(durable=DURABLE, failures=8, last_seq=3)
    await transport.open(session.pk, "sender", durable=DURABLE, may_take_over=False, listener=Socket())
    for part in np.split(AUDIO[DURABLE:], 4):
        await transport.append(session.pk, "sender", part.tobytes())
    assert await transport.take() == session.pk
    lease = await asyncio.to_thread(commits.acquire, session.pk)
    assert lease
    journal = files.Journal(session.pk)
    journal.write(0, AUDIO[:DURABLE])
    journal.close()
    return lease


@pytest.fixture
def published() -> list[tuple[str, dict[str, Any]]]:
    return []


async def end(lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]) -> None:
    async def publish(group: str, message: dict[str, Any]) -> None:
        published.append((group, message))

    await end_in_failure(lease, transport=transport, publish=publish)


async def recording(session_pk: int) -> np.ndarray:
    return await asyncio.to_thread(files.read, session_pk, 0, len(AUDIO))


async def test_all_that_was_received_is_recorded(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await end(lease, transport, published)
    np.testing.assert_array_equal(await recording(lease.session_pk), files.to_int16(AUDIO))


async def test_what_an_earlier_process_recorded_of_it_stays(
    transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "broken")
    await Session.objects.aupdate(durable=DURABLE, recorded=2 * DURABLE, failures=8)
    await session.arefresh_from_db()
    await transport.open(session.pk, "sender", durable=session.kept, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", AUDIO[2 * DURABLE :].tobytes())
    await transport.take()
    journal = files.Journal(session.pk)
    journal.write(0, AUDIO[: 2 * DURABLE])
    journal.close()
    lease = await asyncio.to_thread(commits.acquire, session.pk)
    assert lease
    await end(lease, transport, published)
    np.testing.assert_array_equal(await recording(session.pk), files.to_int16(AUDIO))


async def test_it_has_ended_and_has_failed(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await end(lease, transport, published)
    session = await Session.objects.aget()
    assert session.state == Session.State.ENDED
    assert session.has_failed
    assert session.ended_at


async def test_everybody_who_follows_is_told_how_much_was_recognised(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await end(lease, transport, published)
    [(group, message)] = published
    assert group == layer_messages.session_group("broken")
    told = layer_messages.end_from(message)
    assert (told.last_seq, told.received_s, told.recognised_s, told.has_failed) == (3, 3.0, 1.0, True)


async def test_its_log_is_gone_and_its_sender_learns_it(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await end(lease, transport, published)
    with pytest.raises(LogLost):
        await transport.append(lease.session_pk, "sender", b"aaaa")


async def test_another_worker_that_has_it_is_not_disturbed(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await asyncio.to_thread(commits.acquire, lease.session_pk)
    with pytest.raises(Fenced):
        await end(lease, transport, published)
    assert published == []
    assert (await Session.objects.aget()).state == Session.State.LIVE
    await transport.append(lease.session_pk, "sender", b"aaaa")


async def test_neither_is_one_that_has_its_log(
    lease: Lease, transport: MemoryTransport, published: list[tuple[str, dict[str, Any]]]
) -> None:
    await transport.give_up(lease.session_pk)
    with pytest.raises(Fenced):
        await end(lease, transport, published)
    assert (await Session.objects.aget()).state == Session.State.LIVE


async def test_a_recording_that_cannot_go_on_keeps_nobody_from_the_end(
    lease: Lease,
    transport: MemoryTransport,
    published: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    await end(lease, transport, published)
    told = layer_messages.end_from(published[0][1])
    assert (told.received_s, told.recognised_s) == (1.0, 1.0)
    assert (await Session.objects.aget()).has_ended
    messages = [record.getMessage() for record in caplog.records]
    assert f"session {lease.session_pk}: its recording ends at 1.0 s" in messages
    assert f"session {lease.session_pk}: ended, because recognition failed 8 times at 1.0 s" in messages
