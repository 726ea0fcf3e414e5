from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation import voices
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models


def audio(seconds: float, dtype: type = np.int16) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, int(seconds * 16_000))
    return (noise * 32768 if dtype is np.int16 else noise).astype(dtype)


class TestTrial:
    def test_no_pair_is_of_one_recording(self) -> None:
        pieces, origin = voices.trial_pieces([[audio(3.2), audio(1.1)], [audio(2.1)]], seconds=1)
        same, different = voices.pair_scores(np.eye(len(pieces)), origin)

        assert {len(piece) for piece in pieces} == {16_000}
        assert len(same) == 3 * 1  # three crops of one recording, with the one crop of the other
        assert len(different) == 4 * 2

    def test_recordings_that_are_too_short_are_left_out(self) -> None:
        _, origin = voices.trial_pieces([[audio(0.5)], [audio(2)], [audio(2)]], 2)

        assert origin.tolist() == [[1, 0], [2, 0]]

    def test_no_more_crops_are_taken_than_asked_for(self) -> None:
        pieces, _ = voices.trial_pieces([[audio(9)]], 1, crops=2)

        assert len(pieces) == 2

    @pytest.mark.parametrize("dtype", [np.int16, np.float32])
    def test_pieces_are_as_loud_as_their_recordings(self, dtype: type) -> None:
        [piece], _ = voices.trial_pieces([[audio(1, dtype)]], 1)

        np.testing.assert_allclose(piece, audio(1, np.float32), atol=1e-4)

    def test_scores_are_of_one_voice_or_of_two(self) -> None:
        embeddings = np.array([[1, 0], [0.6, 0.8], [0, 1]])
        origin = np.array([[0, 0], [0, 1], [1, 0]])

        same, different = voices.pair_scores(embeddings, origin)

        np.testing.assert_allclose(same, [0.6])
        np.testing.assert_allclose(different, [0.0, 0.8])


class TestScores:
    def test_an_embedder_that_knows_voices_tells_them_apart(self) -> None:
        script = Script([ScriptedLine("好", voice, 2.0) for voice in (0, 0, 3, 3)])
        spoken = [script.speak(number, pause_s=0) for number in range(4)]
        embedder = scripted_models(script).embedder
        assert embedder

        same, different = voices.trial_scores(embedder, [spoken[:2], spoken[2:]], 1)

        assert (len(same), len(different)) == (8, 16)
        assert same.min() > different.max()

    def test_nothing_long_enough_is_no_scores(self) -> None:
        embedder = scripted_models(Script()).embedder
        assert embedder

        same, different = voices.trial_scores(embedder, [[audio(1)], [audio(1)]], 5)

        assert (len(same), len(different)) == (0, 0)
