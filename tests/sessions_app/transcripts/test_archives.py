"""Several files in one ZIP, made while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from sessions_app.transcripts.archives import archive


def opened(pieces: list[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_holds_every_file_under_its_name_also_in_chinese() -> None:
    files = opened(list(archive([("周会.md", "预算".encode()), ("b.txt", b"")])))
    assert files.testzip() is None
    assert {name: files.read(name) for name in files.namelist()} == {"周会.md": "预算".encode(), "b.txt": b""}


def test_two_of_one_name_are_told_apart() -> None:
    files = opened(list(archive([("A.md", b"1"), ("a.md", b"2"), ("A.md", b"3")])))
    assert files.namelist() == ["A.md", "a (2).md", "A (3).md"]


def test_each_file_is_sent_before_the_next_is_made() -> None:
    made: list[str] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for name in ("a", "b"):
            made.append(name)
            yield name, b"x"

    pieces = archive(files())
    assert next(pieces).startswith(b"PK")
    assert made == ["a"]


def test_of_nothing_is_an_empty_one() -> None:
    assert opened(list(archive([]))).namelist() == []
