"""Sealed logs: they only grow, several may write, and a crash costs what was being written and no more."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from sessions_app.recordings import chunks, keys, sealed_logs
from sessions_app.recordings.chunks import Damaged
from sessions_app.recordings.sealed_logs import SealedLog

SESSION = 7


@pytest.fixture
def path(encrypted: Path) -> Path:
    keys.path(SESSION).parent.mkdir(parents=True)
    return keys.path(SESSION).with_suffix(".pcm-sealed")


@pytest.fixture
def log(path: Path) -> Iterator[SealedLog]:
    log = SealedLog(path, SESSION)
    yield log
    log.close()


def read(path: Path, start: int = 0, end: int = 10_000) -> bytes:
    return sealed_logs.read(path, SESSION, start, end)


def again(path: Path, data: bytes, at: int) -> None:
    log = SealedLog(path, SESSION)
    log.write(data, at)
    log.close()


def space(data: bytes) -> int:
    return chunks.RECORD_BYTES + len(data) + chunks.OVERHEAD


def test_what_was_written_is_read_at_once(log: SealedLog, path: Path) -> None:
    log.write(b"eins", 0)
    assert read(path) == b"eins"
    log.write(b"zwei", 4)
    assert read(path) == b"einszwei"
    assert read(path, 2, 6) == b"nszw"
    assert sealed_logs.length(path) == 8


def test_nothing_of_it_can_be_seen(log: SealedLog, path: Path) -> None:
    log.write(b"what was said", 0)
    assert b"said" not in path.read_bytes()


def test_nothing_is_made_before_something_is_written(log: SealedLog, path: Path) -> None:
    log.sync()
    assert path.read_bytes() == b""
    assert not keys.has_one(SESSION)
    assert (sealed_logs.length(path), read(path)) == (0, b"")


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=30), st.booleans()), max_size=8),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_whoever_writes_wherever_the_last_counts(
    path: Path, writes: list[tuple[int, bytes, bool]], start: int, end: int
) -> None:
    path.unlink(missing_ok=True)
    expected = bytearray()
    logs = [SealedLog(path, SESSION), SealedLog(path, SESSION)]
    for at, data, by_other in writes:
        expected.extend(bytes(max(0, at + len(data) - len(expected))))
        expected[at : at + len(data)] = data
        logs[by_other].write(data, at)
    for log in logs:
        log.close()
    assert read(path) == bytes(expected)
    assert read(path, start, end) == bytes(expected[start:end])


def test_a_file_in_the_place_of_another_is_not_taken_for_it(path: Path) -> None:
    again(path, b"before", 0)
    assert read(path) == b"before"
    content = path.read_bytes()
    path.write_bytes(b"")
    again(path, b"behind", 0)
    assert (read(path), len(content)) == (b"behind", path.stat().st_size)


class TestCrash:
    @pytest.mark.parametrize("kept", [0, 1, 11, 12, 20, 43])
    def test_in_the_middle_of_a_write_costs_that_one_alone(self, path: Path, kept: int) -> None:
        again(path, b"kept", 0)
        whole = path.stat().st_size
        again(path, b"half", 4)
        os.truncate(path, whole + kept)
        assert read(path) == b"kept"
        again(path, b"anew", 4)
        assert read(path) == b"keptanew"

    @pytest.mark.parametrize("lost", [b"half", b"half and more"])
    def test_of_the_machine_may_leave_zeros(self, path: Path, lost: bytes) -> None:
        again(path, b"kept", 0)
        whole = path.stat().st_size
        os.truncate(path, whole + space(lost))
        assert read(path) == b"kept"
        again(path, b"anew", 4)
        assert read(path) == b"keptanew"
        assert path.stat().st_size == whole + space(b"anew")

    def test_of_the_machine_may_leave_a_record_whose_bytes_never_came(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        again(path, b"kept", 0)
        again(path, b"half", 4)
        with path.open("r+b") as file:
            file.seek(-10, os.SEEK_END)
            file.write(bytes(10))
        again(path, b"anew", 4)
        assert read(path) == b"keptanew"
        assert "7.pcm-sealed: its last record is torn" in caplog.text

    @pytest.mark.parametrize("length", [1, 10, chunks.HEADER_BYTES - 1])
    def test_at_the_very_beginning(self, path: Path, length: int) -> None:
        path.write_bytes(chunks.header(bytes(16))[:length])
        assert (sealed_logs.length(path), read(path)) == (0, b"")
        again(path, b"anew", 0)
        assert read(path) == b"anew"


class TestFullDisk:
    @pytest.mark.parametrize("taken", [0, 5, 30])
    def test_what_was_refused_is_written_again(
        self, log: SealedLog, path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
    ) -> None:
        log.write(b"kept", 0)
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", _takes(taken))
            with pytest.raises(OSError, match="No space"):
                log.write(b"refused", 4)
            assert read(path) == b"kept"
        log.write(b"taken", 4)
        log.write(b"!", 9)
        assert read(path) == b"kepttaken!"


class TestWrong:
    def test_another_key_opens_nothing(self, path: Path) -> None:
        again(path, b"eins", 0)
        keys.destroy(SESSION)
        keys.make(SESSION)
        with pytest.raises(Damaged, match="chunk 0"):
            read(path)

    @pytest.mark.parametrize("at", [11, 12, 24, -1], ids=["place", "nonce", "bytes", "tag"])
    def test_what_was_changed_is_noticed(self, path: Path, at: int) -> None:
        again(path, b"eins", 0)
        content = bytearray(path.read_bytes())
        content[chunks.HEADER_BYTES + at if at > 0 else at] ^= 1
        path.write_bytes(content)
        with pytest.raises(Damaged):
            read(path)

    def test_records_that_changed_places_are_noticed(self, path: Path) -> None:
        again(path, b"eins", 0)
        again(path, b"zwei", 4)
        content = path.read_bytes()
        first = content[chunks.HEADER_BYTES : chunks.HEADER_BYTES + space(b"eins")]
        second = content[chunks.HEADER_BYTES + len(first) :]
        path.write_bytes(content[: chunks.HEADER_BYTES] + second + first)
        with pytest.raises(Damaged):
            read(path)

    def test_a_record_that_was_left_out_is_noticed(self, path: Path) -> None:
        for at in (0, 4, 8):
            again(path, b"word", at)
        content = bytearray(path.read_bytes())
        del content[chunks.HEADER_BYTES + space(b"word") : chunks.HEADER_BYTES + 2 * space(b"word")]
        path.write_bytes(content)
        with pytest.raises(Damaged, match="chunk 1"):
            read(path)

    def test_what_is_well_before_it_is_read(self, path: Path) -> None:
        again(path, b"eins", 0)
        again(path, b"zwei", 4)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        assert read(path, 0, 4) == b"eins"


def test_only_so_many_are_known_by_heart(encrypted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_logs, "MAX_KNOWN", 2)
    keys.path(1).parent.mkdir(parents=True)
    for session in (1, 2, 3):
        log = SealedLog(keys.path(session).with_suffix(".pcm-sealed"), session)
        log.write(b"eins", 0)
        log.close()
    for session in (1, 2, 3, 1):
        assert sealed_logs.length(keys.path(session).with_suffix(".pcm-sealed")) == 4
    assert len(sealed_logs._known) == 2


def _takes(taken: int) -> Any:
    """A write that takes so many bytes and no more."""
    pwrite, left = os.pwrite, [taken]

    def limited(file: int, data: bytes, at: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = pwrite(file, data[: left[0]], at)
        left[0] -= written
        return written

    return limited
