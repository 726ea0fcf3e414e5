"""Marks are learned from text, and text comes with its marks."""

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from training import punctuation
from training.loop import load_checkpoint, save_checkpoint
from training.punctuation import PunctuationRecipe, PunctuationShape, labelled
from training.text import is_held_out, sentences_of, vocabulary

torch.set_num_threads(1)

SHAPE = PunctuationShape(width=32, heads=2, feed_forward=64, blocks=1)


class TestLabel:
    def test_each_character_has_the_mark_that_follows_it(self) -> None:
        assert labelled("好，走吗？") == (["好", "走", "吗"], ["，", "", "？"])

    def test_semicolons_and_exclamation_marks_end_sentences(self) -> None:
        assert labelled("好！行；") == (["好", "行"], ["。", "。"])

    def test_a_mark_before_anything_is_said_is_left_out(self) -> None:
        assert labelled("，好。") == (["好"], ["。"])

    def test_the_first_of_two_marks_counts(self) -> None:
        assert labelled("好？。") == (["好"], ["？"])

    def test_some_characters_are_misheard_and_none_is_lost(self) -> None:
        original = list("好" * 400)

        heard = punctuation.misheard(original, list(vocabulary()), Random(0), share=0.25)

        assert len(heard) == 400
        assert sum(a != b for a, b in zip(original, heard, strict=True)) == pytest.approx(100, abs=30)


class TestText:
    def test_training_turns_hold_no_held_out_sentence_of_their_grammar(self) -> None:
        for turn in islice(punctuation.turns(Random(1)), 300):
            assert not any(is_held_out(sentence) for sentence in sentences_of(turn)), turn


class TestTraining:
    def recipe(self, steps: int) -> PunctuationRecipe:
        return PunctuationRecipe(
            steps=steps, peak_rate=4e-3, warmup=5, cooling=0.5, turns=12, checkpoint_every=4
        )

    def checkpoint(self, folder: Path) -> dict[str, Any]:
        found = load_checkpoint(folder / "checkpoint.pt")
        assert found
        return found

    def test_the_loss_comes_down_and_marks_come_out(self, tmp_path: Path) -> None:
        loss = punctuation.train(tmp_path, SHAPE, self.recipe(80))

        figures = punctuation.measure(tmp_path, turns_=20)
        assert loss < 1.0  # from 1.8, of six marks
        assert all(0 <= figure <= 1 for figure in figures.values())
        assert figures["ends"] > 0.3

    def test_a_run_that_was_stopped_ends_in_the_same_weights(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def save_and_stop(path: Path, state: dict[str, Any]) -> None:
            save_checkpoint(path, state)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(punctuation, "save_checkpoint", save_and_stop)
            with pytest.raises(KeyboardInterrupt):
                punctuation.train(tmp_path / "stopped", SHAPE, self.recipe(8))
        stopped_at = self.checkpoint(tmp_path / "stopped")["step"]

        for name in ("stopped", "unbroken"):
            punctuation.train(tmp_path / name, SHAPE, self.recipe(8))

        stopped, unbroken = (self.checkpoint(tmp_path / name) for name in ("stopped", "unbroken"))
        assert (stopped_at, stopped["step"]) == (4, 8)
        for weights in ("network", "average"):
            torch.testing.assert_close(stopped[weights], unbroken[weights])

    def test_an_utterance_always_ends_a_sentence(self) -> None:
        network = punctuation.build(SHAPE, 10).eval()

        assert punctuation.punctuate(network, [1, 2, 3])[-1] in ("。", "？")
