"""Overlapping speech: which lines sound at once, and which voices that tells apart. Pure.

Nobody talks over themselves: two voices that were heard at the same time are two people, however alike they
sound at one microphone.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import samples

MIN_OVERLAP = samples(0.2)
"""Lines that share no more than this are one after the other: boundaries are not known better."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardLine:
    """A line whose speaker is to be told."""

    key: int
    """For `LineMoved`. A negative one is never told of: its line moves only with all of its voice."""

    embedding: np.ndarray | None
    """Its voice, float32, shape (d,); None if there was too little audio. One that is zero or not finite
    says nothing either."""

    speech_s: float
    """Seconds of speech that the embedding was made of."""

    start: int = 0
    end: int = 0
    """Where it is in the session, in samples."""


def beside_each(lines: Sequence[HeardLine]) -> list[list[int]]:
    """Return for each line the others that sound at the same time, as indices."""
    return [
        [other for other, line in enumerate(lines) if other != index and _shared(line, own) > MIN_OVERLAP]
        for index, own in enumerate(lines)
    ]


def _shared(one: HeardLine, other: HeardLine) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


class VoicePairs:
    """Pairs of voices that were heard at once, with the number of lines that say so: a line may move."""

    def __init__(self) -> None:
        self._counts: dict[uuid.UUID, Counter[uuid.UUID]] = {}

    def __contains__(self, pair: tuple[uuid.UUID, uuid.UUID]) -> bool:
        return pair[1] in self._counts.get(pair[0], ())

    def of(self, voice: uuid.UUID) -> frozenset[uuid.UUID]:
        """Return the voices that were heard together with this one."""
        return frozenset(self._counts.get(voice, ()))

    def add(self, one: uuid.UUID, other: uuid.UUID, times: int = 1) -> None:
        """Count two voices that were heard at once; one voice is no pair."""
        if one != other:
            self._counts.setdefault(one, Counter())[other] += times
            self._counts.setdefault(other, Counter())[one] += times

    def remove(self, one: uuid.UUID, other: uuid.UUID) -> None:
        """Take back what `add` counted once."""
        if (one, other) in self:
            for key, partner in ((one, other), (other, one)):
                self._counts[key] -= Counter([partner])

    def restore(self, voice: uuid.UUID, others: Iterable[uuid.UUID]) -> None:
        """Know of pairs from before; those that are known already count no more for it."""
        for other in others:
            if (voice, other) not in self:
                self.add(voice, other)

    def join(self, kept: uuid.UUID, gone: uuid.UUID) -> None:
        """Make one of two voices: what was heard together with either was so with both; no pair any more."""
        for other, times in self.drop(gone).items():
            self.add(kept, other, times)

    def drop(self, voice: uuid.UUID) -> Counter[uuid.UUID]:
        """Forget a voice; return how often it was heard with others."""
        counts = self._counts.pop(voice, Counter())
        for other in counts:
            del self._counts[other][voice]
        return counts
