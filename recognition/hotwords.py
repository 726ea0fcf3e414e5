"""Hotwords: names and terms that a session is likely to speak of, and how much each counts. Pure."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MAX_HOTWORDS = 1000
"""Of one session."""

MIN_UNITS = 2
MAX_UNITS = 10
"""Chinese characters and words of letters in one hotword."""

MAX_LENGTH = 60
"""Characters of one hotword."""

DEFAULT_WEIGHT = 20.0
MIN_WEIGHT = 1.0
MAX_WEIGHT = 100.0

_PER_WEIGHT = 0.1
_MAX_BONUS = 4.0

_UNIT = re.compile("[\u3400-\u9fff]|[^\\W_\u3400-\u9fff]+(?:['’-][^\\W_\u3400-\u9fff]+)*")
_MARKS_INSIDE = re.compile(r"[\s·.&/+-]*")


class Refusal(enum.Enum):
    """Reasons why a text is no hotword."""

    EMPTY = "empty"
    SHORT = "short"
    LONG = "long"
    MARKS = "marks"
    """It has marks that nobody speaks."""


@dataclass(frozen=True, slots=True)
class Hotword:
    """A word that is likely to be said."""

    text: str
    weight: float = DEFAULT_WEIGHT

    @property
    def bonus(self) -> float:
        """Return the log probability that each of its tokens is given."""
        return min(_MAX_BONUS, _PER_WEIGHT * self.weight)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Hotwords:
    """The hotwords of a session. Recognisers compile them once and know them by identity."""

    words: tuple[Hotword, ...]

    texts: frozenset[str] = field(init=False)
    _capitals: Mapping[tuple[str, ...], list[str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", frozenset(word.text for word in self.words))
        spelled = [units(word.text) for word in self.words if not word.text.islower()]
        capitals = {tuple(unit.lower() for unit in said): said for said in spelled if "".join(said).isascii()}
        object.__setattr__(self, "_capitals", capitals)

    def with_capitals(self, said: Sequence[str]) -> list[str]:
        """Return words with the capitals of the hotwords that they are: "kubernetes" as "Kubernetes"."""
        small = [word.lower() for word in said]
        written = list(said)
        at = 0
        while self._capitals and at < len(small):
            lengths = range(min(MAX_UNITS, len(small) - at), 0, -1)
            found = next((own for n in lengths if (own := self._capitals.get(tuple(small[at : at + n])))), [])
            written[at : at + len(found)] = found
            at += max(1, len(found))
        return written


def units(text: str) -> list[str]:
    """Return what is said one after the other: Chinese characters, and words of letters or digits."""
    return _UNIT.findall(text)


def normal(text: str) -> str:
    """Return a text as hotwords are kept: composed, of usual width, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def refusal(text: str) -> Refusal | None:
    """Return why a text, as `normal` returns it, can be no hotword; None if it can."""
    if not text:
        return Refusal.EMPTY
    if _MARKS_INSIDE.fullmatch(_UNIT.sub("", text)) is None:
        return Refusal.MARKS
    said = units(text)
    if sum(map(len, said)) < MIN_UNITS:
        return Refusal.SHORT
    return Refusal.LONG if len(said) > MAX_UNITS or len(text) > MAX_LENGTH else None


def sensible_weight(weight: float) -> float:
    """Return the weight, moved to where weights lie; that of a default where it is no number."""
    return min(MAX_WEIGHT, max(MIN_WEIGHT, weight)) if weight == weight else DEFAULT_WEIGHT


def together(*lists: Iterable[Hotword]) -> tuple[Hotword, ...]:
    """Return several lists as one, of the first `MAX_HOTWORDS`; of a word twice the first counts."""
    found: dict[str, Hotword] = {}
    for words in lists:
        for word in words:
            found.setdefault(word.text.casefold(), word)
    return tuple(found.values())[:MAX_HOTWORDS]
