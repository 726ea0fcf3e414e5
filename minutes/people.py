"""People of a meeting, found in what was said by the names that they are called. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .lines import Line, is_in_chinese

_STRANGER = re.compile(r"^(?:说话人|Speaker|未知|Unknown)\b|^(?:说话人|Speaker) ?\d+$", re.IGNORECASE)


class People:
    """The voices of a meeting by the names that others call them."""

    def __init__(self, lines: Sequence[Line]) -> None:
        names = {line.speaker: line.name for line in lines if line.name and not _STRANGER.match(line.name)}
        self._by_call = _calls(names)
        longest_first = sorted(self._by_call, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_as_pattern, longest_first)) or r"(?!)")

    @property
    def names(self) -> frozenset[str]:
        """All that they are called, in lower case."""
        return frozenset(self._by_call)

    def find(self, text: str) -> list[tuple[str, int, int]]:
        """Return who is named: the voice, where its name begins, and where it ends."""
        return [
            (self._by_call[match[0].casefold()], match.start(), match.end())
            for match in self._pattern.finditer(text)
        ]


def _calls(names: Mapping[str, str]) -> dict[str, str]:
    """Return whom each name means; what could mean two people means nobody."""
    found: dict[str, set[str]] = {}
    for speaker, name in names.items():
        for call in {name, _short(name)}:
            found.setdefault(call.casefold(), set()).add(speaker)
    return {call: owners.pop() for call, owners in found.items() if len(owners) == 1 and call}


def _short(name: str) -> str:
    """Return what colleagues call somebody: without the family name."""
    if is_in_chinese(name):
        return name[1:] if len(name) == 3 else name
    return name.split()[0] if name.split() else name


def _as_pattern(call: str) -> str:
    escaped = re.escape(call)
    return escaped if is_in_chinese(call) else rf"(?<!\w)(?i:{escaped})(?!\w)"
