"""The speaker embedding learns voices, and is measured without cheating."""

import itertools
import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import soundfile
import torch

from training import speaker
from training.__main__ import Job, export_models
from training.export import in_half_precision
from training.loop import Machine
from training.plan import QUICK
from training.speaker import AngularMargin, SpeakerRecipe, SpeakerShape, VoiceBank

torch.set_num_threads(1)

SHAPE = SpeakerShape(embedding=16, channels=16, attention=8)


def voice(pitch: float, seconds: float, seed: int = 0) -> np.ndarray:
    """A buzz of that pitch with breath, int16: who sounds higher is somebody else."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for k in range(1, 20))
    return (3000 * buzz + 200 * rng.standard_normal(len(time))).astype(np.int16)


def bank() -> VoiceBank:
    return VoiceBank([[voice(100, 2, 1), voice(100, 3, 2)], [voice(160, 2, 3)], [voice(240, 4, 4)]], people=2)


class TestVoiceBank:
    def test_people_count_once_for_each_speed_and_made_voices_once(self) -> None:
        assert bank().classes == 2 * len(speaker.SPEEDS) + 1

    def test_crops_have_the_length_asked_for_and_every_class_comes_up(self) -> None:
        rng, voices = np.random.default_rng(0), bank()

        drawn = [voices.draw(rng, 0.75, 20_000) for _ in range(120)]

        assert {len(crop) for crop, _ in drawn} == {20_000}
        assert {label for _, label in drawn} == set(range(7))
        assert all(crop.dtype == np.float32 and np.abs(crop).max() <= 1.0 for crop, _ in drawn)

    def test_a_crop_longer_than_a_recording_takes_several(self) -> None:
        crop, _ = bank().draw(np.random.default_rng(1), 1.0, 100_000)

        assert len(crop) == 100_000

    def test_without_people_there_are_made_voices(self) -> None:
        alone = VoiceBank([[voice(100, 2)]], people=0)

        _, label = alone.draw(np.random.default_rng(2), 0.75, 8000)

        assert label == 0


class TestPeople:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        rows = []
        for number, name in enumerate(
            ("ann/1.flac", "ann/2.flac", f"{speaker.TEST_PEOPLE}/bob.flac", "notes.txt")
        ):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".flac":
                soundfile.write(path, voice(100 + 40 * number, 2.0), 16_000)
            rows.append({"file": name, "speaker": name.split("/")[0], "text": "好", "licence": "CC BY 4.0"})
        (self.folder / "manifest.json").write_text(json.dumps(rows))

    def test_people_for_measuring_are_not_trained_on(self) -> None:
        found = speaker._people([self.folder])

        assert len(found) == 1
        assert len(found[0]) == 2


class TestMargin:
    def test_a_margin_makes_the_loss_larger_and_leaves_the_accuracy(self) -> None:
        torch.manual_seed(0)
        head = AngularMargin(8, 5, scale=10.0)
        embeddings, labels = torch.randn(12, 8), torch.arange(12) % 5

        (easy, accuracy), (hard, same) = (head(embeddings, labels, margin) for margin in (0.0, 0.3))

        assert hard.item() > easy.item()
        assert accuracy.item() == same.item()

    def test_without_a_margin_it_is_cross_entropy_of_cosines(self) -> None:
        head = AngularMargin(4, 3, scale=5.0)
        embeddings, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
        cosines = torch.nn.functional.cosine_similarity(embeddings[:, None], head.directions[None], dim=2)

        loss, _ = head(embeddings, labels, 0.0)

        expected = torch.nn.functional.cross_entropy(5 * cosines, labels)
        assert loss.item() == pytest.approx(expected.item(), abs=5e-5)


class TestLearning:
    def test_crops_in_other_surroundings_keep_their_length(self) -> None:
        rng = np.random.default_rng(3)
        crop = voice(120, 1.0).astype(np.float32) / 32768

        for _ in range(20):
            heard = speaker.heard_elsewhere(crop, rng, [crop], [np.ones(1, np.float32)])
            assert heard.dtype == np.float32
            assert heard.shape == crop.shape
            assert np.isfinite(heard).all()

    def test_batches_follow_from_seed_and_step_however_many_processes_prepare_them(self) -> None:
        recipe = SpeakerRecipe(audio_s=8.0)

        alone, together = (speaker.batches(bank(), recipe, [], first=5, loaders=n) for n in (0, 2))

        for (crops, labels), (same_crops, same_labels) in itertools.islice(
            zip(alone, together, strict=False), 3
        ):
            torch.testing.assert_close(crops, same_crops)
            assert labels.tolist() == same_labels.tolist()


class TestExport:
    """What becomes of a training, from nothing or from an exported network."""

    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        torch.manual_seed(0)
        self.exported = speaker.build(SHAPE).state_dict()
        torch.save(in_half_precision(self.exported), self.folder / "model.pt")

    def train(self, steps: int, *, start: Path | None) -> dict[str, Any]:
        """The checkpoint after so many steps, those of earlier calls included."""
        recipe = SpeakerRecipe(steps=steps, audio_s=8.0, warmup=1)
        with mock.patch.object(speaker, "load_bank", return_value=bank()):
            speaker.train(self.folder / "speaker", SHAPE, recipe, start=start)
        return dict(torch.load(self.folder / "speaker" / "checkpoint.pt", weights_only=True))

    def export(self) -> dict[str, torch.Tensor]:
        export_models(job(self.folder, models=self.folder / "models"))
        return dict(torch.load(self.folder / "models" / "speaker" / "model.pt", weights_only=True))

    def assert_same(self, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
        assert set(found) == set(expected)
        for name, value in found.items():
            torch.testing.assert_close(value.float(), expected[name].float(), atol=1e-3, rtol=1e-3)

    def test_a_training_from_a_network_begins_with_it(self) -> None:
        self.assert_same(self.train(0, start=self.folder)["average"], self.exported)
        self.assert_same(self.export(), self.exported)

    def test_a_training_from_a_network_becomes_the_mean_of_start_middle_and_end(self) -> None:
        before = self.train(2, start=self.folder)["waypoints"]
        state = self.train(4, start=self.folder)  # it goes on
        start, middle = state["waypoints"]
        found = self.export()

        self.assert_same(start, self.exported)
        assert int(middle["first.1.num_batches_tracked"]) == 1
        self.assert_same(middle, before[1])
        weights = [one["dense.weight"] for one in (start, middle, state["average"])]
        assert not (torch.equal(weights[0], weights[1]) or torch.equal(weights[1], weights[2]))
        torch.testing.assert_close(found["dense.weight"].float(), sum(weights) / 3, atol=1e-3, rtol=1e-3)
        assert int(found["first.1.num_batches_tracked"]) == 4

    def test_a_training_from_nothing_is_exported_as_it_ended_and_nothing_else_is(self) -> None:
        ended = self.train(2, start=None)["average"]
        self.assert_same(self.export(), ended)
        assert [path.name for path in (self.folder / "models").iterdir()] == ["speaker"]

    def test_there_must_be_something_to_export(self) -> None:
        with pytest.raises(SystemExit, match="Nothing was trained in"):
            self.export()


def job(work: Path, models: Path) -> Job:
    return Job(
        plan=QUICK,
        work=work,
        models=models,
        recordings=[],
        quick=True,
        model_set="embedded",
        models_dir=work,
        seed=0,
        processes=1,
        machine=Machine(),
        start=None,
    )
