"""Scoring of voices: log-odds that two pieces of speech are by one person. Pure.

A cosine alone does not say: models differ, some voices are like everybody's, and a second of speech tells
less than ten. So each cosine is first put on the scale of what both voices have in common with strangers (a
cohort), then weighed by the amount of speech, and comes out as log-odds: 0 is even, 3 is 20 : 1, as if either
were equally likely beforehand. Thresholds in log-odds mean the same for every model and length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

MIN_S, MAX_S = 1.0, 20.0
"""Speech that is shorter or longer than this counts as so much."""

HALF_S = 2.0
"""With this much speech, half of the embedding's variance is the voice, and half is what was said."""


class Cohort:
    """Mean and covariance of many people's embeddings: what voices have in common, and nobody's voice.

    Normalising by them is exactly symmetric score normalisation (S-norm: Kenny, "Bayesian speaker
    verification with heavy-tailed priors", Odyssey 2010) against all those people one by one, at a cost that
    does not grow with their number.

    Args:
        mean: float, shape (d,).
        covariance: float, shape (d, d).
    """

    def __init__(self, mean: np.ndarray, covariance: np.ndarray) -> None:
        if covariance.shape != (len(mean), len(mean)):
            raise ValueError(
                f"a mean of {len(mean)} dimensions with a covariance of shape {covariance.shape}"
            )
        self.mean = mean.astype(np.float32)
        self.covariance = covariance.astype(np.float32)

    @classmethod
    def of(cls, embeddings: np.ndarray) -> Cohort:
        """Measure the cohort of these people: one embedding each, float32, shape (n, d), unit length."""
        return cls(embeddings.mean(axis=0), np.cov(embeddings, rowvar=False, bias=True))

    @classmethod
    def unknown(cls, dimension: int, deviation: float = 0.15) -> Cohort:
        """Guess a cohort for an unknown model: strangers' cosines lie around 0 with this deviation."""
        return cls(np.zeros(dimension), deviation**2 * np.eye(dimension))

    @cached_property
    def axes(self) -> np.ndarray:
        """Directions in which voices differ, the most telling first: float32, shape (d, d), by columns."""
        spread = self.covariance + np.outer(self.mean, self.mean)
        vectors: np.ndarray = np.linalg.eigh(spread.astype(float))[1]
        return vectors[:, ::-1].astype(np.float32)

    def statistics(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation of each voice's cosine to strangers.

        Args:
            embeddings: float32, shape (n, d), unit length.

        Returns:
            Two float32 arrays of shape (n,).
        """
        means = embeddings @ self.mean
        variances = np.einsum("nd,nd->n", embeddings @ self.covariance, embeddings)
        return means, np.sqrt(np.maximum(variances, 1e-6))


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """Voices ready to be compared: `n` of them, in `d` dimensions.

    Made by `Scoring.voices`.
    """

    rows: np.ndarray
    """Embeddings of unit length, float32, shape (n, d)."""

    scales: np.ndarray
    """What makes a cosine count in deviations from strangers' cosines, shape (n,)."""

    shifts: np.ndarray
    """The mean of strangers' cosines, in deviations, shape (n,)."""

    reach: np.ndarray
    """How much the amount of speech lets through, float32 in (0, 1], shape (n,)."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: np.ndarray | slice) -> Voices:
        """Return some of them."""
        return Voices(self.rows[which], self.scales[which], self.shifts[which], self.reach[which])

    def joined(self, others: Voices) -> Voices:
        """Return these and then the others."""
        return Voices(
            np.concatenate([self.rows, others.rows]),
            np.concatenate([self.scales, others.scales]),
            np.concatenate([self.shifts, others.shifts]),
            np.concatenate([self.reach, others.reach]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """Weights that turn cosines into log-odds, for one model.

    The log-odds are `offset + reach * (slope * z + bias)`: `z` is the normalised cosine, and `reach` is 1 for
    endless speech on both sides and less the less there is. `fitting.fit` finds the numbers.
    """

    cohort: Cohort
    slope: float = 4.0
    bias: float = -11.0
    offset: float = 2.5

    def voices(self, embeddings: np.ndarray, seconds: np.ndarray) -> Voices:
        """Prepare voices for comparison.

        Args:
            embeddings: float32, shape (n, d), unit length.
            seconds: Speech behind each, shape (n,).
        """
        means, deviations = self.cohort.statistics(embeddings)
        return Voices(embeddings.astype(np.float32), 1 / deviations, means / deviations, reach(seconds))

    def log_odds(self, some: Voices, others: Voices) -> np.ndarray:
        """Return log-odds that each two are one person, float32, shape (len(some), len(others))."""
        return self.of_cosines(some.rows @ others.rows.T, some, others)

    def of_cosines(self, cosines: np.ndarray, some: Voices, others: Voices) -> np.ndarray:
        """Return the same from cosines, shape (len(some), len(others)), exact or not."""
        return self._weigh(cosines, some, others, np.s_[:, None])

    def log_odds_of_pairs(self, some: Voices, others: Voices) -> np.ndarray:
        """Return log-odds of the first of each, of the second of each, and so on; float32, shape (n,)."""
        cosines = np.einsum("nd,nd->n", some.rows, others.rows)
        return self._weigh(cosines, some, others, np.s_[:])

    def _weigh(self, cosines: np.ndarray, some: Voices, others: Voices, rows: Any) -> np.ndarray:
        """Turn cosines into log-odds; `rows` lays what belongs to `some` along the rows of cosines."""
        z = cosines * (some.scales[rows] + others.scales)
        z -= some.shifts[rows] + others.shifts
        z *= 0.5 * self.slope
        z += self.bias
        z *= some.reach[rows] * others.reach
        z += self.offset
        odds: np.ndarray = z
        return odds


def reach(seconds: np.ndarray) -> np.ndarray:
    """Return how much of a voice so much speech shows, float32 in (0, 1]."""
    shown: np.ndarray = 1 / np.sqrt(1 + HALF_S / np.clip(seconds, MIN_S, MAX_S))
    return shown.astype(np.float32)


def probability(log_odds: float) -> float:
    """Turn log-odds into what people read: 0.5 is even, 0.95 is 19 : 1."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def from_probability(value: float) -> float:
    """Return the log-odds of a probability in (0, 1)."""
    return float(np.log(value / (1 - value)))
