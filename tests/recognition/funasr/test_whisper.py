"""Whisper's weights in FunASR: our recogniser by its AutoModel, and its own class on the same weights."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.peers.openai_weights import DIMENSIONS, state_dict
from recognition.core import text
from recognition.funasr.loading import lean_import
from recognition.interfaces import OfflineRecognizer
from recognition.model_options import LoadContext
from recognition.model_sets.reading import read_model_set
from recognition.whisper.ctranslate2_network import CTranslate2Network
from recognition.whisper.features import log_mel
from recognition.whisper.funasr_files import CONTENTS, describe
from recognition.whisper.options import FILES, WhisperOptions
from tests.support.people import spoken

from .random_models import auto_model


@pytest.fixture(scope="module")
def weights(people_models_dir: Path) -> Path:
    directory = read_model_set("people").sources["offline"].directory(people_models_dir)
    assert directory
    return directory


class TestFiles:
    def test_are_written_beside_the_weights(self, tmp_path: Path) -> None:
        describe(tmp_path)
        assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == CONTENTS

    def test_those_of_somebody_else_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("model: Another", encoding="utf-8")
        describe(tmp_path)
        assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == "model: Another"

    def test_a_folder_that_cannot_be_written_to_does_no_harm(self, tmp_path: Path) -> None:
        describe(tmp_path / "nowhere")
        assert list(tmp_path.iterdir()) == []


class TestAutoModel:
    def test_gives_the_text_and_times_of_our_recogniser(self, weights: Path, tmp_path: Path) -> None:
        for name in FILES:
            (tmp_path / name).symlink_to(weights / name)
        offline: OfflineRecognizer = WhisperOptions().load(LoadContext(tmp_path))
        [tokens] = offline.recognize([spoken()])
        [found] = auto_model(tmp_path).generate(spoken())
        assert found["text"] == text.join([token.text for token in tokens]) != ""
        assert len(found["timestamp"]) == len(tokens)


class TestFunasrsOwnClass:
    @pytest.fixture
    def network(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        # The class asks for a package that is not needed otherwise; FunASR brings a copy of it.
        with lean_import():
            monkeypatch.setitem(
                sys.modules, "whisper", importlib.import_module("funasr.models.sense_voice.whisper_lib")
            )
            warp = importlib.import_module("funasr.models.whisper.model").WhisperWarp
        network = warp(hub="funasr", dims=DIMENSIONS).model.eval()
        network.load_state_dict(state_dict(weights / "model.bin"))
        # The copy is changed for SenseVoice, which has half as many frames.
        network.encoder.conv1.stride = (1,)
        return network

    def test_encodes_as_ours_with_the_same_weights(self, network: Any, weights: Path) -> None:
        features = log_mel(spoken(), 3000)
        with torch.inference_mode():
            theirs = network.encoder(torch.from_numpy(features)[None])[0].numpy()
        ours = np.array(CTranslate2Network(weights, compute_type="float32").encode([features]))[0]
        assert np.abs(ours).max() > 10
        np.testing.assert_allclose(ours, theirs, atol=2e-3)
