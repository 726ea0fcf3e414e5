"""A segmenter by the options of its kind: files, devices, compute types."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.exceptions import ModelError
from recognition.model_options import LoadContext
from recognition.model_sets.kinds import find_kind, kind_name
from recognition.segmentation.network import SegmentationNetwork
from recognition.segmentation.options import PyannoteOptions
from recognition.segmentation.segmenter import PyannoteSegmenter
from recognition.tables import Place

from .random_segmentation import write_weights

PLACE = Place("own.toml", "segmentation")


def load(folder: Path, *, compute_type: str = "auto", device: str = "auto") -> PyannoteSegmenter:
    segmenter = PyannoteOptions().load(LoadContext(folder, compute_type, device))
    assert isinstance(segmenter, PyannoteSegmenter)
    return segmenter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "segmentation").parent


def test_it_is_the_roles_usual_kind() -> None:
    assert kind_name("segmentation", {}) == "pyannote"
    assert find_kind("segmentation", "pyannote", PLACE) is PyannoteOptions


def test_a_folder_is_complete_with_its_one_file(tmp_path: Path) -> None:
    assert not PyannoteOptions.is_complete(tmp_path / "nowhere")
    assert not PyannoteOptions.is_complete(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert PyannoteOptions.is_complete(tmp_path)


def test_where_float_is_asked_for_it_computes_in_float(folder: Path) -> None:
    for compute_type in ("float32", "bfloat16"):
        assert isinstance(load(folder, compute_type=compute_type, device="cpu")._network, SegmentationNetwork)


def test_on_a_cpu_with_the_instruction_it_computes_in_8_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for there in (True, False):
        monkeypatch.setattr("recognition.int8.matmul_vnni.is_supported", lambda there=there: there)
        network = load(folder, device="cpu")._network
        assert isinstance(network, SegmentationNetwork) is not there


def test_it_says_where_it_computes() -> None:
    assert PyannoteOptions().device(LoadContext(Path(), device="cpu")) == "cpu"


def test_an_unknown_compute_type_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="no compute type 'int4'"):
        load(folder, compute_type="int4")


def test_a_folder_without_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no .*pytorch_model\.bin"):
        load(tmp_path, device="cpu")
