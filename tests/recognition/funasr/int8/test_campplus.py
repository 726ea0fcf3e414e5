from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from recognition.funasr.campplus_head import HeadedNetwork
from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.features import speaker_features
from recognition.funasr.int8 import networks
from recognition.funasr.int8.campplus import CampPlus
from recognition.funasr.loading import load_model
from recognition.funasr.precision import Precision
from tests.recognition.funasr.random_models import model_directory, speech_like, whole


class TestCampPlus:
    model: Any

    @classmethod
    def setup_class(cls) -> None:
        cls.model = load_model(model_directory("cam++"), ["CAMPPlus"])
        # Statistics as training leaves them: without, a normalisation folded wrongly would not show.
        torch.manual_seed(0)
        for module in cls.model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean = torch.randn(module.num_features) * 0.1
                module.running_var = torch.rand(module.num_features) + 0.5
                if module.affine:
                    module.weight = torch.nn.Parameter(torch.rand_like(module.weight) + 0.5, False)
                    module.bias = torch.nn.Parameter(torch.randn_like(module.bias) * 0.1, False)

    def embeddings(self, network: Any, lengths: Sequence[int]) -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat(
                [
                    network(speaker_features(torch.from_numpy(speech_like(n, length))[None]))
                    for n, length in enumerate(lengths)
                ]
            )

    def assert_points_where_funasr_points(self, network: Any) -> None:
        lengths = (8_000, 16_000, 48_000, 50_001, 96_000)
        exact, found = self.embeddings(self.model, lengths), self.embeddings(network, lengths)
        similarity = torch.nn.functional.cosine_similarity(exact, found)
        assert similarity.min().item() > 0.999

    @pytest.mark.skipif(not networks.is_supported(), reason="this CPU has no 8-bit products")
    def test_embeddings_in_8_bits_point_where_those_of_funasr_point(self) -> None:
        self.assert_points_where_funasr_points(CampPlus(self.model))

    def test_embeddings_behind_a_faster_front_point_where_those_of_funasr_point(self) -> None:
        self.assert_points_where_funasr_points(HeadedNetwork(self.model))

    def test_behind_a_faster_front_pieces_do_not_mix(self) -> None:
        network = HeadedNetwork(self.model)
        pieces = speaker_features(torch.from_numpy(np.stack([speech_like(n, 24_000) for n in range(3)])))
        with torch.inference_mode():
            together = network(pieces)
            alone = torch.cat([network(piece[None]) for piece in pieces])
        similarity = torch.nn.functional.cosine_similarity(together, alone)
        assert similarity.min().item() > 0.9999


@pytest.mark.skipif(not networks.is_supported(), reason="this CPU has no 8-bit products")
class TestEmbedder:
    embedder: FunasrEmbedder

    @classmethod
    def setup_class(cls) -> None:
        cls.embedder = FunasrEmbedder(model_directory("cam++"), precision=Precision("int8"))

    def test_no_recording_depends_on_what_it_is_batched_with(self) -> None:
        pieces = [whole(speech_like(n, length)) for n, length in enumerate((20_000, 30_000, 20_000))]

        together = np.concatenate(self.embedder.embed(pieces))

        alone = np.concatenate([self.embedder.embed([piece])[0] for piece in pieces])
        np.testing.assert_array_equal(together, alone)
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)

    def test_the_whole_of_a_recording_sounds_the_same_beside_its_parts(self) -> None:
        recording = speech_like(1, 64_000)

        [parts] = self.embedder.embed([(recording, [(0, 24_000), (12_000, 36_000), (0, 64_000)])])

        [[alone]] = self.embedder.embed([whole(recording)])
        assert float(parts[2] @ alone) > 0.9999

    def test_a_part_sounds_nearly_as_it_does_alone(self) -> None:
        # Not quite: its features are less the mean of the whole, and the front hears what is around it.
        recording, spans = speech_like(1, 64_000), [(0, 24_000), (12_000, 36_000), (40_000, 64_000)]

        [parts] = self.embedder.embed([(recording, spans)])

        alone = self.embedder.embed([whole(recording[start:end]) for start, end in spans])
        for found, [expected] in zip(parts, alone, strict=True):
            assert float(found @ expected) > 0.95
