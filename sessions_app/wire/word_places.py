"""Places of words in a text: runs of letters and digits, and each Chinese character for itself. Pure."""

from __future__ import annotations

import unicodedata


def word_places(text: str) -> list[tuple[int, int]]:
    """Return where each word begins and stops, in order."""
    places: list[tuple[int, int]] = []
    begin = -1
    for at, character in enumerate(text + " "):
        is_inside = character.isalnum() or (begin >= 0 and character in "'’")
        is_chinese = is_inside and unicodedata.name(character, "").startswith("CJK")
        if begin >= 0 and (not is_inside or is_chinese):
            places.append((begin, at))
            begin = -1
        if is_chinese:
            places.append((at, at + 1))
        elif is_inside and begin < 0:
            begin = at
    return places
