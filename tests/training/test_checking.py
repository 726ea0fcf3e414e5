"""Measuring a set: what cannot be measured of it has no figure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recognition.core.endpointing import EndpointingOptions
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from training.checking import Check

MODELS = scripted_models(Script([ScriptedLine("大家好。")]))


def measured(**changes: Any) -> Check:
    return Check(replace(MODELS, **changes), EndpointingOptions())


class TestFewerModels:
    def test_without_a_punctuator_there_is_no_figure_for_marks(self) -> None:
        assert measured(punctuator=None).punctuation() == {"punctuation_f1": None}

    def test_without_voices_there_is_no_figure_for_them(self) -> None:
        figures = measured(embedder=None).speakers()
        assert set(figures) == {"eer_1s", "eer_2s", "eer_3s", "eer_5s", "eer_synthetic_3s"}
        assert set(figures.values()) == {None}
