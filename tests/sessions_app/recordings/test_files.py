from __future__ import annotations

import errno
import io
import os
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sessions_app.recordings import files
from sessions_app.recordings.files import Journal, to_float32, to_int16

pytestmark = pytest.mark.usefixtures("media")


def ramp(start: int, end: int) -> np.ndarray:
    return (np.arange(start, end) % 32768).astype(np.int16)


def write(start: int, end: int, session: int = 1) -> None:
    journal = Journal(session)
    journal.write(start, ramp(start, end) / np.float32(32768))
    journal.sync()
    journal.close()


class TestJournal:
    def test_a_sample_lies_at_its_position(self) -> None:
        write(0, 100)
        write(100, 300)
        np.testing.assert_array_equal(files.read(1, 50, 150), ramp(50, 150))
        assert files.length(1) == 300

    def test_writing_again_changes_nothing(self) -> None:
        write(0, 300)
        write(100, 200)
        np.testing.assert_array_equal(files.read(1, 0, 300), ramp(0, 300))
        assert files.length(1) == 300

    def test_reading_beyond_the_end_gives_what_there_is(self) -> None:
        write(0, 100)
        assert len(files.read(1, 90, 200)) == 10
        assert len(files.read(1, 200, 300)) == 0

    @given(st.lists(st.integers(0, 9000), max_size=12))
    def test_the_pieces_in_which_audio_comes_make_no_difference(self, lengths: list[int]) -> None:
        files.delete(1)
        journal, position = Journal(1), 0
        for length in lengths:
            journal.write(position, ramp(position, position + length) / np.float32(32768))
            position += length
        journal.sync()
        np.testing.assert_array_equal(files.read(1, 0, position + 1), ramp(0, position))
        journal.close()

    def test_a_second_of_audio_does_not_wait_for_the_next(self) -> None:
        journal = Journal(1)
        journal.write(0, ramp(0, 16_000) / np.float32(32768))
        assert files.length(1) == 16_000
        journal.close()

    def test_pieces_may_lie_apart(self) -> None:
        journal = Journal(1)
        for start in (300, 100, 0, 200):
            journal.write(start, ramp(start, start + 100) / np.float32(32768))
        journal.close()
        np.testing.assert_array_equal(files.read(1, 0, 400), ramp(0, 400))

    def test_what_a_full_disk_refused_may_be_written_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        refusals = iter(range(3))

        def full(*arguments: Any, write: Any = os.pwrite) -> int:
            if next(refusals, None) is not None:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(write(*arguments))

        monkeypatch.setattr(os, "pwrite", full)
        journal = Journal(1)
        audio = ramp(0, 20_000) / np.float32(32768)
        for position in range(0, 20_000, 4000):
            while True:
                try:
                    journal.write(position, audio[position : position + 4000])
                except OSError:
                    continue
                break
        journal.sync()
        np.testing.assert_array_equal(files.read(1, 0, 20_000), ramp(0, 20_000))
        journal.close()

    def test_what_it_refuses_to_the_end_is_given_up_with_the_journal(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*arguments: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        journal = Journal(1)
        journal.write(0, ramp(0, 100) / np.float32(32768))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            journal.sync()
        journal.close()
        assert files.length(1) == 0

    def test_a_session_without_a_recording_is_silent(self) -> None:
        assert files.length(7) == 0
        assert len(files.read(7, 0, 100)) == 0

    def test_a_journal_is_not_for_everyones_eyes(self, media: Path) -> None:
        write(0, 1)
        made = list((media / "recordings").iterdir())
        assert made and not any(path.stat().st_mode & 0o007 for path in made)


class TestFlac:
    def test_has_every_sample_and_replaces_the_journal(self) -> None:
        write(0, 5000)
        files.encode_flac(1)
        audio, rate = soundfile.read(io.BytesIO(taken_away(1)), dtype="int16")
        np.testing.assert_array_equal(audio, ramp(0, 5000))
        assert rate == 16_000
        assert not files.journals()

    def test_reads_as_the_journal_did(self) -> None:
        write(0, 5000)
        files.encode_flac(1)
        np.testing.assert_array_equal(files.read(1, 1234, 2345), ramp(1234, 2345))
        assert len(files.read(1, 4990, 6000)) == 10
        assert files.length(1) == 5000

    def test_ends_where_its_session_ended(self) -> None:
        write(0, 5000)
        files.encode_flac(1, end=4000)
        assert files.length(1) == 4000
        assert not files.journals()

    def test_is_not_made_longer_than_what_there_is(self) -> None:
        write(0, 5000)
        files.encode_flac(1, end=6000)
        assert files.length(1) == 5000

    @pytest.mark.parametrize("is_encrypted", [False, True])
    def test_that_the_disk_does_not_take_leaves_the_journal_and_nothing_half_done(
        self, media: Path, settings: Any, capfd: pytest.CaptureFixture[str], is_encrypted: bool
    ) -> None:
        settings.ENCRYPT_RECORDINGS = is_encrypted
        write(0, 500_000)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                files.encode_flac(1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, ignored)
        assert capfd.readouterr().err == ""
        assert files.journals() == [1]
        assert not list((media / "recordings").glob("*unfinished*"))
        files.encode_flac(1)
        assert files.length(1) == 500_000

    def test_making_it_twice_is_no_harm(self) -> None:
        write(0, 100)
        assert files.encode_flac(1) == files.encode_flac(1)

    def test_one_that_was_interrupted_is_made_anew(self) -> None:
        write(0, 100)
        files.flac_path(1).with_suffix(".unfinished").write_bytes(b"half")
        files.encode_flac(1)
        assert files.length(1) == 100

    def test_no_audio_makes_no_file(self) -> None:
        assert files.encode_flac(1) is None
        write(0, 0)
        assert files.encode_flac(1) is None
        assert not files.journals()

    def test_is_taken_away_in_any_parts(self) -> None:
        write(0, 5000)
        files.encode_flac(1)
        whole = taken_away(1)
        assert whole.startswith(b"fLaC")
        assert files.read_flac(1, 0, 7) + files.read_flac(1, 7, 3000) == whole[:3000]
        assert files.read_flac(1, len(whole) - 5, len(whole) + 5) == whole[-5:]

    def test_none_is_taken_away_of_a_meeting_that_goes_on(self) -> None:
        write(0, 5000)
        assert (files.flac_bytes(1), files.read_flac(1, 0, 10)) == (0, b"")


def taken_away(session: int) -> bytes:
    return files.read_flac(session, 0, files.flac_bytes(session))


def test_deleting_leaves_nothing(media: Path) -> None:
    write(0, 100, session=1)
    write(0, 100, session=2)
    files.encode_flac(2)
    files.delete(1)
    files.delete(2)
    assert not [path for path in media.rglob("*") if path.is_file()]


@given(arrays(np.int16, st.integers(0, 100)))
def test_audio_that_was_16_bits_comes_back_exactly(audio: np.ndarray) -> None:
    np.testing.assert_array_equal(to_int16(audio / np.float32(32768)), audio)


def test_what_is_kept_is_heard_as_it_was_sent() -> None:
    kept = np.array([-32768, -1, 0, 1, 32767], "<i2")
    heard = to_float32(kept)
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard * 32768, kept)
    np.testing.assert_array_equal(to_int16(heard), kept)


def test_full_scale_does_not_wrap_around() -> None:
    np.testing.assert_array_equal(to_int16(np.array([1.0, -1.0], np.float32)), [32767, -32768])


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("7.pcm", 7),
        ("7.flac", 7),
        ("007.peaks", 7),
        ("7.unfinished-123", 7),
        ("7.key", 7),
        ("7.pcm-sealed", 7),
        ("7.key.unfinished-abc", 7),
        ("notes.pcm", None),
        ("²", None),
        ("٣.pcm", None),
        ("-1.pcm", None),
        ("1" * 19 + ".pcm", None),
        (".pcm", None),
    ],
)
def test_a_file_says_whose_it_is_or_is_nobodys(name: str, session: int | None) -> None:
    assert files.session_of(Path("folder") / name) == session


def test_another_file_beside_the_recordings_stops_no_worker(media: Path) -> None:
    """It is asked at every start which recordings were left open."""
    files.Journal(7).close()
    for name in ("notes.pcm", "²²².pcm"):
        (media / "recordings" / name).write_bytes(b"mine")

    assert files.journals() == [7]


@pytest.mark.parametrize("looks_up", ["_read_journal", "_journal_length"])
def test_a_recording_is_whole_at_the_moment_at_which_it_is_encoded(
    looks_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(0, 16_000)
    look_up = getattr(files, looks_up)

    def encode_before(session: int, *span: int) -> Any:
        monkeypatch.setattr(files, looks_up, look_up)
        assert files.encode_flac(session)
        return look_up(session, *span)

    monkeypatch.setattr(files, looks_up, encode_before)
    found = len(files.read(1, 0, 16_000)) if looks_up == "_read_journal" else files.length(1)
    assert found == 16_000
