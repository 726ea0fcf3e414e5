"""Measuring a set: what cannot be measured of it is said to be missing, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.model_sets.reading import read_model_set
from tests.recognition.model_sets.tone_family import HERE, LINES
from training import checking
from training.checking import Check

MODELS = scripted_models(Script([ScriptedLine("大家好。")]))


def measured(**changes: None) -> Check:
    return Check(replace(MODELS, **changes), EndpointingOptions())


class TestFewerModels:
    def test_without_a_punctuator_there_is_no_figure_for_marks(self):
        assert measured(punctuator=None).punctuation() == {"punctuation_f1": None}

    def test_without_voices_there_is_no_figure_for_them(self):
        figures = measured(embedder=None).speakers()
        assert set(figures) == {"eer_1s", "eer_2s", "eer_3s", "eer_5s", "eer_synthetic_3s"}
        assert set(figures.values()) == {None}

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("cer_partials", "a set with [streaming]"),
            ("punctuation_f1", "a set with [punctuation]"),
            ("eer_synthetic_3s", "a set with [speaker]"),
            ("cer_people", "recordings of people (--recordings)"),
        ],
    )
    def test_it_is_told_what_a_figure_would_need(self, name: str, reason: str):
        assert checking._worded(name, None) == f"not measured: it needs {reason}"


class TestFiles:
    @pytest.fixture
    def sources(self, tmp_path: Path):
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / LINES).write_bytes(b"x" * 3000)
        (tmp_path / "weights" / "picture.png").write_bytes(b"x" * 9999)
        (tmp_path / "own.toml").write_text(f"""
title = "Ours"
[vad]
title = "Loudness"
licence = "MIT"
kind = "{HERE}.ToneVad"
[offline]
title = "Tones"
licence = "MIT"
kind = "{HERE}.ToneOffline"
path = "weights"
""")
        return read_model_set(str(tmp_path / "own.toml")).sources

    def test_the_size_of_another_family_is_that_of_the_files_it_wants(self, sources, tmp_path: Path):
        assert checking._size(sources["offline"], tmp_path / "weights") == 3000

    def test_a_model_without_files_says_so(self, sources):
        assert checking._without_files(sources["vad"]) == "without files of its own"

    def test_a_model_in_a_package_says_which(self):
        assert (
            checking._without_files(read_model_set("embedded").sources["vad"]) == "in the package silero-vad"
        )

    def test_weights_that_lie_beside_a_directory_count(self, tmp_path: Path):
        source = read_model_set("embedded").sources["offline"]
        directory = source.directory(tmp_path)
        assert directory
        assert checking._size(source, directory) > (directory.parent / "model.pt").stat().st_size
