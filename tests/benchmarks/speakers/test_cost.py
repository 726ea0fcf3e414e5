"""The cost of hearing several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.speakers.cost import recognition_cost_ratio
from recognition.fakes.scripted import (
    Script,
    ScriptedLine,
    ScriptedOffline,
    ScriptedSegmenter,
    scripted_models,
)
from recognition.interfaces import Token

SCRIPT = Script([ScriptedLine("大家好我们开始吧", 0, 2.0), ScriptedLine("好的", 1, 1.5, gap_s=-0.5)])


class Clock:
    """Stands still but while a model computes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class TimedSegmenter(ScriptedSegmenter):
    """Takes a second for each window."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def segment(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        self._clock.now_s += len(batch)
        return super().segment(batch)


class TimedOffline(ScriptedOffline):
    """Takes four seconds for each utterance."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(SCRIPT)
        self._clock = clock

    def recognize(self, *args: Any) -> list[list[Token]]:
        self._clock.now_s += 4
        return super().recognize(*args)


def test_it_is_what_the_segmenter_adds() -> None:
    clock = Clock()
    models = replace(
        scripted_models(SCRIPT), segmenter=TimedSegmenter(clock), offline=TimedOffline(clock), partials=False
    )
    assert recognition_cost_ratio(models, [SCRIPT.audio()], clock=clock) == 1.25


def test_without_a_segmenter_there_is_nothing_to_compare() -> None:
    models = replace(scripted_models(SCRIPT), segmenter=None)
    assert recognition_cost_ratio(models, [SCRIPT.audio()]) == 1.0
