"""Files as workers read them: every kind with sound in it, from any place, and none that is a trap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recognition.audio import SAMPLE_RATE
from sessions_app.uploads import file_log
from sessions_app.uploads.file_log import FileLog, Unreadable, read_facts

DAY = 24 * 3600 * SAMPLE_RATE


def tone(seconds: float) -> np.ndarray:
    """A ramp, so that each place sounds differently; exact in 16 bits."""
    count = round(seconds * SAMPLE_RATE)
    return ((np.arange(count) % 20_000) / 32_768).astype(np.float32)


def wav(path: Path, audio: np.ndarray) -> Path:
    soundfile.write(path, audio, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return path


def video(path: Path, codec: str, *, seconds: float = 2.0, **words: str) -> Path:
    """A film of one colour with a sound track."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        container.metadata.update(words)
        picture = container.add_stream("mpeg4", rate=5)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, round(48_000 * seconds)), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(sound.format, "stereo", 48_000, frame_size=sound.frame_size or 1024)
        for number in range(round(5 * seconds)):
            still = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            container.mux(picture.encode(still))
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
        container.mux(picture.encode(None))
    return path


async def read_all(log: FileLog, position: int = 0) -> np.ndarray:
    pieces: list[bytes] = []
    try:
        while True:
            chunk = await log.read(1, position, timeout_s=30)
            assert chunk.start == position
            pieces.append(chunk.audio)
            position = chunk.end
            if chunk.is_end:
                return np.frombuffer(b"".join(pieces), "<f4")
    finally:
        await log.aclose()


async def test_every_sample_comes_once_and_in_order(tmp_path: Path) -> None:
    audio = tone(3.3)
    log = FileLog(wav(tmp_path / "file", audio), max_samples=DAY)
    np.testing.assert_array_equal(await read_all(log), audio)
    assert not log.fault


@pytest.mark.parametrize("position", [1, 16_000, 40_000, 52_800])
async def test_whoever_goes_on_hears_what_follows(tmp_path: Path, position: int) -> None:
    audio = tone(3.3)
    log = FileLog(wav(tmp_path / "file", audio), max_samples=DAY)
    np.testing.assert_array_equal(await read_all(log, position), audio[position:])
    assert not log.fault


async def test_going_back_reads_anew(tmp_path: Path) -> None:
    audio = tone(2.5)
    log = FileLog(wav(tmp_path / "file", audio), max_samples=DAY)
    assert (await log.read(1, 0, timeout_s=30)).end == SAMPLE_RATE
    np.testing.assert_array_equal(await read_all(log, 100), audio[100:])


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.avi", "mp3"), ("a.ts", "aac")]
)
async def test_the_sound_track_of_a_video_is_taken(tmp_path: Path, name: str, codec: str) -> None:
    file = video(tmp_path / name, codec)
    facts = await read_facts(file)
    assert facts.samples == pytest.approx(2 * SAMPLE_RATE, rel=0.2)
    heard = await read_all(FileLog(file, max_samples=DAY))
    assert len(heard) == pytest.approx(2 * SAMPLE_RATE, rel=0.1)


async def test_a_video_knows_when_it_was_made(tmp_path: Path) -> None:
    file = video(tmp_path / "a.mp4", "aac", creation_time="2026-11-30T09:00:00.000000Z")
    assert (await read_facts(file)).recorded_at.startswith("2026-11-30T09:00:00")


async def test_the_length_of_a_plain_recording_is_known(tmp_path: Path) -> None:
    assert (await read_facts(wav(tmp_path / "file", tone(1.25)))).samples == 20_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no sound at all", "not_audio"),
        (b"", "not_audio"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "not_audio"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_audio"),
        (b"\x00" * 5000, "not_audio"),
    ],
)
async def test_what_is_no_recording_is_refused_in_a_word(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(Unreadable) as refused:
        await read_facts(file)
    assert refused.value.reason == reason


async def test_a_recording_without_a_sample_is_empty(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="empty"):
        await read_facts(wav(tmp_path / "file", tone(0)))


async def test_a_film_without_sound_is_no_recording(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    file = tmp_path / "a.mp4"
    with av.open(str(file), "w") as container:
        picture = container.add_stream("mpeg4", rate=5)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        still = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(picture.encode(still))
        container.mux(picture.encode(None))
    with pytest.raises(Unreadable, match="not_audio"):
        await read_facts(file)


async def test_a_file_that_breaks_off_ends_there_and_says_so(tmp_path: Path) -> None:
    audio = tone(2.0)
    audio[30_000] = np.nan
    soundfile.write(tmp_path / "file", audio, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    log = FileLog(tmp_path / "file", max_samples=DAY)
    assert len(await read_all(log)) < 32_000
    assert log.fault == "not_finite"


async def test_no_meeting_is_longer_than_it_may_be(tmp_path: Path) -> None:
    log = FileLog(wav(tmp_path / "file", tone(3.0)), max_samples=2 * SAMPLE_RATE)
    assert len(await read_all(log)) == 2 * SAMPLE_RATE
    assert log.fault == "too_long"


async def test_without_a_file_the_audio_is_over(tmp_path: Path) -> None:
    log = FileLog(None, max_samples=DAY)
    assert len(await read_all(log, 500)) == 0
    assert not log.fault


async def test_a_decoder_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(file_log, "PROGRAM", program)
    monkeypatch.setattr(file_log, "STALLED_S", 0.05)
    log = FileLog(wav(tmp_path / "file", tone(1.0)), max_samples=DAY)
    first = await log.read(1, 0, timeout_s=0.01)
    assert not first.audio
    assert not first.is_end
    second = await log.read(1, 0, timeout_s=0.1)
    await log.aclose()
    assert second.is_end
    assert log.fault == "stalled"


async def test_nobody_waits_for_a_decoder_that_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(file_log, "PROGRAM", program)
    monkeypatch.setattr(file_log, "FACTS_S", 0.05)
    with pytest.raises(Unreadable, match="stalled"):
        await read_facts(tmp_path / "file")


async def test_a_decoder_that_is_killed_was_in_a_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import os; os.kill(os.getpid(), 9)")
    monkeypatch.setattr(file_log, "PROGRAM", program)
    with pytest.raises(Unreadable, match="trap"):
        await read_facts(tmp_path / "file")
