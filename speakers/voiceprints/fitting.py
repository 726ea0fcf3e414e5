"""Fitting of a model's scoring to lines whose speakers are known. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from speakers.exceptions import TooFewVoices

from .scoring import Cohort, Scoring

GROUPS = (2, 4, 8)
"""Lines per mean voice: clusters and voiceprints are means, so the scale must hold for them as well."""

MEANS_PER_SPEAKER = 12


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Pieces of speech and who spoke them."""

    embeddings: np.ndarray
    """float32, shape (n, d), unit length."""

    seconds: np.ndarray
    """Shape (n,)."""

    speakers: np.ndarray
    """Shape (n,), of any kind that compares."""

    recordings: np.ndarray
    """Shape (n,): two pieces of one recording are too alike to learn from."""

    def __len__(self) -> int:
        return len(self.embeddings)

    def take(self, which: np.ndarray) -> Lines:
        return Lines(
            self.embeddings[which], self.seconds[which], self.speakers[which], self.recordings[which]
        )


def fit(lines: Lines, cohort: Cohort, *, seed: int = 0) -> Scoring:
    """Find weights that make log-odds true, by logistic regression with both kinds of pairs counted alike.

    Pairs are single lines against single lines, and against means of several lines of one speaker.

    Raises:
        TooFewVoices: Without two speakers, or without two recordings of any.

    Source: Brümmer and du Preez, "Application-independent evaluation of speaker detection", 2006.
    """
    plain = Scoring(cohort, slope=1.0, bias=0.0, offset=0.0)
    means = _means(lines, np.random.default_rng(seed))
    single = plain.voices(lines.embeddings, lines.seconds)
    z, reach, same = [], [], []
    for others, voices in (
        (lines, single),
        (means, plain.voices(means.embeddings, means.seconds)),
    ):
        is_pair = _may_be_compared(lines, others)
        both = single.reach[:, None] * voices.reach
        z.append((plain.log_odds(single, voices) / both)[is_pair])
        reach.append(both[is_pair])
        same.append((lines.speakers[:, None] == others.speakers)[is_pair])
    is_same = np.concatenate(same)
    if not is_same.any() or is_same.all():
        raise TooFewVoices(
            f"{len(np.unique(lines.speakers))} speakers and {len(np.unique(lines.recordings))} recordings: "
            "at least two speakers are needed, and two recordings of one of them"
        )
    slope, bias, offset = _logistic_regression(np.concatenate(z), np.concatenate(reach), is_same)
    return Scoring(cohort, slope, bias, offset)


def equal_error_rate(genuine: np.ndarray, impostor: np.ndarray) -> tuple[float, float]:
    """Return the error rate at which false rejects and false accepts are equally frequent.

    Args:
        genuine: Scores of pairs of one person, shape (n,), n > 0.
        impostor: Scores of pairs of two people, shape (m,), m > 0.

    Returns:
        The rate, in [0, 1], and the threshold.
    """
    genuine, impostor = np.sort(genuine), np.sort(impostor)
    thresholds = np.concatenate([genuine, impostor])
    rejects = np.searchsorted(genuine, thresholds) / len(genuine)
    accepts = 1 - np.searchsorted(impostor, thresholds) / len(impostor)
    best = int(np.argmin(np.abs(rejects - accepts)))
    return float(rejects[best] + accepts[best]) / 2, float(thresholds[best])


def _means(lines: Lines, random: np.random.Generator) -> Lines:
    """Draw mean voices of several lines each; `recordings` is empty for each, see `_may_be_compared`."""
    rows: list[tuple[np.ndarray, float, object, frozenset[object]]] = []
    for speaker in np.unique(lines.speakers):
        own = np.flatnonzero(lines.speakers == speaker)
        for _ in range(MEANS_PER_SPEAKER):
            chosen = random.choice(own, min(int(random.choice(GROUPS)), len(own)), replace=False)
            mean = lines.seconds[chosen] @ lines.embeddings[chosen]
            rows.append(
                (
                    mean / max(float(np.linalg.norm(mean)), 1e-12),
                    float(lines.seconds[chosen].sum()),
                    speaker,
                    frozenset(lines.recordings[chosen].tolist()),
                )
            )
    recordings = np.empty(len(rows), object)
    recordings[:] = [row[3] for row in rows]
    return Lines(
        np.array([row[0] for row in rows], np.float32),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        recordings,
    )


def _may_be_compared(lines: Lines, others: Lines) -> np.ndarray:
    """Tell which lines share no recording with which others, shape (len(lines), len(others))."""
    if others.recordings.dtype != object:
        different: np.ndarray = lines.recordings[:, None] != others.recordings
        return different
    known, row = np.unique(lines.recordings, return_inverse=True)
    holds = np.array([[recording in group for group in others.recordings] for recording in known.tolist()])
    return ~holds[row]


def _logistic_regression(z: np.ndarray, reach: np.ndarray, is_same: np.ndarray) -> tuple[float, float, float]:
    """Find slope, bias and offset of `Scoring`, by Newton's method."""
    features = np.column_stack([reach * z, reach, np.ones(len(z))]).astype(float)
    weight = np.where(is_same, 0.5 / is_same.sum(), 0.5 / (~is_same).sum())
    weights = np.zeros(3)
    ridge = 1e-6 * np.eye(3)  # voices that never overlap would drive the slope to infinity
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        gradient = features.T @ (weight * (is_same - p)) - ridge @ weights
        curvature = (features * (weight * p * (1 - p))[:, None]).T @ features + ridge
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    slope, bias, offset = weights.tolist()
    return slope, bias, offset
