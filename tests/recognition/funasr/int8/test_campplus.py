from __future__ import annotations

import numpy as np
import pytest
import torch

from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.features import speaker_features
from recognition.funasr.int8.campplus import CampPlus
from recognition.funasr.precision import Precision
from recognition.int8 import products
from tests.recognition.funasr.random_models import model_directory, speech_like, trained_campplus, whole

pytestmark = pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")


def speech_features(seed: int, length: int) -> torch.Tensor:
    return speaker_features(torch.from_numpy(speech_like(seed, length))[None])


def similarity(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one, other).min())


class TestCampPlus:
    @pytest.mark.parametrize("length", [8_000, 16_000, 48_000, 50_001, 96_000])
    def test_embeddings_point_where_those_of_funasr_point(self, length: int) -> None:
        x = speech_features(length, length)
        with torch.inference_mode():
            assert similarity(CampPlus(trained_campplus())(x), trained_campplus()(x)) > 0.999

    def test_parts_of_a_recording_do_not_depend_on_which_are_asked_for(self) -> None:
        network, [x] = CampPlus(trained_campplus()), speech_features(1, 64_000)
        parts = [(0, 150), (100, 398), (30, 70), (250, 300)]
        with torch.inference_mode():
            together = network.parts(x, parts)
            alone = torch.cat([network.parts(x, [part]) for part in parts])

        torch.testing.assert_close(together, alone, atol=0, rtol=0)

    def test_a_batch_is_each_piece_by_itself(self) -> None:
        network, x = CampPlus(trained_campplus()), torch.cat([speech_features(n, 16_000) for n in (1, 2)])
        with torch.inference_mode():
            torch.testing.assert_close(
                network(x), torch.cat([network(x[:1]), network(x[1:])]), atol=0, rtol=0
            )


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
