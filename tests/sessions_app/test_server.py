"""Sockets that wait for their clients."""

from __future__ import annotations

import asyncio

from sessions_app.server import PatientWebSocket


async def test_what_is_said_to_a_client_that_left_before_its_socket_was_open_waits_for_nobody():
    socket = PatientWebSocket()
    await asyncio.wait_for(socket.drained.wait(), 1)
