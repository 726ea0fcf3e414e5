from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.engine.capacity import BATCH, LOAD, SESSION, UTTERANCE_S, Cost, measure
from recognition.fakes.scripted import (
    Script,
    ScriptedLine,
    ScriptedOffline,
    ScriptedSegmenter,
    ScriptedStreaming,
    scripted_models,
)
from recognition.interfaces import Samples, SessionContext, Token


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
    def setup_method(self) -> None:
        self.clock = Clock()
        self.models = scripted_models(Script([ScriptedLine("好的。")]))

    def slow(self, role: str, method: str, seconds: float) -> None:
        model = TakesTime(getattr(self.models, role), self.clock, method, seconds)
        changes: dict[str, Any] = {role: model}
        self.models = replace(self.models, **changes)

    def test_each_stage_costs_what_it_takes_per_second_of_speech(self) -> None:
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
        assert cost.segment == 0.0
        assert cost.streams == int(LOAD / (0.29 + SESSION))

    def test_an_utterance_costs_a_window_of_who_speaks_at_once(self) -> None:
        self.slow("vad", "detect", 0.001)
        self.models = replace(self.models, segmenter=ScriptedSegmenter())
        self.slow("segmenter", "segment", 0.04)

        cost = measure(self.models, clock=self.clock)

        assert cost.segment == pytest.approx(0.008)
        assert cost.total == pytest.approx(0.018)
        assert cost.streams == int(LOAD / (0.018 + SESSION))

    def test_what_is_measured_of_it_is_a_whole_window(self) -> None:
        lengths: set[int] = set()

        class Segmenter(ScriptedSegmenter):
            def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
                lengths.update(len(audio) for audio in batch)
                return super().segment(batch)

        measure(replace(self.models, segmenter=Segmenter()), clock=self.clock)
        assert lengths == {Segmenter.window}

    def test_models_that_are_too_slow_still_take_one_stream(self) -> None:
        assert Cost(0.1, 5.0, 1.0, 0.1, 0.1).streams == 1

    def test_it_leaves_no_model_state_behind(self) -> None:
        measure(self.models)

        streaming = self.models.streaming
        assert isinstance(streaming, ScriptedStreaming)
        assert streaming.open_states == 0

    def test_it_measures_batches_as_large_as_those_of_a_busy_core(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes = set()
        streaming = self.models.streaming
        assert streaming
        decode = streaming.decode

        def watch(batch: list[Any]) -> Any:
            sizes.add(len(batch))
            return decode(batch)

        monkeypatch.setattr(streaming, "decode", watch)
        measure(self.models, clock=itertools.count().__next__)

        assert sizes == {BATCH}

    def test_a_first_pass_that_hears_all_again_takes_two_chunks_at_once_on_a_full_core(self) -> None:
        self.models = scripted_models(Script([ScriptedLine("好的。", tail=1)]))
        self.slow("streaming", "decode", 0.06)
        cost = measure(self.models, clock=self.clock)
        assert cost.decode == pytest.approx(0.05)

    def test_recognisers_on_threads_of_their_own_are_counted(self) -> None:
        class Elsewhere(ScriptedOffline):
            """Computes on another thread, as libraries do."""

            def recognize(
                self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
            ) -> list[list[Token]]:
                other = threading.Thread(target=busy)
                other.start()
                other.join()
                return super().recognize(batch)

        models = replace(self.models, offline=Elsewhere(Script()))
        assert measure(replace(models, recognises_apart=True)).recognize >= 0.02 / UTTERANCE_S
        assert measure(models).recognize < 0.02 / UTTERANCE_S

    @pytest.mark.parametrize(
        ("role", "stage"),
        [
            ("streaming", "decode"),
            ("punctuator", "punctuate"),
            ("embedder", "embed"),
            ("segmenter", "segment"),
        ],
    )
    def test_a_model_that_is_not_there_costs_nothing(self, role: str, stage: str) -> None:
        self.slow("vad", "detect", 0.001)
        self.slow("offline", "recognize", 0.5)
        missing: dict[str, Any] = {role: None}
        self.models = replace(self.models, **missing)
        cost = measure(self.models, clock=self.clock)
        assert getattr(cost, stage) == 0.0
        assert cost.detect == pytest.approx(0.01)
        assert cost.recognize == pytest.approx(0.1)

    def test_a_first_pass_without_partials_costs_nothing(self) -> None:
        """Fault 4: a step of no samples was divided by."""
        assert self.models.streaming
        self.models.streaming.chunk = 0
        assert measure(self.models, clock=self.clock).decode == 0.0

    def test_of_two_runs_the_quicker_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        slow_then_quick = iter([3.0, 1.0])
        recognize = self.models.offline.recognize

        def watch(batch: list[Any]) -> Any:
            self.clock.now += next(slow_then_quick)
            return recognize(batch)

        monkeypatch.setattr(self.models.offline, "recognize", watch)
        assert measure(self.models, clock=self.clock).recognize == pytest.approx(1.0 / UTTERANCE_S)

    @pytest.mark.parametrize("window", [160, 512, 3072, 16_000, 200_000])
    def test_windows_of_any_length_are_measured(self, window: int) -> None:
        class Vad:
            frame, delay = 160, 0

            def __init__(self) -> None:
                self.window = window
                self.lengths: set[int] = set()

            def new_state(self) -> None:
                return None

            def detect(self, batch: Sequence[tuple[None, Samples]]) -> list[np.ndarray]:
                self.lengths |= {len(audio) for _, audio in batch}
                return [np.zeros(self.window // self.frame, np.float32)] * len(batch)

        vad = Vad()
        measure(replace(self.models, vad=vad), clock=self.clock)
        assert vad.lengths == {window}


def busy() -> None:
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        pass


class TestCost:
    @given(st.lists(st.floats(0, 2), min_size=6, max_size=6))
    def test_the_streams_of_a_core_fit_into_its_share(self, stages: list[float]) -> None:
        cost = Cost(*stages)
        assert cost.total == pytest.approx(sum(stages))
        assert cost.streams >= 1
        assert cost.streams == 1 or cost.streams * (cost.total + SESSION) <= LOAD + 1e-9
        assert (cost.streams + 1) * (cost.total + SESSION) > LOAD

    def test_even_models_that_cost_nothing_take_a_number_of_streams(self) -> None:
        assert Cost(0, 0, 0, 0, 0).streams == int(LOAD / SESSION)
