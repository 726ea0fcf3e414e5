"""Frames that are made once for many sockets."""

from __future__ import annotations

import pytest
from websockets.frames import Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from sessions_app.frames import text_frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_client_reads_what_was_said(length: int):
    text = "x" * length
    client = Protocol(CLIENT, state=OPEN)
    client.receive_data(text_frame(text))
    (frame,) = client.events_received()
    assert frame.opcode is Opcode.TEXT
    assert frame.fin
    assert frame.data.decode() == text


def test_lengths_are_of_bytes():
    client = Protocol(CLIENT, state=OPEN)
    client.receive_data(text_frame("字" * 100) + text_frame("好"))
    first, second = client.events_received()
    assert first.data.decode() == "字" * 100
    assert second.data.decode() == "好"
