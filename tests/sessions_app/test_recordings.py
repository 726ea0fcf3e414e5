from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sessions_app import recordings
from sessions_app.recordings import Journal, to_int16


@pytest.fixture(autouse=True)
def media(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def ramp(start: int, end: int) -> np.ndarray:
    return np.arange(start, end, dtype=np.int16)


def write(start: int, end: int, session: int = 1) -> None:
    journal = Journal(session)
    journal.write(start, ramp(start, end) / np.float32(32768))
    journal.sync()
    journal.close()


class TestJournal:
    def test_a_sample_lies_at_its_position(self):
        write(0, 100)
        write(100, 300)
        np.testing.assert_array_equal(recordings.read(1, 50, 150), ramp(50, 150))
        assert recordings.length(1) == 300

    def test_writing_again_changes_nothing(self):
        write(0, 300)
        write(100, 200)
        np.testing.assert_array_equal(recordings.read(1, 0, 300), ramp(0, 300))
        assert recordings.length(1) == 300

    def test_reading_beyond_the_end_gives_what_there_is(self):
        write(0, 100)
        assert len(recordings.read(1, 90, 200)) == 10
        assert len(recordings.read(1, 200, 300)) == 0

    def test_a_session_without_a_recording_is_silent(self):
        assert recordings.length(7) == 0
        assert len(recordings.read(7, 0, 100)) == 0

    def test_a_journal_is_not_for_everyones_eyes(self):
        write(0, 1)
        assert recordings.journal_path(1).stat().st_mode & 0o007 == 0


class TestFlac:
    def test_has_every_sample_and_replaces_the_journal(self):
        write(0, 5000)
        flac = recordings.encode_flac(1)
        audio, rate = soundfile.read(flac, dtype="int16")
        np.testing.assert_array_equal(audio, ramp(0, 5000))
        assert rate == 16_000
        assert not recordings.journal_path(1).exists()

    def test_reads_as_the_journal_did(self):
        write(0, 5000)
        recordings.encode_flac(1)
        np.testing.assert_array_equal(recordings.read(1, 1234, 2345), ramp(1234, 2345))
        assert len(recordings.read(1, 4990, 6000)) == 10
        assert recordings.length(1) == 5000

    def test_making_it_twice_is_no_harm(self):
        write(0, 100)
        assert recordings.encode_flac(1) == recordings.encode_flac(1)

    def test_one_that_was_interrupted_is_made_anew(self):
        write(0, 100)
        recordings.flac_path(1).with_suffix(".unfinished").write_bytes(b"half")
        recordings.encode_flac(1)
        assert recordings.length(1) == 100

    def test_no_audio_makes_no_file(self):
        assert recordings.encode_flac(1) is None
        write(0, 0)
        assert recordings.encode_flac(1) is None
        assert not recordings.journal_path(1).exists()


def test_deleting_leaves_nothing(media: Path):
    write(0, 100, session=1)
    write(0, 100, session=2)
    recordings.encode_flac(2)
    recordings.delete(1)
    recordings.delete(2)
    assert not [path for path in media.rglob("*") if path.is_file()]


@given(arrays(np.int16, st.integers(0, 100)))
def test_audio_that_was_16_bits_comes_back_exactly(audio: np.ndarray):
    np.testing.assert_array_equal(to_int16(audio / np.float32(32768)), audio)


def test_full_scale_does_not_wrap_around():
    np.testing.assert_array_equal(to_int16(np.array([1.0, -1.0], np.float32)), [32767, -32768])
