"""A company's own logo at the head of its transcripts."""

from __future__ import annotations

import base64
import io
import logging
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import docx
import pytest
from pytest_django import Settings

from sessions_app.transcripts import exports, letterhead
from sessions_app.transcripts.letterhead import BadLogo, read_logo

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'


def png(width: int = 4, height: int = 2) -> bytes:
    """A picture of one colour."""
    rows = zlib.compress((b"\0" + b"\x20\x80\x60" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def written(folder: Path, content: bytes, name: str = "logo") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (png(), "image/png"),
        (SVG, "image/svg+xml"),
        (b'<?xml version="1.0"?>\n' + SVG, "image/svg+xml"),
        (b"  <!-- ours -->" + SVG, "image/svg+xml"),
    ],
)
def test_a_picture_is_known_by_its_content(tmp_path: Path, content: bytes, media_type: str) -> None:
    logo = read_logo(written(tmp_path, content, "logo.bin"))
    assert (logo.media_type, logo.content) == (media_type, content)


def test_its_address_is_the_picture_itself(tmp_path: Path) -> None:
    kind, _, content = read_logo(written(tmp_path, SVG)).address.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content) == SVG


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "neither PNG nor JPEG nor SVG"),
        (b"", "neither PNG nor JPEG nor SVG"),
        (b"<html><svg></svg></html>", "neither PNG nor JPEG nor SVG"),
        (b'<?xml version="1.0"?><rss/>', "neither PNG nor JPEG nor SVG"),
        (png()[:12], "is damaged"),
        (b"\xff\xd8\xff", "is damaged"),
        (SVG + b" " * letterhead.MAX_LOGO_BYTES, "may have 524288"),
    ],
)
def test_what_is_no_picture_is_said_to_be_none(tmp_path: Path, content: bytes, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(BadLogo) as error:
        read_logo(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadLogo, match="No such file"):
        read_logo(tmp_path / "gone.png")


def test_without_the_setting_there_is_no_logo(settings: Settings) -> None:
    settings.PAPER_LOGO = ""
    assert letterhead.own_logo() is None


def test_a_logo_that_was_taken_away_is_left_out_and_logged(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PAPER_LOGO = str(tmp_path / "gone.png")
    with caplog.at_level(logging.WARNING):
        assert letterhead.own_logo() is None
    assert "ASR_PAPER_LOGO" in caplog.text


class TestWord:
    def pictures(self) -> list[tuple[int, int]]:
        """The pictures of a transcript for Word: height in mm, and width for each mm of it."""
        empty = exports.Export("t", "k", datetime(2026, 11, 30, tzinfo=UTC), 0.0, [], {})
        document = docx.Document(io.BytesIO(exports.as_docx(empty)))
        return [
            (round(shape.height.mm), round(shape.width / shape.height)) for shape in document.inline_shapes
        ]

    def test_has_the_logo_at_its_head_in_its_proportions(self, settings: Settings, tmp_path: Path) -> None:
        settings.PAPER_LOGO = str(written(tmp_path, png(width=40, height=20)))
        assert self.pictures() == [(14, 2)]

    @pytest.mark.parametrize("content", [SVG, b"nonsense"])
    def test_goes_without_one_that_it_cannot_have(
        self, settings: Settings, tmp_path: Path, content: bytes
    ) -> None:
        settings.PAPER_LOGO = str(written(tmp_path, content))
        assert self.pictures() == []
