"""Measuring a set: what cannot be measured of it has no figure."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from recognition.core.endpointing import EndpointingOptions
from recognition.evaluation.measuring import Figures
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from training import checking
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


class TestCommand:
    def test_it_measures_the_set_that_is_asked_for_and_keeps_the_figures(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: dict[str, object] = {}

        def figures(self: Check) -> Figures:
            asked.update(seed=self._seed, people=self._people)
            return {"rtf": 0.05}

        monkeypatch.setattr(results, "RESULTS", tmp_path)
        monkeypatch.setattr(Check, "figures", figures)
        monkeypatch.setattr(sys, "argv", ["checking", "embedded", "--seed", "7"])

        checking.main()

        assert asked == {"seed": 7, "people": None}
        assert results.read("models-seed-7") == {"rtf": 0.05}
        assert "  rtf                        0.050\n" in capsys.readouterr().out
