"""The network in float32: its filters, its frames, its classes, its weights' names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from recognition.exceptions import ModelError
from recognition.segmentation.network import FILTERS, SETS, SegmentationNetwork, SincNet

from .random_segmentation import babble, random_network

RATE = 16_000


def filters(low_hz: float = 950.0, band_hz: float = 350.0) -> tuple[np.ndarray, np.ndarray]:
    """The even and the odd filter of a band from 1000 to 1400 Hz."""
    bank: Any = SincNet().conv1d[0]
    bands = bank.filterbank
    with torch.no_grad():
        bands.low_hz_.fill_(low_hz)
        bands.band_hz_.fill_(band_hz)
        found: np.ndarray = bands.filters().numpy()
    return found[0], found[FILTERS // 2]


def response(taps: np.ndarray, hz: float) -> float:
    return float(abs(np.sum(taps * np.exp(-2j * np.pi * hz / RATE * np.arange(len(taps))))))


class TestFilters:
    @pytest.mark.parametrize("number", [0, 1])
    def test_they_let_their_band_through(self, number: int) -> None:
        taps = filters()[number]
        inside = [response(taps, hz) for hz in (1150, 1200, 1250)]
        outside = [response(taps, hz) for hz in (0, 500, 800, 1600, 2000, 5000, 8000)]
        assert min(inside) > 20 * max(outside)

    def test_half_are_even_and_half_are_odd(self) -> None:
        even, odd = filters()
        np.testing.assert_allclose(even, even[::-1], atol=1e-6)
        np.testing.assert_allclose(odd, -odd[::-1], atol=1e-6)
        assert len(even) == len(odd) == 251

    def test_their_middle_is_one_and_nothing(self) -> None:
        even, odd = filters()
        assert even[125] == pytest.approx(1)
        assert odd[125] == 0

    def test_a_band_ends_where_the_audio_does(self) -> None:
        even, _ = filters(low_hz=7900, band_hz=2000)
        assert np.isfinite(even).all()
        assert response(even, 7990) > response(even, 7000)

    def test_the_sign_of_what_was_learnt_does_not_matter(self) -> None:
        np.testing.assert_array_equal(filters(950, 350)[0], filters(-950, -350)[0])


class TestFrames:
    @pytest.mark.parametrize(
        ("samples", "frames"), [(160_000, 589), (80_000, 293), (1261, 2), (1530, 2), (1531, 3)]
    )
    def test_there_is_one_for_each_270_samples_after_the_first_991(self, samples: int, frames: int) -> None:
        network = random_network()
        with torch.inference_mode():
            found = network.sincnet(torch.from_numpy(babble(0, samples))[None])
        assert found.shape == (1, 60, frames)

    def test_a_frame_hears_the_samples_around_its_middle(self) -> None:
        """So that row `n` of an answer belongs to position 495 + 270 n."""
        audio = torch.zeros(1, 160_000, requires_grad=True)
        sincnet = SincNet()
        x = audio[:, None]
        for convolution in sincnet.conv1d:  # without the norms, through which all frames hear all samples
            x = torch.nn.functional.avg_pool1d(convolution(x + 1), 3)
        for row in (0, 100, 588):
            [gradient] = torch.autograd.grad(x[0, :, row].sum(), audio, retain_graph=True)
            heard = torch.nonzero(gradient[0])[:, 0]
            assert (int(heard[0]) + int(heard[-1])) // 2 == 495 + 270 * row

    def test_loudness_does_not_matter(self) -> None:
        network, audio = random_network(), torch.from_numpy(babble(1, 40_000))[None]
        with torch.inference_mode():
            soft, loud = network(audio), network(audio * 30)
        torch.testing.assert_close(soft, loud, atol=0.05, rtol=0)

    def test_each_window_of_a_batch_is_heard_by_itself(self) -> None:
        network = random_network()
        audio = torch.stack([torch.from_numpy(babble(seed, 32_000)) for seed in range(3)])
        with torch.inference_mode():
            torch.testing.assert_close(
                network(audio), torch.cat([network(one[None]) for one in audio]), atol=1e-3, rtol=0
            )


def test_classes_are_all_sets_of_up_to_two_of_three() -> None:
    assert SETS == [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]


class TestWeights:
    def test_those_of_its_own_fit(self) -> None:
        network = SegmentationNetwork.with_weights(random_network(3).state_dict())
        assert torch.equal(network.classifier.weight, random_network(3).classifier.weight)
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert not network.training

    @pytest.mark.parametrize(
        "name", ["classifier.bias", "sincnet.conv1d.0.filterbank.low_hz_", "lstm.bias_hh_l3_reverse"]
    )
    def test_one_that_is_missing_is_named(self, name: str) -> None:
        weights = random_network().state_dict()
        del weights[name]
        with pytest.raises(ModelError, match=rf"(?s)no weights of segmentation-3.0: .*{name}"):
            SegmentationNetwork.with_weights(weights)

    def test_one_of_another_size_is_named(self) -> None:
        weights = random_network().state_dict() | {"classifier.bias": torch.zeros(4)}
        with pytest.raises(ModelError, match=r"(?s)no weights of segmentation-3.0: .*classifier.bias"):
            SegmentationNetwork.with_weights(weights)

    def test_one_more_is_refused(self) -> None:
        weights = random_network().state_dict() | {"more": torch.zeros(4)}
        with pytest.raises(ModelError, match=r"(?s)no weights of segmentation-3.0: .*more"):
            SegmentationNetwork.with_weights(weights)
