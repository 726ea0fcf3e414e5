from __future__ import annotations

import functools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.loading import build_model, open_directory

from .random_models import auto_model, model_directory, model_path, speech_like, whole


@functools.cache
def embedder() -> FunasrEmbedder:
    return FunasrEmbedder(model_directory("cam++"))


def embed_whole(audio: np.ndarray) -> np.ndarray:
    [[found]] = embedder().embed([whole(audio)])
    return np.asarray(found)


class TestEquivalence:
    def test_an_embedding_points_where_that_of_funasr_points(self) -> None:
        for seconds in (1, 3, 7):
            audio = speech_like(seconds, seconds * 16_000)
            expected = auto_model(model_path("cam++")).generate(input=audio)[0]["spk_embedding"][0].numpy()

            [[found]] = embedder().embed([whole(audio)])

            np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


class TestBatch:
    def test_each_recording_has_its_embedding_whatever_the_lengths(self) -> None:
        pieces = [speech_like(n, length) for n, length in enumerate((48_000, 20_000, 48_000, 70_000))]

        together = embedder().embed(list(map(whole, pieces)))

        assert [found.shape for found in together] == 4 * [(1, embedder().dimension)]
        assert together[0].dtype == np.float32
        for found, piece in zip(together, pieces, strict=True):
            np.testing.assert_allclose(found, embedder().embed([whole(piece)])[0], atol=1e-5)

    def test_each_stretch_of_a_recording_has_its_embedding(self) -> None:
        recording, spans = speech_like(1, 64_000), [(0, 24_000), (12_000, 36_000), (30_000, 64_000)]

        [first, second] = embedder().embed([(recording, spans), whole(recording)])

        assert (len(first), len(second)) == (3, 1)
        for found, (start, end) in zip(first, spans, strict=True):
            np.testing.assert_allclose(found, embed_whole(recording[start:end]), atol=1e-5)

    def test_embeddings_have_unit_length(self) -> None:
        found = embedder().embed([whole(speech_like(1, 30_000)), whole(speech_like(2, 9_000))])

        np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1, atol=1e-5)

    def test_a_syllable_is_enough(self) -> None:
        assert np.isfinite(embed_whole(speech_like(1, 700))).all()

    def test_a_syllable_in_a_recording_is_taken_with_what_is_around_it(self) -> None:
        recording = speech_like(1, 16_000)

        [found] = embedder().embed([(recording, [(15_500, 16_000)])])

        np.testing.assert_allclose(found[0], embed_whole(recording[-6_400:]), atol=1e-5)

    def test_silence_has_an_embedding_too(self) -> None:
        assert np.isfinite(embed_whole(np.zeros(16_000, np.float32))).all()

    def test_an_empty_batch_has_no_embeddings(self) -> None:
        assert embedder().embed([]) == []

    def test_an_empty_piece_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no voice in an empty piece"):
            embedder().embed([(np.zeros(16_000, np.float32), [(300, 300)])])


class TestIdentity:
    def test_other_weights_are_another_model(self, tmp_path: Path) -> None:
        path = tmp_path / "cam++"
        shutil.copytree(model_path("cam++"), path)
        directory = open_directory(path)
        torch.manual_seed(1)
        torch.save(build_model(directory).state_dict(), path / "model.pt")

        other = FunasrEmbedder(directory).model_id

        assert other != embedder().model_id
        assert re.search(r"^cam\+\+@[0-9a-f]{12}$", embedder().model_id)


class TestERes2Net:
    def test_the_other_family_of_networks_is_served_too(self, tmp_path: Path) -> None:
        import yaml

        config = {
            "model": "ERes2NetV2",
            "model_conf": {"m_channels": 8, "embedding_size": 16, "num_blocks": [1, 1, 1, 1]},
        }
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        directory = open_directory(tmp_path)
        torch.save(build_model(directory).model.state_dict(), tmp_path / "pretrained_eres2netv2.ckpt")

        [found] = FunasrEmbedder(open_directory(tmp_path)).embed([whole(speech_like(1, 16_000))])

        assert found.shape == (1, 16)
