"""Times of the words of lines, as clients get them."""

from __future__ import annotations

from collections.abc import Iterable

from recognition.audio import milliseconds
from sessions_app.models import Utterance
from sessions_app.wire.protocol import Word

from .alignment import TimedWord, align


def of_lines(line_ids: Iterable[int]) -> dict[int, tuple[Word, ...]]:
    """Read the words of these lines with their times, by the ids of the lines."""
    rows = Utterance.objects.filter(pk__in=list(line_ids)).values_list("pk", "text", "tokens", "start", "end")
    return {pk: tuple(map(_word, align(text, tokens, start, end))) for pk, text, tokens, start, end in rows}


def _word(word: TimedWord) -> Word:
    return Word(word.begin, word.stop, milliseconds(word.start), milliseconds(word.end))
