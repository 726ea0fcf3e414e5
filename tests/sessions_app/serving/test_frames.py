"""Frames that are made once for many sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from sessions_app.serving.frames import text_frame, whole_audio


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_client_reads_what_was_said(length: int) -> None:
    text = "x" * length
    client = Protocol(CLIENT, state=OPEN)
    client.receive_data(text_frame(text))
    assert client.events_received() == [Frame(Opcode.TEXT, text.encode())]


def test_lengths_are_of_bytes() -> None:
    client = Protocol(CLIENT, state=OPEN)
    client.receive_data(text_frame("字" * 100) + text_frame("好"))
    texts = ("字" * 100, "好")
    assert client.events_received() == [Frame(Opcode.TEXT, text.encode()) for text in texts]


def frame(length: int, opcode: Opcode = Opcode.BINARY, *, mask: bool = True) -> bytes:
    return Frame(opcode, b"x" * length).serialize(mask=mask)


OTHERS = {
    "nothing": b"",
    "one byte": b"\x82",
    "two bytes": b"\x82\xfe",
    "empty": frame(0),
    "short": frame(124),
    "too long": frame(65_536),
    "not masked": frame(800, mask=False),
    "compressed": b"\xc2" + frame(800)[1:],
    "not the last": b"\x02" + frame(800)[1:],
    "continued": frame(800, Opcode.CONT),
    "text": frame(800, Opcode.TEXT),
    "cut short": frame(800)[:-1],
    "and a byte": frame(800) + b"x",
    "two of them": frame(800) * 2,
    "a length that one byte would have held": b"\x82\xfe\x00\x04" + b"keys" + b"1234",
}


class TestWholeAudio:
    @given(st.binary(min_size=126, max_size=4000), st.integers(0, 3000))
    def test_is_what_the_client_sent_whatever_its_samples_are(self, start: bytes, more: int) -> None:
        audio = (start * 8)[: len(start) + more]
        assert whole_audio(Frame(Opcode.BINARY, audio).serialize(mask=True), is_binary=True) == audio

    @pytest.mark.parametrize("length", [126, 127, 128, 12_800, 65_535])
    def test_may_have_any_length_that_two_bytes_hold(self, length: int) -> None:
        audio = bytes(range(251)) * 300
        frame = Frame(Opcode.BINARY, audio[:length]).serialize(mask=True)
        assert whole_audio(frame, is_binary=True) == audio[:length]

    @pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
    def test_is_nothing_else(self, data: bytes) -> None:
        assert whole_audio(data, is_binary=True) is None

    def test_is_text_of_those_who_send_text(self) -> None:
        text = b'{"audio": "' + b"A" * 301 + b'"}'
        assert whole_audio(Frame(Opcode.TEXT, text).serialize(mask=True), is_binary=False) == text
        assert whole_audio(frame(800), is_binary=False) is None

    @pytest.mark.parametrize("text", ["字" * 200, "x" * 300 + "é"])
    def test_is_no_text_whose_encoding_must_be_checked(self, text: str) -> None:
        assert whole_audio(Frame(Opcode.TEXT, text.encode()).serialize(mask=True), is_binary=False) is None
        broken = Frame(Opcode.TEXT, b"x" * 200 + b"\xff").serialize(mask=True)
        assert whole_audio(broken, is_binary=False) is None
