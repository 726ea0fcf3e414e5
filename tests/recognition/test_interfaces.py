"""Protocol classes of the models, and the set that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from recognition.fakes.checksum import checksum_models
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedStreaming, scripted_models
from recognition.interfaces import (
    Models,
    OfflineRecognizer,
    Punctuator,
    SpeakerEmbedder,
    State,
    StreamingRecognizer,
    Token,
    VoiceActivityDetector,
)

SCRIPT = Script([ScriptedLine("大家好。", seconds=1.0)])
SETS = [scripted_models(SCRIPT), checksum_models()]
INTERFACES = {
    "vad": VoiceActivityDetector,
    "streaming": StreamingRecognizer,
    "offline": OfflineRecognizer,
    "punctuator": Punctuator,
    "embedder": SpeakerEmbedder,
}


@pytest.mark.parametrize("models", SETS, ids=lambda models: models.name)
class TestEveryModel:
    """What each protocol class promises, of the models that come with the product and need no weights."""

    @pytest.mark.parametrize("role", INTERFACES)
    def test_it_has_what_its_role_asks_for_and_no_other_role(self, models: Models, role: str) -> None:
        model = getattr(models, role)
        assert isinstance(model, INTERFACES[role])
        assert not any(isinstance(model, other) for name, other in INTERFACES.items() if name != role)

    def test_a_window_is_a_whole_number_of_frames(self, models: Models) -> None:
        assert models.vad.window % models.vad.frame == 0
        assert models.vad.delay >= 0

    def test_detection_gives_a_probability_for_each_frame(self, models: Models) -> None:
        audio = SCRIPT.speak(0)[: models.vad.window]
        state = models.vad.new_state()
        [found] = models.vad.detect([(state, audio)])
        assert found.dtype == np.float32
        assert found.shape == (models.vad.window // models.vad.frame,)
        assert ((found >= 0) & (found <= 1)).all()

    def test_a_batch_of_none_gives_none(self, models: Models) -> None:
        assert models.streaming
        assert models.punctuator
        assert models.embedder
        assert models.vad.detect([]) == []
        assert models.streaming.decode([]) == []
        assert models.offline.recognize([]) == []
        assert models.punctuator.punctuate([]) == []
        assert models.embedder.embed([]) == []

    def test_tokens_lie_within_their_audio_one_after_the_other(self, models: Models) -> None:
        audio = SCRIPT.speak(0)
        [tokens] = models.offline.recognize([audio])
        edges = [edge for token in tokens for edge in (token.start, token.end)]
        assert edges == sorted(edges)
        assert edges[0] >= 0
        assert edges[-1] <= len(audio)

    def test_there_is_a_mark_for_each_token(self, models: Models) -> None:
        assert models.punctuator
        for tokens in ([], ["好"], list("大家好")):
            [marks] = models.punctuator.punctuate([tokens])
            assert len(marks) == len(tokens)

    def test_embeddings_have_unit_length_and_their_dimension(self, models: Models) -> None:
        assert models.embedder
        [found] = models.embedder.embed([(SCRIPT.speak(0), [(0, 8000), (4000, 16_000)])])
        assert found.dtype == np.float32
        assert found.shape == (2, models.embedder.dimension)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)


class TestModels:
    def test_the_step_of_the_first_pass_is_that_of_its_model(self) -> None:
        models = scripted_models(SCRIPT)
        assert models.streaming
        assert models.chunk == models.streaming.chunk == 9600

    def test_without_a_first_pass_there_is_no_step(self) -> None:
        assert replace(scripted_models(SCRIPT), streaming=None).chunk == 0

    def test_a_detector_and_a_second_pass_are_enough(self) -> None:
        whole = scripted_models(SCRIPT)
        models = Models("few", whole.vad, whole.offline)
        assert (models.streaming, models.punctuator, models.embedder) == (None, None, None)
        assert models.device == "cpu"

    def test_a_first_pass_with_a_tail_revises(self) -> None:
        class Revises(ScriptedStreaming):
            def tail(self, state: State) -> Sequence[str]:
                return []

        models = scripted_models(SCRIPT)
        assert not models.revises
        assert not replace(models, streaming=None).revises
        assert replace(models, streaming=Revises(SCRIPT)).revises

    def test_a_set_does_not_change(self) -> None:
        with pytest.raises(FrozenInstanceError):
            scripted_models(SCRIPT).name = "another"  # type: ignore[misc]


class TestTokens:
    def test_a_token_has_no_mark_unless_its_recogniser_wrote_one(self) -> None:
        assert Token("好", 0, 1).mark == ""
        assert Token("好", 0, 1, "。").mark == "。"

    def test_a_mark_makes_another_token(self) -> None:
        assert Token("好", 0, 1) != Token("好", 0, 1, "。")
