"""HTTP Range requests (RFC 9110, section 14), as far as media players send them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sessions_app.exceptions import SessionsError

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(SessionsError):
    """A range that lies outside of the content (416)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `end`, the last one not included."""

    start: int
    end: int

    def content_range(self, length: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{length}"


def parse_range(header: str, length: int, *, max_bytes: int) -> ByteRange | None:
    """Return the part of the content that is asked for.

    Args:
        header: Value of `Range`.
        length: Of the whole content, in bytes.
        max_bytes: Never answer with more; clients then ask for the rest when they need it.

    Returns:
        None where the whole content is the right answer: no range, several ranges, or an unknown unit.

    Raises:
        Unsatisfiable: If there is no such part.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, length - int(last)), length
    else:
        start, end = int(first), min(int(last) + 1, length) if last else length
        if last and int(last) < start:
            return None  # malformed, so to be ignored
    if start >= length or (not first and not int(last)):
        raise Unsatisfiable
    return ByteRange(start, min(end, start + max_bytes))
