"""The network in 8 bits beside that in float32: the same function, window by window."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from recognition.int8 import matmul_vnni
from recognition.segmentation.int8.network import Int8Network, is_supported
from recognition.segmentation.network import SegmentationNetwork
from recognition.segmentation.segmenter import PyannoteSegmenter
from tests.recognition.segmentation.random_segmentation import babble, random_network

pytestmark = pytest.mark.skipif(not is_supported(), reason="this CPU has no AVX512-VNNI")


@functools.cache
def networks() -> tuple[SegmentationNetwork, Int8Network]:
    network = random_network()
    return network, Int8Network(network)


@torch.inference_mode()
def scores(network: SegmentationNetwork | Int8Network, *windows: np.ndarray) -> np.ndarray:
    found: np.ndarray = network(torch.from_numpy(np.stack(windows))).numpy()
    return found


def close(a: np.ndarray, b: np.ndarray) -> float:
    """Signal to error, as a cosine."""
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def test_it_needs_the_instruction_of_the_products() -> None:
    assert is_supported() == matmul_vnni.is_supported()


@pytest.mark.parametrize("seed", range(2))
def test_scores_follow_those_in_float(seed: int) -> None:
    exact, own = networks()
    expected, found = scores(exact, babble(seed)), scores(own, babble(seed))
    assert found.shape == (1, 589, 7)
    assert close(found, expected) > 0.995
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.95


@pytest.mark.parametrize("length", [1261, 45_678])
def test_windows_of_any_length_are_heard(length: int) -> None:
    exact, own = networks()
    expected, found = scores(exact, babble(1, length)), scores(own, babble(1, length))
    assert found.shape == expected.shape
    assert np.isfinite(found).all()


def test_a_window_is_the_same_to_the_bit_beside_any_others() -> None:
    _, own = networks()
    windows = [babble(seed, 40_000) for seed in range(4)]
    together = scores(own, *windows)
    for number in (0, 3):
        np.testing.assert_array_equal(together[number], scores(own, windows[number])[0])
    np.testing.assert_array_equal(scores(own, *windows[1:3]), together[1:3])


def test_what_was_heard_before_does_not_matter() -> None:
    _, own = networks()
    first = scores(own, babble(5, 40_000))
    scores(own, babble(6, 40_000))
    np.testing.assert_array_equal(scores(own, babble(5, 40_000)), first)


def test_silence_and_what_is_louder_than_it_may_be_give_numbers() -> None:
    _, own = networks()
    loud = np.where(np.arange(160_000) % 2, 1000.0, -1000.0).astype(np.float32)
    for audio in (np.zeros(160_000, np.float32), loud):
        assert np.isfinite(scores(own, audio)).all()


def test_behind_a_segmenter_activity_follows_that_in_float() -> None:
    exact, own = (PyannoteSegmenter(network, "random") for network in networks())
    windows = [babble(7), babble(8, 50_000)]
    for a, b in zip(exact.segment(windows), own.segment(windows), strict=True):
        assert ((a > 0.5) == (b > 0.5)).mean() > 0.97
