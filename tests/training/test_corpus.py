"""A corpus is what it says, can be made in parts, and comes out the same each time."""

import tempfile
import unittest
from pathlib import Path

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

    def test_making_goes_on_with_the_shards_that_are_missing_several_at_a_time(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            corpus.shard_path(folder, 1).touch()

            corpus.make_corpus(folder, shards=4, utterances=3, processes=2)

            paths = corpus.shard_paths(folder)
            self.assertEqual(len(paths), 4)
            self.assertEqual(paths[1].stat().st_size, 0)
            self.assertEqual(
                [len(corpus.read_shard(path).utterances) for path in paths if path != paths[1]], [3] * 3
            )

    def test_shards_take_turns_with_sets_of_made_voices(self):
        with tempfile.TemporaryDirectory() as name:
            corpus.make_corpus(Path(name), shards=2, utterances=1)

            one, another = (Path(name) / f"variants-{number}" for number in (0, 1))
            self.assertEqual(len(list(one.iterdir())), corpus.MADE_VARIANTS)
            self.assertNotEqual(
                (one / "made0000").read_text(encoding="ascii"),
                (another / "made0000").read_text(encoding="ascii"),
            )

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
