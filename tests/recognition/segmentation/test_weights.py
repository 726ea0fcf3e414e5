"""The file of weights: read for its numbers alone, and refused in words."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from recognition.exceptions import ModelError
from recognition.model_sets.reading import read_model_set
from recognition.segmentation.weights import read_weights

from .random_segmentation import random_network, write_weights


class Foreign:
    """An object of a package that is not here when the file is read."""

    def __init__(self, note: str = "") -> None:
        self.note = note


class Harmful:
    """Runs a command when it is read by Python's own way."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def named(name: str) -> type:
    """Return a class that a file calls by another module's name."""
    module, _, own = name.rpartition(".")
    return type(own, (Foreign,), {"__module__": module})


class TestReading:
    def test_weights_come_back_by_name(self, tmp_path: Path) -> None:
        network = random_network()
        found = read_weights(write_weights(tmp_path, network))
        assert set(found) == set(network.state_dict())
        assert all(torch.equal(found[name], weight) for name, weight in network.state_dict().items())

    def test_what_lies_beside_them_does_not_matter(self, tmp_path: Path) -> None:
        path = write_weights(tmp_path, hyper_parameters={"sincnet": {"stride": 10}}, hparams_name="kwargs")
        assert "classifier.bias" in read_weights(path)

    def test_objects_that_pyannote_writes_beside_them_are_not_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its package need not be there."""
        import sys
        import types

        kind = named("pyannote.audio.core.task.Specifications")
        with monkeypatch.context() as beside:
            for name in ("pyannote", "pyannote.audio", "pyannote.audio.core", "pyannote.audio.core.task"):
                beside.setitem(sys.modules, name, types.ModuleType(name))
            beside.setattr(sys.modules["pyannote.audio.core.task"], "Specifications", kind, raising=False)
            path = write_weights(tmp_path, specifications=kind("ten seconds"))
        assert b"pyannote.audio.core.task" in path.read_bytes()
        assert "classifier.bias" in read_weights(path)

    def test_no_class_stays_allowed(self, tmp_path: Path) -> None:
        before = set(torch.serialization.get_safe_globals())
        read_weights(write_weights(tmp_path))
        assert set(torch.serialization.get_safe_globals()) == before

    def test_nothing_that_it_brings_along_is_run(self, tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        path = write_weights(tmp_path, harm=Harmful(mark))
        with pytest.raises(ModelError, match=r"pytorch_model\.bin holds no weights"):
            read_weights(path)
        assert not mark.exists()


class TestRefusals:
    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=f"^there is no {tmp_path}/pytorch_model.bin$"):
            read_weights(tmp_path / "pytorch_model.bin")

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
    def test_a_file_that_was_cut_short(self, tmp_path: Path, share: float) -> None:
        path = write_weights(tmp_path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelError, match="holds no weights, or was cut short"):
            read_weights(path)

    def test_a_folder_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "pytorch_model.bin").mkdir()
        with pytest.raises(ModelError, match="holds no weights, or was cut short"):
            read_weights(tmp_path / "pytorch_model.bin")

    @pytest.mark.parametrize("content", [{"weights": 1}, {"state_dict": 3}, [1, 2], 5])
    def test_a_file_of_something_else(self, tmp_path: Path, content: object) -> None:
        path = tmp_path / "pytorch_model.bin"
        torch.save(content, path)
        with pytest.raises(ModelError, match=r"holds no weights by name: take pyannote's segmentation-3\.0"):
            read_weights(path)

    def test_a_plain_pickle(self, tmp_path: Path) -> None:
        path = tmp_path / "pytorch_model.bin"
        path.write_bytes(pickle.dumps({"state_dict": {}}))
        with pytest.raises(ModelError):
            read_weights(path)


class TestThePublishedFile:
    """Where the set `people` was fetched."""

    def test_has_the_weights_of_this_network_and_nothing_else(self, people_models_dir: Path) -> None:
        directory = read_model_set("people").sources["segmentation"].directory(people_models_dir)
        assert directory
        found = read_weights(directory / "pytorch_model.bin")
        expected = random_network().state_dict()
        assert {name: each.shape for name, each in found.items()} == {
            name: each.shape for name, each in expected.items()
        }
