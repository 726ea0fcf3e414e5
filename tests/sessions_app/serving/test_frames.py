"""Frames that are made once for many sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from sessions_app.serving.frames import text_frame, whole_audio


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


class TestWholeAudio:
    @given(st.binary(min_size=126, max_size=4000), st.integers(0, 3))
    def test_is_what_the_client_sent(self, start: bytes, more: int):
        audio = (start * 8)[: 4 * (len(start) + more)]
        assert whole_audio(Frame(Opcode.BINARY, audio).serialize(mask=True)) == audio

    @pytest.mark.parametrize("length", [128, 12_800, 65_532])
    def test_may_have_any_length_that_two_bytes_hold(self, length: int):
        audio = bytes(range(251)) * 300
        frame = Frame(Opcode.BINARY, audio[:length]).serialize(mask=True)
        assert whole_audio(frame) == audio[:length]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x82",
            b"\x82\xfe",
            Frame(Opcode.BINARY, b"").serialize(mask=True),
            Frame(Opcode.BINARY, b"x" * 124).serialize(mask=True),
            Frame(Opcode.BINARY, b"x" * 130).serialize(mask=True),
            Frame(Opcode.BINARY, b"x" * 65_536).serialize(mask=True),
            Frame(Opcode.BINARY, b"x" * 800).serialize(mask=False),
            b"\xc2" + Frame(Opcode.BINARY, b"x" * 800).serialize(mask=True)[1:],
            b"\x02" + Frame(Opcode.BINARY, b"x" * 800).serialize(mask=True)[1:],
            Frame(Opcode.CONT, b"x" * 800).serialize(mask=True),
            Frame(Opcode.TEXT, b"x" * 800).serialize(mask=True),
            Frame(Opcode.BINARY, b"x" * 800).serialize(mask=True)[:-1],
            Frame(Opcode.BINARY, b"x" * 800).serialize(mask=True) + b"x",
            Frame(Opcode.BINARY, b"x" * 800).serialize(mask=True) * 2,
            b"\x82\xfe\x00\x04" + b"keys" + b"1234",  # a length that one byte would have held
        ],
    )
    def test_is_nothing_else(self, data: bytes):
        assert whole_audio(data) is None
