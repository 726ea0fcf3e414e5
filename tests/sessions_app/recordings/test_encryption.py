"""Recordings with encryption: switched on and off, joined, and never in clear where they should not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from sessions_app.recordings import files, keys, parts, peaks

SOUND = (np.arange(48_000) % 1000 - 500).astype(np.int16)
"""Easily found in a file that has it as it is."""

ONE, OTHER = 1, 2


def write(session: int, sound: np.ndarray = SOUND, at: int = 0) -> None:
    journal = files.Journal(session)
    journal.write(at, sound / np.float32(files.FULL_SCALE))
    journal.close()


def heard(session: int) -> np.ndarray:
    return files.read(session, 0, files.length(session))


def names(media: Path) -> set[str]:
    return {path.name for path in (media / "recordings").iterdir()}


def test_nothing_lies_in_clear_at_any_time(encrypted: Path) -> None:
    write(ONE)
    assert names(encrypted) == {"1.key", "1.pcm-sealed"}
    peaks.read(ONE, has_ended=True)
    files.encode_flac(ONE)
    assert names(encrypted) == {"1.key", "1.flac-sealed", "1.peaks-sealed"}
    for path in encrypted.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"fLaC" not in content
        assert SOUND[:100].tobytes() not in content
    np.testing.assert_array_equal(heard(ONE), SOUND)


class TestSwitchedOn:
    def test_what_was_recorded_before_is_heard_and_stays(self, encrypted: Path, settings: Settings) -> None:
        settings.ENCRYPT_RECORDINGS = False
        write(ONE)
        files.encode_flac(ONE)
        settings.ENCRYPT_RECORDINGS = True
        np.testing.assert_array_equal(heard(ONE), SOUND)
        assert peaks.read(ONE, has_ended=True)
        assert names(encrypted) == {"1.flac", "1.peaks"}

    def test_in_the_middle_of_a_meeting_its_end_is_encrypted(
        self, encrypted: Path, settings: Settings
    ) -> None:
        settings.ENCRYPT_RECORDINGS = False
        write(ONE, SOUND[:20_000])
        settings.ENCRYPT_RECORDINGS = True
        write(ONE, SOUND[20_000:], at=20_000)
        np.testing.assert_array_equal(heard(ONE), SOUND)
        files.encode_flac(ONE)
        np.testing.assert_array_equal(heard(ONE), SOUND)
        assert names(encrypted) == {"1.key", "1.flac-sealed"}

    def test_an_empty_journal_of_before_holds_nothing_up(self, encrypted: Path, settings: Settings) -> None:
        settings.ENCRYPT_RECORDINGS = False
        files.Journal(ONE).close()
        settings.ENCRYPT_RECORDINGS = True
        write(ONE)
        np.testing.assert_array_equal(heard(ONE), SOUND)
        files.encode_flac(ONE)
        assert names(encrypted) == {"1.key", "1.flac-sealed"}


class TestSwitchedOff:
    def test_what_was_encrypted_is_heard_and_stays_so(self, encrypted: Path, settings: Settings) -> None:
        write(ONE, SOUND[:20_000])
        settings.ENCRYPT_RECORDINGS = False
        write(ONE, SOUND[20_000:], at=20_000)
        files.encode_flac(ONE)
        np.testing.assert_array_equal(heard(ONE), SOUND)
        assert names(encrypted) == {"1.key", "1.flac-sealed"}

    def test_a_new_meeting_is_not(self, encrypted: Path, settings: Settings) -> None:
        settings.ENCRYPT_RECORDINGS = False
        write(ONE)
        assert names(encrypted) == {"1.pcm"}


class TestParts:
    @pytest.mark.parametrize("which", [ONE, OTHER])
    def test_what_is_joined_with_an_encrypted_one_is_encrypted(
        self, encrypted: Path, settings: Settings, which: int
    ) -> None:
        for session in (ONE, OTHER):
            settings.ENCRYPT_RECORDINGS = session == which
            write(session)
            files.encode_flac(session)
        settings.ENCRYPT_RECORDINGS = False
        parts.append(ONE, OTHER, 50_000)
        assert names(encrypted) == {"1.key", "1.flac-sealed"}
        np.testing.assert_array_equal(heard(ONE)[:48_000], SOUND)
        np.testing.assert_array_equal(heard(ONE)[50_000:], SOUND)

    def test_the_rest_of_an_encrypted_one_has_a_key_of_its_own(
        self, encrypted: Path, settings: Settings
    ) -> None:
        write(ONE)
        settings.ENCRYPT_RECORDINGS = False
        parts.divide(ONE, OTHER, 20_000)
        assert names(encrypted) == {"1.key", "1.flac-sealed", "2.key", "2.flac-sealed"}
        assert keys.of(ONE) != keys.of(OTHER)
        np.testing.assert_array_equal(np.concatenate([heard(ONE), heard(OTHER)]), SOUND)


class TestDamaged:
    def test_a_journal_stays_for_whoever_can_mend_it(
        self, encrypted: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(ONE)
        path = files.sealed(files.journal_path(ONE))
        content = bytearray(path.read_bytes())
        content[100] ^= 1
        path.write_bytes(content)
        assert files.encode_flac(ONE) is None
        assert "1.pcm-sealed" in names(encrypted)
        assert "the recording of session 1 cannot be read" in caplog.text

    def test_a_crash_while_one_is_encrypted_leaves_no_second_one(
        self, encrypted: Path, settings: Settings
    ) -> None:
        settings.ENCRYPT_RECORDINGS = False
        write(ONE, SOUND[:100])
        files.encode_flac(ONE)
        before = files.flac_path(ONE).read_bytes()
        settings.ENCRYPT_RECORDINGS = True
        files.store(ONE, [SOUND])
        files.flac_path(ONE).write_bytes(before)  # as if it had crashed here
        np.testing.assert_array_equal(heard(ONE), SOUND)
        files.store(ONE, [SOUND])
        assert names(encrypted) == {"1.key", "1.flac-sealed"}
