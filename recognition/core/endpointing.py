"""Endpointing: speech probabilities in, starts and ends of speech out. Pure.

The rule is that of FunASR's FSMN-VAD (Zhang et al., "Deep-FSMN for Large Vocabulary Continuous Speech
Recognition", ICASSP 2018, and its runtime): a sliding window votes, so single frames do not matter; a
start reaches back to before the vote, an end lies a little after the last speech. On the probabilities
of the FSMN network it finds the segments that FunASR finds. Added to it: an utterance that grows too
long is cut where speech was least probable, and the pause that ends an utterance shrinks with its length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from recognition.audio import SAMPLE_RATE
from recognition.tables import Between

END_SILENCE_MS = Between(50, 10_000)
"""The silence that may end an utterance."""


@dataclass(frozen=True, slots=True)
class EndpointingOptions:
    """Rules for finding utterances; a vote is taken over `window_ms`."""

    threshold: Annotated[float, Between(0, 1)] = 0.5
    """Least speech probability of a frame of speech."""

    window_ms: Annotated[int, Between(40, 2000)] = 200
    speech_ms: Annotated[int, Between(40, 2000)] = 150
    """Speech in the window that makes silence into speech."""

    silence_ms: Annotated[int, Between(0, 2000)] = 150
    """Speech left in the window at which speech becomes silence."""

    pre_roll_ms: Annotated[int, Between(0, 5000)] = 200
    """Audio before the window in which speech was found: first sounds are soft."""

    post_roll_ms: Annotated[int, Between(0, 5000)] = 100
    """Audio after the last speech that still belongs to the utterance."""

    end_silence_ms: Annotated[int, END_SILENCE_MS] = 800
    """Silence that ends an utterance, counted until speech has won its vote again: before more speech,
    a pause that is shorter by about `speech_ms + silence_ms` ends one as well.
    """

    long_utterance_ms: Annotated[int, Between(0, 600_000)] = 10_000
    long_end_silence_ms: Annotated[int, END_SILENCE_MS] | None = None
    """Silence that ends an utterance longer than `long_utterance_ms`; half of `end_silence_ms` by default."""

    longest_utterance_ms: Annotated[int, Between(1000, 60_000)] = 15_000
    """An utterance that gets this long is cut at the least probable speech of its last `cut_search_ms`."""

    cut_search_ms: Annotated[int, Between(100, 60_000)] = 3_000

    @property
    def long_silence_ms(self) -> int:
        """`long_end_silence_ms`, or its default."""
        return self.end_silence_ms // 2 if self.long_end_silence_ms is None else self.long_end_silence_ms

    def with_end_silence(self, ms: int) -> EndpointingOptions:
        """Return these options with another end silence; that of long utterances keeps its share of it."""
        long = self.long_end_silence_ms
        scaled = None if long is None else long * ms // self.end_silence_ms
        return replace(self, end_silence_ms=ms, long_end_silence_ms=scaled)

    def contradiction(self) -> str:
        """Return which of these options leave no utterance to be found, or "" if they go together."""
        pairs = (
            ("speech_ms", self.speech_ms, "window_ms", self.window_ms),
            ("silence_ms", self.silence_ms, "speech_ms", self.speech_ms),
            ("silence_ms", self.silence_ms, "window_ms", self.window_ms - 1),
            ("long_end_silence_ms", self.long_silence_ms, "end_silence_ms", self.end_silence_ms),
            ("end_silence_ms", self.end_silence_ms, "longest_utterance_ms", self.longest_utterance_ms),
        )
        for name, value, other, most in pairs:
            if value > most:
                return f"{name} = {value} is refused; with this {other} it takes {most} or less"
        return ""


@dataclass(frozen=True, slots=True)
class SpeechStart:
    at: int


@dataclass(frozen=True, slots=True)
class SpeechEnd:
    at: int
    cut_before: int | None = None
    """Where speech goes on, for the utterance has grown too long: it must be cut before this position. At
    `at` speech was least probable; whoever knows the words finds a better place."""


Boundary = SpeechStart | SpeechEnd


class Endpointer:
    """Finds the utterances of one stream.

    Args:
        frame: Samples that one probability stands for.
        start: Position of the first frame in the stream.
    """

    def __init__(self, options: EndpointingOptions, *, frame: int, start: int = 0) -> None:
        self.options = options
        self.frame = frame
        self._start = start
        self._count = 0  # frames seen
        # In frames; asked for in each of them.
        self._speech_votes = self._frames(options.speech_ms)
        self._silence_votes = self._frames(options.silence_ms)
        self._longest = self._frames(options.longest_utterance_ms)
        self._long = self._frames(options.long_utterance_ms)
        # Frames of silent votes that end the open utterance; the vote itself took `silence_ms`.
        self._pause = self._frames(max(0, options.end_silence_ms - options.silence_ms))
        self._long_pause = self._frames(max(0, options.long_silence_ms - options.silence_ms))
        self._reach_back = self._frames(options.window_ms) + self._frames(options.pre_roll_ms)
        self._window: deque[bool] = deque([False] * self._frames(options.window_ms))
        self._speech_in_window = 0
        self._voted_speech = False
        self._silent_frames = 0  # since the vote fell to silence
        self._utterance: int | None = None  # first frame of the open utterance
        self._free_from = 0  # first frame that belongs to no utterance yet
        self._recent: deque[float] = deque(maxlen=max(1, self._frames(options.cut_search_ms)))

    @property
    def position(self) -> int:
        """End of the audio that was judged."""
        return self._position(self._count)

    @property
    def horizon(self) -> int:
        """Everything before it is decided: no utterance to come starts earlier, and none is open there."""
        if self._utterance is not None:
            return self._position(self._utterance)
        return self._position(max(self._free_from, self._count - self._reach_back))

    @property
    def is_pausing(self) -> bool:
        """Return whether nobody speaks just now; an open utterance may be about to end."""
        return not self._voted_speech

    def receive(self, probabilities: np.ndarray) -> list[Boundary]:
        """Judge the next frames.

        Args:
            probabilities: Speech probability per frame, in [0, 1], shape (n,).

        Returns:
            The boundaries found, in order; they lie in the past.
        """
        values: list[float] = probabilities.tolist()
        if self._goes_on(values):
            self._count += len(values)
            self._recent.extend(values)
            return []
        return [boundary for value in values for boundary in self._receive_frame(value)]

    def receive_end(self) -> list[Boundary]:
        """The stream is over: an open utterance ends here."""
        if self._utterance is None:
            return []
        return [self._end(self._count)]

    def receive_flush(self) -> list[Boundary]:
        """The stream is cut here: an open utterance ends, and so does speech that was about to be one.

        What comes behind the cut is for another `Endpointer`.
        """
        if self._utterance is None and 2 * self._speech_in_window >= max(1, self._speech_votes):
            start = self._begin(self._count)
            return [start, self._end(self._count)]
        return self.receive_end()

    def _goes_on(self, values: Sequence[float]) -> bool:
        """Tell whether all of this is speech in the middle of an utterance: nearly always, and quickly."""
        return (
            self._utterance is not None
            and self._voted_speech
            and self._speech_in_window == len(self._window) > self._silence_votes
            and self._count + len(values) - self._utterance <= self._longest
            and min(values, default=1.0) >= self.options.threshold
            and min(self._pause, self._long_pause) > 0
        )

    def _receive_frame(self, probability: float) -> Iterable[Boundary]:
        now = self._count
        self._count += 1
        self._recent.append(probability)
        was_speech = self._voted_speech
        self._vote(probability >= self.options.threshold)
        if self._voted_speech or was_speech:
            self._silent_frames = 0
        else:
            self._silent_frames += 1

        if self._utterance is None:
            if self._voted_speech and not was_speech:
                yield self._begin(now)
        elif self._silent_frames >= self._pause_frames(now):
            yield self._end_at_pause(now)
        elif now - self._utterance + 1 > self._longest:
            if self._silent_frames:
                yield self._end_at_pause(now)
            else:
                cut = self._best_cut(now - self._utterance)
                self._free_from = self._utterance = cut
                yield SpeechEnd(self._position(cut), cut_before=self.position)
                yield SpeechStart(self._position(cut))

    def _vote(self, is_speech: bool) -> None:
        self._speech_in_window += is_speech - self._window.popleft()
        self._window.append(is_speech)
        if not self._voted_speech and self._speech_in_window >= self._speech_votes:
            self._voted_speech = True
        elif self._voted_speech and self._speech_in_window <= self._silence_votes:
            self._voted_speech = False

    def _end_at_pause(self, now: int) -> SpeechEnd:
        """End the open utterance a little after its last speech; the next one needs a vote of its own."""
        pause = min(self._silent_frames, self._pause_frames(now))
        after_pause = max(0, pause - self._frames(self.options.post_roll_ms) - 1)
        self._window = deque([False] * len(self._window))
        self._speech_in_window = 0
        self._voted_speech = False
        self._silent_frames = 0
        return self._end(now - after_pause + 1)

    def _begin(self, now: int) -> SpeechStart:
        self._utterance = max(self._free_from, now - self._reach_back)
        return SpeechStart(self._position(self._utterance))

    def _end(self, frame: int) -> SpeechEnd:
        """End the open utterance before this frame."""
        self._utterance = None
        self._free_from = frame
        return SpeechEnd(self._position(frame))

    def _best_cut(self, length: int) -> int:
        """The frame in the later half at which speech was least probable; the latest of equals."""
        latest = np.fromiter(self._recent, np.float32)[-(length // 2) :]
        return self._count - 1 - int(np.argmin(latest[::-1]))

    def _pause_frames(self, now: int) -> int:
        assert self._utterance is not None
        return self._long_pause if now - self._utterance > self._long else self._pause

    def _frames(self, ms: int) -> int:
        return ms * SAMPLE_RATE // 1000 // self.frame

    def _position(self, frame: int) -> int:
        return self._start + frame * self.frame
