"""Work that a session asks of the models, and the results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recognition.interfaces import Span, Token


@dataclass(frozen=True, slots=True, eq=False)
class DetectSpeech:
    """Judge the next window of audio."""

    audio: np.ndarray
    is_first: bool = False
    """Whether the detector begins anew: it remembers nothing of the audio before."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodeChunk:
    """Advance the first pass of an utterance by one chunk."""

    utterance: int
    audio: np.ndarray
    has_waited: bool = False
    """Whether its audio was there already while the chunk before was decoded."""

    heard: int = 0
    """Samples of the utterance before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The second pass over what there is of an open utterance, to show something early."""

    utterance: int
    audio: np.ndarray


@dataclass(frozen=True, slots=True)
class EndDecoding:
    """The first pass of this utterance is over, however far it came; no result."""

    utterance: int


@dataclass(frozen=True, slots=True, eq=False)
class Recognize:
    """The second pass over a whole utterance."""

    utterance: int
    audio: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Tell who speaks when within a window that ends in or with an utterance."""

    utterance: int
    window: Span
    """Position in the stream."""

    audio: np.ndarray


@dataclass(frozen=True, slots=True)
class Punctuate:
    utterance: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Embed:
    """The voices in an utterance: one embedding for each span of the audio, which is what is heard of it."""

    utterance: int
    audio: np.ndarray
    spans: tuple[Span, ...]


Work = DetectSpeech | DecodeChunk | Preview | EndDecoding | Recognize | Segment | Punctuate | Embed


@dataclass(frozen=True, slots=True, eq=False)
class SpeechProbabilities:
    values: np.ndarray
    """float32 in [0, 1], one per frame of the window."""


@dataclass(frozen=True, slots=True)
class ChunkDecoded:
    utterance: int
    tokens: tuple[str, ...]
    """What the chunk added."""

    tail: tuple[str, ...] = ()
    """What is thought to follow all that was added; the next chunk may change it."""


@dataclass(frozen=True, slots=True)
class Previewed:
    utterance: int
    tokens: tuple[str, ...]
    """All of them, from the start of the utterance; the next may differ."""


@dataclass(frozen=True, slots=True)
class Recognized:
    utterance: int
    tokens: tuple[Token, ...]
    """Times from the start of the utterance's audio."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    utterance: int
    window: Span
    activity: np.ndarray
    """As `SpeakerSegmenter.segment` returns it."""


@dataclass(frozen=True, slots=True)
class Punctuated:
    utterance: int
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    utterance: int
    embeddings: np.ndarray
    """float32, shape (spans, dimension), unit length."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The models could not do this work; they said why in the log."""

    work: Work


Result = (
    SpeechProbabilities | ChunkDecoded | Previewed | Recognized | Segmented | Punctuated | Embedded | Failed
)
