from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from sessions_app.wire.audio_frames import (
    MAX_FRAME_BYTES,
    TINY,
    FrameValidator,
    is_clean,
    other_format,
    pieces,
)
from sessions_app.wire.protocol import ErrorCode, ProtocolError


def speech(seconds: float, *, level: float = 0.1, seed: int = 0) -> np.ndarray:
    """Noise with the loudness contour of speech, float32."""
    rng = np.random.default_rng(seed)
    n = samples(seconds)
    contour = np.abs(np.sin(np.linspace(0, 20 * seconds, n))) + 0.01
    return (level * contour * rng.standard_normal(n)).astype(np.float32)


def fault(validator: FrameValidator, frame: bytes) -> ErrorCode:
    with pytest.raises(ProtocolError) as refused:
        validator.receive(frame)
    return refused.value.code


def trusting() -> FrameValidator:
    """An validator that has heard a second of good audio."""
    validator = FrameValidator()
    validator.receive(speech(1.5).tobytes())
    return validator


class TestClean:
    @given(st.lists(st.integers(0, 2**32 - 1), max_size=4))
    def test_is_what_the_numbers_say_whatever_the_bits(self, bits: list[int]) -> None:
        audio = np.array(bits, np.uint32).view("<f4")
        expected = all(np.isfinite(x) and (x == 0 or TINY <= abs(x) <= 1) for x in audio.tolist())
        assert is_clean(audio) == expected

    @pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -1.0, 0.5, np.float32(TINY), -np.float32(TINY)])
    def test_the_outermost_that_are(self, value: float) -> None:
        assert is_clean(np.array([0.1, value], np.float32))

    @pytest.mark.parametrize(
        "value",
        [
            np.nan,
            -np.nan,
            np.inf,
            -np.inf,
            np.nextafter(np.float32(1), np.float32(2)),
            np.nextafter(np.float32(TINY), np.float32(0)),
            1e-45,
            -1e-45,
        ],
    )
    def test_the_innermost_that_are_not(self, value: float) -> None:
        assert not is_clean(np.array([0.1, value, 0], np.float32))


class TestGoodAudio:
    def test_comes_through_unchanged(self) -> None:
        audio = speech(0.2)
        np.testing.assert_array_equal(FrameValidator().receive(audio.tobytes()), audio)

    def test_an_empty_frame_is_fine(self) -> None:
        assert len(FrameValidator().receive(b"")) == 0

    def test_a_frame_of_one_sample_is_fine(self) -> None:
        validator = FrameValidator()
        for sample in speech(0.1):
            assert validator.receive(sample.tobytes()) == [sample]

    def test_silence_is_fine_for_hours(self) -> None:
        validator = FrameValidator()
        for _ in range(1000):
            validator.receive(bytes(12_800))

    def test_the_largest_frame_is_fine_and_the_next_is_not(self) -> None:
        assert len(trusting().receive(bytes(MAX_FRAME_BYTES))) == MAX_FRAME_BYTES // 4
        assert fault(trusting(), bytes(MAX_FRAME_BYTES + 4)) is ErrorCode.FRAME_TOO_LARGE


class TestRepairs:
    def test_a_single_nan_is_taken_for_silence(self) -> None:
        validator, audio = trusting(), speech(0.2)
        audio[7] = np.nan
        heard = validator.receive(audio.tobytes())
        assert heard[7] == 0
        np.testing.assert_array_equal(heard[8:], audio[8:])
        assert validator.repairs.not_finite == 1

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_many_of_them_are_a_fault(self, bad: float) -> None:
        audio = speech(0.2)
        audio[::50] = bad
        assert fault(trusting(), audio.tobytes()) is ErrorCode.NOT_FINITE

    def test_one_in_each_of_three_frames_is_a_fault(self) -> None:
        validator, audio = trusting(), speech(0.2)
        audio[7] = np.inf
        validator.receive(audio.tobytes())
        validator.receive(audio.tobytes())
        assert fault(validator, audio.tobytes()) is ErrorCode.NOT_FINITE

    def test_what_is_too_loud_is_clipped(self) -> None:
        heard = trusting().receive((speech(0.2) * 20).tobytes())
        assert heard.max() == 1
        assert heard.min() == -1

    def test_numbers_too_small_to_hear_are_silence(self) -> None:
        heard = trusting().receive(np.full(100, 1e-30, np.float32).tobytes())
        assert not heard.any()


class TestPieces:
    @given(st.integers(0, 5 * MAX_FRAME_BYTES // 4))
    @settings(max_examples=20)
    def test_are_all_of_it_in_order_and_none_is_large_or_cut_in_a_sample(self, count: int) -> None:
        audio = np.arange(count, dtype="<f4").tobytes()
        found = list(pieces(audio))
        assert b"".join(found) == audio
        assert all(0 < len(piece) <= MAX_FRAME_BYTES and len(piece) % 4 == 0 for piece in found)
        assert len(found) == -(-len(audio) // MAX_FRAME_BYTES)

    def test_what_is_small_enough_is_left_as_it_is(self) -> None:
        audio = speech(0.2).tobytes()
        assert list(pieces(audio)) == [audio]

    def test_nothing_is_no_piece(self) -> None:
        assert list(pieces(b"")) == []


class TestAlignment:
    @pytest.mark.parametrize("length", [1, 2, 3, 1921])
    def test_part_of_a_sample_is_a_fault_that_names_the_frame(self, length: int) -> None:
        with pytest.raises(ProtocolError, match=f"a frame of {length} bytes") as refused:
            trusting().receive(bytes(length))
        assert refused.value.code is ErrorCode.MISALIGNED
        assert refused.value.param == "frame 2"


def _as_other_formats(audio: np.ndarray) -> dict[str, bytes]:
    int16 = np.round(audio * 32767).astype("<i2")
    return {
        "int16 bytes": int16[: len(int16) // 2 * 2].tobytes(),
        "int16 as float": int16.astype("<f4").tobytes(),
        "big-endian": audio.astype(">f4").tobytes(),
        "float64": audio.astype("<f8").tobytes(),
        "big-endian float64": audio.astype(">f8").tobytes(),
        "int32": (audio.astype(np.float64) * 2147483647).astype("<i4").tobytes(),
        "shifted by a byte": audio.tobytes()[1:-3],
        "shifted by two bytes": audio.tobytes()[2:-2],
    }


FORMATS = list(_as_other_formats(np.zeros(8, np.float32)))


class TestOtherFormats:
    @pytest.mark.parametrize("name", FORMATS)
    def test_is_noticed_in_the_first_frames(self, name: str) -> None:
        data = _as_other_formats(speech(0.4))[name]
        assert fault(FrameValidator(), data[: len(data) // 4 * 4]) is ErrorCode.WRONG_FORMAT

    @pytest.mark.parametrize("name", FORMATS)
    def test_is_noticed_after_silence(self, name: str) -> None:
        validator = FrameValidator()
        validator.receive(bytes(12_800))
        assert fault(validator, _as_other_formats(speech(0.2))[name]) is ErrorCode.WRONG_FORMAT

    def test_the_client_is_told_what_to_send(self) -> None:
        with pytest.raises(ProtocolError, match="looks like 64-bit floats: send 32-bit float samples"):
            FrameValidator().receive(speech(0.2).astype("<f8").tobytes())

    @pytest.mark.parametrize("gain_db", [-60, 0, 6, 20, 40])
    def test_float32_is_not_suspected_however_loud_or_soft(self, gain_db: float) -> None:
        audio = np.clip(speech(2) * 10 ** (gain_db / 20), -1, 1)
        assert other_format(audio) is None

    def test_a_second_of_good_audio_earns_trust(self) -> None:
        validator = trusting()
        validator.receive((speech(0.2) * 20).tobytes())  # a bad gain later is clipped, not refused

    @given(st.binary(max_size=4000))
    def test_whatever_comes_is_refused_or_clean(self, data: bytes) -> None:
        try:
            audio = FrameValidator().receive(data)
        except ProtocolError:
            return
        assert audio.dtype == np.float32
        assert np.isfinite(audio).all()
        assert np.abs(audio).max(initial=0) <= 1
        assert len(audio) == len(data) // 4


@pytest.fixture(scope="module")
def recordings() -> list[np.ndarray]:
    folder = Path(os.environ["ASR_ASSETS"])
    files = [entry["file"] for entry in json.loads((folder / "manifest.json").read_text())]
    flacs = sorted(file for file in files if file.endswith(".flac"))[::4]
    return [_first_seconds(folder / file) for file in flacs]


def _first_seconds(file: Path) -> np.ndarray:
    audio, _ = soundfile.read(file, dtype="float32", frames=64_000, always_2d=True)
    return np.asarray(audio[:, 0])


@pytest.mark.skipif("ASR_ASSETS" not in os.environ, reason="no folder of recordings in ASR_ASSETS")
class TestRecordings:
    """The rule on real voices, feeds and noises: no false alarm, nothing missed."""

    @pytest.mark.parametrize("gain_db", [-40, 0, 6, 20, 40])
    def test_float32_is_never_suspected(self, recordings: list[np.ndarray], gain_db: float) -> None:
        gain = 10 ** (gain_db / 20)
        for audio in recordings:
            for length in (160, 1600, 16_000, len(audio)):
                assert other_format(np.clip(audio[:length] * gain, -1, 1)) is None

    @pytest.mark.parametrize("name", FORMATS)
    def test_other_formats_are_noticed_within_a_second_of_sound(
        self, recordings: list[np.ndarray], name: str
    ) -> None:
        heard = [audio for audio in recordings if np.sqrt(np.mean(audio[:16_000] ** 2)) > 1e-3]
        for audio in heard:
            data = _as_other_formats(audio[:16_000])[name]
            assert other_format(np.frombuffer(data[: len(data) // 4 * 4], "<f4")) is not None
        assert len(heard) > 100
