"""Sockets that reach a transport of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from sessions_app.sockets import consumers, fanout, sender
from sessions_app.transport.memory import MemoryTransport

AnyTransport = TypeVar("AnyTransport", bound=MemoryTransport)


@asynccontextmanager
async def reaching(
    transport: AnyTransport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AnyTransport]:
    """Let everybody's sockets reach the transport."""
    settings.ACCESS = "open"
    for module in (consumers, sender):
        monkeypatch.setattr(module, "get_transport", lambda: transport)
    yield transport
    await fanout.get_fanout().aclose()
