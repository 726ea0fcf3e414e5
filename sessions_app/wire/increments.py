"""Increments of text, for clients that only know how to add to what they have: never take any back. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from .protocol import Line, PartialLine

MAX_LEFT_OUT = 2
"""Letters of a line that may go unsaid for each one that was sent and stands behind them."""


class Increments:
    """Texts that one client was sent of utterances that have no line yet."""

    def __init__(self) -> None:
        self._sent: dict[int, str] = {}  # by where they start

    def of_partial(self, partial: PartialLine, *, in_order: bool = True) -> str:
        """Return what is new in a partial; nothing while it reads otherwise than what was sent.

        Args:
            in_order: Nothing either while the line of an earlier utterance is on its way.
        """
        start_ms = partial.start_ms
        sent = self._sent.setdefault(start_ms, "")
        if in_order and any(text for earlier, text in self._sent.items() if earlier < start_ms):
            return ""
        if not partial.text.startswith(sent):
            return ""
        self._sent[start_ms] = partial.text
        return partial.text[len(sent) :]

    def of_line(self, line: Line) -> str:
        """Return what a line has, without its marks, behind what was sent of it.

        An utterance may have several lines; what was sent of it belongs to them in turn.
        """
        words = without_marks(line.heard)  # as partials have them, with numbers in words
        start_ms = max((begun for begun in self._sent if begun < line.end_ms), default=line.start_ms)
        before = self._sent.get(start_ms, "")
        sent, said = _plain(before), _plain(words)
        known, heard = _aligned_ends(sent, said)
        replaced = min(len(sent) - known, len(said) - heard)
        rest = _behind(before, known + replaced)
        self._sent = {begun: text for begun, text in self._sent.items() if begun > start_ms}
        if rest.strip():
            self._sent[start_ms] = rest
        return _behind(words, heard + replaced)

    def end_utterance(self) -> None:
        """Forget what was sent: the next text has nothing to do with it."""
        self._sent.clear()


def joined(texts: Iterable[str]) -> str:
    """Return texts as one; words of scripts with blanks between them are kept apart."""
    whole = ""
    for text in texts:
        needs_blank = bool(whole) and whole[-1].isascii() and text[:1].isascii()
        whole += (" " if needs_blank else "") + text
    return whole


def _aligned_ends(sent: str, said: str) -> tuple[int, int]:
    """Return the ends of the last piece that both have.

    What was misheard at the beginning may be said much later: a piece counts only if it is long enough for
    the words that would be left out before it.
    """
    if sent.startswith(said):
        return len(said), len(said)
    known = heard = 0
    for block in SequenceMatcher(None, sent, said, autojunk=False).get_matching_blocks():
        left_out = (block.b - heard) - (block.a - known)
        if block.size and left_out <= MAX_LEFT_OUT * block.size:
            known, heard = block.a + block.size, block.b + block.size
    return known, heard


def _behind(text: str, count: int) -> str:
    """Return what follows the first `count` letters and digits."""
    for at, character in enumerate(text):
        if not count:
            return text[at:]
        count -= bool(_plain(character))
    return ""


def _plain(text: str) -> str:
    """Return the letters and digits alone, one for one, in the case that compares."""
    return "".join(_folded(character) for character in text if character.isalnum())


def _folded(character: str) -> str:
    folded = character.casefold()
    return folded if len(folded) == 1 else character


def without_marks(text: str) -> str:
    """Return the text without punctuation, but for what is inside a word."""
    kept = [
        character
        for at, character in enumerate(text)
        if not unicodedata.category(character).startswith("P") or _is_inside_word(text, at)
    ]
    return " ".join("".join(kept).split())


def _is_inside_word(text: str, at: int) -> bool:
    around = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
    return text[at] in "'’-." and len(around) == 2 and around.isascii() and around.isalnum()
