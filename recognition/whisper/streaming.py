"""The first pass: the growing utterance is heard anew with every chunk.

What two hypotheses in a row agree on is firm, and stays; the rest of the later one is the tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np

from recognition.interfaces import Samples, SessionContext
from recognition.sounding_hotwords import Compiled

from .listening import MAX_LENGTH, Listener, Utterance, batches
from .network import Search


@dataclass(slots=True, eq=False)
class Hearing:
    """Memory of one utterance."""

    context: SessionContext
    audio: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    firm: list[str] = field(default_factory=list)
    latest: list[str] = field(default_factory=list)
    draft: list[int] = field(default_factory=list)
    """Tokens of the latest hypothesis, which the next one is like."""


class StreamingWhisper:
    """A `RevisingRecognizer` on the network of the second pass.

    Args:
        chunk: Samples between two hypotheses.
    """

    def __init__(self, listener: Listener, search: Search, *, chunk: int) -> None:
        self.chunk = chunk
        self._listener, self._search = listener, search
        self._hotwords = Compiled()

    def new_state(self, context: SessionContext | None = None) -> Hearing:
        return Hearing(context or SessionContext())

    def decode(self, batch: Sequence[tuple[Hearing, Samples]]) -> list[list[str]]:
        """The tokens that have become firm, which may be none."""
        for hearing, audio in batch:
            hearing.audio = np.concatenate([hearing.audio, audio])
        growing = {number: hearing for number, (hearing, _) in enumerate(batch) if _has_room(hearing)}
        added: list[list[str]] = [[] for _ in batch]
        utterances = {number: Utterance(each.audio, each.context) for number, each in growing.items()}
        for alike in batches(self._listener, utterances):
            for number, words in zip(
                alike,
                self._hear([growing[number] for number in alike], [utterances[number] for number in alike]),
                strict=True,
            ):
                added[number] = agree(growing[number], words)
        return added

    def tail(self, state: Hearing) -> Sequence[str]:
        return tail(state)

    def release(self, state: Hearing) -> None:
        """There is no pool."""

    def _hear(self, hearings: Sequence[Hearing], utterances: Sequence[Utterance]) -> list[list[str]]:
        vocabulary = self._listener.vocabulary
        heard = self._listener.hear(utterances, self._search, [each.draft for each in hearings])
        for hearing, found in zip(hearings, heard.hypotheses, strict=True):
            hearing.draft = found.ids
        written = [
            self._hotwords.written(vocabulary.words(found.ids), hearing.context.hotwords)
            for hearing, found in zip(hearings, heard.hypotheses, strict=True)
        ]
        return [[word.text for word in words] for words in written]


def agree(hearing: Hearing, words: list[str]) -> list[str]:
    """Take the next hypothesis; return what becomes firm because it says the same as the last one."""
    pairs = zip(hearing.latest, words, strict=False)
    agreed = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    added = words[len(hearing.firm) : agreed]
    hearing.firm += added
    hearing.latest = words
    return added


def tail(hearing: Hearing) -> Sequence[str]:
    """Return what the latest hypothesis says behind what is firm, none if it says something else before."""
    firm = len(hearing.firm)
    return hearing.latest[firm:] if hearing.latest[:firm] == hearing.firm else []


def _has_room(hearing: Hearing) -> bool:
    """Tell whether the utterance still fits into a window; a longer one has its text at its end."""
    return len(hearing.audio) <= MAX_LENGTH
