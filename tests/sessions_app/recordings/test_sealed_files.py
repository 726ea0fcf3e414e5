"""Sealed files: written as encoders write, read anywhere; what was changed or cut off is noticed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from sessions_app.recordings import chunks, sealed_files
from sessions_app.recordings.chunks import Damaged, Layout
from sessions_app.recordings.sealed_files import SealedReader, SealedWriter

KEY = b"k" * 32
CONTENT = bytes(range(256)) * 4


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_files, "LAYOUT", Layout(100))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sealed"


def write(path: Path, content: bytes = CONTENT) -> None:
    with SealedWriter(path, KEY) as writer:
        writer.write(content)


def read(path: Path, key: bytes = KEY) -> bytes:
    with SealedReader(path, key) as reader:
        return reader.read()


def chunk(path: Path, number: int) -> slice:
    layout = sealed_files.LAYOUT
    return slice(layout.offset(number), layout.offset(number + 1))


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 200, 1024])
def test_what_was_written_is_read(path: Path, length: int) -> None:
    write(path, CONTENT[:length])
    assert read(path) == CONTENT[:length]
    with SealedReader(path, KEY) as reader:
        assert reader.length == length == reader.seek(0, io.SEEK_END)


@pytest.mark.parametrize(("start", "end"), [(0, 5), (98, 102), (100, 200), (1020, 2000), (5000, 6000)])
def test_any_part_is_read_without_the_rest(path: Path, start: int, end: int) -> None:
    write(path)
    with SealedReader(path, KEY) as reader:
        reader.seek(start)
        assert io.BufferedReader(reader).read(end - start) == CONTENT[start:end]


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=250)), max_size=8))
def test_it_may_be_written_here_and_there(path: Path, writes: list[tuple[float, bytes]]) -> None:
    expected = io.BytesIO()
    with SealedWriter(path, KEY) as writer:
        for share, data in writes:
            at = int(share * len(expected.getvalue()))
            for target in (expected, writer):
                target.seek(at)
                target.write(data)
            assert writer.tell() == at + len(data)
    assert read(path) == expected.getvalue()


def test_a_place_behind_the_end_is_no_place_to_write(path: Path) -> None:
    with SealedWriter(path, KEY) as writer, pytest.raises(ValueError, match="5 lies outside"):
        writer.seek(5)
    assert read(path) == b""


def test_two_files_of_the_same_are_not_the_same(path: Path, tmp_path: Path) -> None:
    write(path)
    write(tmp_path / "again")
    assert (
        path.read_bytes()[chunks.HEADER_BYTES :] != (tmp_path / "again").read_bytes()[chunks.HEADER_BYTES :]
    )


def test_another_key_opens_nothing(path: Path) -> None:
    write(path)
    with pytest.raises(Damaged):
        SealedReader(path, b"other" + KEY[5:])


def test_without_a_file_there_is_nothing_to_read(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SealedReader(path, KEY)


class TestWrong:
    @pytest.mark.parametrize("kept", [0, 5, 25, 30, 25 + 128 * 3, 25 + 128 * 3 + 60, -1])
    def test_one_that_was_cut_off_is_noticed_at_once(self, path: Path, kept: int) -> None:
        write(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(Damaged):
            SealedReader(path, KEY)

    def test_chunks_that_changed_places_are_noticed(self, path: Path) -> None:
        write(path)
        content = path.read_bytes()
        swapped = bytearray(content)
        swapped[chunk(path, 1)], swapped[chunk(path, 2)] = content[chunk(path, 2)], content[chunk(path, 1)]
        path.write_bytes(swapped)
        with SealedReader(path, KEY) as reader:
            assert reader.read(100) == CONTENT[:100]
            with pytest.raises(Damaged, match="chunk 1"):
                reader.read(100)

    def test_a_chunk_that_was_left_out_is_noticed(self, path: Path) -> None:
        write(path)
        content = bytearray(path.read_bytes())
        del content[chunk(path, 4)]
        path.write_bytes(content)
        with pytest.raises(Damaged):
            SealedReader(path, KEY)

    def test_the_same_part_of_another_file_of_the_session_is_noticed(
        self, path: Path, tmp_path: Path
    ) -> None:
        write(path)
        write(other := tmp_path / "other")
        content = bytearray(path.read_bytes())
        content[chunk(path, 0)] = other.read_bytes()[chunk(path, 0)]
        path.write_bytes(content)
        with pytest.raises(Damaged, match="chunk 0"):
            read(path)

    def test_one_that_an_error_left_half_done_is_not_taken_for_whole(self, path: Path) -> None:
        def fail() -> None:
            with SealedWriter(path, KEY) as writer:
                writer.write(CONTENT[:350])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        with pytest.raises(Damaged):
            SealedReader(path, KEY)
