"""Interfaces of the models: a protocol class for each role, and the set that holds them.

Every call takes a batch, one entry per session, because computing many sessions at once is what
makes a core hold many meetings. Each model is called from one thread only, and never for the same
state twice in one batch. `recognition.funasr` implements them with FunASR, `recognition.fakes.scripted`
with a meeting written down as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .hotwords import Hotwords

Samples = np.ndarray
"""Mono audio at 16 kHz in [-1, 1], float32, shape (n,)."""

Span = tuple[int, int]
"""A part of a recording, `[start, end)`, as samples from its start."""

State = Any
"""What a model remembers of one stream; opaque, owned by the session, touched by the model alone."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Facts about how an utterance sounds, besides its words; each is empty where nothing is known."""

    language: str = ""
    """Code of the language that was heard, as "zh"."""

    emotion: str = ""
    """A word such as "happy"; empty for neutral speech too."""

    events: str = ""
    """What is heard besides speech, as "laughter"; several have spaces between them."""


NO_TAGS = Tags()


@dataclass(frozen=True, slots=True)
class Token:
    """One written unit (a Chinese character, an English word) and when it was said.

    Positions are samples from the start of the audio that the model was given; the session shifts
    them to its own timeline.
    """

    text: str
    start: int
    end: int
    mark: str = ""
    """The punctuation after it, from a recogniser that punctuates by itself."""

    tags: Tags = NO_TAGS
    """Of the utterance, from a recogniser that hears more than words."""


@dataclass(slots=True)
class SessionContext:
    """Facts about one session that its recognisers share: what they are asked for, and what they found out.

    It belongs to the thread that recognises.
    """

    language: str = ""
    """Code of the language that is spoken, as "zh"; empty until a recogniser is told or finds out."""

    is_language_chosen: bool = False
    """Whether it was told, and is not to be found out."""

    hotwords: Hotwords | None = None
    """Words that are likely to be said; None for none."""


@runtime_checkable
class VoiceActivityDetector(Protocol):
    """Tells speech from everything else, frame by frame, as the audio comes in."""

    window: int
    """Samples that each call takes per stream: exactly this many."""

    frame: int
    """Samples that one probability stands for; `window` is a multiple of it."""

    delay: int
    """Samples by which probabilities lag: the first returned belongs to position `-delay`."""

    def new_state(self) -> State: ...

    def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
        """Speech probability of each frame, float32 in [0, 1], shape (window // frame,), per stream."""
        ...


@runtime_checkable
class StreamingRecognizer(Protocol):
    """The first pass: text while somebody is still speaking."""

    chunk: int
    """Samples that each call takes per stream: exactly this many. 0 for no partials."""

    def new_state(self, context: SessionContext | None = None) -> State:
        """State of one utterance, from a pool that grows as needed."""
        ...

    def decode(self, batch: Sequence[tuple[State, Samples]]) -> list[list[str]]:
        """The tokens that each stream's next chunk adds, which may be none."""
        ...

    def release(self, state: State) -> None:
        """The utterance is over; its place in the pool is free."""
        ...


@runtime_checkable
class RevisingRecognizer(StreamingRecognizer, Protocol):
    """A first pass that shows more than it is sure of.

    It hears the whole utterance again each time. So `decode` takes any whole number of chunks at once: a
    stream that has fallen behind catches up in one step.
    """

    def tail(self, state: State) -> Sequence[str]:
        """The tokens behind what `decode` has returned, as of the last chunk; the next may change them."""
        ...


@runtime_checkable
class OfflineRecognizer(Protocol):
    """The second pass: the whole utterance at once, for the final text and its times."""

    min_samples: int
    """Length that even the shortest utterance is computed as; 0 if each costs what it is long."""

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        """The tokens of each utterance.

        Args:
            contexts: Of the session of each utterance; none where there are no sessions.
        """
        ...


@runtime_checkable
class Punctuator(Protocol):
    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        """The mark after each token: "" for none, else one of "，。？、！"."""
        ...


@runtime_checkable
class SpeakerEmbedder(Protocol):
    model_id: str
    """Name and version of the weights: embeddings of different models are never compared."""

    dimension: int

    def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
        """The voice in each span of each recording.

        Spans of one recording may overlap, and are heard as parts of it.

        Returns:
            Per recording, float32, shape (spans, dimension), unit length.
        """
        ...


@runtime_checkable
class SpeakerSegmenter(Protocol):
    """Tells who speaks when within a window, as speakers without names; several may speak at once.

    Its speakers are those of one window: the first of one need not be the first of the next.
    """

    model_id: str
    """Name and version of the weights."""

    window: int
    """Samples of a window."""

    frame: int
    """Samples from one row of its answer to the next."""

    first: int
    """Position of the middle of the first row within its window, in samples."""

    speakers: int
    """The most people that it tells apart within a window: columns of its answer."""

    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        """Return who is active when: float32 in [0, 1], shape (rows, speakers), per window.

        Args:
            batch: Windows; what is shorter than `window` is padded with silence.
        """
        ...


TURN_PENALTY = 1.0
"""What one more turn in an utterance must gain: a window that agrees with all others of its turn adds 1 to
it. The less an embedder's answers for one person scatter, the less it takes; this suits small networks."""


@dataclass(frozen=True, slots=True)
class Models:
    """One model set, loaded and ready."""

    name: str
    vad: VoiceActivityDetector
    offline: OfflineRecognizer
    streaming: StreamingRecognizer | None = None
    """Without a first pass, partials are previews of the second, while the machine has time."""

    punctuator: Punctuator | None = None
    """Without one, the marks are those that come with the tokens."""

    embedder: SpeakerEmbedder | None = None
    """Without one, lines have no voice and all are the same stranger's."""

    turn_penalty: float = TURN_PENALTY
    """Of the embedder."""

    segmenter: SpeakerSegmenter | None = None
    """Without one, people who speak at once are not told apart."""

    device: str = "cpu"
    """Kind of device that they compute on; what is on a GPU cannot be shared with forked processes."""

    recognises_apart: bool = False
    """Whether both passes run on a thread of their own, because they take long and let others compute."""

    partials: bool = True
    """Otherwise nothing is shown before a line is final, and the second pass makes no previews either."""

    @property
    def chunk(self) -> int:
        """Samples of one step of the first pass; 0 without partials."""
        return self.streaming.chunk if self.streaming else 0

    @property
    def revises(self) -> bool:
        """Return whether the first pass shows a tail that may still change."""
        return isinstance(self.streaming, RevisingRecognizer)
