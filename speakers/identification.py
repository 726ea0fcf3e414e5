"""Which enrolled speaker is this, or nobody: scores and an open-set decision. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class IdentificationOptions:
    """When a voice gets a name. `manage.py calibrate_speakers` proposes values for a model and its voices."""

    threshold: float = 0.5
    """Least score to accept: trades false accepts for false rejects."""

    margin: float = 0.05
    """Least lead over the second best, so look-alikes stay unnamed."""

    shortest_speech_s: float = 1.0
    """Less speech than this names nobody."""

    doubt: float = 0.1
    """Within this below the threshold, or without the margin, the answer is "perhaps"."""


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer of `identify`."""

    speaker: int | None
    """The enrolled speaker, None for a stranger."""

    score: float
    """Of the best candidate; -1 if nobody is enrolled."""

    candidate: int | None = None
    """The best candidate, accepted or not."""

    is_uncertain: bool = False
    """The candidate was not accepted, but more speech may change that."""


class Gallery:
    """The voices of all enrolled speakers as one matrix. Never changes, so sessions share it freely.

    Args:
        model_id: The model that made the embeddings.
        speakers: Keys of the speakers, int64, shape (n,), strictly ascending.
        voices: Their voices, float32, shape (d, n), each column of unit length. A voice is a column, not a
            row: reading the matrix in that order is half the cost of scoring.
    """

    def __init__(self, model_id: str, speakers: np.ndarray, voices: np.ndarray) -> None:
        if voices.ndim != 2 or voices.shape[1] != len(speakers):
            raise ValueError(f"{len(speakers)} speakers, but voices of shape {voices.shape}")
        if np.any(np.diff(speakers) <= 0):
            raise ValueError("speakers are not in ascending order")
        self.model_id = model_id
        self.speakers = speakers
        self.voices = np.ascontiguousarray(voices, np.float32)

    @classmethod
    def of(cls, model_id: str, dimension: int, voices: Mapping[int, np.ndarray]) -> Gallery:
        """A gallery of these speakers; voices are float32, shape (dimension,), of any length but zero."""
        empty = cls(model_id, np.empty(0, np.int64), np.empty((dimension, 0), np.float32))
        return empty.changed(voices)

    @property
    def dimension(self) -> int:
        return int(self.voices.shape[0])

    def __len__(self) -> int:
        return len(self.speakers)

    def __contains__(self, speaker: int) -> bool:
        return self._column(speaker) is not None

    def voice(self, speaker: int) -> np.ndarray | None:
        """The voice of a speaker, float32, shape (d,), unit length; None if not enrolled."""
        column = self._column(speaker)
        return None if column is None else self.voices[:, column].copy()

    def changed(self, changes: Mapping[int, np.ndarray | None]) -> Gallery:
        """Another gallery in which these speakers have these voices, or none."""
        kept = ~np.isin(self.speakers, np.fromiter(changes, np.int64, len(changes)))
        added = {speaker: unit(voice) for speaker, voice in changes.items() if voice is not None}
        for speaker, voice in added.items():
            if voice.shape != (self.dimension,):
                raise ValueError(
                    f"the voice of speaker {speaker} has shape {voice.shape}, not ({self.dimension},)"
                )
        speakers = np.concatenate([self.speakers[kept], np.fromiter(added, np.int64, len(added))])
        order = np.argsort(speakers)
        voices = np.empty((self.dimension, len(speakers)), np.float32)
        voices[:, : len(speakers) - len(added)] = self.voices[:, kept]
        for column, voice in enumerate(added.values(), len(speakers) - len(added)):
            voices[:, column] = voice
        return Gallery(self.model_id, speakers[order], voices[:, order])

    def _column(self, speaker: int) -> int | None:
        column = int(np.searchsorted(self.speakers, speaker))
        return column if column < len(self) and self.speakers[column] == speaker else None


def unit(embedding: np.ndarray) -> np.ndarray:
    """The embedding at unit length, float32.

    Raises:
        ValueError: If it is zero or not finite.
    """
    length = np.linalg.norm(embedding)
    if not np.isfinite(length) or length == 0:
        raise ValueError("the embedding is zero or not finite")
    scaled: np.ndarray = (embedding / length).astype(np.float32)
    return scaled


def cosine_scores(embedding: np.ndarray, gallery: Gallery) -> np.ndarray:
    """Similarity of one voice to every enrolled one.

    Args:
        embedding: float32, shape (d,), any length but zero.

    Returns:
        Cosine similarity to each speaker of the gallery, float32, shape (n,), in [-1, 1].

    Raises:
        ValueError: If the dimensions differ, or the embedding is zero or not finite.
    """
    if embedding.shape != (gallery.dimension,):
        raise ValueError(f"embedding has shape {embedding.shape}, the gallery's ({gallery.dimension},)")
    scores: np.ndarray = unit(embedding) @ gallery.voices
    return np.clip(scores, -1.0, 1.0, out=scores)


def identify(
    embedding: np.ndarray,
    gallery: Gallery,
    *,
    speech_s: float,
    options: IdentificationOptions = IdentificationOptions(),
) -> Identification:
    """The enrolled speaker that this voice belongs to, or nobody.

    Args:
        embedding: As for `cosine_scores`.
        speech_s: Seconds of speech that the embedding was made of.
    """
    if not len(gallery):
        return Identification(None, -1.0)
    scores = cosine_scores(embedding, gallery)
    best = int(np.argmax(scores))
    score, candidate = float(scores[best]), int(gallery.speakers[best])
    scores[best] = -2.0
    lead = score - float(scores.max())
    if score < options.threshold - options.doubt:
        return Identification(None, score, candidate)
    is_clear = score >= options.threshold and lead >= options.margin
    if is_clear and speech_s >= options.shortest_speech_s:
        return Identification(candidate, score, candidate)
    return Identification(None, score, candidate, is_uncertain=True)
