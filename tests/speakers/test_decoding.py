"""Files from strangers become samples, or an error that says why not."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

import av
import numpy as np
import pytest
import soundfile

from speakers import decoding
from speakers.decoding import decode
from speakers.exceptions import BadRecording

RATE = 16_000


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def file_of(audio: np.ndarray, rate: int = RATE, **options: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, **({"format": "WAV", "subtype": "FLOAT"} | options))
    return buffer.getvalue()


def container_of(audio: np.ndarray, container: str, codec: str, rate: int = 48_000) -> bytes:
    """As a browser or a telephone writes it."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as media:
        stream = media.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(audio[None], format="flt", layout="mono")
        frame.sample_rate = rate
        media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return buffer.getvalue()


class TestFormat:
    def assert_tone(self, audio: np.ndarray, seconds: float) -> None:
        assert len(audio) / RATE == pytest.approx(seconds, abs=0.1)
        middle = audio[RATE // 2 : RATE // 2 + RATE]
        spectrum = np.abs(np.fft.rfft(middle))
        assert int(np.argmax(spectrum)) == 440
        assert float(np.abs(middle).max()) == pytest.approx(0.3, abs=0.05)

    def test_wav_comes_back_exactly(self) -> None:
        np.testing.assert_array_equal(decode([file_of(tone(1))]), tone(1))

    @pytest.mark.parametrize(
        ("format_", "subtype"), [("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")]
    )
    def test_flac_mp3_and_ogg_of_any_rate(self, format_: str, subtype: str) -> None:
        data = file_of(tone(2, 44_100), 44_100, format=format_, subtype=subtype)
        self.assert_tone(decode([data]), 2)

    @pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("mp4", "aac"), ("webm", "libopus")])
    def test_m4a_and_webm(self, container: str, codec: str) -> None:
        self.assert_tone(decode([container_of(tone(2, 48_000), container, codec)]), 2)

    def test_channels_are_mixed(self) -> None:
        stereo = np.stack([tone(1), np.zeros(RATE, np.float32)], axis=1)

        np.testing.assert_allclose(decode([file_of(stereo)]), tone(1) / 2, atol=1e-6)

    def test_a_file_may_come_in_pieces(self) -> None:
        data = file_of(tone(1))

        np.testing.assert_array_equal(decode([data[:1000], data[1000:]]), tone(1))

    def test_what_is_louder_than_full_scale_is_clipped(self) -> None:
        assert decode([file_of(10 * tone(1))]).max() == 1.0


class TestHostileFile:
    def assert_refused(self, data: bytes | Iterable[bytes], words: str) -> None:
        with pytest.raises(BadRecording, match=words):
            decode([data] if isinstance(data, bytes) else data)

    def test_a_small_flac_of_ten_hours(self) -> None:
        with io.BytesIO() as buffer:
            with soundfile.SoundFile(buffer, "w", RATE, 1, format="FLAC") as flac:
                for _ in range(600):
                    flac.write(np.zeros(60 * RATE, np.int16))
            bomb = buffer.getvalue()
        assert len(bomb) < 2 * 2**20

        self.assert_refused(bomb, "longer than 5 minutes")

    def test_eight_channels_at_192_khz(self) -> None:
        data = file_of(np.zeros((192_000 * 60, 8), np.int16), 192_000, format="FLAC", subtype="PCM_16")

        assert len(decode([data])) == 60 * RATE

    def test_a_header_that_promises_more_than_there_is(self) -> None:
        data = bytearray(file_of(tone(1), subtype="PCM_16"))
        data[40:44] = struct.pack("<I", 0xFFFFFFF0)

        assert len(decode([bytes(data)])) == RATE

    def test_values_that_are_no_numbers(self) -> None:
        for broken in (np.nan, np.inf):
            for rate in (RATE, 44_100):
                audio = tone(1, rate)
                audio[500] = broken
                self.assert_refused(file_of(audio, rate), "not numbers")

    def test_text_that_calls_itself_audio(self) -> None:
        self.assert_refused(b"Dear sir or madam, " * 1000, "not an audio file")
        self.assert_refused(b"", "not an audio file")

    def test_a_playlist_opens_no_other_file(self) -> None:
        self.assert_refused(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not an audio file")
        self.assert_refused(b"ffconcat version 1.0\nfile /etc/passwd\n", "not an audio file")

    def test_truncated_and_damaged_files_are_refused_or_read_as_far_as_they_go(self) -> None:
        random = np.random.default_rng(0)
        for whole in (
            file_of(tone(1), format="FLAC", subtype="PCM_16"),
            container_of(tone(1, 48_000), "mp4", "aac"),
            container_of(tone(1, 48_000), "webm", "libopus"),
        ):
            for _ in range(6):
                data = bytearray(whole[: random.integers(20, len(whole))])
                for at in random.integers(0, len(data), size=10):
                    data[at] ^= 1 << int(random.integers(8))
                try:
                    assert np.isfinite(decode([bytes(data)])).all()
                except BadRecording as error:
                    assert str(error)

    def test_no_frames_at_all(self) -> None:
        self.assert_refused(file_of(np.empty(0, np.float32)), "holds no audio")

    def test_one_sample_a_second(self) -> None:
        self.assert_refused(file_of(tone(1), 1), "sample rate")

    def test_too_many_channels(self) -> None:
        self.assert_refused(file_of(np.zeros((100, 9), np.float32)), "channels")

    def test_a_file_that_is_too_large_is_not_even_decoded(self) -> None:
        self.assert_refused((bytes(2**20) for _ in range(51)), "larger than 50 MB")

    def test_a_decoder_that_wants_too_much_memory_is_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decoding, "MEMORY", 100 * 2**20)

        self.assert_refused(file_of(tone(1, 44_100), 44_100), "more memory or time")

    def test_a_decoder_that_takes_too_long_is_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decoding, "WALL_S", 0.01)

        self.assert_refused(file_of(tone(1)), "more memory or time")
