"""The real Whisper base: words of people, silence, languages, and utterances of any length."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core import text
from recognition.evaluation import recordings
from recognition.evaluation.scoring import character_error_rate
from recognition.interfaces import SessionContext, StreamingRecognizer
from recognition.model_options import LoadContext
from recognition.model_sets.reading import read_model_set
from recognition.whisper.offline import OfflineWhisper
from recognition.whisper.options import WhisperOptions, WhisperStreamingOptions
from tests.support.people import spoken

ASSETS = os.environ.get("ASR_ASSETS")

needs_recordings = pytest.mark.skipif(not ASSETS, reason="ASR_ASSETS names no folder with recordings")

pytestmark = pytest.mark.slow(20)


@pytest.fixture(scope="module")
def offline(people_models_dir: Path) -> OfflineWhisper:
    directory = read_model_set("people").sources["offline"].directory(people_models_dir)
    assert directory
    recognizer = WhisperOptions().load(LoadContext(directory))
    assert isinstance(recognizer, OfflineWhisper)
    return recognizer


def line(offline: OfflineWhisper, audio: np.ndarray, context: SessionContext | None = None) -> str:
    [tokens] = offline.recognize([audio], [context or SessionContext()])
    return text.join([token.text for token in tokens])


def recorded(folder: str, step: int = 1) -> tuple[list[np.ndarray], list[str]]:
    entries = recordings.listed(Path(ASSETS or ""), under=f"speech/{folder}")[::step]
    return [recordings.read(entry.path) for entry in entries], [entry.text or "" for entry in entries]


@needs_recordings
class TestPeople:
    def test_are_understood(self, offline: OfflineWhisper) -> None:
        audio, said = recorded("aishell3", 3)
        contexts = [SessionContext("zh") for _ in audio]
        found = ["".join(token.text for token in tokens) for tokens in offline.recognize(audio, contexts)]
        assert character_error_rate(zip(said, found, strict=True)) < 0.2

    def test_speak_a_language_that_is_found_out(self, offline: OfflineWhisper) -> None:
        (english, *_), _ = recorded("librispeech_test_other")
        chinese, _ = recorded("aishell3", 20)
        contexts = [SessionContext(), SessionContext()]
        found = line(offline, english, contexts[0]), line(offline, chinese[0], contexts[1])
        assert [context.language for context in contexts] == ["en", "zh"]
        assert found[0].isascii() and not found[1].isascii()

    def test_may_speak_longer_than_a_window(self, offline: OfflineWhisper) -> None:
        [audio] = [recordings.read(Path(ASSETS or "") / "speech/zh_asr/vad_example.flac")]
        [tokens] = offline.recognize([audio[: samples(32)]], [SessionContext("zh")])
        assert len(tokens) > 80
        assert tokens[-1].start > samples(28)

    def test_say_their_words_when_they_are_heard(self, offline: OfflineWhisper) -> None:
        audio, _ = recorded("aishell3", 20)
        pause = np.zeros(samples(1.0), np.float32)
        trimmed = [recordings.trimmed(each, keep_s=0.0) for each in audio[:2]]
        [tokens] = offline.recognize(
            [np.concatenate([trimmed[0], pause, trimmed[1]])], [SessionContext("zh")]
        )
        gaps = [after.start - before.end for before, after in pairwise(tokens)]
        widest = int(np.argmax(gaps))
        assert gaps[widest] >= samples(0.9)
        assert abs(tokens[widest].end - len(trimmed[0])) < samples(0.15)


class TestNobodySpeaks:
    @pytest.mark.parametrize("level", [0.0, 0.003, 0.05])
    def test_nothing_is_written(self, offline: OfflineWhisper, level: float) -> None:
        noise = level * np.random.default_rng(1).standard_normal(samples(3.0))
        for language in ("zh", "en"):
            assert line(offline, noise.astype(np.float32), SessionContext(language)) == ""


@needs_recordings
class TestPartials:
    def test_grow_towards_the_final(self, offline: OfflineWhisper) -> None:
        streaming: StreamingRecognizer = WhisperStreamingOptions().load(LoadContext(Path(), offline=offline))
        state = streaming.new_state(SessionContext("zh"))
        (audio, *_), (said, *_) = recorded("aishell3")
        chunks = np.split(audio[: 5 * streaming.chunk], 5)
        firm = [streaming.decode([(state, chunk)])[0] for chunk in chunks]
        assert firm[0] == []
        assert "".join(token for tokens in firm for token in tokens).startswith(said[:5])


def test_sessions_that_are_heard_together_say_what_they_say_alone(offline: OfflineWhisper) -> None:
    audio = [spoken(seconds) for seconds in (4.0, 5.0, 5.5)]
    contexts: Sequence[SessionContext] = [SessionContext("zh") for _ in audio]
    together = [[token.text for token in tokens] for tokens in offline.recognize(audio, contexts)]
    alone = [[token.text for token in offline.recognize([each], contexts[:1])[0]] for each in audio]
    # Eight bits are rounded by what is beside them: nearly all is the same.
    assert sum(a == b for a, b in zip(together, alone, strict=True)) >= 2
