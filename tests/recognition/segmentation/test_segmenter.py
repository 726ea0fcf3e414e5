"""From a network's classes to who is active when; windows of any length, and any number of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recognition.exceptions import ModelError
from recognition.interfaces import SpeakerSegmenter
from recognition.segmentation.network import SETS
from recognition.segmentation.segmenter import PyannoteSegmenter, read_network

from .random_segmentation import babble, random_network, write_weights

ROWS = 589


class Says:
    """A network that is sure of one class after the other, whatever it hears."""

    def __init__(self, *classes: int, sureness: float = 50.0) -> None:
        self.scores = sureness * torch.eye(len(SETS))[list(classes)]
        self.heard: list[Tensor] = []

    def __call__(self, audio: Tensor) -> Tensor:
        self.heard.append(audio)
        return self.scores.expand(len(audio), -1, -1)


def says(*classes: int, sureness: float = 50.0) -> PyannoteSegmenter:
    return PyannoteSegmenter(Says(*classes, sureness=sureness), "says")


class TestActivity:
    def test_a_class_is_its_speakers(self) -> None:
        [found] = says(0, 1, 2, 3, 4, 5, 6).segment([babble(0)])
        assert found.tolist() == [
            [0, 0, 0],
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
            [1, 1, 0],
            [1, 0, 1],
            [0, 1, 1],
        ]

    def test_the_likeliest_class_counts_however_unsure_it_is(self) -> None:
        [found] = says(4, sureness=0.01).segment([babble(0)])
        assert found.tolist() == [[1, 1, 0]]

    def test_two_speak_where_it_is_only_not_clear_which(self) -> None:
        """By the sums of their probabilities, the second and third would not speak."""
        segmenter = says(1)
        probable = torch.tensor([0.0, 0.1, 0.0, 0.0, 0.46, 0.44, 0.0])
        segmenter._network = lambda audio: probable.log().expand(1, 1, -1)
        assert segmenter.segment([babble(0)])[0].tolist() == [[1, 1, 0]]

    def test_it_is_of_the_kind_that_the_role_asks_for(self) -> None:
        segmenter = says(1)
        assert isinstance(segmenter, SpeakerSegmenter)
        assert (segmenter.window, segmenter.frame, segmenter.first, segmenter.speakers) == (
            160_000,
            270,
            495,
            3,
        )
        [found] = segmenter.segment([babble(0)])
        assert found.dtype == np.float32

    def test_it_is_one_or_the_other(self) -> None:
        rng = np.random.default_rng(0)
        segmenter = says(1)
        segmenter._network = lambda audio: torch.from_numpy(
            rng.normal(0, 30, (1, 5000, 7)).astype(np.float32)
        )
        [found] = segmenter.segment([babble(0)])
        assert set(np.unique(found)) == {0, 1}
        assert set(found.sum(axis=1)) == {0, 1, 2}


class TestWindows:
    @pytest.mark.parametrize("length", [0, 1, 270, 80_000, 159_999])
    def test_a_short_one_is_followed_by_silence(self, length: int) -> None:
        network = Says(0)
        PyannoteSegmenter(network, "says").segment([babble(0, length)])
        [heard] = network.heard
        assert heard.shape == (1, 160_000)
        np.testing.assert_array_equal(heard[0, :length], babble(0, length))
        assert not heard[0, length:].any()

    def test_a_longer_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="a window has 160000 samples at most, and this 160001"):
            says(0).segment([np.zeros(160_001, np.float32)])

    def test_none_is_no_call(self) -> None:
        network = Says(0)
        assert PyannoteSegmenter(network, "says").segment([]) == []
        assert network.heard == []

    def test_all_of_a_batch_are_one_call_and_come_back_in_order(self) -> None:
        network = Says(0)
        windows = [babble(seed, 1000 * (seed + 1)) for seed in range(3)]
        assert len(PyannoteSegmenter(network, "says").segment(windows)) == 3
        [heard] = network.heard
        for one, window in zip(heard, windows, strict=True):
            np.testing.assert_array_equal(one[: len(window)], window)

    def test_samples_of_another_kind_are_heard_as_float32(self) -> None:
        network = Says(0)
        PyannoteSegmenter(network, "says").segment([babble(0).astype(np.float64)])
        assert network.heard[0].dtype == torch.float32


class TestWithANetwork:
    def test_a_batch_equals_its_windows(self) -> None:
        segmenter = PyannoteSegmenter(random_network(), "random")
        windows = [babble(0), babble(1, 40_000)]
        together = segmenter.segment(windows)
        for found, window in zip(together, windows, strict=True):
            assert found.shape == (ROWS, 3)
            assert (found == segmenter.segment([window])[0]).mean() > 0.99

    def test_what_was_asked_before_does_not_matter(self) -> None:
        segmenter = PyannoteSegmenter(random_network(), "random")
        [first] = segmenter.segment([babble(3)])
        segmenter.segment([babble(4)])
        np.testing.assert_array_equal(segmenter.segment([babble(3)])[0], first)


class TestReading:
    def test_a_network_goes_by_the_content_of_its_file(self, tmp_path: Path) -> None:
        _, one = read_network(write_weights(tmp_path / "one"))
        _, same = read_network(write_weights(tmp_path / "same"))
        network, other = read_network(write_weights(tmp_path / "other", random_network(5)))
        assert one == same != other
        assert one.startswith("segmentation-3.0@")
        assert torch.equal(network.classifier.weight, random_network(5).classifier.weight)

    def test_a_file_of_another_network_is_refused(self, tmp_path: Path) -> None:
        torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "pytorch_model.bin")
        with pytest.raises(ModelError, match=r"no weights of segmentation-3\.0"):
            read_network(tmp_path / "pytorch_model.bin")
