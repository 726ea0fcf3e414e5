"""The recogniser learns, can be stopped anywhere, and reads what its export will read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recognition.funasr.features import Cmvn
from recognition.funasr.loading import lean_import
from tests.training import tiny
from training import recogniser
from training.corpus import read_shard, shard_paths
from training.recogniser import LOOK_AHEAD, OFFLINE, STREAMING, Collator, Positions, Recogniser, Trainer
from training.text import vocabulary

with lean_import():
    from funasr.models.transformer.embedding import (
        SinusoidalPositionEncoder,
        StreamSinusoidalPositionEncoder,
    )

torch.set_num_threads(1)


class TestPosition:
    """The stand-in encodes positions as FunASR's encoders do."""

    @pytest.fixture
    def inputs(self) -> torch.Tensor:
        return torch.randn(2, 7, 560)

    @pytest.fixture
    def positions(self) -> Positions:
        return Positions()

    def test_from_the_start_they_are_those_of_the_offline_encoder(
        self, positions: Positions, inputs: torch.Tensor
    ) -> None:
        torch.testing.assert_close(positions(inputs), SinusoidalPositionEncoder()(inputs))

    def test_from_further_on_they_are_those_of_the_streaming_encoder(
        self, positions: Positions, inputs: torch.Tensor
    ) -> None:
        positions.first = 40
        theirs = StreamSinusoidalPositionEncoder()(inputs, {"start_idx": 40})

        torch.testing.assert_close(positions(inputs), theirs, atol=1e-4, rtol=1e-4)

    def test_the_zeros_before_a_stream_carry_no_position(
        self, positions: Positions, inputs: torch.Tensor
    ) -> None:
        positions.zeros = LOOK_AHEAD
        padded = torch.nn.functional.pad(inputs, (0, 0, LOOK_AHEAD, 0))

        encoded = positions(padded)

        assert not encoded[:, :LOOK_AHEAD].any()
        torch.testing.assert_close(encoded[:, LOOK_AHEAD:], SinusoidalPositionEncoder()(inputs))


class TestCollator:
    @pytest.fixture
    def collate(self) -> Collator:
        return Collator(vocabulary(), Cmvn(torch.zeros(560), torch.ones(560)))

    def test_utterances_become_padded_inputs_and_targets(self, collate: Collator) -> None:
        frames = [np.ones((60, 80), np.float32), np.ones((13, 80), np.float32)]

        batch = collate(frames, ["大家好", "好"])

        assert batch.inputs.shape == (2, 10, 560)
        assert batch.lengths.tolist() == [10, 3]
        assert batch.token_counts.tolist() == [3, 1]
        assert batch.tokens[1].tolist()[1:] == [-1, -1]
        assert int(batch.unit_counts.sum()) == len(batch.units)

    def test_a_character_outside_the_vocabulary_is_the_unknown_one(self, collate: Collator) -> None:
        batch = collate([np.ones((60, 80), np.float32)], ["好龘"])

        assert int(batch.tokens[0, 1]) == len(recogniser.tokens(vocabulary())) - 1


class TestPinyin:
    def test_characters_that_sound_alike_have_the_same_units(self) -> None:
        assert recogniser.pinyin_units("公式") == recogniser.pinyin_units("攻势")

    def test_units_are_initials_and_toned_finals(self) -> None:
        assert recogniser.pinyin_units("你好") == ("n", "i2", "h", "ao3")

    def test_every_unit_of_the_vocabulary_has_a_number(self) -> None:
        known = recogniser.all_units()

        for character in vocabulary():
            assert set(recogniser.pinyin_units(character)) <= known.keys(), character


class TestNetwork:
    def test_the_two_modes_hear_different_contexts(self) -> None:
        """FunASR's own `encode` ignores the mode: every batch would be chunked."""
        torch.manual_seed(0)
        network = Recogniser(tiny.SHAPE, 20, 5).eval()
        inputs, lengths = torch.randn(1, 45, 560), torch.tensor([45])

        encoded = {}
        for mode in (STREAMING, OFFLINE):
            chunked, counts = network.encode(inputs.clone(), lengths, mode)
            encoded[mode], kept = network.whole(chunked, counts)
            assert int(kept[0]) == 45

        assert not torch.allclose(encoded[STREAMING], encoded[OFFLINE], atol=1e-3)

    def test_in_chunks_what_comes_later_than_the_look_ahead_is_not_heard(self) -> None:
        torch.manual_seed(0)
        network = Recogniser(tiny.SHAPE, 20, 5).eval()
        inputs, lengths = torch.randn(1, 40, 560), torch.tensor([40])
        changed = inputs.clone()
        changed[:, 30:] += 1

        first, second = (
            network.whole(*network.encode(x.clone(), lengths, STREAMING))[0] for x in (inputs, changed)
        )

        torch.testing.assert_close(first[:, :20], second[:, :20])
        assert not torch.allclose(first[:, 25:30], second[:, 25:30])


class TestTraining:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        tiny.write_corpus(self.folder / "corpus", shards=2)

    def trainer(self, name: str, recipe: recogniser.Recipe) -> Trainer:
        return Trainer(self.folder / name, self.folder / "corpus", tiny.SHAPE, recipe)

    def test_the_loss_comes_down(self) -> None:
        losses = [step["pinyin"] for step in self.trainer("run", tiny.recipe(steps=60)).run()]

        assert losses[0] > 8.0
        assert sum(losses[-5:]) / 5 < 4.5

    def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(self) -> None:
        recipe = tiny.recipe(steps=10)
        unbroken = [step["attention"] for step in self.trainer("unbroken", recipe).run()]

        first = [step["attention"] for step in self.trainer("broken", recipe).run(until=4)]
        rest = [step["attention"] for step in self.trainer("broken", recipe).run()]

        np.testing.assert_allclose(first + rest, unbroken, rtol=1e-4)

    def test_a_checkpoint_of_another_vocabulary_is_refused(self) -> None:
        trainer = self.trainer("run", tiny.recipe(steps=4))
        trainer.characters = ["好"]
        trainer.save()

        with pytest.raises(ValueError, match="was trained on another vocabulary"):
            self.trainer("run", tiny.recipe(steps=4))

    def test_shards_that_come_later_join_at_the_next_epoch(self) -> None:
        trainer = self.trainer("run", tiny.recipe(steps=100))
        steps = trainer.run()
        next(steps)
        tiny.write_corpus(self.folder / "corpus", shards=3)
        while trainer.epoch == 0:
            next(steps)

        assert len(trainer.shards) == 3

    def test_the_averaged_network_decodes_in_both_modes(self) -> None:
        trainer = self.trainer("run", tiny.recipe(steps=4))
        list(trainer.run())
        shard = read_shard(shard_paths(self.folder / "corpus")[0])
        batch = trainer.collate([shard.features(0)], [shard.utterances[0].text])

        for mode in (STREAMING, OFFLINE):
            (ids,) = trainer.averaged_network().decode(batch.inputs, batch.lengths, mode)
            assert all(2 < number < len(recogniser.tokens(vocabulary())) for number in ids)


class TestBatch:
    def test_an_epoch_has_every_utterance_once_and_no_batch_is_too_large(self, tmp_path: Path) -> None:
        tiny.write_corpus(tmp_path, shards=2, copies=5)
        shards = [read_shard(path) for path in shard_paths(tmp_path)]
        recipe = tiny.recipe(steps=1)

        batches = recogniser.epoch_batches(shards, recipe, epoch=0)

        seen = [at for batch in batches for at in batch]
        assert sorted(seen) == [(s, u) for s in range(2) for u in range(30)]
        for batch in batches:
            longest = max(shards[s].utterances[u].length for s, u in batch)
            assert longest * len(batch) <= recipe.batch_frames

    def test_another_epoch_has_another_order(self, tmp_path: Path) -> None:
        tiny.write_corpus(tmp_path)
        shards = [read_shard(path) for path in shard_paths(tmp_path)]

        first, second = (recogniser.epoch_batches(shards, tiny.recipe(steps=1), epoch) for epoch in (0, 1))

        assert first != second


class TestSampler:
    """The decoder is shown the right characters where it was wrong, and only among those that were said."""

    def setup_method(self) -> None:
        torch.manual_seed(0)
        self.paraformer = Recogniser(tiny.SHAPE, 20, 5).paraformer
        self.tokens = torch.tensor([[5, 6, 7, 8, 9], [10, 11, -1, -1, -1]])
        self.heard = torch.randn(2, 5, 32)

    def sample(self, sampling_ratio: float) -> Any:
        self.paraformer.sampling_ratio = sampling_ratio
        counts = torch.tensor([5, 2])
        return self.paraformer.sampler(
            torch.randn(2, 9, 32), torch.tensor([9, 9]), self.tokens, counts, self.heard
        )

    def test_none_is_shown_at_a_ratio_of_nothing(self) -> None:
        embeds, _ = self.sample(0.0)

        torch.testing.assert_close(embeds[0], self.heard[0])
        torch.testing.assert_close(embeds[1, :2], self.heard[1, :2])

    def test_every_wrong_one_may_be_shown_and_padding_stays_empty(self) -> None:
        embeds, decoded = self.sample(1.0)

        wrong = int((decoded[0].argmax(-1) != self.tokens[0]).sum())
        shown = int((embeds[0] != self.heard[0]).any(-1).sum())
        assert shown == wrong
        assert wrong > 0
        assert not embeds[1, 2:].any()
        assert not decoded[1, 2:].any()


class TestStart:
    def test_a_deeper_network_starts_out_saying_what_the_exported_one_said(self) -> None:
        torch.manual_seed(0)
        exported = Recogniser(tiny.SHAPE, 20, 5).eval()
        weights = {
            name: value.half()
            for name, value in exported.paraformer.state_dict().items()
            if "ctc" not in name
        }
        deeper = Recogniser(replace(tiny.SHAPE, encoder_blocks=3), 20, 5).eval()
        deeper.start_from(weights)
        inputs, lengths = torch.randn(1, 40, 560), torch.tensor([40])

        for mode in (STREAMING, OFFLINE):
            first, second = (n.encode(inputs.clone(), lengths, mode)[0] for n in (exported, deeper))
            torch.testing.assert_close(first, second, atol=5e-3, rtol=5e-3)
