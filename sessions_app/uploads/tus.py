"""tus 1.0, the protocol of uploads that go on where they were cut off: its headers, and its refusals. Pure.

Core, creation and termination, see https://tus.io/protocols/resumable-upload.html. The libraries for servers
that there are bring another framework along, or are not looked after; this is all that is needed of it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minutes.languages import LANGUAGES
from recognition.hotwords import Hotword
from sessions_app.exceptions import SessionsError
from sessions_app.wire import languages
from sessions_app.wire.hotword_lists import BadHotwords, checked
from sessions_app.wire.untrusted import one_line

VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"

MAX_NAME = 200
MAX_TITLE = 200
MAX_EXPECTED = 200

NUMBER = re.compile(r"[0-9]{1,18}")


class UploadError(SessionsError):
    """A refusal of a file, or of a piece of one.

    Args:
        status: Of the answer by HTTP.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Announcement:
    """A file that somebody wants to send."""

    size: int
    name: str
    title: str = ""
    models: str = ""
    session_key: str = ""
    continues: str = ""
    """What shows the right to go on with another session."""

    expected: tuple[str, ...] = field(default=())
    hotwords: tuple[Hotword, ...] = ()
    script: str = ""
    language: str = ""
    itn: bool | None = None
    translate: str = ""
    """The language into which its lines are translated; empty for none."""

    changed_at: dt.datetime | None = None
    """When the file was last changed where it comes from."""


def check_version(headers: Mapping[str, str]) -> None:
    """Refuse another version. Raises `UploadError`."""
    version = headers.get("tus-resumable", "")
    if version != VERSION:
        raise UploadError(412, f"Tus-Resumable: {version[:20]!r} is not spoken here: send {VERSION}")


def parse_creation(headers: Mapping[str, str]) -> Announcement:
    """Understand the request for a new upload.

    Args:
        headers: Names in lower case.

    Raises:
        UploadError: If its length or its metadata make no sense.
    """
    size = _number(headers, "upload-length")
    if not size:
        raise UploadError(400, "the file is empty")
    words = _metadata(headers.get("upload-metadata", ""))
    name = one_line(words.get("filename", words.get("name", "")))[:MAX_NAME]
    expected = [each for each in words.get("expected", "").split(",") if each]
    if len(expected) > MAX_EXPECTED:
        raise UploadError(400, f"at most {MAX_EXPECTED} speakers can be expected")
    return Announcement(
        size=size,
        name=name or "recording",
        title=one_line(words.get("title", ""))[:MAX_TITLE],
        models=words.get("models", ""),
        session_key=words.get("key", ""),
        continues=words.get("continues", ""),
        expected=tuple(expected),
        **_wishes(words),
        changed_at=_moment(words.get("lastModified", "")),
    )


def _wishes(words: Mapping[str, str]) -> dict[str, Any]:
    """Return hotwords, script, language and the like. Raises `UploadError`."""
    language = words.get("language", "")
    try:
        return {
            "hotwords": checked(words.get("hotwords", "")),
            "script": languages.checked_script(words.get("script", ""), language),
            "language": languages.checked(language),
            "itn": _flag(words, "itn"),
            "translate": _translate(words),
        }
    except BadHotwords as error:
        raise UploadError(400, f"hotwords: {error}") from None
    except (languages.BadLanguage, languages.BadScript) as error:
        raise UploadError(400, str(error)) from None


def _flag(words: Mapping[str, str], name: str) -> bool | None:
    value = words.get(name, "")
    if value not in ("", "0", "1"):
        raise UploadError(400, f"{name}={value[:40]!r} is neither 0 nor 1")
    return value == "1" if value else None


def _translate(words: Mapping[str, str]) -> str:
    language = words.get("translate", "")
    if language not in ("", *LANGUAGES):
        raise UploadError(400, f"translate={language[:40]!r} is none of {', '.join(LANGUAGES)}")
    return language


def parse_piece(headers: Mapping[str, str]) -> int:
    """Return the place of the piece that is sent. Raises `UploadError`."""
    kind = headers.get("content-type", "")
    if kind != PIECE_TYPE:
        raise UploadError(415, f"Content-Type is {kind[:60]!r}: send {PIECE_TYPE}")
    return _number(headers, "upload-offset")


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not NUMBER.fullmatch(text):
        raise UploadError(400, f"{name.title()}: {text[:30]!r} is no number of bytes")
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """Read keys and values, the latter in base64."""
    words: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            words[key] = base64.b64decode(value, validate=True).decode().replace("\0", "")
        except (binascii.Error, UnicodeDecodeError):
            raise UploadError(400, f"Upload-Metadata: {key[:30]!r} is not UTF-8 in base64") from None
    return words


def _moment(ms: str) -> dt.datetime | None:
    """Read milliseconds since 1970; what makes no sense is not known."""
    try:
        return dt.datetime.fromtimestamp(int(ms) / 1000, dt.UTC) if NUMBER.fullmatch(ms) else None
    except (ValueError, OverflowError, OSError):
        return None
