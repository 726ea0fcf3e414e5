"""Text as strangers send it: made one readable line, or read as a number or as JSON. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from pydantic import ValidationError

_BLANKED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_REMOVED = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]|[\ud800-\udfff]")
"""Controls of the direction of writing: they show the rest of a line or a name in another order."""

BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and symbols that show nothing, though Unicode counts them among those that do."""

MAX_MARKS = 4
"""Combining marks on one character; no language needs more."""


def one_line(text: str) -> str:
    """Return the text as it can stand in a line: of a page, a file, a terminal, or a file's name."""
    return " ".join(_BLANKED.sub(" ", _REMOVED.sub("", text)).split())


def is_plain(text: str) -> bool:
    """Return whether all of the text can be seen, and no character is buried under marks."""
    marks = 0
    for number, character in enumerate(text):
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        if character in BLANK_LETTERS or marks > MAX_MARKS or (is_mark and not number):
            return False
    return True


def whole_number(text: str, *, max_digits: int = 18) -> int | None:
    """Return a number that is written in digits alone; None for any other text, and for more digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= max_digits else None


def json_field(text: str | bytes, name: str) -> Any:
    """Return a field of an object in JSON; None if it is not there, or the text is no such object."""
    try:
        found = read_json(text)
    except ValueError:
        return None
    return found.get(name) if isinstance(found, dict) else None


def first_fault(error: ValidationError) -> str:
    """Return what is wrong first with a request of several kinds, and where."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return f"{place}: {first['msg']}" if place else first["msg"]


def read_json(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: If it is none, or is nested deeper than anybody means it.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
