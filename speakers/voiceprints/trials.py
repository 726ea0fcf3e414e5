"""Trials of recognising people by voice, on voices whose owners are known. Pure.

Everybody is enrolled with some recordings and tried with pieces of others, once as themselves and once as a
stranger. What is learnt from some people is measured on others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from speakers.exceptions import TooFewVoices

from .fitting import Lines, equal_error_rate, fit
from .identification import IdentificationOptions, unit
from .scoring import Cohort, Scoring, Voices

LENGTHS_S = (1.0, 2.0, 3.0, 5.0)
"""Of the pieces that are tried."""

ENROLLED = 3
"""Recordings that somebody is enrolled with."""

FALSE_ACCEPTS = 0.01
"""Lines of strangers that may get a name."""

MIN_THRESHOLD, MAX_THRESHOLD = 1.0, 9.0
"""In log-odds: below 3 : 1 no name is worth showing, and `Calibration` knows no more than 0.9999."""

ROUNDS = 5
"""Ways to divide people into those to learn from and those to measure on."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Recordings of people, heard by one model."""

    voices: Lines
    """The voice of each recording as a whole."""

    pieces: Lines
    """Shorter pieces of the same recordings, of `LENGTHS_S`."""

    def of(self, speakers: np.ndarray) -> Material:
        """Return the recordings of these people only."""
        return Material(
            self.voices.take(np.isin(self.voices.speakers, speakers)),
            self.pieces.take(np.isin(self.pieces.speakers, speakers)),
        )

    @property
    def repeated(self) -> np.ndarray:
        """The people of whom there are several recordings."""
        names, counts = np.unique(self.voices.speakers, return_counts=True)
        return names[counts > 1]


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Pieces against enrolled voices, in log-odds."""

    seconds: np.ndarray
    """Of each piece, shape (n,)."""

    own: np.ndarray
    """That it is of the one who spoke, who was enrolled with other recordings; shape (n,)."""

    others: np.ndarray
    """That it is of each of the others, shape (n, people); minus infinity for the one who spoke."""

    def __len__(self) -> int:
        return len(self.own)

    def of_length(self, seconds: float) -> Trials:
        return self.take(self.seconds == seconds)

    def take(self, which: np.ndarray) -> Trials:
        return Trials(self.seconds[which], self.own[which], self.others[which])

    @property
    def equal_error_rate(self) -> float:
        """The equal error rate of comparing each piece with each enrolled voice."""
        return equal_error_rate(self.own, self.others[np.isfinite(self.others)])[0]

    @property
    def accuracy(self) -> float:
        """Pieces that are most like the one who spoke."""
        return float(np.mean(self.own > self.others.max(axis=1)))

    def errors(self, options: IdentificationOptions) -> Errors:
        """Count what happens with these settings."""
        first, second = np.sort(self.others, axis=1)[:, :-3:-1].T
        is_long = self.seconds >= options.shortest_speech_s

        def accepted(top: np.ndarray, next_best: np.ndarray) -> np.ndarray:
            named: np.ndarray = is_long & (top >= options.threshold) & (top - next_best >= options.margin)
            return named

        return Errors(
            false_accepts=float(accepted(first, second).mean()),
            false_rejects=float(1 - accepted(self.own, first).mean()),
            wrong_names=float(accepted(first, self.own).mean()),
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """Shares of lines, 0 to 1."""

    false_accepts: float
    """Of strangers' lines, those that got a name."""

    false_rejects: float
    """Of enrolled people's lines, those that did not get theirs."""

    wrong_names: float
    """Of enrolled people's lines, those that got somebody else's."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The worth of a model and its calibration, in figures."""

    people: int
    recordings: int
    pieces: int
    eer: dict[float, float]
    """By seconds of speech."""

    accuracy: dict[float, float]
    """Closed set: everybody is enrolled; by seconds of speech."""

    errors: dict[float, Errors] = field(default_factory=dict)
    """At the proposed settings, on people from whom nothing was learnt; by seconds of speech. Empty if there
    were too few people to keep some back."""


def try_out(material: Material, scoring: Scoring) -> Trials:
    """Enroll everybody with up to `ENROLLED` recordings, and compare pieces of other recordings.

    Raises:
        TooFewVoices: With fewer than three people, or without several recordings of any.
    """
    voices, pieces = material.voices, material.pieces
    people, repeated = np.unique(voices.speakers), set(material.repeated.tolist())
    if len(people) < 3 or not repeated:
        raise TooFewVoices(
            f"{len(people)} speakers, {len(repeated)} of them with several recordings: "
            "at least three are needed, one of them with several recordings"
        )
    enrolled = {person: np.flatnonzero(voices.speakers == person) for person in people.tolist()}
    known = scoring.voices(*_enroll([voices.take(rows[:ENROLLED]) for rows in enrolled.values()]))
    seconds, own, others = [], [], []
    for column, (person, rows) in enumerate(enrolled.items()):
        if person not in repeated:
            continue
        for place, row in enumerate(rows):
            mine = pieces.take(pieces.recordings == voices.recordings[row])
            if not len(mine):
                continue
            tried = scoring.voices(mine.embeddings, mine.seconds)
            rest = np.roll(rows, -place)[1 : 1 + ENROLLED]
            one: Voices = scoring.voices(*_enroll([voices.take(rest)]))
            odds = scoring.log_odds(tried, known)
            odds[:, column] = -np.inf
            own.append(scoring.log_odds(tried, one)[:, 0])
            others.append(odds)
            seconds.append(mine.seconds)
    if not own:
        raise TooFewVoices("no recording has a second of speech")
    return Trials(np.concatenate(seconds), np.concatenate(own), np.concatenate(others))


def propose(trials: Trials, *, enrolled: int | None = None) -> IdentificationOptions:
    """Propose the settings at which strangers hardly ever get a name.

    Args:
        enrolled: Voices to find somebody among, if more than were tried: with each, chances of being taken
            for one of them add up.
    """
    usual = IdentificationOptions()
    crowd = np.log(max(1.0, (enrolled or 0) / max(1, trials.others.shape[1] - 1)))
    top = trials.others.max(axis=1)
    threshold = float(np.quantile(top, 1 - FALSE_ACCEPTS)) + crowd
    threshold = float(np.clip(threshold, MIN_THRESHOLD, MAX_THRESHOLD))
    return IdentificationOptions(threshold, usual.margin, _shortest(trials, threshold, usual))


def _shortest(trials: Trials, threshold: float, usual: IdentificationOptions) -> float:
    """Find the shortest speech that names every fifth enrolled speaker: less only makes people wait."""
    for length in LENGTHS_S:
        some = trials.of_length(length)
        if len(some) and np.mean(some.own >= threshold) >= 0.2:
            return length
    return usual.shortest_speech_s


def measure(material: Material, cohort: Cohort, *, seed: int = 0) -> Measured:
    """Try everybody; errors at the proposed settings are of people from whom nothing was learnt.

    Raises:
        TooFewVoices: See `try_out`.
    """
    plain = try_out(material, Scoring(cohort))
    lengths = [length for length in LENGTHS_S if len(plain.of_length(length))]
    held_out: dict[float, list[Errors]] = {length: [] for length in lengths}
    for some, rest in _halves(material, seed):
        scoring = fit(some.pieces, cohort, seed=seed)
        options = propose(try_out(some, scoring))
        trials = try_out(rest, scoring)
        for length in lengths:
            if len(of_length := trials.of_length(length)):
                held_out[length].append(of_length.errors(options))
    return Measured(
        people=len(np.unique(material.voices.speakers)),
        recordings=len(material.voices),
        pieces=len(plain),
        eer={length: plain.of_length(length).equal_error_rate for length in lengths},
        accuracy={length: plain.of_length(length).accuracy for length in lengths},
        errors={length: _mean(errors) for length, errors in held_out.items() if errors},
    )


def _halves(material: Material, seed: int) -> Iterator[tuple[Material, Material]]:
    """Divide the people into two, each way round; none if a half would have fewer than three."""
    repeated = material.repeated
    if len(repeated) < 6:
        return
    random = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        mixed = random.permutation(repeated)
        one, other = material.of(mixed[::2]), material.of(mixed[1::2])
        yield one, other
        yield other, one


def _enroll(people: Sequence[Lines]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean voice of each one's recordings, shape (n, d), and its seconds, shape (n,)."""
    means = [unit(lines.seconds @ lines.embeddings) for lines in people]
    return np.stack(means), np.array([lines.seconds.sum() for lines in people])


def _mean(errors: Sequence[Errors]) -> Errors:
    return Errors(
        float(np.mean([e.false_accepts for e in errors])),
        float(np.mean([e.false_rejects for e in errors])),
        float(np.mean([e.wrong_names for e in errors])),
    )
