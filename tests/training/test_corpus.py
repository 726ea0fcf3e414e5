"""A corpus is what it says, can be made in parts, and comes out the same each time."""

from pathlib import Path

import numpy as np
import pytest

from training import corpus, synthesis
from training.text import is_held_out, vocabulary


class TestShard:
    def test_a_shard_reads_back_what_was_written(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        frames = [rng.normal(10, 3, (length, 80)).astype(np.float32) for length in (30, 7, 51)]
        labels = [("好", "f1"), ("不好", "m1"), ("很好", "f1")]

        corpus.write_shard(corpus.shard_path(tmp_path, 3), frames, labels)
        shard = corpus.read_shard(corpus.shard_path(tmp_path, 3))

        assert [(u.text, u.voice, u.length) for u in shard.utterances] == [
            ("好", "f1", 30),
            ("不好", "m1", 7),
            ("很好", "f1", 51),
        ]
        for number, original in enumerate(frames):
            np.testing.assert_allclose(shard.features(number), original, atol=0.01)

    def test_shards_are_listed_in_order_and_a_half_written_one_is_not(self, tmp_path: Path) -> None:
        for name in ("shard-0002.npy", "shard-0000.npy", "shard-0001.partial", "notes.txt"):
            (tmp_path / name).touch()

        assert [path.name for path in corpus.shard_paths(tmp_path)] == ["shard-0000.npy", "shard-0002.npy"]


@pytest.mark.slow
class TestSpokenShard:
    """With espeak-ng, in processes of their own."""

    @pytest.fixture(scope="class", autouse=True)
    def folders(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
        """Two corpora of the same seed."""
        try:
            synthesis.system_data()
        except synthesis.SynthesisError as exc:
            pytest.skip(str(exc))
        first, second = (tmp_path_factory.mktemp("corpora") / name for name in ("first", "second"))
        for folder in (first, second):
            corpus.make_corpus(folder, shards=1, seed=9, utterances=12)
        return first, second

    def test_making_goes_on_with_the_shards_that_are_missing_several_at_a_time(self, tmp_path: Path) -> None:
        corpus.shard_path(tmp_path, 1).touch()

        corpus.make_corpus(tmp_path, shards=4, utterances=3, processes=2)

        paths = corpus.shard_paths(tmp_path)
        assert len(paths) == 4
        assert paths[1].stat().st_size == 0
        assert [len(corpus.read_shard(path).utterances) for path in paths if path != paths[1]] == [3] * 3

    def test_shards_take_turns_with_sets_of_made_voices(self, tmp_path: Path) -> None:
        corpus.make_corpus(tmp_path, shards=2, utterances=1)

        one, another = (tmp_path / f"variants-{number}" for number in (0, 1))
        assert len(list(one.iterdir())) == corpus.MADE_VARIANTS
        assert (one / "made0000").read_text(encoding="ascii") != (another / "made0000").read_text(
            encoding="ascii"
        )

    def test_the_same_seed_makes_the_same_shard(self, folders: tuple[Path, Path]) -> None:
        first, second = (corpus.read_shard(corpus.shard_path(folder, 0)) for folder in folders)

        assert first.utterances == second.utterances
        np.testing.assert_array_equal(first.frames, second.frames)

    def test_utterances_are_speech_with_plain_text_of_the_vocabulary(
        self, folders: tuple[Path, Path]
    ) -> None:
        shard = corpus.read_shard(corpus.shard_path(folders[0], 0))

        assert len(shard.utterances) == 12
        for number, utterance in enumerate(shard.utterances):
            features = shard.features(number)
            assert set(utterance.text) - set(vocabulary()) == set()
            assert not is_held_out(utterance.text)
            assert 4 < utterance.length / len(utterance.text) < 120
            assert np.isfinite(features).all()
            assert float(features.std()) > 1.0

    def test_no_held_out_voice_speaks(self, folders: tuple[Path, Path]) -> None:
        shard = corpus.read_shard(corpus.shard_path(folders[0], 0))
        kept_back = {*synthesis.HELD_OUT_VARIANTS, *synthesis.SAMPLE_MEETING_VARIANTS}

        assert {u.voice for u in shard.utterances} & kept_back == set()
