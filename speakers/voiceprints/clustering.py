"""The voices of one session as clusters that grow line by line. Pure; bounded in memory and time.

There are two thresholds, as in diart (Coria et al., "Overlap-aware low-latency online speaker diarization
based on end-to-end local segmentation", ASRU 2021): a line that is unlike every voice founds a new one, a
line that is like one joins and shapes it, and a line in between joins without shaping it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .identification import unit
from .scoring import Scoring, Voices

MIN_S, MIN_LENGTH = 1e-3, 1e-6
"""Less speech, or a shorter mean, is what is left of nothing by rounding."""


@dataclass(frozen=True, slots=True)
class ClusteringOptions:
    """Limits from which voices are the same; in log-odds, see `speakers.voiceprints.scoring`."""

    join: float = 1.0
    """Least log-odds at which a line shapes the voice that it is given to."""

    found: float = -1.5
    """A line below this to every voice is a new voice."""

    merge: float = 4.0
    """Two settled voices at least as alike as this are one."""

    lead: float = 4.0
    """How much better another voice must fit before a line moves to it: a second thought must be surer than
    the first."""

    shortest_founder_s: float = 1.2
    """Less speech than this founds no voice, unless there is none yet."""

    settled_s: float = 4.0
    """With this much speech a voice is known well enough to be compared with others."""

    memory_s: float = 300.0
    """Speech that a voice is known by: over hours the latest counts more, for people move and tire."""

    most_voices: int = 64
    """No more voices than this are told apart."""


class Cluster:
    """One voice: the mean of its lines' embeddings, weighted by their seconds.

    Args:
        mean: float32, shape (d,); None for a voice that has not been heard well.
        speech_s: Seconds of speech behind the mean.
    """

    __slots__ = ("centroid", "mean", "speech_s")

    def __init__(self, mean: np.ndarray | None = None, speech_s: float = 0.0) -> None:
        self.mean: np.ndarray | None = None
        self.centroid: np.ndarray | None = None  # the mean at unit length
        self.speech_s = 0.0
        if mean is not None:
            self._set(mean, speech_s)

    def add(self, embedding: np.ndarray, speech_s: float, *, memory_s: float) -> None:
        """Let a line shape the voice."""
        self._weigh(embedding, speech_s, min(self.speech_s, memory_s))

    def remove(self, embedding: np.ndarray, speech_s: float) -> None:
        """Take back what a line gave."""
        self._weigh(embedding, -speech_s, self.speech_s)

    def absorb(self, other: Cluster, *, memory_s: float) -> None:
        """Take in another cluster: the two are one."""
        if other.mean is not None:
            self.add(other.mean, other.speech_s, memory_s=memory_s)

    def forget(self) -> None:
        """Keep nothing of how the voice sounds."""
        self.mean, self.centroid, self.speech_s = None, None, 0.0

    def _weigh(self, embedding: np.ndarray, speech_s: float, before_s: float) -> None:
        total = before_s + speech_s
        if total < MIN_S:
            self.forget()
            return
        shaped = embedding * speech_s if self.mean is None else self.mean * before_s + embedding * speech_s
        self._set(shaped / total, total)

    def _set(self, mean: np.ndarray, speech_s: float) -> None:
        if not np.linalg.norm(mean) > MIN_LENGTH:
            self.forget()
            return
        self.mean, self.speech_s = mean.astype(np.float32), speech_s
        self.centroid = unit(self.mean)


def without(
    clusters: Sequence[Cluster], embeddings: np.ndarray, seconds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each cluster as it would be without one of its lines.

    Args:
        embeddings: Of the lines, float32, shape (n, d), n > 0.
        seconds: Of speech in each, shape (n,).

    Returns:
        Embeddings, float32, shape (n, d), of unit length, or zero where nothing is left; and the speech
        behind them in seconds, shape (n,).
    """
    silence = np.zeros(embeddings.shape[1], np.float32)
    means = np.stack([silence if cluster.mean is None else cluster.mean for cluster in clusters])
    whole_s = np.array([cluster.speech_s for cluster in clusters])
    rest_s = whole_s - seconds
    rest = means * whole_s[:, None] - embeddings * seconds[:, None]
    lengths = np.linalg.norm(rest, axis=1)
    is_left = (rest_s >= MIN_S) & (lengths > MIN_LENGTH * rest_s)
    scales = np.zeros(len(clusters))
    scales[is_left] = 1 / lengths[is_left]
    return (rest * scales[:, None]).astype(np.float32), np.where(is_left, rest_s, 0.0)


def as_voices(clusters: Sequence[Cluster], scoring: Scoring, dimension: int) -> Voices:
    """Prepare clusters for comparison; one that was never heard well is like nothing."""
    rows = np.zeros((len(clusters), dimension), np.float32)
    for row, cluster in zip(rows, clusters, strict=True):
        if cluster.centroid is not None:
            row[:] = cluster.centroid
    return scoring.voices(rows, np.array([cluster.speech_s for cluster in clusters]))


def log_odds(voices: Voices, clusters: Sequence[Cluster], scoring: Scoring) -> np.ndarray:
    """Return log-odds that each voice is each cluster's.

    Returns:
        float32, shape (len(voices), len(clusters)); minus infinity for a cluster that was never heard well.
    """
    odds = scoring.log_odds(voices, as_voices(clusters, scoring, voices.rows.shape[1]))
    odds[:, [cluster.mean is None for cluster in clusters]] = -np.inf
    return odds
