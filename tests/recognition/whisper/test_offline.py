"""Whole utterances to words with times, with a network that hears what it is told."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
import pytest

from recognition.audio import samples
from recognition.hotwords import Hotword, Hotwords
from recognition.interfaces import OfflineRecognizer, SessionContext
from recognition.whisper.listening import MAX_LENGTH, Listener
from recognition.whisper.network import Network, Search
from recognition.whisper.offline import OfflineWhisper, cut
from recognition.whisper.vocabulary import Vocabulary

from .scripted import ScriptedNetwork


def noise(seconds: float) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(samples(seconds))).astype(np.float32)


def recognizer(vocabulary: Vocabulary, network: ScriptedNetwork) -> OfflineWhisper:
    return OfflineWhisper(Listener(cast(Network, network), vocabulary, ["zh", "en"]), Search())


class TestRecognize:
    def test_each_utterance_gets_its_words(self, vocabulary: Vocabulary) -> None:
        offline = recognizer(vocabulary, ScriptedNetwork(["短", "长"]))
        batch = [noise(9), noise(3)]
        found = offline.recognize(batch, [SessionContext("zh") for _ in batch])
        assert [[token.text for token in tokens] for tokens in found] == [["长"], ["短"]]

    def test_words_lie_in_their_utterance(self, vocabulary: Vocabulary) -> None:
        [tokens] = recognizer(vocabulary, ScriptedNetwork(["你好 hello"])).recognize([noise(3)])
        bounds = [position for token in tokens for position in (token.start, token.end)]
        assert bounds == sorted(bounds)
        assert bounds[0] >= 0 and bounds[-1] <= samples(3)

    def test_where_nobody_speaks_are_none(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["字幕", "有"], [-1.0, -0.1], no_speech=0.9)
        found = recognizer(vocabulary, network).recognize([noise(3)] * 2, [SessionContext("zh")] * 2)
        assert [len(tokens) for tokens in found] == [0, 1]

    @pytest.mark.parametrize("length", [0, 10, 1000])
    def test_too_little_audio_is_not_even_heard(self, vocabulary: Vocabulary, length: int) -> None:
        network = ScriptedNetwork([])
        assert recognizer(vocabulary, network).recognize([np.zeros(length, np.float32)]) == [[]]
        assert network.windows == []

    def test_a_long_utterance_is_heard_in_parts_and_joined(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["一", "二", "三"])
        [tokens] = recognizer(vocabulary, network).recognize([noise(60)], [SessionContext("zh")])
        assert sorted(token.text for token in tokens) == ["一", "三", "二"]
        starts = [token.start for token in tokens]
        assert starts == sorted(starts) and starts[1] > samples(15)

    def test_sessions_keep_their_language(self, vocabulary: Vocabulary) -> None:
        context = SessionContext()
        recognizer(vocabulary, ScriptedNetwork(["你"])).recognize([noise(3)], [context])
        assert context.language == "zh"

    def test_each_session_has_its_hotwords(self, vocabulary: Vocabulary) -> None:
        contexts = [SessionContext("zh"), SessionContext("zh", hotwords=Hotwords((Hotword("王磊"),)))]
        found = recognizer(vocabulary, ScriptedNetwork(["汪类", "汪类"])).recognize([noise(3)] * 2, contexts)
        assert ["".join(token.text for token in tokens) for tokens in found] == ["汪类", "王磊"]

    def test_it_is_a_second_pass(self, vocabulary: Vocabulary) -> None:
        offline = recognizer(vocabulary, ScriptedNetwork([]))
        assert isinstance(offline, OfflineRecognizer)
        assert offline.min_samples == samples(8)


class TestCut:
    def test_what_fits_into_a_window_is_left_whole(self) -> None:
        assert list(cut(noise(28))) == [(0, samples(28))]

    def test_lies_in_the_quietest_place_before_the_limit(self) -> None:
        audio = noise(40)
        audio[samples(22) : samples(22.3)] = 0
        [(_, end), _] = cut(audio)
        assert samples(22) <= end <= samples(22.3)

    @pytest.mark.parametrize("seconds", [28.01, 55, 200])
    def test_parts_cover_everything_and_fit(self, seconds: float) -> None:
        parts = list(cut(noise(seconds)))
        assert (parts[0][0], parts[-1][1]) == (0, samples(seconds))
        assert all(before[1] == after[0] for before, after in pairwise(parts))
        assert all(0 < end - start <= MAX_LENGTH for start, end in parts)
