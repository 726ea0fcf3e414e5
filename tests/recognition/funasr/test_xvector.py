"""The time-delay network for voices is one of FunASR's, and is read back as it was written."""

from pathlib import Path

import numpy as np
import pytest
import torch

from recognition.exceptions import ModelError
from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.loading import open_directory
from recognition.funasr.xvector import TdnnXvector
from training import export
from training.speaker import SpeakerShape, configuration

from .random_models import auto_model, whole

torch.set_num_threads(1)

SHAPE = SpeakerShape(embedding=24, channels=16, attention=8)


def write_directory(folder: Path) -> None:
    """A model of random weights, in single precision."""
    torch.manual_seed(5)
    network = TdnnXvector(**configuration(SHAPE)["model_conf"]).train()
    for _ in range(3):
        network(torch.randn(8, 120, 80))
    torch.save(network.state_dict(), folder / "model.pt")
    export.write_configuration(folder, configuration(SHAPE), init_param="model.pt")


def noise(seconds: float, seed: int) -> np.ndarray:
    audio = np.random.default_rng(seed).standard_normal(int(seconds * 16_000))
    return (0.1 * audio).astype(np.float32)


class TestXvector:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        write_directory(self.folder)

    def test_embeddings_are_those_that_funasr_computes(self) -> None:
        audio = noise(1.5, 1)
        expected = auto_model(self.folder).generate(input=audio)[0]["spk_embedding"][0].detach().numpy()

        [[found]] = FunasrEmbedder(open_directory(self.folder)).embed([whole(audio)])

        np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-3)

    def test_a_piece_has_the_same_embedding_alone_and_in_company(self) -> None:
        embedder = FunasrEmbedder(open_directory(self.folder))
        pieces = [noise(1.0, 1), noise(2.0, 2), noise(1.0, 3)]

        together = embedder.embed(list(map(whole, pieces)))

        assert [found.shape for found in together] == 3 * [(1, SHAPE.embedding)]
        for piece, found in zip(pieces, together, strict=True):
            np.testing.assert_allclose(embedder.embed([whole(piece)])[0], found, atol=1e-5)

    def test_loudness_does_not_matter(self) -> None:
        embedder = FunasrEmbedder(open_directory(self.folder))

        [loud], [quiet] = embedder.embed([whole(noise(1.5, 4)), whole(0.1 * noise(1.5, 4))])

        assert float(loud @ quiet) > 0.99

    def test_weights_of_another_width_are_refused(self) -> None:
        other = SpeakerShape(embedding=24, channels=32, attention=8)
        export.write_configuration(self.folder, configuration(other), init_param="model.pt")

        with pytest.raises(ModelError, match=r"does not fit config.yaml"):
            FunasrEmbedder(open_directory(self.folder))
