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

from recognition.evaluation import recordings
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
    def test_people_count_once_for_each_speed_and_made_voices_once(self):
        assert bank().classes == 2 * len(speaker.SPEEDS) + 1

    def test_crops_have_the_length_asked_for_and_every_class_comes_up(self):
        rng = np.random.default_rng(0)

        drawn = [bank().draw(rng, 0.75, 20_000) for _ in range(120)]

        assert {len(crop) for crop, _ in drawn} == {20_000}
        assert {label for _, label in drawn} == set(range(7))
        assert all(crop.dtype == np.float32 and np.abs(crop).max() <= 1.0 for crop, _ in drawn)

    def test_a_crop_longer_than_a_recording_takes_several(self):
        crop, _ = bank().draw(np.random.default_rng(1), 1.0, 100_000)

        assert len(crop) == 100_000

    def test_without_people_there_are_made_voices(self):
        alone = VoiceBank([[voice(100, 2)]], people=0)

        _, label = alone.draw(np.random.default_rng(2), 0.75, 8000)

        assert label == 0


class TestRecordings:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path):
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

    def test_only_audio_of_named_speakers_is_listed(self):
        listed = recordings.listed(self.folder)

        assert [r.path.name for r in listed] == ["1.flac", "2.flac", "bob.flac"]
        assert listed[0].licence == "CC BY 4.0"

    def test_a_part_of_the_folder_can_be_asked_for(self):
        assert len(recordings.listed(self.folder, under="ann/")) == 2

    def test_a_folder_without_a_manifest_is_an_error(self):
        with pytest.raises(FileNotFoundError):
            recordings.listed(self.folder / "ann")

    def test_stereo_at_another_rate_becomes_mono_at_16_khz(self):
        path = self.folder / "stereo.wav"
        soundfile.write(path, np.zeros((44_100, 2), np.float32), 44_100)

        audio = recordings.read(path)

        assert (audio.dtype, audio.shape) == (np.float32, (16_000,))

    def test_silence_at_the_ends_is_cut_off(self):
        spoken = voice(120, 1.0).astype(np.float32) / 32768
        quiet = np.zeros(16_000, np.float32)

        trimmed = recordings.trimmed(np.concatenate([quiet, spoken, quiet]), keep_s=0.05)

        assert len(trimmed) / 16_000 == pytest.approx(1.1, abs=0.05)

    def test_people_for_measuring_are_not_trained_on(self):
        found = speaker._people([self.folder])

        assert len(found) == 1
        assert len(found[0]) == 2


class TestMargin:
    def test_a_margin_makes_the_loss_larger_and_leaves_the_accuracy(self):
        torch.manual_seed(0)
        head = AngularMargin(8, 5, scale=10.0)
        embeddings, labels = torch.randn(12, 8), torch.arange(12) % 5

        (easy, accuracy), (hard, same) = (head(embeddings, labels, margin) for margin in (0.0, 0.3))

        assert hard.item() > easy.item()
        assert accuracy.item() == same.item()

    def test_without_a_margin_it_is_cross_entropy_of_cosines(self):
        head = AngularMargin(4, 3, scale=5.0)
        embeddings, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
        cosines = torch.nn.functional.cosine_similarity(embeddings[:, None], head.directions[None], dim=2)

        loss, _ = head(embeddings, labels, 0.0)

        expected = torch.nn.functional.cross_entropy(5 * cosines, labels)
        assert loss.item() == pytest.approx(expected.item(), abs=5e-5)


class TestTrial:
    def test_no_pair_is_of_one_recording(self):
        voices = [[voice(100, 3.2, 1), voice(100, 1.1, 2)], [voice(180, 2.1, 3)]]

        pieces, origin = speaker.trial_pieces(voices, seconds=1)
        same, different = speaker.pair_scores(np.eye(len(pieces)), origin)

        assert {len(piece) for piece in pieces} == {16_000}

        assert len(same) == 3 * 1  # three crops of one recording, with the one crop of the other
        assert len(different) == 4 * 2

    def test_recordings_that_are_too_short_are_left_out(self):
        _, origin = speaker.trial_pieces([[voice(100, 0.5)], [voice(150, 2)], [voice(90, 2)]], 2)

        assert origin.tolist() == [[1, 0], [2, 0]]

    def test_scores_are_of_one_voice_or_of_two(self):
        embeddings = np.array([[1, 0], [0.6, 0.8], [0, 1]])
        origin = np.array([[0, 0], [0, 1], [1, 0]])

        same, different = speaker.pair_scores(embeddings, origin)

        np.testing.assert_allclose(same, [0.6])
        np.testing.assert_allclose(different, [0.0, 0.8])


class TestLearning:
    def test_crops_in_other_surroundings_keep_their_length(self):
        rng = np.random.default_rng(3)
        crop = voice(120, 1.0).astype(np.float32) / 32768

        for _ in range(20):
            heard = speaker.heard_elsewhere(crop, rng, [crop], [np.ones(1, np.float32)])
            assert (heard.dtype, heard.shape) == (np.float32, crop.shape)
            assert np.isfinite(heard).all()

    def test_batches_follow_from_seed_and_step_however_many_processes_prepare_them(self):
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
        return torch.load(self.folder / "speaker" / "checkpoint.pt", weights_only=True)

    def export(self) -> dict[str, torch.Tensor]:
        export_models(job(self.folder, models=self.folder / "models"))
        return torch.load(self.folder / "models" / "speaker" / "model.pt", weights_only=True)

    def assert_same(self, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
        assert set(found) == set(expected)
        for name, value in found.items():
            torch.testing.assert_close(value.float(), expected[name].float(), atol=1e-3, rtol=1e-3)

    def test_a_training_from_a_network_begins_with_it(self):
        self.assert_same(self.train(0, start=self.folder)["average"], self.exported)
        self.assert_same(self.export(), self.exported)

    def test_a_training_from_a_network_becomes_the_mean_of_start_middle_and_end(self):
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

    def test_a_training_from_nothing_is_exported_as_it_ended_and_nothing_else_is(self):
        ended = self.train(2, start=None)["average"]
        self.assert_same(self.export(), ended)
        assert [path.name for path in (self.folder / "models").iterdir()] == ["speaker"]

    def test_there_must_be_something_to_export(self):
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
