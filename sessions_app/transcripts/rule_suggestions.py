"""Suggestions of writing rules, never applied by themselves.

They come from corrections that people made again and again, and from what sounds like the name of somebody
who is enrolled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.db.models import QuerySet

from recognition.core.text import is_chinese
from recognition.writing.changes import from_columns, written_text
from recognition.writing.corrections import correction
from sessions_app.models import Session, Utterance, WritingRule
from speakers.models import Speaker

MIN_TIMES = 2
"""What happened once may be chance."""

MAX_LINES = 1000
MAX_NAMES = 1000
MAX_SUGGESTIONS = 20


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that somebody may want."""

    wrong: str
    right: str
    times: int
    sounds_alike: bool = False
    """Nobody has corrected it: it sounds like a name that is known."""


def suggestions(sessions: QuerySet[Session]) -> list[Suggestion]:
    """Return what could be a rule, by these sessions, the most frequent first."""
    names = known_names()
    lines = Utterance.objects.filter(session__in=sessions, is_removed=False).order_by("-pk")
    edited = lines.filter(is_edited=True).exclude(machine_text="")[:MAX_LINES]
    corrected = _often(_corrections(edited, names), sounds_alike=False)
    texts = lines.values_list("text", flat=True)[:MAX_LINES]
    alike = _often(sounding_like(texts, names), sounds_alike=True)
    known = set(WritingRule.objects.filter(session=None).values_list("wrong", flat=True))
    found = {each.wrong: each for each in [*alike, *corrected] if each.wrong not in known}
    return sorted(found.values(), key=lambda each: (-each.times, each.wrong))[:MAX_SUGGESTIONS]


def known_names() -> list[str]:
    """Read the names of those who are enrolled."""
    return list(Speaker.objects.order_by("-pk").values_list("name", flat=True)[:MAX_NAMES])


def _corrections(lines: Iterable[Utterance], names: Collection[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        written = written_text(line.machine_text, from_columns(line.rewrites))
        if found := correction(written, line.text, names):
            yield found


def sounding_like(texts: Iterable[str], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pieces of Chinese texts that sound like a name and are written otherwise, with the name."""
    written = {name for name in names if len(name) > 1 and all(map(is_chinese, name))}
    by_sound = {sound(name): name for name in sorted(written)}
    lengths = sorted({len(syllables) for syllables in by_sound})
    for text in texts if by_sound else ():
        syllables = sound(text)
        for length in lengths:
            for at in range(len(text) - length + 1):
                name = by_sound.get(syllables[at : at + length])
                piece = text[at : at + length]
                if name and piece not in written and all(map(is_chinese, piece)):
                    yield piece, name


@cache
def _syllable(character: str) -> str:
    import pypinyin  # its tables are 20 MB, for whoever opens this page

    return str(pypinyin.lazy_pinyin(character)[0])


def sound(text: str) -> tuple[str, ...]:
    """Return the sound of each character, without tones."""
    return tuple(_syllable(character) if is_chinese(character) else character for character in text)


def _often(pairs: Iterable[tuple[str, str]], *, sounds_alike: bool) -> list[Suggestion]:
    counted = Counter(pairs)
    return [
        Suggestion(wrong, right, times, sounds_alike)
        for (wrong, right), times in counted.items()
        if times >= MIN_TIMES
    ]
