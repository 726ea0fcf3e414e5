"""The decoder's own program, in this process: which files it opens, and with which word it refuses others."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speakers import decoder_process, decoding
from speakers.decoder_process import Refused, main, open_audio, resampled

RATE = 16_000


def write(path: Path, audio: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, audio.astype(np.float32), rate, format="WAV", subtype=subtype)
    return path


def decoded(path: Path, monkeypatch: pytest.MonkeyPatch, longest_s: float = 10.0) -> np.ndarray:
    """What the program writes to its standard output."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, write_through=True))
    main(path, longest_s)
    return np.frombuffer(out.getvalue(), "<f4")


class TestMain:
    def test_samples_come_out_as_they_went_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        audio = np.sin(np.arange(200_000)).astype(np.float32)  # more than a block

        np.testing.assert_array_equal(decoded(write(tmp_path / "a.wav", audio), monkeypatch, 20.0), audio)

    @pytest.mark.parametrize(("samples", "longest_s"), [(RATE, 1.0), (RATE // 2, 0.5)])
    def test_just_long_enough_is_not_too_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, longest_s: float
    ) -> None:
        file = write(tmp_path / "a.wav", np.zeros(samples))

        assert len(decoded(file, monkeypatch, longest_s)) == samples
        with pytest.raises(Refused, match="too_long"):
            decoded(write(file, np.zeros(samples + 1)), monkeypatch, longest_s)

    def test_without_a_sample_it_is_empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(Refused, match="empty"):
            decoded(write(tmp_path / "a.wav", np.zeros(0)), monkeypatch)

    @pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("rate", [RATE, 44_100])
    def test_one_value_that_is_no_number_spoils_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: float, rate: int
    ) -> None:
        audio = np.zeros(1000)
        audio[500] = broken

        with pytest.raises(Refused, match="not_finite"):
            decoded(write(tmp_path / "a.wav", audio, rate), monkeypatch)


class TestOpening:
    @pytest.mark.parametrize(
        "content", [b"", b"\x00", b"RIFF", b"hello " * 100, b"OggS" + bytes(100), b"\xff" * 100]
    )
    def test_what_is_no_audio_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.wav").write_bytes(content)

        with pytest.raises(Refused, match="not_audio"):
            open_audio(tmp_path / "a.wav")

    @pytest.mark.parametrize("start", [b"\x1a\x45\xdf\xa3", bytes(4) + b"ftyp", b"ftyp"])
    def test_a_container_that_holds_nothing_is_refused(self, tmp_path: Path, start: bytes) -> None:
        (tmp_path / "a.webm").write_bytes(start + bytes(200))

        with pytest.raises(Refused, match="not_audio"):
            open_audio(tmp_path / "a.webm")

    @pytest.mark.parametrize(
        ("rate", "is_good"), [(8_000, True), (7_999, False), (192_000, True), (192_001, False)]
    )
    def test_rates_have_limits(self, tmp_path: Path, rate: int, is_good: bool) -> None:
        file = write(tmp_path / "a.wav", np.zeros(100), rate)

        if is_good:
            assert open_audio(file)[0] == rate
        else:
            with pytest.raises(Refused, match="bad_rate"):
                open_audio(file)

    @pytest.mark.parametrize(("channels", "is_good"), [(1, True), (2, True), (8, True), (9, False)])
    def test_so_have_channels_which_are_mixed(self, tmp_path: Path, channels: int, is_good: bool) -> None:
        audio = np.zeros((100, channels))
        audio[:, 0] = 0.5
        file = write(tmp_path / "a.wav", audio)

        if is_good:
            mixed = np.concatenate(list(open_audio(file)[1]))
            np.testing.assert_allclose(mixed, 0.5 / channels, atol=1e-6)
        else:
            with pytest.raises(Refused, match="bad_channels"):
                open_audio(file)

    def test_what_a_file_is_called_makes_no_difference(self, tmp_path: Path) -> None:
        file = write(tmp_path / "virus.exe", np.zeros(100))

        assert open_audio(file)[0] == RATE


class TestResampling:
    def blocks(self, audio: np.ndarray, size: int) -> Iterator[np.ndarray]:
        yield from (audio[at : at + size] for at in range(0, len(audio), size))

    def whole(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.empty(0, np.float32), *blocks])

    def test_at_the_right_rate_nothing_is_touched(self) -> None:
        audio = np.arange(100, dtype=np.float32)

        np.testing.assert_array_equal(self.whole(resampled(RATE, self.blocks(audio, 7))), audio)

    @pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 192_000])
    def test_a_second_stays_a_second_whatever_the_blocks(self, rate: int) -> None:
        audio = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)

        once = self.whole(resampled(rate, self.blocks(audio, rate)))
        in_pieces = self.whole(resampled(rate, self.blocks(audio, 999)))

        assert len(once) == pytest.approx(RATE, abs=2)
        np.testing.assert_allclose(once, in_pieces, atol=1e-5)


def test_each_word_of_the_program_is_put_in_words_of_its_own() -> None:
    words = ["not_audio", "empty", "too_long", "bad_rate", "bad_channels", "not_finite"]
    source = Path(decoder_process.__file__).read_text()

    assert all(f'"{word}"' in source for word in words)
    assert len({decoding._reason(word) for word in words}) == len(words)
    assert decoding._reason("something else") == decoding._reason("not_audio")
