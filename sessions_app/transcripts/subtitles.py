"""Subtitles: the lines of a transcript cut into pieces that can be read while they stand. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .alignment import TimedWord

MAX_ROW_WIDTH = 42
"""Columns in a row; a Chinese character takes two."""

MAX_ROWS = 2
MAX_MS = 7000
MIN_MS = 1000

_BREAKS = "。！？!?；;，,、：: "


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str
    translation: str = ""


def cues(
    text: str, words: Sequence[TimedWord], *, speaker: str, start_ms: int, end_ms: int, samples_per_ms: int
) -> list[Cue]:
    """Cut a line into one or more cues.

    Args:
        words: Of this line, with positions in samples; see `alignment.align`.
    """
    pieces = _pieces(text, words, max_samples=MAX_MS * samples_per_ms)
    starts = [piece.words[0].start // samples_per_ms if piece.words else start_ms for piece in pieces]
    ends = [piece.words[-1].end // samples_per_ms if piece.words else end_ms for piece in pieces]
    starts[0], ends[-1] = start_ms, end_ms
    made: list[Cue] = []
    for index, piece in enumerate(pieces):
        following = starts[index + 1] if index + 1 < len(starts) else None
        end = max(ends[index], starts[index] + MIN_MS)
        if following is not None:
            end = min(end, following)
        made.append(Cue(starts[index], max(end, starts[index] + 1), speaker, piece.text))
    return made


def with_translation(made: Sequence[Cue], translation: str) -> list[Cue]:
    """Share a line's translation out among its cues: to each as much as it has of the line."""
    total, told = sum(len(cue.text) for cue in made), 0
    places = [0]
    for cue in made:
        told += len(cue.text)
        places.append(_near_a_blank(translation, len(translation) * told // max(1, total)))
    return [
        replace(cue, translation=translation[begin:stop].strip())
        for cue, begin, stop in zip(made, places[:-1], [*places[1:-1], len(translation)], strict=True)
    ]


def _near_a_blank(text: str, at: int) -> int:
    """Return the place at or before this one where a word begins."""
    while 0 < at < len(text) and not _may_break(text, at):
        at -= 1
    return at


def before_words(speaker: str) -> str:
    """Write a name before what is said, with the colon of its script."""
    return speaker + ("：" if any(map(_is_wide, speaker)) else ": ")


def rows(text: str) -> list[str]:
    """Break a cue's text into rows of about the same length."""
    width = _width(text)
    if width <= MAX_ROW_WIDTH:
        return [text]
    places = [at for at in range(1, len(text)) if _may_break(text, at)]
    if not places:
        return [text]
    # A break behind a mark may be a quarter of the width off the middle; any other is only the last resort.
    middle = min(
        places,
        key=lambda at: abs(_width(text[:at]) - width / 2) + (0 if text[at - 1] in _BREAKS else width / 4),
    )
    return [text[:middle].rstrip(), text[middle:].lstrip()]


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    words: Sequence[TimedWord]


def _pieces(text: str, words: Sequence[TimedWord], *, max_samples: int) -> list[_Piece]:
    """Cut the text where it is too wide or too long: behind a mark if there is one, else between words."""
    duration = words[-1].end - words[0].start if words else 0
    if (_width(text) <= MAX_ROW_WIDTH * MAX_ROWS and duration <= max_samples) or len(words) < 2:
        return [_Piece(text, words)]
    middle = _width(text) / 2
    best = min(range(1, len(words)), key=lambda index: _badness(text, words, index, middle))
    at = words[best].begin
    left = _pieces(text[:at].rstrip(), words[:best], max_samples=max_samples)
    shifted = [TimedWord(w.begin - at, w.stop - at, w.start, w.end) for w in words[best:]]
    return left + _pieces(text[at:], shifted, max_samples=max_samples)


def _badness(text: str, words: Sequence[TimedWord], index: int, middle: float) -> float:
    """Rate a cut before this word: far from the middle is bad, in the middle of a phrase worse."""
    between = text[words[index - 1].stop : words[index].begin]
    is_sentence = any(mark in between for mark in "。！？!?；;")
    is_phrase = any(mark in between for mark in "，,、：:")
    penalty = 0.0 if is_sentence else 0.5 if is_phrase else 1.0
    return abs(_width(text[: words[index].begin]) - middle) / max(middle, 1.0) + penalty


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in _BREAKS:
        return False
    return before in _BREAKS or _is_wide(after)


def _width(text: str) -> int:
    return sum(2 if _is_wide(character) else 1 for character in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
