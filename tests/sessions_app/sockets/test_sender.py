"""A sender's connection, without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from recognition.audio import samples
from sessions_app.sockets.feed import Cursor, SessionFeed
from sessions_app.sockets.sender import SenderConnection
from sessions_app.transport.interface import CREDIT
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.dialects import Capabilities, OwnProtocol
from sessions_app.wire.protocol import ErrorCode, JoinRequest, Mode, ProtocolError

pytestmark = pytest.mark.django_db(transaction=True)

FRAME = np.full(samples(1), 0.1, "<f4").tobytes()


async def test_one_that_is_held_back_is_not_idle_and_one_that_says_nothing_is(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENDER_IDLE_S = 0.3
    transport = MemoryTransport()
    monkeypatch.setattr("sessions_app.sockets.sender.get_transport", lambda: transport)
    faults: list[ProtocolError] = []
    sender = SenderConnection(
        JoinRequest("held", Mode.SENDER),
        SessionFeed(),
        Cursor(),
        dialect=OwnProtocol(),
        capabilities=Capabilities(),
        on_change=lambda: None,
        on_fault=faults.append,
    )
    await sender.begin(owner=None)
    for _ in range(CREDIT // samples(1)):
        await sender.receive(None, FRAME)
    held = asyncio.create_task(sender.receive(None, FRAME))
    await asyncio.sleep(1.0)
    assert not held.done()
    assert not faults
    session = await transport.take()
    await transport.report(session, processed=CREDIT, durable=0)
    await held
    await asyncio.sleep(1.0)
    assert [fault.code for fault in faults] == [ErrorCode.IDLE]
    await sender.leave()
