"""Events of a session. Positions are samples from the start of the session."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recognition.interfaces import Token


@dataclass(frozen=True, slots=True)
class Partial:
    """Text of the open utterance so far; each replaces the one before."""

    utterance: int
    start: int
    text: str
    end: int = field(default=0, compare=False)
    """End of the audio that it was made of."""

    tail: str = ""
    """What probably follows the text; the next partial may have another."""


@dataclass(frozen=True, slots=True)
class OverlappingSpeech:
    """Speech of somebody else during a line, of which no word could be told."""

    start: int
    end: int
    embedding: np.ndarray | None = field(default=None, compare=False)
    """As of `Final`."""

    speech: int = field(default=0, compare=False)
    """As of `Final`."""


@dataclass(frozen=True, slots=True)
class Final:
    """The last word on a span of speech by one speaker; sent once, in the order of the audio."""

    utterance: int
    start: int
    end: int
    text: str
    """With punctuation."""

    tokens: tuple[Token, ...]
    """Without punctuation, on the session's timeline."""

    embedding: np.ndarray | None = field(default=None, compare=False)
    """Voice of the speaker, float32, unit length; None if the span was too short to tell."""

    speech: int = field(default=0, compare=False)
    """Samples that the embedding was made of."""

    overlaps: tuple[OverlappingSpeech, ...] = ()
    """Who speaks too, without words of their own. Finals of one utterance may overlap as well."""

    language: str = ""
    emotion: str = ""
    events: str = ""
    """These three are `interfaces.Tags` of its first word."""


@dataclass(frozen=True, slots=True)
class UtteranceFailed:
    """The models failed on this span; its audio is kept, its text is lost."""

    utterance: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Settled:
    """All before this position is final: it needs no audio and no recognition any more."""

    position: int


@dataclass(frozen=True, slots=True)
class Flushed:
    """The utterance that was to end here has ended, and all before it is final: follows its `Settled`."""

    position: int


@dataclass(frozen=True, slots=True)
class Ended:
    """No event follows."""

    position: int


Event = Partial | Final | UtteranceFailed | Settled | Flushed | Ended
