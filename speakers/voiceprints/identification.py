"""Identification of an enrolled speaker, or of nobody: an open-set decision. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .scoring import Scoring, Voices


@dataclass(frozen=True, slots=True)
class IdentificationOptions:
    """Limits at which a voice gets a name; in log-odds, see `speakers.voiceprints.scoring`."""

    threshold: float = 3.0
    """Least log-odds to accept: trades false accepts for false rejects."""

    margin: float = 1.0
    """Least lead over the second best, so look-alikes stay unnamed."""

    shortest_speech_s: float = 1.0
    """Less speech than this names nobody."""

    doubt: float = 3.0
    """Within this below the threshold, or without the margin, the answer is "perhaps"."""

    expected: float = 1.5
    """Log-odds that those have ahead of whom it is known before that they may speak."""


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer of `identify`."""

    speaker: int | None
    """The enrolled speaker, None for a stranger."""

    log_odds: float
    """That it is the best candidate; minus infinity if nobody is enrolled."""

    candidate: int | None = None
    """The best candidate, accepted or not."""

    is_uncertain: bool = False
    """The candidate was not accepted, but more speech may change that."""


class Enrolled(NamedTuple):
    """The voice of an enrolled speaker."""

    embedding: np.ndarray
    """float32, shape (d,), any length but zero."""

    speech_s: float


NOBODY = np.empty(0, np.int64)

CROWD = 5000
"""Of more enrolled voices than this, only the most promising are compared in full."""

OUTLINE = 48
"""Dimensions in which all are compared, the ones in which voices differ most."""

PROMISING = 500
"""How many are then compared in full."""


class Gallery:
    """The voices of all enrolled speakers, ready to be compared. Never changes, so sessions share it freely.

    Args:
        model_id: The model that made the embeddings.
        scoring: How that model's embeddings are compared.
        dimension: Of the embeddings.
    """

    def __init__(self, model_id: str, scoring: Scoring, dimension: int) -> None:
        self.model_id = model_id
        self.scoring = scoring
        self.dimension = dimension
        self.speakers = np.empty(0, np.int64)
        """Keys of the speakers, ascending, shape (n,)."""
        self.voices = scoring.voices(np.empty((0, dimension), np.float32), np.empty(0))
        self._axes = scoring.cohort.axes[:, :OUTLINE]
        # By columns: reading it so is half the cost.
        self._outlines = np.empty((self._axes.shape[1], 0), np.float32)

    def __len__(self) -> int:
        return len(self.speakers)

    def __contains__(self, speaker: int) -> bool:
        return self._column(speaker) is not None

    def voice(self, speaker: int) -> Voices | None:
        """Return the voice of one speaker; None if not enrolled."""
        column = self._column(speaker)
        return None if column is None else self.voices.take(slice(column, column + 1))

    def promising(self, voice: Voices) -> np.ndarray:
        """Choose where to look for one voice: all columns, or those that are most like it at a rough look.

        Returns:
            Indices into `voices`.
        """
        if len(self) <= CROWD:
            return np.arange(len(self))
        cosines = (voice.rows @ self._axes) @ self._outlines  # (1, n)
        log_odds = self.scoring.of_cosines(cosines, voice, self.voices)[0]
        return np.argpartition(log_odds, -PROMISING)[-PROMISING:]

    def changed(self, changes: Mapping[int, Enrolled | None]) -> Gallery:
        """Return another gallery in which these speakers have these voices, or none.

        Raises:
            ValueError: If an embedding has another dimension, or is zero or not finite.
        """
        is_kept = ~np.isin(self.speakers, np.fromiter(changes, np.int64, len(changes)))
        added = {speaker: voice for speaker, voice in changes.items() if voice is not None}
        embeddings = np.empty((len(added), self.dimension), np.float32)
        for row, (speaker, voice) in enumerate(added.items()):
            if voice.embedding.shape != (self.dimension,):
                shape = voice.embedding.shape
                raise ValueError(f"the voice of speaker {speaker} has shape {shape}, not ({self.dimension},)")
            embeddings[row] = unit(voice.embedding)
        seconds = np.array([voice.speech_s for voice in added.values()])
        speakers = np.concatenate([self.speakers[is_kept], np.fromiter(added, np.int64, len(added))])
        # Most changes are one more speaker at the end: then this is a single copy of the gallery.
        voices, outlines = self.voices, self._outlines
        if not is_kept.all():
            voices, outlines = voices.take(is_kept), outlines[:, is_kept]
        voices = voices.joined(self.scoring.voices(embeddings, seconds))
        outlines = np.concatenate([outlines, (embeddings @ self._axes).T], axis=1)
        if np.any(speakers[1:] < speakers[:-1]):
            order = np.argsort(speakers)
            speakers, voices, outlines = speakers[order], voices.take(order), outlines[:, order]
        gallery = Gallery(self.model_id, self.scoring, self.dimension)
        gallery.speakers, gallery.voices, gallery._outlines = speakers, voices, outlines
        return gallery

    def columns(self, speakers: np.ndarray) -> np.ndarray:
        """Return where these speakers are in `voices`, as far as they are enrolled."""
        return np.flatnonzero(np.isin(self.speakers, speakers))

    def _column(self, speaker: int) -> int | None:
        column = int(np.searchsorted(self.speakers, speaker))
        return column if column < len(self) and self.speakers[column] == speaker else None


def unit(embedding: np.ndarray) -> np.ndarray:
    """Scale an embedding to unit length, float32.

    Raises:
        ValueError: If it is zero or not finite.
    """
    length = np.linalg.norm(embedding)
    if not np.isfinite(length) or length == 0:
        raise ValueError("the embedding is zero or not finite")
    scaled: np.ndarray = (embedding / length).astype(np.float32)
    return scaled


def identify(
    embedding: np.ndarray,
    gallery: Gallery,
    *,
    speech_s: float,
    options: IdentificationOptions = IdentificationOptions(),
    expected: np.ndarray = NOBODY,
) -> Identification:
    """Find the enrolled speaker that this voice belongs to, or nobody.

    Args:
        embedding: float32, shape (d,), any length but zero.
        speech_s: Seconds of speech that it was made of.
        expected: Keys of the speakers who are expected: others may speak as well.

    Raises:
        ValueError: If the embedding has another dimension, or is zero or not finite.
    """
    if embedding.shape != (gallery.dimension,):
        raise ValueError(f"embedding has shape {embedding.shape}, the gallery's ({gallery.dimension},)")
    voice = gallery.scoring.voices(unit(embedding)[None], np.array([speech_s]))
    if not len(gallery):
        return Identification(None, -np.inf)
    columns = gallery.promising(voice)
    if len(expected):
        columns = np.union1d(columns, gallery.columns(expected))
    log_odds = gallery.scoring.log_odds(voice, gallery.voices.take(columns))[0]
    if len(expected):
        log_odds = log_odds + options.expected * np.isin(gallery.speakers[columns], expected)
    best = int(np.argmax(log_odds))
    top, candidate = float(log_odds[best]), int(gallery.speakers[columns[best]])
    log_odds[best] = -np.inf
    lead = top - float(log_odds.max())
    if top < options.threshold - options.doubt:
        return Identification(None, top, candidate)
    is_clear = top >= options.threshold and lead >= options.margin
    if is_clear and speech_s >= options.shortest_speech_s:
        return Identification(candidate, top, candidate)
    return Identification(None, top, candidate, is_uncertain=True)
