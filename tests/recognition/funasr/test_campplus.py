from __future__ import annotations

import unittest

import numpy as np
import torch

from recognition.funasr import int8
from recognition.funasr.arithmetic import Arithmetic
from recognition.funasr.campplus import CampPlus
from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.features import speaker_features
from recognition.funasr.loading import load_model

from .random_models import model_directory, speech_like


@unittest.skipUnless(int8.is_supported(), "this CPU has no 8-bit products")
class CampPlusTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = load_model(model_directory("cam++"), ["CAMPPlus"])
        # Statistics as training leaves them: without, a normalisation folded wrongly would not show.
        torch.manual_seed(0)
        for module in cls.model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean = torch.randn_like(module.running_mean) * 0.1
                module.running_var = torch.rand_like(module.running_var) + 0.5
                if module.affine:
                    module.weight = torch.nn.Parameter(torch.rand_like(module.weight) + 0.5, False)
                    module.bias = torch.nn.Parameter(torch.randn_like(module.bias) * 0.1, False)
        cls.network = CampPlus(cls.model)

    def embeddings(self, network, lengths) -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat(
                [
                    network(speaker_features(torch.from_numpy(speech_like(n, length))[None]))
                    for n, length in enumerate(lengths)
                ]
            )

    def test_embeddings_point_where_those_of_funasr_point(self):
        lengths = (8_000, 16_000, 48_000, 50_001, 96_000)

        exact, found = self.embeddings(self.model, lengths), self.embeddings(self.network, lengths)

        similarity = torch.nn.functional.cosine_similarity(exact, found)
        self.assertGreater(similarity.min().item(), 0.999)


@unittest.skipUnless(int8.is_supported(), "this CPU has no 8-bit products")
class EmbedderTests(unittest.TestCase):
    def test_pieces_of_one_length_and_of_several_are_embedded(self):
        embedder = FunasrEmbedder(model_directory("cam++"), arithmetic=Arithmetic("int8"))
        pieces = [speech_like(n, length) for n, length in enumerate((20_000, 30_000, 20_000))]

        together = embedder.embed(pieces)

        alone = np.concatenate([embedder.embed([piece]) for piece in pieces])
        np.testing.assert_array_equal(together, alone)
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
