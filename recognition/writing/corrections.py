"""Corrections that people make: the word that was wrong in a line, and the one that is right. Pure."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher

from recognition.core.text import is_chinese

MAX_LENGTH = 20
"""A longer piece is another sentence, and no word."""

_PARTICLES = frozenset("的了是在和与就也都很说有吗呢吧啊这那我你他她它们不要能去来到把被给对从")
"""Characters that are hardly ever part of a name."""


def correction(before: str, after: str, names: Collection[str] = ()) -> tuple[str, str] | None:
    """Return what one word of a line was replaced by; None if more or something else was changed.

    A single Chinese character is taken with its neighbour, for by itself it would be right elsewhere.

    Args:
        names: Names that are known: one of them in the corrected line is the word.
    """
    changed = _changed(before, after)
    if changed is None:
        return None
    begin, stop, new_stop = _whole_words(before, after, *changed)
    by_name = _name_around(after, begin, new_stop, names)
    left, right = by_name or _neighbours(after, begin, new_stop)
    wrong = before[begin - left : stop + right]
    correct = after[begin - left : new_stop + right]
    is_word = all(any(character.isalnum() for character in text) for text in (wrong, correct))
    if not is_word or wrong == correct or max(len(wrong), len(correct)) > MAX_LENGTH:
        return None
    is_single = len(wrong) == 1 and is_chinese(wrong)
    return None if is_single else (wrong, correct)


def _changed(before: str, after: str) -> tuple[int, int, int] | None:
    """Return the one piece that differs: its place before, and where it ends afterwards."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changes = [block for block in blocks if block[0] != "equal"]
    if not changes:
        return None
    begin, new_begin = changes[0][1], changes[0][3]
    stop, new_stop = changes[-1][2], changes[-1][4]
    if begin != new_begin or stop - begin > MAX_LENGTH or new_stop - begin > MAX_LENGTH:
        return None
    between = before[begin:stop] + after[begin:new_stop]
    return None if any(_is_mark(character) for character in between) else (begin, stop, new_stop)


def _is_mark(character: str) -> bool:
    return not character.isalnum() and not character.isspace() and character not in "'’-.+#&"


def _whole_words(before: str, after: str, begin: int, stop: int, new_stop: int) -> tuple[int, int, int]:
    """Return the piece with all letters of the words that it cuts."""
    while begin and _is_letter(before[begin - 1]) and (_starts(before, begin) or _starts(after, begin)):
        begin -= 1
    while stop < len(before) and _is_letter(before[stop]) and (_ends(before, stop) or _ends(after, new_stop)):
        stop, new_stop = stop + 1, new_stop + 1
    return begin, stop, new_stop


def _starts(text: str, at: int) -> bool:
    return at < len(text) and _is_letter(text[at])


def _ends(text: str, at: int) -> bool:
    return at > 0 and _is_letter(text[at - 1])


def _is_letter(character: str) -> bool:
    return character.isalnum() and not is_chinese(character)


def _name_around(after: str, begin: int, stop: int, names: Collection[str]) -> tuple[int, int] | None:
    """Return how much more on either side belongs to a name that is known."""
    for name in sorted(names, key=len, reverse=True):
        at = after.find(name, max(0, stop - len(name)), begin + len(name))
        if at >= 0 and at <= begin and at + len(name) >= stop:
            return begin - at, at + len(name) - stop
    return None


def _neighbours(after: str, begin: int, stop: int) -> tuple[int, int]:
    """Return how much more on either side belongs to the word: nothing, unless it is a single character."""
    if stop - begin != 1 or not is_chinese(after[begin]):
        return 0, 0
    following, before = after[stop : stop + 1], after[begin - 1 : begin] if begin else ""
    if following and is_chinese(following) and following not in _PARTICLES:
        return 0, 1
    if before and is_chinese(before) and before not in _PARTICLES:
        return 1, 0
    return 0, 0
