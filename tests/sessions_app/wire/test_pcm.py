"""Other clients' audio becomes ours, however it is encoded and cut."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.wire.audio_frames import TINY
from sessions_app.wire.pcm import ENCODINGS, MAX_CHANNELS, PcmConverter, PcmFormat
from sessions_app.wire.protocol import ErrorCode, ProtocolError

VALUES = np.array([0.0, 0.5, -0.5, 0.25, -1.0])


def sine(hz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


def s16(audio: np.ndarray) -> bytes:
    return bytes(np.rint(audio * 32767).astype("<i2"))


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("s16le", (VALUES * 2**15).astype("<i2").tobytes()),
        ("s16be", (VALUES * 2**15).astype(">i2").tobytes()),
        ("s24le", b"".join(int(v * 2**23).to_bytes(3, "little", signed=True) for v in VALUES)),
        ("s24be", b"".join(int(v * 2**23).to_bytes(3, "big", signed=True) for v in VALUES)),
        ("s32le", (VALUES * 2**31).astype("<i4").tobytes()),
        ("s32be", (VALUES * 2**31).astype(">i4").tobytes()),
        ("f32le", VALUES.astype("<f4").tobytes()),
        ("f32be", VALUES.astype(">f4").tobytes()),
        ("f64le", VALUES.astype("<f8").tobytes()),
        ("f64be", VALUES.astype(">f8").tobytes()),
        ("u8", (VALUES * 128 + 128).astype(np.uint8).tobytes()),
    ],
)
def test_each_encoding_is_read_exactly(encoding: str, data: bytes) -> None:
    audio = PcmConverter(PcmFormat(encoding)).convert(data)
    assert audio.dtype == np.float32
    np.testing.assert_array_equal(audio, VALUES.astype(np.float32))


@pytest.mark.parametrize(
    ("encoding", "codes", "values"),
    [
        ("mulaw", [0xFF, 0x7F, 0x00, 0x80, 0xF0], [0, 0, -32124, 32124, 120]),
        ("alaw", [0xD5, 0x55, 0xAA, 0x2A, 0xC5], [8, -8, 32256, -32256, 264]),
    ],
)
def test_telephone_audio_is_that_of_the_standard(encoding: str, codes: list[int], values: list[int]) -> None:
    audio = PcmConverter(PcmFormat(encoding)).convert(bytes(codes))
    np.testing.assert_array_equal(audio * 32768, values)


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_telephone_audio_has_each_value_with_either_sign(encoding: str) -> None:
    audio = PcmConverter(PcmFormat(encoding)).convert(bytes(range(256)))
    np.testing.assert_array_equal(np.sort(audio), np.sort(-audio))


@pytest.mark.parametrize("encoding", ["f32le", "f64le"])
def test_floats_are_made_finite_and_not_louder_than_full_scale(encoding: str) -> None:
    size = encoding[1:3]
    odd = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0], f"<f{int(size) // 8}")
    audio = PcmConverter(PcmFormat(encoding)).convert(odd.tobytes())
    np.testing.assert_array_equal(audio, [0, 1, -1, 1, -1])


def test_channels_are_mixed() -> None:
    stereo = np.array([[0.5, -0.5], [0.5, 0.25]], "<f4")
    audio = PcmConverter(PcmFormat("f32le", channels=2)).convert(stereo.tobytes())
    np.testing.assert_array_equal(audio, np.array([0, 0.375], np.float32))


@settings(max_examples=60)
@given(
    encoding=st.sampled_from(sorted(ENCODINGS)),
    channels=st.integers(1, 3),
    rate=st.sampled_from([8_000, 16_000, 44_100]),
    data=st.binary(max_size=3000),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
)
def test_it_makes_no_difference_where_messages_are_cut(
    encoding: str, channels: int, rate: int, data: bytes, cuts: list[int]
) -> None:
    whole = PcmConverter(PcmFormat(encoding, rate, channels))
    expected = np.concatenate([whole.convert(data), whole.flush()])
    pieces = PcmConverter(PcmFormat(encoding, rate, channels))
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = [pieces.convert(data[a:b]) for a, b in itertools.pairwise(edges)] + [pieces.flush()]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_becomes_ours_with_length_and_tone_kept(rate: int) -> None:
    converter = PcmConverter(PcmFormat("s16le", rate))
    audio = np.concatenate([converter.convert(s16(sine(1000, rate))), converter.flush()])
    assert abs(len(audio) - 16_000) <= 1
    np.testing.assert_allclose(audio[1000:15_000], sine(1000, 16_000)[1000:15_000], atol=2e-3)


def test_what_we_cannot_hold_is_filtered_and_not_folded() -> None:
    converter = PcmConverter(PcmFormat("s16le", 48_000))
    audio = np.concatenate([converter.convert(s16(sine(12_000, 48_000))), converter.flush()])
    assert np.abs(audio[1000:-1000]).max() < 1e-3


def test_after_a_flush_the_stream_begins_anew() -> None:
    converter = PcmConverter(PcmFormat("s16le", 8_000))
    first = np.concatenate([converter.convert(s16(sine(500, 8_000))), converter.flush()])
    second = np.concatenate([converter.convert(s16(sine(500, 8_000))), converter.flush()])
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_a_flush_in_the_middle_of_a_sample_puts_nothing_out_of_step(rate: int) -> None:
    data = s16(sine(500, rate))
    converter = PcmConverter(PcmFormat("s16le", rate))
    parts = [
        converter.convert(data[:1001]),
        converter.flush(),
        converter.convert(data[1001:]),
        converter.flush(),
    ]
    audio = np.concatenate(parts)
    assert abs(len(audio) - 16_000) <= 2
    quiet = slice(16_000 * 500 // rate + 200, None)  # behind the seam, whose filter begins anew
    offset = len(audio) - 16_000
    np.testing.assert_allclose(audio[quiet][:14_000], sine(500, 16_000)[quiet][offset:][:14_000], atol=0.03)


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_half_a_sample_waits_for_the_other_half(encoding: str) -> None:
    size, _ = ENCODINGS[encoding]
    sample = bytes([0x21, 0x43, 0x3E, 0x3F, 0x12, 0x34, 0x3E, 0x3F][:size])
    converter = PcmConverter(PcmFormat(encoding))
    found = [converter.convert(sample[at : at + 1]) for at in range(size)]
    assert [len(audio) for audio in found] == [0] * (size - 1) + [1]
    np.testing.assert_array_equal(found[-1], PcmConverter(PcmFormat(encoding)).convert(sample))


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_nothing_is_no_audio(encoding: str) -> None:
    converter = PcmConverter(PcmFormat(encoding))
    assert len(converter.convert(b"")) == 0
    assert len(converter.flush()) == 0


@pytest.mark.parametrize("encoding", ["f32le", "f32be", "f64le", "f64be"])
def test_numbers_too_small_to_hear_are_zero(encoding: str) -> None:
    order = ">" if encoding.endswith("be") else "<"
    tiny = np.array([1e-30, -1e-30, 1e-42, 1e-10], f"{order}f{int(encoding[1:3]) // 8}")
    audio = PcmConverter(PcmFormat(encoding)).convert(tiny.tobytes())
    np.testing.assert_array_equal(audio, np.array([0, 0, 0, 1e-10], np.float32))


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_neither_do_they_come_from_resampling(rate: int) -> None:
    converter = PcmConverter(PcmFormat("s16le", rate))
    silence = bytes(2 * rate)
    audio = np.concatenate([converter.convert(s16(sine(440, rate)) + silence), converter.flush()])
    sound = np.abs(audio[audio != 0])
    assert sound.min() >= TINY
    assert np.isfinite(audio).all()


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_resampling_holds_back_less_than_a_tenth_of_a_second(rate: int) -> None:
    converter = PcmConverter(PcmFormat("s16le", rate))
    audio = converter.convert(s16(sine(440, rate)))
    assert 16_000 - len(audio) < 1_600
    assert abs(len(audio) + len(converter.flush()) - 16_000) <= 1


def test_a_full_scale_square_stays_within_full_scale() -> None:
    square = np.tile(np.repeat([1.0, -1.0], 20), 200)
    converter = PcmConverter(PcmFormat("s16le", 8_000))
    audio = np.concatenate([converter.convert(s16(square)), converter.flush()])
    assert np.abs(audio).max() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("opus",), "encoding 'opus' is unknown"),
        (("s16le", 7_999), "sample rate of 7999"),
        (("s16le", 48_001), "sample rate of 48001"),
        (("s16le", 16_000, 0), "0 channels"),
        (("s16le", 16_000, MAX_CHANNELS + 1), "9 channels"),
    ],
)
def test_a_format_that_is_none_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ProtocolError, match=message) as refused:
        PcmFormat(*arguments)
    assert refused.value.code is ErrorCode.BAD_PARAMETER


def test_a_moment_is_heard_when_all_channels_have_it() -> None:
    converter = PcmConverter(PcmFormat("s16le", channels=3))
    moment = np.array([8192, 16384, -8192], "<i2").tobytes()
    assert len(converter.convert(moment[:5])) == 0
    found = converter.convert(moment[5:] + moment[:1])
    np.testing.assert_allclose(found, [(0.25 + 0.5 - 0.25) / 3], rtol=1e-6)
    assert len(converter.convert(moment[1:])) == 1


def test_silence_on_a_telephone_is_silence() -> None:
    for encoding, code in (("mulaw", 0xFF), ("alaw", 0xD5)):
        audio = PcmConverter(PcmFormat(encoding, 8_000)).convert(bytes([code]) * 8_000)
        assert np.abs(audio).max() < 1e-3
