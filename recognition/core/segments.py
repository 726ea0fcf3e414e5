"""Windows of one utterance that a segmenter listens to, and its answers. Pure.

The last window ends with the utterance, and is filled with what was heard before: a segmenter knows better
who speaks if it has heard more. Of a long utterance the others are known before its end is, so that their
answers can be there when it comes. All of them depend on positions alone, never on how fast audio comes.
"""

from __future__ import annotations

import numpy as np

from recognition.interfaces import Span

from .tracks import Tracks, WindowLayout, stitch


class Segments:
    """Windows of one utterance.

    Args:
        earliest: Position before which nothing is listened to.
    """

    def __init__(self, layout: WindowLayout, *, earliest: int) -> None:
        self._layout = layout
        self._earliest = earliest
        self._asked: set[Span] = set()
        self._wanted: list[Span] | None = None
        self._answers: dict[Span, np.ndarray] = {}

    def ask_early(self, start: int, heard: int) -> list[Span]:
        """Return the windows to listen to in an utterance that goes on, without those returned before.

        Args:
            start: Of the utterance; certain by now.
            heard: End of the audio that there is of it.
        """
        return self._new([self._until(stop) for stop in self._stops(start, heard + 1)])

    def ask(self, start: int, end: int) -> list[Span]:
        """Return the windows to listen to that are still missing for an utterance."""
        self._wanted = [self._until(stop) for stop in (*self._stops(start, end), end)]
        return self._new(self._wanted)

    @property
    def start(self) -> int:
        """Return the beginning of the first window. To be asked behind `ask`."""
        assert self._wanted
        return self._wanted[0][0]

    def receive(self, window: Span, activity: np.ndarray) -> None:
        """Take the answer for a window, as `SpeakerSegmenter.segment` returns it."""
        self._answers[window] = activity

    @property
    def is_complete(self) -> bool:
        """Tell whether all answers are there."""
        return self._wanted is not None and all(window in self._answers for window in self._wanted)

    def tracks(self) -> Tracks:
        """Return who speaks when, once it is complete."""
        assert self._wanted
        return stitch([(window, self._answers[window]) for window in self._wanted], self._layout)

    def _stops(self, start: int, before: int) -> range:
        """Return the ends of windows that lie before a position: half a window is heard twice."""
        return range(start + self._layout.window, before, self._layout.window // 2)

    def _until(self, stop: int) -> Span:
        return max(self._earliest, stop - self._layout.window), stop

    def _new(self, windows: list[Span]) -> list[Span]:
        new = [window for window in windows if window not in self._asked]
        self._asked.update(new)
        return new
