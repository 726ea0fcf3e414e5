"""Rich text, as SenseVoice writes it: tags in brackets, then words in pieces with marks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from recognition.core.text import FULL_WIDTH_MARKS
from recognition.interfaces import Span, Tags, Token

LANGUAGES = ("zh", "en", "yue", "ja", "ko")

EMOTIONS = {
    "HAPPY": "happy",
    "SAD": "sad",
    "ANGRY": "angry",
    "FEARFUL": "fearful",
    "DISGUSTED": "disgusted",
    "SURPRISED": "surprised",
}
"""Neutral and unknown ones are none."""

EVENTS = {
    "BGM": "music",
    "Applause": "applause",
    "Laughter": "laughter",
    "Cry": "crying",
    "Sneeze": "sneeze",
    "Breath": "breath",
    "Cough": "cough",
    "Sing": "singing",
}
"""Speech, and what is not known, is none."""

NOBODY_SPEAKS = "nospeech"

_BRACKETS = re.compile(r"<\|(.+)\|>")
_CONTROL = re.compile(r"<.+>")
SPACE = "▁"
"""Stands for a space in pieces."""

_CHINESE = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W_{_CHINESE}]"
_UNIT = re.compile(
    rf"[$€£¥]?{_LETTER}+(?:(?:(?<=\d)[.:,/](?=\d)|['’&-](?={_LETTER})){_LETTER}+)*%?|[{_CHINESE}]"
)
"""A word or a number with its signs, or a Chinese character."""

_MARKS = frozenset(FULL_WIDTH_MARKS + ",.?!;:")


def tags(pieces: Sequence[str]) -> Tags:
    """Return what the tags among pieces tell."""
    names = [found[1] for piece in pieces if (found := _BRACKETS.fullmatch(piece))]
    events = dict.fromkeys(EVENTS[name] for name in names if name in EVENTS)
    return Tags(
        language=next((name for name in names if name in LANGUAGES), ""),
        emotion=next((EMOTIONS[name] for name in names if name in EMOTIONS), ""),
        events=" ".join(events),
    )


def is_speech(pieces: Sequence[str]) -> bool:
    """Return whether somebody speaks, as far as the tags tell."""
    return f"<|{NOBODY_SPEAKS}|>" not in pieces


def words(pieces: Sequence[str], spans: Sequence[Span], known: Tags) -> list[Token]:
    """Return the words of a text, with marks and times.

    Args:
        pieces: Of a whole utterance; "▁" stands for a space. Tags among them are no words.
        spans: Start and end of each, in samples.
        known: Tags that each word gets.

    Raises:
        ValueError: If there are not as many spans as pieces.
    """
    characters = list(_characters(pieces, spans))
    text = "".join(character for character, _ in characters)
    found: list[Token] = []
    for unit, begin, end in _units(text):
        if unit:
            start, stop = characters[begin][1][0], characters[end - 1][1][1]
            found.append(Token(unit, start, stop, tags=known))
        elif found and not found[-1].mark:
            mark = next((each for each in text[begin:end] if each in _MARKS), "")
            found[-1] = replace(found[-1], mark=mark)
    return found


def _characters(pieces: Sequence[str], spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Yield each character with its share of the time of its piece."""
    for piece, (start, end) in zip(pieces, spans, strict=True):
        if _CONTROL.fullmatch(piece):
            continue
        spoken = len(piece.replace(SPACE, "")) or 1
        at = 0
        for character in piece:
            if character == SPACE:
                yield " ", (start, start)
                continue
            yield (
                character,
                (start + (end - start) * at // spoken, start + (end - start) * (at + 1) // spoken),
            )
            at += 1


def _units(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield units with their places, and what lies between them as ""."""
    at = 0
    for match in _UNIT.finditer(text):
        yield "", at, match.start()
        yield match[0], match.start(), match.end()
        at = match.end()
    yield "", at, len(text)
