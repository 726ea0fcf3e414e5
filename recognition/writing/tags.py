"""Tags that wetext puts to the pieces of a text: kinds of numbers, and their places. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TAG = re.compile(r'(\w+) \{((?: \w+: "(?:[^"\\]|\\.)*")*) \}')
_MEMBER = re.compile(r'(\w+): "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")

UNTAGGED = ("char", "word", "whitelist")

_ABOUT = ("preserve_order", "kind")
"""Members that say something about the others, and stand for no text."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A number of some kind, `text[begin:stop]`, with its parts as they were spoken."""

    kind: str
    begin: int
    stop: int
    parts: Mapping[str, str]
    source: str
    """The tag itself, as the second half of wetext takes it."""


def tags(text: str, tagged: str) -> list[Tag]:
    """Return the numbers in a text; none if the tags are not those of this text."""
    found: list[Tag] = []
    at = 0
    for match in _TAG.finditer(tagged):
        members = {name: _ESCAPED.sub(r"\1", value) for name, value in _MEMBER.findall(match[2])}
        parts = {name: value for name, value in members.items() if name not in _ABOUT}
        begin = _behind_blanks(text, at)
        stop = _end_of("".join(parts.values()), text, begin)
        if stop is None:
            return []
        if match[1] not in UNTAGGED:
            found.append(Tag(match[1], begin, stop, parts, match[0]))
        at = stop
    return found if not text[at:].strip() else []


def _end_of(said: str, text: str, begin: int) -> int | None:
    """Return the place behind what a tag says, whatever blanks there are; None if something else is there."""
    at = begin
    for character in said:
        if character.isspace():
            continue
        at = _behind_blanks(text, at)
        if text[at : at + 1] != character:
            return None
        at += 1
    return at


def _behind_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
