"""Meetings made of recordings: four people at one table, who pause, and who talk over each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recognition.audio import samples, seconds

from .acoustics import Acoustics
from .diarization_error import Segment
from .people import trimmed

PEOPLE = 4
SNR_DB = 15.0
OVERLAP = 0.35
"""How often somebody else begins before the last one has ended."""

LEVEL = 0.05
MIN_TURN_S, MAX_TURN_S = 0.6, 10.0


@dataclass(frozen=True, slots=True)
class _Turn:
    name: str
    start: int
    speech: np.ndarray

    @property
    def end(self) -> int:
        return self.start + len(self.speech)


def made(
    people: dict[str, list[np.ndarray]], acoustics: Acoustics, *, seed: int, length_s: float
) -> tuple[np.ndarray, list[Segment]]:
    """Make a meeting of four of these people, each heard by a microphone of their own distance.

    Returns:
        Its audio, float32 at 16 kHz, and who speaks when.
    """
    random = np.random.default_rng(seed)
    names = [str(name) for name in random.permutation(sorted(people))[:PEOPLE]]
    turns: list[_Turn] = []
    while not turns or seconds(max(turn.end for turn in turns)) < length_s - 1:
        turns.append(_next_turn(random, people, names, turns))
    mixed = np.zeros(samples(length_s), np.float32)
    for turn in turns:
        heard = acoustics.heard_in(names.index(turn.name) + seed, turn.speech)
        mixed[turn.start : turn.end] += heard[: max(0, len(mixed) - turn.start)]
    mixed = acoustics.noisy(seed, mixed, SNR_DB)
    spoken = [
        Segment(seconds(turn.start), min(seconds(turn.end), length_s), turn.name)
        for turn in turns
        if seconds(turn.start) < length_s
    ]
    return mixed / np.abs(mixed).max() * np.float32(0.6), spoken


def _next_turn(
    random: np.random.Generator, people: dict[str, list[np.ndarray]], names: list[str], turns: list[_Turn]
) -> _Turn:
    last = turns[-1] if turns else None
    is_another = random.random() < 0.8 or last is None
    name = last.name if last else ""
    if is_another:
        name = str(random.choice([other for other in names if other != name]))
    speech = _some_speech(random, people[name])
    said_s = max((seconds(turn.end) for turn in turns), default=0.5)
    if last and is_another and random.random() < OVERLAP:
        shared_s = min(random.exponential(1.0), 0.8 * seconds(len(speech)), 0.8 * seconds(len(last.speech)))
        start_s = max(0.0, said_s - shared_s)
    else:
        start_s = said_s + random.exponential(0.4)
    return _Turn(name, int(start_s * samples(1.0)), speech)


def _some_speech(random: np.random.Generator, recorded: list[np.ndarray]) -> np.ndarray:
    whole = trimmed(recorded[random.integers(len(recorded))])
    wanted_s = float(np.clip(np.exp(random.normal(np.log(3), 0.7)), MIN_TURN_S, MAX_TURN_S))
    length = int(wanted_s * samples(1.0))
    start = int(random.integers(max(1, len(whole) - length)))
    piece = whole[start : start + length]
    spoken: np.ndarray = piece / np.sqrt(np.mean(piece**2)) * LEVEL * 10 ** (random.normal(0, 3) / 20)
    return spoken
