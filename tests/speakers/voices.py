"""Synthetic voices: each person is a direction, each line that direction with noise that averages out."""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Callable, Mapping

import numpy as np
from hypothesis import strategies as st

from speakers.voiceprints.fitting import Lines, fit
from speakers.voiceprints.identification import Enrolled, Gallery, unit
from speakers.voiceprints.scoring import Cohort, Scoring
from speakers.voiceprints.tracking import Decision, LineMoved, Revision, VoiceIdentified, VoicesMerged

DIMENSION = 64


class People:
    """Draws lines of numbered people; the same seed draws the same ones.

    A second of speech of one person has a cosine of about 1 / (1 + noise ** 2) to another one.
    """

    def __init__(self, seed: int = 0, *, noise: float = 0.5, dimension: int = DIMENSION) -> None:
        self._random = np.random.default_rng(seed)
        self._noise = noise
        self._dimension = dimension
        self._people: dict[int, np.ndarray] = {}

    def person(self, number: int) -> np.ndarray:
        """How somebody sounds after endless speech, float32, unit length."""
        if number not in self._people:
            draw = np.random.default_rng(1000 + number).standard_normal(self._dimension)
            self._people[number] = (draw / np.linalg.norm(draw)).astype(np.float32)
        return self._people[number]

    def line(self, number: int, seconds: float = 3.0) -> np.ndarray:
        """One line of somebody, float32, unit length."""
        return self.mixed([number], seconds)

    def mixed(self, numbers: list[int], seconds: float = 3.0) -> np.ndarray:
        """What several people say in one line."""
        voice = np.mean([self.person(number) for number in numbers], axis=0)
        noise = self._random.standard_normal(self._dimension) / self._dimension**0.5
        line = voice + self._noise * noise / seconds**0.5
        return np.asarray(line / np.linalg.norm(line), np.float32)


def spoken(people: People, *, speakers: int = 12, lines: int = 10, seed: int = 0) -> Lines:
    """Lines of many people, of 1 to 6 seconds, each a recording of its own."""
    seconds = np.random.default_rng(seed).uniform(1.0, 6.0, speakers * lines)
    who = np.repeat(np.arange(500, 500 + speakers), lines)
    embeddings = np.stack([people.line(n, s) for n, s in zip(who.tolist(), seconds.tolist(), strict=True)])
    return Lines(embeddings, seconds, who, np.arange(len(who)))


@functools.cache
def scoring(noise: float = 1.0) -> Scoring:
    """How people with this much noise are compared."""
    return fit(spoken(People(seed=1, noise=noise)), Cohort.unknown(DIMENSION, DIMENSION**-0.5))


def gallery_of(voices: Mapping[int, np.ndarray]) -> Gallery:
    """These speakers, each enrolled with ten seconds of speech."""
    empty = Gallery("model-1", scoring(), DIMENSION)
    return empty.changed({key: Enrolled(voice, 10.0) for key, voice in voices.items()})


def numbered_keys() -> Callable[[], uuid.UUID]:
    """Keys 1, 2, ... for voices, so tests can name them."""
    count = itertools.count(1)
    return lambda: uuid.UUID(int=next(count))


def voice(number: int) -> uuid.UUID:
    """The nth voice of a tracker that uses `numbered_keys`."""
    return uuid.UUID(int=number)


AXES = 6
"""Dimensions of the voices that `embeddings` draws: few, so that many of them are alike."""


def embeddings(dimension: int = AXES) -> st.SearchStrategy[np.ndarray]:
    """Voices in any direction, float32, shape (dimension,), unit length."""
    values = st.lists(st.integers(-9, 9), min_size=dimension, max_size=dimension).filter(any)
    return values.map(lambda drawn: unit(np.array(drawn, np.float32)))


def speech_lengths() -> st.SearchStrategy[float]:
    """Seconds of speech, from less than counts to more than counts."""
    return st.floats(0.1, 60.0)


class Transcript:
    """Whose each line is, kept as a reader keeps it: answers first, then what is taken back."""

    def __init__(self) -> None:
        self.voices: dict[int, uuid.UUID] = {}
        self.speakers: dict[uuid.UUID, int | None] = {}

    def add(self, line: int, decision: Decision) -> None:
        self.voices[line] = decision.voice
        self.speakers[decision.voice] = decision.speaker

    def revise(self, revisions: list[Revision]) -> None:
        for revision in revisions:
            match revision:
                case VoiceIdentified(key, speaker):
                    self.speakers[key] = speaker
                case VoicesMerged(kept, gone):
                    del self.speakers[gone]
                    self.voices = {line: kept if key == gone else key for line, key in self.voices.items()}
                case LineMoved(line, key, _):
                    self.voices[line] = key
