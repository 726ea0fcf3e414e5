"""A corpus is what it says, can be made in parts, and comes out the same each time."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from training import corpus, synthesis
from training.text import is_held_out, vocabulary


class ShardTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_shard_reads_back_what_was_written(self):
        rng = np.random.default_rng(0)
        frames = [rng.normal(10, 3, (length, 80)).astype(np.float32) for length in (30, 7, 51)]
        labels = [("好", "f1"), ("不好", "m1"), ("很好", "f1")]

        corpus.write_shard(corpus.shard_path(self.folder, 3), frames, labels)
        shard = corpus.read_shard(corpus.shard_path(self.folder, 3))

        self.assertEqual(
            [(u.text, u.voice, u.length) for u in shard.utterances],
            [("好", "f1", 30), ("不好", "m1", 7), ("很好", "f1", 51)],
        )
        for number, original in enumerate(frames):
            np.testing.assert_allclose(shard.features(number), original, atol=0.01)

    def test_shards_are_listed_in_order_and_a_half_written_one_is_not(self):
        for name in ("shard-0002.npy", "shard-0000.npy", "shard-0001.partial", "notes.txt"):
            (self.folder / name).touch()

        self.assertEqual(
            [path.name for path in corpus.shard_paths(self.folder)], ["shard-0000.npy", "shard-0002.npy"]
        )

    def test_making_goes_on_with_the_shards_that_are_missing(self):
        corpus.shard_path(self.folder, 0).touch()
        made = []
        with mock.patch.object(
            synthesis, "in_fresh_process", lambda f, folder, number, *rest: made.append(number) or 1.0
        ):
            corpus.make_corpus(self.folder, shards=3)

        self.assertEqual(made, [1, 2])


@pytest.mark.slow
class SpokenShardTests(unittest.TestCase):
    """With espeak-ng, in processes of their own."""

    @classmethod
    def setUpClass(cls):
        try:
            synthesis.system_data()
        except synthesis.SynthesisError as exc:
            raise unittest.SkipTest(str(exc)) from exc
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folders = [Path(cls.temporary.name) / name for name in ("first", "second")]
        for folder in cls.folders:
            corpus.make_corpus(folder, shards=1, seed=9, utterances=12)

    def test_the_same_seed_makes_the_same_shard(self):
        first, second = (corpus.read_shard(corpus.shard_path(folder, 0)) for folder in self.folders)

        self.assertEqual(first.utterances, second.utterances)
        np.testing.assert_array_equal(first.frames, second.frames)

    def test_utterances_are_speech_with_plain_text_of_the_vocabulary(self):
        shard = corpus.read_shard(corpus.shard_path(self.folders[0], 0))

        self.assertEqual(len(shard.utterances), 12)
        for number, utterance in enumerate(shard.utterances):
            with self.subTest(text=utterance.text):
                features = shard.features(number)
                self.assertEqual(set(utterance.text) - set(vocabulary()), set())
                self.assertFalse(is_held_out(utterance.text))
                self.assertTrue(4 < utterance.length / len(utterance.text) < 120)
                self.assertTrue(np.isfinite(features).all())
                self.assertGreater(float(features.std()), 1.0)

    def test_no_held_out_voice_speaks(self):
        shard = corpus.read_shard(corpus.shard_path(self.folders[0], 0))
        kept_back = {*synthesis.HELD_OUT_VARIANTS, *synthesis.SAMPLE_MEETING_VARIANTS}

        self.assertEqual({u.voice for u in shard.utterances} & kept_back, set())
