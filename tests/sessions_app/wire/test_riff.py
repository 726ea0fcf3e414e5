"""WAV headers in a stream: found wherever the pieces end, and never heard."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.wire.pcm import PcmFormat
from sessions_app.wire.protocol import ErrorCode, ProtocolError
from sessions_app.wire.riff import HEADER_BYTES, MAX_HEADER_BYTES, RiffReader, has_header, wav_header

SAMPLES = np.arange(1, 9, dtype="<i2").tobytes()


def wav(*, rate: int = 16_000, channels: int = 1, width: int = 2, data: bytes = SAMPLES) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(data)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def riff(*chunks: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WAVE" + b"".join(chunks)


def form(kind: int, bits: int, *, rate: int = 16_000, channels: int = 1, more: bytes = b"") -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, 0, 0, bits) + more)


def read(data: bytes, size: int) -> tuple[bytes, RiffReader]:
    reader = RiffReader(PcmFormat("s16le", 8_000))
    found = b"".join(reader.receive(data[at : at + size]) for at in range(0, len(data), size))
    return found + reader.flush(), reader


@pytest.mark.parametrize("size", [1, 3, 7, 44, 45, 1000])
class TestPieces:
    def test_the_samples_of_a_file_are_found(self, size: int) -> None:
        found, reader = read(wav(rate=44_100, channels=2), size)
        assert found == SAMPLES
        assert reader.format == PcmFormat("s16le", 44_100, 2)
        assert reader.has_header

    def test_without_a_header_everything_is_samples(self, size: int) -> None:
        for data in (SAMPLES, b"RIFX" + SAMPLES, b"RIFF0123WAVX" + SAMPLES, b"R", b""):
            found, reader = read(data, size)
            assert found == data
            assert reader.format == PcmFormat("s16le", 8_000)
            assert not reader.has_header

    def test_what_stands_around_the_samples_is_not_heard(self, size: int) -> None:
        listed = chunk(b"LIST", b"odd")
        data = riff(listed, form(1, 24), listed, chunk(b"data", SAMPLES), chunk(b"id3 ", b"name"))
        found, reader = read(data, size)
        assert found == SAMPLES
        assert reader.format.encoding == "s24le"

    @pytest.mark.parametrize("length", [0, 0xFFFF_FFFF, 0xFFFF_FF00])
    def test_a_length_that_was_not_known_is_no_end(self, size: int, length: int) -> None:
        data = riff(form(1, 16), b"data" + struct.pack("<I", length), SAMPLES)
        assert read(data, size)[0] == SAMPLES


@pytest.mark.parametrize(
    ("kind", "bits", "encoding"),
    [(1, 8, "u8"), (1, 16, "s16le"), (1, 32, "s32le"), (3, 32, "f32le"), (6, 8, "alaw"), (7, 8, "mulaw")],
)
def test_each_kind_of_samples_is_known(kind: int, bits: int, encoding: str) -> None:
    assert read(riff(form(kind, bits), chunk(b"data", SAMPLES)), 64)[1].format.encoding == encoding


def test_an_extended_format_says_its_kind_further_on() -> None:
    more = struct.pack("<HHI", 22, 16, 0) + struct.pack("<H", 3) + bytes(14)
    assert read(riff(form(0xFFFE, 32, more=more), chunk(b"data", SAMPLES)), 64)[1].format.encoding == "f32le"


@pytest.mark.parametrize(
    ("data", "said", "code"),
    [
        (riff(form(85, 0), chunk(b"data", SAMPLES)), "of kind 85 with 0 bits", ErrorCode.WRONG_FORMAT),
        (riff(form(1, 12), chunk(b"data", SAMPLES)), "of kind 1 with 12 bits", ErrorCode.WRONG_FORMAT),
        (riff(form(0xFFFE, 16), chunk(b"data", SAMPLES)), "of kind 65534", ErrorCode.WRONG_FORMAT),
        (riff(form(1, 16, rate=96_000), chunk(b"data", SAMPLES)), "96000", ErrorCode.BAD_PARAMETER),
        (riff(form(1, 16, channels=0), chunk(b"data", SAMPLES)), "0 channels", ErrorCode.BAD_PARAMETER),
        (riff(chunk(b"junk", bytes(MAX_HEADER_BYTES))), "within 64 KiB", ErrorCode.WRONG_FORMAT),
    ],
)
def test_a_file_that_cannot_be_heard_is_refused_with_the_reason(
    data: bytes, said: str, code: ErrorCode
) -> None:
    with pytest.raises(ProtocolError, match=said) as refused:
        read(data, 30_000)
    assert refused.value.code is code


def test_a_header_that_never_ends_is_not_heard_at_the_end() -> None:
    assert read(wav()[:40], 64)[0] == b""


@given(st.binary(max_size=200), st.integers(1, 64))
def test_any_bytes_are_samples_or_refused(data: bytes, size: int) -> None:
    for start in (data, wav()[:36] + data, b"RIFF" + data):
        try:
            found, _ = read(start, size)
        except ProtocolError:
            continue
        assert found in start


class TestHeadersOfOurs:
    @pytest.mark.parametrize(
        "format_",
        [PcmFormat(), PcmFormat("f32le", 48_000, 2), PcmFormat("mulaw", 8_000), PcmFormat("alaw", 8_000)],
    )
    def test_are_read_as_what_they_were_written_for(self, format_: PcmFormat) -> None:
        header = wav_header(format_, len(SAMPLES))
        assert len(header) == HEADER_BYTES
        reader = RiffReader(PcmFormat("s32le", 44_100))
        assert reader.receive(header + SAMPLES + b"behind it") == SAMPLES
        assert reader.format == format_

    def test_are_as_the_standard_library_reads_them(self) -> None:
        with wave.open(io.BytesIO(wav_header(PcmFormat("s16le", 8_000, 2), len(SAMPLES)) + SAMPLES)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8_000, 2, 4)


@pytest.mark.parametrize(
    "start",
    [b"RIFF\0\0\0\0WAVE", b"OggS", b"fLaC", b"ID3\x04", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftypM4A "],
)
def test_files_are_told_from_samples_by_their_first_bytes(start: bytes) -> None:
    assert has_header(start)
    assert not has_header(b"\0" + start)
