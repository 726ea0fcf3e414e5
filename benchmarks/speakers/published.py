"""The ways that others publish, on the same models: an own reading of their papers, not their programs.

`clustered` hears all of a recording before it answers: windows of ten seconds each second, whose speakers are
clustered by average linkage, as 3D-Speaker and pyannote do (Bredin, "pyannote.audio 2.1 speaker diarization
pipeline", Interspeech 2023). `incremental` answers as it hears: windows of five seconds each half second, as
diart does (Coria et al., "Overlap-aware low-latency online speaker diarization based on end-to-end local
segmentation", ASRU 2021); it tells of each half second once it has heard `LATENCY_S` more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from recognition.audio import SAMPLE_RATE, samples
from recognition.core.turns import MIN_VOICE
from recognition.interfaces import Samples, SpeakerEmbedder, SpeakerSegmenter

from .diarization_error import STEP_S, Segment

WINDOW_S, HOP_S = 10.0, 1.0
LIVE_WINDOW_S, LIVE_HOP_S = 5.0, 0.5
LATENCY_S = 5.0

MAX_DISTANCE = 0.7
"""Cosine distance up to which clusters are one; chosen on excerpts that are not held out, as all of these."""

MAX_KNOWN_DISTANCE = 0.7
"""Cosine distance up to which a speaker of a window is one who is known."""

APART = 0.5
"""What two speakers of one window are farther apart by."""

MIN_ALONE_S, MIN_CLEAR_S = 0.5, 1.0
"""Speech that is nobody else's at the same time: for a voice at all, and for one that others are told by."""

STEP = samples(STEP_S)


@dataclass(frozen=True, slots=True)
class Window:
    """Who is active in a window, as speakers of its own, and how they sound."""

    first: int
    """Its first step of `STEP_S`."""

    active: np.ndarray
    """bool, shape (steps, speakers)."""

    voices: Sequence[np.ndarray | None]
    """Of each of its speakers, unit length; None of one who is hardly heard."""

    @property
    def alone_s(self) -> np.ndarray:
        """Seconds in which each speaks and nobody else does, shape (speakers,)."""
        alone = self.active & (self.active.sum(axis=1, keepdims=True) == 1)
        seconds: np.ndarray = alone.sum(axis=0) * STEP_S
        return seconds


def clustered(segmenter: SpeakerSegmenter, embedder: SpeakerEmbedder, audio: Samples) -> list[Segment]:
    """Tell who speaks when, all speakers of all windows clustered at the end."""
    windows = _windows(segmenter, embedder, audio, WINDOW_S, HOP_S)
    centres = _centres(windows)
    labels = [_nearest(window, centres, np.inf) for window in windows]
    return _segments(_joined(windows, labels, len(audio) // STEP))


def incremental(segmenter: SpeakerSegmenter, embedder: SpeakerEmbedder, audio: Samples) -> list[Segment]:
    """Tell who speaks when from what was heard up to `LATENCY_S` later."""
    windows = _windows(segmenter, embedder, audio, LIVE_WINDOW_S, LIVE_HOP_S)
    centres: list[np.ndarray] = []
    labels = [_learnt(window, centres) for window in windows]
    steps, hop = len(audio) // STEP, round(LIVE_HOP_S / STEP_S)
    told = np.zeros((max(1, len(centres)), steps), bool)
    for first in range(0, steps, hop):
        until = first * STEP_S + LATENCY_S
        heard = [
            number
            for number, window in enumerate(windows)
            if window.first <= first < window.first + len(window.active)
            and (window.first + len(window.active)) * STEP_S <= max(until, LIVE_WINDOW_S) + STEP_S
        ]
        block = _joined([windows[n] for n in heard], [labels[n] for n in heard], steps)
        told[: len(block), first : first + hop] = block[:, first : first + hop]
    return _segments(told)


def _windows(
    segmenter: SpeakerSegmenter, embedder: SpeakerEmbedder, audio: Samples, length_s: float, hop_s: float
) -> list[Window]:
    length, hop = samples(length_s), samples(hop_s)
    audio = np.pad(audio, (0, max(0, length - len(audio))))
    starts = list(range(0, len(audio) - length + 1, hop))
    if starts[-1] + length < len(audio):
        starts.append(len(audio) - length)
    found = []
    for start in starts:
        piece = audio[start : start + length]
        [activity] = segmenter.segment([piece])
        active = _on_steps(activity, segmenter, length // STEP)
        voices = [_voice(piece, active, speaker, embedder) for speaker in range(active.shape[1])]
        found.append(Window(start // STEP, active, voices))
    return found


def _on_steps(activity: np.ndarray, segmenter: SpeakerSegmenter, steps: int) -> np.ndarray:
    middles = (np.arange(steps) + 0.5) * STEP_S * SAMPLE_RATE
    rows = np.round((middles - segmenter.first) / segmenter.frame).astype(int)
    active: np.ndarray = activity[np.clip(rows, 0, len(activity) - 1)] > 0.5
    return active


def _voice(piece: Samples, active: np.ndarray, speaker: int, embedder: SpeakerEmbedder) -> np.ndarray | None:
    own = active[:, speaker]
    alone = own & (active.sum(axis=1) == 1)
    used = alone if alone.sum() * STEP_S >= MIN_ALONE_S else own
    speech = piece[: len(used) * STEP][np.repeat(used, STEP)]
    if len(speech) < MIN_VOICE:
        return None
    [[voice]] = embedder.embed([(speech, [(0, len(speech))])])
    heard: np.ndarray = voice
    return heard


def _centres(windows: Sequence[Window]) -> list[np.ndarray]:
    """The mean voices of clusters of all speakers who are heard clearly."""
    known = [
        (number, voice, seconds)
        for number, window in enumerate(windows)
        for voice, seconds in zip(window.voices, window.alone_s.tolist(), strict=True)
        if voice is not None and seconds >= MIN_CLEAR_S
    ]
    if not known:
        return []
    numbers, voices = np.array([row[0] for row in known]), np.stack([row[1] for row in known])
    seconds = np.array([row[2] for row in known])
    clusters = _clusters(1 - voices @ voices.T + APART * (numbers[:, None] == numbers))
    said_s = np.bincount(clusters, seconds)
    large = np.flatnonzero(said_s >= min(MIN_CLEAR_S, said_s.max()))
    means = [seconds[clusters == each] @ voices[clusters == each] for each in large]
    return [mean / np.linalg.norm(mean) for mean in means]


def _clusters(distances: np.ndarray) -> np.ndarray:
    if len(distances) == 1:
        return np.zeros(1, int)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(np.maximum(distances, 0), checks=False), "average")
    numbers: np.ndarray = fcluster(tree, MAX_DISTANCE, "distance") - 1
    return numbers


def _nearest(window: Window, centres: Sequence[np.ndarray], most: float) -> list[int | None]:
    """Give each speaker of a window a centre of its own, if one is near enough."""
    labels: list[int | None] = [None] * len(window.voices)
    heard = [(speaker, voice) for speaker, voice in enumerate(window.voices) if voice is not None]
    if not (heard and centres):
        return labels
    voices = np.stack([voice for _, voice in heard])
    distances = 1 - voices @ np.stack([centre / np.linalg.norm(centre) for centre in centres]).T
    rows, columns = linear_sum_assignment(np.where(distances > most, 1000 + distances, distances))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if distances[row, column] <= most:
            labels[heard[row][0]] = column
    return labels


def _learnt(window: Window, centres: list[np.ndarray]) -> list[int | None]:
    """Give each speaker of a window a centre; whoever is like none and is heard clearly is a new one."""
    labels = _nearest(window, centres, MAX_KNOWN_DISTANCE)
    for speaker, (voice, seconds) in enumerate(zip(window.voices, window.alone_s.tolist(), strict=True)):
        if voice is None or seconds < MIN_CLEAR_S:
            continue
        label = labels[speaker]
        if label is None:
            centres.append(voice.copy())
            labels[speaker] = len(centres) - 1
        else:
            centres[label] = centres[label] + voice
    return labels


def _joined(windows: Sequence[Window], labels: Sequence[list[int | None]], steps: int) -> np.ndarray:
    """Let windows vote: in each step as many speak as they say on average, the likeliest first.

    Returns:
        bool, shape (centres, steps).
    """
    count = 1 + max((label for row in labels for label in row if label is not None), default=0)
    votes, speaking, heard = np.zeros((count, steps)), np.zeros(steps), np.zeros(steps)
    for window, row in zip(windows, labels, strict=True):
        last = min(window.first + len(window.active), steps)
        active = window.active[: last - window.first]
        heard[window.first : last] += 1
        speaking[window.first : last] += active.sum(axis=1)
        for label in {label for label in row if label is not None}:
            own = [speaker for speaker, each in enumerate(row) if each == label]
            votes[label, window.first : last] += active[:, own].any(axis=1)
    wanted = np.round(speaking / np.maximum(heard, 1))
    ranks = (-votes).argsort(axis=0, kind="stable").argsort(axis=0)
    chosen: np.ndarray = (ranks < wanted) & (votes > 0)
    return chosen


def _segments(told: np.ndarray) -> list[Segment]:
    found = []
    for label, row in enumerate(told.astype(np.int8)):
        edges = np.flatnonzero(np.diff(row, prepend=0, append=0)).reshape(-1, 2).tolist()
        found += [Segment(start * STEP_S, end * STEP_S, label) for start, end in edges]
    return found
