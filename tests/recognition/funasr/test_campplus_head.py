from __future__ import annotations

import numpy as np
import pytest
import torch

from recognition.funasr.campplus_head import Head, HeadedNetwork, gain_and_shift
from recognition.funasr.features import speaker_features

from .random_models import speech_like, trained_campplus


def features(seed: int, batch: int, frames: int) -> torch.Tensor:
    return torch.randn(batch, frames, 80, generator=torch.Generator().manual_seed(seed))


def similarity(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one.flatten(1), other.flatten(1)).min())


class TestGainAndShift:
    def test_they_are_the_normalisation_at_inference(self) -> None:
        norm = torch.nn.BatchNorm1d(6).eval()
        norm.running_mean, norm.running_var = torch.randn(6), torch.rand(6) + 0.5
        norm.weight, norm.bias = (torch.nn.Parameter(torch.randn(6), False) for _ in "ab")
        x = torch.randn(9, 6)

        gain, shift = gain_and_shift(norm)

        torch.testing.assert_close(x * gain + shift, norm(x))


class TestHead:
    @pytest.mark.parametrize("frames", [1, 2, 7, 100, 128, 301])
    def test_it_computes_what_funasrs_front_computes(self, frames: int) -> None:
        x = features(frames, 2, frames)
        with torch.inference_mode():
            expected = trained_campplus().head(x.transpose(1, 2))

            found = Head(trained_campplus().head)(x)

        assert found.shape == expected.shape
        assert found.dtype == torch.float32
        assert similarity(found, expected) > 0.999

    def test_nothing_negative_comes_out(self) -> None:
        with torch.inference_mode():
            assert Head(trained_campplus().head)(features(0, 1, 50)).min() >= 0

    def test_recordings_in_a_batch_do_not_mix(self) -> None:
        x = features(0, 3, 60)
        head = Head(trained_campplus().head)
        with torch.inference_mode():
            together = head(x)
            alone = torch.cat([head(row[None]) for row in x])

        torch.testing.assert_close(together, alone, atol=0.05, rtol=0.05)

    def test_it_hears_only_a_little_around_each_frame(self) -> None:
        x = features(0, 1, 200)
        changed = x.clone()
        changed[:, 150:] = 0
        head = Head(trained_campplus().head)
        with torch.inference_mode():
            one, other = head(x), head(changed)

        torch.testing.assert_close(one[..., :130], other[..., :130])
        assert (one[..., 150:] - other[..., 150:]).abs().max() > 0.01


class TestHeadedNetwork:
    def test_embeddings_are_those_of_the_whole_network(self) -> None:
        x = features(1, 3, 150)
        with torch.inference_mode():
            found, expected = HeadedNetwork(trained_campplus())(x), trained_campplus()(x)

        assert found.shape == expected.shape
        assert similarity(found, expected) > 0.999

    def test_pieces_do_not_mix(self) -> None:
        network = HeadedNetwork(trained_campplus())
        pieces = speaker_features(torch.from_numpy(np.stack([speech_like(n, 24_000) for n in range(3)])))
        with torch.inference_mode():
            together = network(pieces)
            alone = torch.cat([network(piece[None]) for piece in pieces])

        assert similarity(together, alone) > 0.9999

    def test_where_the_cpu_has_no_half_precision_it_computes_in_single(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        x = features(2, 1, 150)
        with torch.inference_mode():
            found, expected = HeadedNetwork(trained_campplus())(x), trained_campplus()(x)

        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)

    def test_the_model_itself_stays_as_it_is(self) -> None:
        x = features(3, 1, 80)
        with torch.inference_mode():
            before = trained_campplus()(x)
            HeadedNetwork(trained_campplus())(x)

            torch.testing.assert_close(trained_campplus()(x), before)
