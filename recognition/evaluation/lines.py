"""Lines against what was said: the places of marks, and of ends. Pure.

Lines are laid over the text by the least number of edits, so errors in the words hardly matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from rapidfuzz.distance import Levenshtein

from recognition.core.words import word_ends

from .scoring import is_chinese

MARKS = "，。？！、；："


def places_of_marks(text: str) -> tuple[str, set[int]]:
    """Return the characters of a text, and the numbers of those behind which it has a mark."""
    characters, places = "", set()
    for character in text:
        if is_chinese(character):
            characters += character
        elif character in MARKS and characters:
            places.add(len(characters) - 1)
    return characters, places


def marks_f1(text: str, lines: Sequence[str]) -> float:
    """Return the F1 of the places of marks within lines, of whatever kind.

    The ends of lines do not count: they have a mark in any case.

    Args:
        text: What was said, with the marks that it should have.
    """
    said, wanted = places_of_marks(text)
    written = [places_of_marks(line) for line in lines]
    starts = list(accumulate((len(characters) for characters, _ in written), initial=0))
    ends = {end - 1 for end in starts[1:]}
    found = {start + place for start, (_, places) in zip(starts, written, strict=False) for place in places}
    over = laid_over("".join(characters for characters, _ in written), said)
    given = {over[place] for place in found - ends}
    wanted -= {over[end] for end in ends if end >= 0}
    return 2 * len(given & wanted) / (len(given) + len(wanted)) if given or wanted else 1.0


def ends_inside_words(texts: Iterable[str], lines: Sequence[str]) -> int:
    """Return how many lines end inside a word of what was said.

    Args:
        texts: The sentences that were said, one after the other.
    """
    sentences = [places_of_marks(text)[0] for text in texts]
    said = "".join(sentences)
    is_end = [end for sentence in sentences for end in word_ends(sentence)]
    written = [places_of_marks(line)[0] for line in lines]
    over = laid_over("".join(written), said)
    ends = [end - 1 for end in accumulate(map(len, written)) if end]
    return sum(not is_end[over[end]] for end in ends[:-1])


def laid_over(written: str, said: str) -> list[int]:
    """Return for each character that was written the number of the one that was said in its place.

    For one that nobody said it is the one before.
    """
    over = [0] * len(written)
    for edit in Levenshtein.opcodes(written, said):
        for place in range(edit.src_start, edit.src_end):
            last = edit.dest_start + place - edit.src_start
            over[place] = (
                min(last, edit.dest_end - 1) if edit.tag != "delete" else max(0, edit.dest_start - 1)
            )
    return over
