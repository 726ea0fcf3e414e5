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


@dataclass(frozen=True, slots=True)
class ClusteringOptions:
    """When voices are the same; scores are cosine similarities."""

    join: float = 0.45
    """Least score at which a line shapes the voice that it is given to."""

    found: float = 0.3
    """A line below this score to every voice is a new voice."""

    merge: float = 0.6
    """Two settled voices at least as alike as this are one."""

    lead: float = 0.1
    """How much better another voice must fit before a line moves to it."""

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
        self.centroid: np.ndarray | None = None
        """The mean at unit length."""
        self.speech_s = 0.0
        if mean is not None:
            self._set(mean, speech_s)

    def add(self, embedding: np.ndarray, speech_s: float, *, memory_s: float) -> None:
        """Let a line shape the voice."""
        before = min(self.speech_s, memory_s)
        self._weigh(embedding, speech_s, before)

    def remove(self, embedding: np.ndarray, speech_s: float) -> None:
        """Take back what a line gave."""
        self._weigh(embedding, -speech_s, self.speech_s)

    def absorb(self, other: Cluster, *, memory_s: float) -> None:
        """The two are one."""
        if other.mean is not None:
            self.add(other.mean, other.speech_s, memory_s=memory_s)

    def forget(self) -> None:
        """Keep nothing of how the voice sounds."""
        self.mean = self.centroid = None
        self.speech_s = 0.0

    def _weigh(self, embedding: np.ndarray, speech_s: float, before_s: float) -> None:
        total = before_s + speech_s
        if total < 1e-3:
            self.forget()
            return
        shaped = embedding * speech_s if self.mean is None else self.mean * before_s + embedding * speech_s
        self._set(shaped / total, total)

    def _set(self, mean: np.ndarray, speech_s: float) -> None:
        if not np.linalg.norm(mean) > 1e-6:
            self.forget()
            return
        self.mean = mean.astype(np.float32)
        self.centroid = unit(mean)
        self.speech_s = speech_s


def similarities(embeddings: np.ndarray, clusters: Sequence[Cluster]) -> np.ndarray:
    """How alike each line and each voice are.

    Args:
        embeddings: One per line, float32, shape (n, d), unit length.

    Returns:
        Cosine similarities, float32, shape (n, len(clusters)); -1 for a voice that has not been heard well.
    """
    unknown = [cluster.centroid is None for cluster in clusters]
    nobody = np.zeros(embeddings.shape[1], np.float32)
    centroids = np.array([nobody if c.centroid is None else c.centroid for c in clusters])  # (m, d)
    scores: np.ndarray = embeddings @ centroids.reshape(-1, embeddings.shape[1]).T  # (n, m)
    scores[:, unknown] = -1.0
    return scores
