from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from recognition.engine.capacity import BATCH, LOAD, SESSION, Cost, measure
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedStreaming, scripted_models


class Clock:
    """Stands still, but for what models say that they take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TakesTime:
    """A model each of whose calls takes some CPU time per entry."""

    def __init__(self, model: Any, clock: Clock, method: str, seconds: float) -> None:
        self._model, self._clock, self._method, self._seconds = model, clock, method, seconds

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)
        if name != self._method:
            return found

        def call(batch: list[Any]) -> Any:
            self._clock.now += self._seconds * len(batch)
            return found(batch)

        return call


class TestMeasure:
    def setup_method(self):
        self.clock = Clock()
        self.models = scripted_models(Script([ScriptedLine("好的。")]))

    def slow(self, role: str, method: str, seconds: float) -> None:
        model = TakesTime(getattr(self.models, role), self.clock, method, seconds)
        self.models = replace(self.models, **{role: model})

    def test_each_stage_costs_what_it_takes_per_second_of_speech(self):
        self.slow("vad", "detect", 0.001)  # windows of 0.1 s
        self.slow("streaming", "decode", 0.06)  # chunks of 0.6 s
        self.slow("offline", "recognize", 0.5)  # utterances of 5 s
        self.slow("punctuator", "punctuate", 0.05)
        self.slow("embedder", "embed", 0.35)  # all windows of an utterance

        cost = measure(self.models, clock=self.clock)

        for stage, expected in zip(
            ("detect", "decode", "recognize", "punctuate", "embed"),
            (0.01, 0.1, 0.1, 0.01, 0.07),
            strict=True,
        ):
            assert getattr(cost, stage) == pytest.approx(expected), stage
        assert cost.streams == int(LOAD / (0.29 + SESSION))

    def test_models_that_are_too_slow_still_take_one_stream(self):
        assert Cost(0.1, 5.0, 1.0, 0.1, 0.1).streams == 1

    def test_it_leaves_no_model_state_behind(self):
        measure(self.models)

        streaming = self.models.streaming
        assert isinstance(streaming, ScriptedStreaming)
        assert streaming.open_states == 0

    def test_it_measures_batches_as_large_as_those_of_a_busy_core(self):
        sizes = set()
        decode = self.models.streaming.decode

        def watch(batch: list[Any]) -> Any:
            sizes.add(len(batch))
            return decode(batch)

        self.models.streaming.decode = watch
        measure(self.models, clock=itertools.count().__next__)

        assert sizes == {BATCH}
