"""Runs of speech in an utterance, from the tracks of a segmenter, and where their voices are heard. Pure.

A run is one track's speech without a pause, and runs may overlap. Its voice is in what it says alone; one
that says too little alone is known by what its track says elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import samples
from recognition.interfaces import Samples, Span

from . import turns
from .tracks import STEP, Tracks
from .turns import MAX_VOICE, MIN_VOICE

MAX_PAUSE = samples(0.3)
"""A pause within a run, if nobody else speaks meanwhile."""

MIN_RUN = samples(0.1)
"""What is shorter is a slip of the segmenter."""

MIN_ALONE = samples(1.2)
"""Speech alone by which a run has a voice of its own; less is too uncertain to go against its track."""


@dataclass(frozen=True, slots=True)
class Run:
    """Speech of one track without a pause; positions in the stream."""

    track: int
    start: int
    end: int
    alone: tuple[Span, ...]
    """Where nobody else speaks, in order."""

    @property
    def alone_length(self) -> int:
        return _length(self.alone)


def find_runs(tracks: Tracks, start: int, end: int) -> list[Run]:
    """Return the runs between two positions, in order; of those that begin together the longest first."""
    part = tracks.within(start, end)
    is_anybody = np.asarray(part.active.any(axis=0))
    runs = [
        _run(number, part, first, last, start, end)
        for number, own in enumerate(part.active)
        for first, last in _closed(own, is_anybody)
    ]
    long_enough = [run for run in runs if run.end - run.start >= MIN_RUN]
    return sorted(long_enough, key=lambda run: (run.start, -run.end, run.track))


def _run(number: int, part: Tracks, first: int, last: int, start: int, end: int) -> Run:
    """Return the run of a track in these steps, as far as it lies between two positions."""
    active = part.active[:, first:last]
    alone = _spans(active[number] & (active.sum(axis=0) == 1))
    origin = part.start + first * STEP

    def placed(span: Span) -> Span:
        since, until = (min(max(origin + step * STEP, start), end) for step in span)
        return since, until

    return Run(number, *placed((0, last - first)), tuple(map(placed, alone)))


def _spans(active: np.ndarray) -> list[Span]:
    """Return where a row of steps is active, in steps."""
    edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _closed(own: np.ndarray, is_anybody: np.ndarray) -> list[Span]:
    """Return where a track is active, in steps, across short pauses in which nobody else is."""
    joined: list[Span] = []
    for first, last in _spans(own):
        since = first
        is_short = joined and (first - joined[-1][1]) * STEP <= MAX_PAUSE
        if is_short and not is_anybody[joined[-1][1] : first].any():
            since, _ = joined.pop()
        joined.append((since, last))
    return joined


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


# What to embed.


@dataclass(frozen=True, slots=True)
class Look:
    """A span to embed: a window of what a run says alone, or all of that, or of what a track says."""

    start: int
    end: int
    """In the recording of all that is listened to."""

    run: int | None = None
    """Number of the run; None for what is a track's."""

    track: int | None = None
    is_whole: bool = False
    is_alone: bool = True

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def is_window(self) -> bool:
        """Tell whether it is one of those between which a voice may change."""
        return self.run is not None and not self.is_whole


@dataclass(frozen=True, slots=True)
class Listening:
    """Places in the stream that joined are one recording, and the spans of it to embed."""

    places: tuple[Span, ...] = ()
    looks: tuple[Look, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple((look.start, look.end) for look in self.looks)

    def recording(self, audio: Samples, start: int) -> Samples:
        """Cut the places out of audio that begins at this position."""
        return np.concatenate([audio[since - start : until - start] for since, until in self.places])

    def position(self, offset: int) -> int:
        """Return the place of a sample of the recording."""
        for start, end in self.places:
            if offset < end - start:
                return start + offset
            offset -= end - start
        return self.places[-1][1]


def listen(runs: Sequence[Run], tracks: Tracks) -> Listening:
    """Return what to embed for the voices of runs.

    Args:
        tracks: That they are of, with what was heard before them: who says little here may have spoken there.
    """
    places: list[Span] = []
    looks: list[Look] = []
    for number, run in enumerate(runs):
        if run.alone_length >= MIN_ALONE:
            at = _length(places)
            windows = turns.parts(at, at + run.alone_length)
            looks += [Look(*span, run=number) for span in windows]
            looks += [Look(*span, run=number, is_whole=True) for span in turns.spans(windows)[len(windows) :]]
            places += run.alone
    known = {runs[look.run].track for look in looks if look.run is not None}
    for track in sorted({run.track for run in runs} - known):
        spoken, is_alone = _spoken(tracks, track)
        if spoken:
            at = _length(places)
            looks.append(Look(at, at + _length(spoken), track=track, is_alone=is_alone))
            places += spoken
    return Listening(tuple(places), tuple(looks))


def _spoken(tracks: Tracks, track: int) -> tuple[list[Span], bool]:
    """Return the latest speech of a track, and whether it is alone: if that is enough to tell a voice."""
    own, is_alone = tracks.active[track], tracks.active.sum(axis=0) == 1
    for active, alone in ((own & is_alone, True), (own, False)):
        spans = [tracks.positions(span) for span in _spans(active)]
        if _length(spans) >= MIN_VOICE:
            return _latest(spans, MAX_VOICE), alone
    return [], False


def _latest(spans: Sequence[Span], length: int) -> list[Span]:
    """Return the last so many samples of spans."""
    found: list[Span] = []
    for start, end in reversed(spans):
        if length > 0:
            found.append((max(start, end - length), end))
        length -= end - start
    return found[::-1]
