"""The company's logo at the head of transcripts, on paper and in documents for Word."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from docx.image.exceptions import (
    InvalidImageStreamError,
    UnexpectedEndOfFileError,
    UnrecognizedImageError,
)
from docx.image.image import Image

from sessions_app.exceptions import SessionsError

logger = logging.getLogger(__name__)

MAX_LOGO_BYTES = 512 * 1024
"""More would travel with each transcript."""

PNG, JPEG, SVG = "image/png", "image/jpeg", "image/svg+xml"

WORD_TYPES = {PNG, JPEG}
"""Pictures that a document for Word can have without another form of them beside."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG}

_DAMAGED = (InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError)


class BadLogo(SessionsError):
    """A file that cannot stand at the head of a transcript."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture."""

    media_type: str
    content: bytes

    @property
    def address(self) -> str:
        """Return the picture itself as an address, so that a page that is saved keeps it."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def read_logo(path: Path) -> Logo:
    """Read a picture: PNG, JPEG or SVG, by its content.

    Raises:
        BadLogo: If it cannot be read, is too large, or is no such picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadLogo(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_LOGO_BYTES:
        raise BadLogo(f"{str(path)!r} has {len(content)} bytes, and may have {MAX_LOGO_BYTES}.")
    return Logo(_media_type(content, path), content)


def _media_type(content: bytes, path: Path) -> str:
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            _measure(content, path)
            return media_type
    if content.lstrip().startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in content:
        return SVG
    raise BadLogo(f"{str(path)!r} is neither PNG nor JPEG nor SVG.")


def _measure(content: bytes, path: Path) -> None:
    """Read the size of a picture as documents for Word do."""
    try:
        Image.from_blob(content)
    except _DAMAGED as error:
        raise BadLogo(f"{str(path)!r} is damaged: {error or type(error).__name__}.") from error


def own_logo() -> Logo | None:
    """Return the logo of the settings; None where there is none, or none any more."""
    if not settings.PAPER_LOGO:
        return None
    try:
        return read_logo(Path(settings.PAPER_LOGO))
    except BadLogo as error:
        logger.warning("transcripts go without the logo of ASR_PAPER_LOGO: %s", error)
        return None
