"""Windows, languages and the gate, with a network that hears what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from recognition.audio import samples
from recognition.interfaces import SessionContext
from recognition.whisper import listening
from recognition.whisper.listening import Listener, Utterance, batches
from recognition.whisper.network import Hypothesis, Network, Search
from recognition.whisper.vocabulary import Vocabulary

from .scripted import ScriptedNetwork, ids, languages_of


def utterance(seconds: float, context: SessionContext | None = None) -> Utterance:
    return Utterance(np.zeros(samples(seconds), np.float32), context or SessionContext())


def listener(
    vocabulary: Vocabulary, network: ScriptedNetwork, languages: Sequence[str] = ("zh", "en")
) -> Listener:
    return Listener(cast(Network, network), vocabulary, languages)


def hear(vocabulary: Vocabulary, network: ScriptedNetwork, spoken: Utterance, **options: Any) -> list[int]:
    return listener(vocabulary, network, **options).hear([spoken], Search()).hypotheses[0].ids


class TestWindow:
    @pytest.mark.parametrize(("length", "frames"), [(0.2, 800), (5.5, 800), (5.505, 802), (28.0, 3000)])
    def test_is_the_utterance_with_silence_and_at_least_eight_seconds(
        self, vocabulary: Vocabulary, length: float, frames: int
    ) -> None:
        network = ScriptedNetwork(["好"])
        hear(vocabulary, network, utterance(length))
        assert network.windows == [(1, frames)]

    def test_is_that_of_the_longest_of_a_batch(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["好", "好"])
        listener(vocabulary, network, ["zh"]).hear([utterance(7), utterance(8)], Search())
        assert network.windows == [(2, 1050)]


class TestLanguage:
    def test_is_found_out_and_kept_for_the_session(self, vocabulary: Vocabulary) -> None:
        network, context = (
            ScriptedNetwork(["yes", "yes"], probabilities={"en": 0.6, "zh": 0.4}),
            SessionContext(),
        )
        for _ in range(2):
            hear(vocabulary, network, utterance(3, context))
        assert context.language == "en"
        assert languages_of(network.asked) == ["en", "en"]
        assert network.language_questions == 1

    def test_of_a_short_utterance_is_not_kept(self, vocabulary: Vocabulary) -> None:
        network, context = ScriptedNetwork(["yes"], probabilities={"en": 0.6}), SessionContext()
        hear(vocabulary, network, utterance(1.9, context))
        assert context.language == ""
        assert languages_of(network.asked) == ["en"]

    def test_is_one_of_those_that_are_spoken(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["好"], probabilities={"ja": 0.9, "en": 0.01, "zh": 0.09})
        hear(vocabulary, network, utterance(3))
        assert languages_of(network.asked) == ["zh"]

    def test_is_not_asked_for_where_only_one_is_spoken(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["yes"], probabilities={"zh": 1.0})
        hear(vocabulary, network, utterance(3), languages=["en"])
        assert languages_of(network.asked) == ["en"]
        assert not network.language_questions

    def test_of_a_session_is_not_asked_for(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["yes"])
        hear(vocabulary, network, utterance(3, SessionContext("en")))
        assert languages_of(network.asked) == ["en"]

    def test_that_this_set_does_not_speak_is_found_out_anew(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["yes"])
        hear(vocabulary, network, utterance(3, SessionContext("fr")))
        assert languages_of(network.asked) == ["zh"]

    def test_is_asked_for_again_where_the_network_is_unsure(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["夜死", "yes"], [-0.9, -0.1], probabilities={"en": 0.9})
        context = SessionContext("zh")
        assert hear(vocabulary, network, utterance(3, context)) == ids("yes")
        assert languages_of(network.asked) == ["zh", "en"]
        assert context.language == "en"

    def test_that_somebody_chose_is_not_asked_for_again(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["夜死"], [-0.9], probabilities={"en": 0.9})
        context = SessionContext("zh", is_language_chosen=True)
        assert hear(vocabulary, network, utterance(3, context)) == ids("夜死")
        assert languages_of(network.asked) == ["zh"]
        assert context.language == "zh"

    def test_stays_where_the_network_is_unsure_of_the_right_one(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["夜死"], [-0.9], probabilities={"zh": 0.9})
        assert hear(vocabulary, network, utterance(3, SessionContext("zh"))) == ids("夜死")
        assert languages_of(network.asked) == ["zh"]


class TestWords:
    def test_that_are_usual_win_over_others_of_the_same_sound(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["留下影像|留下印象"])
        assert hear(vocabulary, network, utterance(3, SessionContext("zh"))) == ids("留下印象")

    def test_of_another_language_are_those_that_the_network_found(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["their|there"])
        assert hear(vocabulary, network, utterance(3, SessionContext("en"))) == ids("their")

    def test_do_not_matter_where_nobody_speaks(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["影像|印象"], [-1.5], no_speech=0.9)
        assert hear(vocabulary, network, utterance(3, SessionContext("zh"))) == []


class TestDigits:
    @pytest.mark.parametrize(("language", "count"), [("zh", 10), ("en", 0)])
    def test_are_not_written_in_chinese(self, vocabulary: Vocabulary, language: str, count: int) -> None:
        network = ScriptedNetwork(["one"])
        hear(vocabulary, network, utterance(3, SessionContext(language)))
        assert len(network.asked[0][1].suppressed) == count


class TestGate:
    @pytest.mark.parametrize(
        ("no_speech", "sure", "is_heard"),
        [
            (0.6, -0.75, False),
            (0.6, -0.5, True),
            (0.45, -0.75, True),
            (0.45, -1.1, False),
            (0.4, -2.0, True),
        ],
    )
    def test_nothing_is_heard_where_nobody_speaks(
        self, vocabulary: Vocabulary, no_speech: float, sure: float, is_heard: bool
    ) -> None:
        network = ScriptedNetwork(["字幕"], [sure], no_speech=no_speech)
        assert bool(hear(vocabulary, network, utterance(3), languages=["zh"])) == is_heard

    @pytest.mark.parametrize(
        ("no_speech", "text", "is_silent"),
        [
            (0.45, "ababababab", True),
            (0.45, "abcdefghij", False),
            (0.45, "hahaha", False),
            (0.1, "hahahahaha", False),
        ],
    )
    def test_text_that_goes_round_in_circles_is_made_up_in_doubt(
        self, no_speech: float, text: str, is_silent: bool
    ) -> None:
        assert listening.is_silent(Hypothesis(ids(text), -0.3, no_speech)) == is_silent

    def test_silence_does_not_raise_the_question_of_language(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["字幕"], [-1.5], no_speech=0.9)
        assert hear(vocabulary, network, utterance(3, SessionContext("zh"))) == []
        assert not network.language_questions


class TestLength:
    def test_text_that_is_too_long_for_its_time_is_cut(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["a" * 100])
        assert len(hear(vocabulary, network, utterance(2))) == 28
        assert network.asked[0][2] == 28

    def test_is_that_of_each_utterance_in_a_batch(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["a" * 100, "a" * 100])
        heard = listener(vocabulary, network, ["zh"]).hear([utterance(1), utterance(2)], Search())
        assert [len(each.ids) for each in heard.hypotheses] == [18, 28]


class TestBatches:
    def batches(self, vocabulary: Vocabulary, *spoken: Utterance) -> list[list[int]]:
        return list(batches(listener(vocabulary, ScriptedNetwork([])), dict(enumerate(spoken))))

    def test_hold_four_at_most(self, vocabulary: Vocabulary) -> None:
        spoken = [utterance(3, SessionContext("zh")) for _ in range(6)]
        assert self.batches(vocabulary, *spoken) == [[0, 1, 2, 3], [4, 5]]

    def test_hold_similar_lengths(self, vocabulary: Vocabulary) -> None:
        spoken = [utterance(length, SessionContext("zh")) for length in (15, 8, 14, 9)]
        assert self.batches(vocabulary, *spoken) == [[1, 3], [2, 0]]

    def test_short_utterances_are_alike_however_short(self, vocabulary: Vocabulary) -> None:
        spoken = [utterance(length, SessionContext("zh")) for length in (0.3, 5.5)]
        assert self.batches(vocabulary, *spoken) == [[0, 1]]

    def test_hold_one_language(self, vocabulary: Vocabulary) -> None:
        spoken = [utterance(3, SessionContext(language)) for language in ("zh", "en", "zh")]
        assert sorted(self.batches(vocabulary, *spoken)) == [[0, 2], [1]]

    def test_an_utterance_whose_language_is_not_known_is_alone(self, vocabulary: Vocabulary) -> None:
        spoken = [utterance(3), utterance(3), utterance(3, SessionContext("zh"))]
        assert sorted(self.batches(vocabulary, *spoken)) == [[0], [1], [2]]

    def test_of_nothing_are_none(self, vocabulary: Vocabulary) -> None:
        assert self.batches(vocabulary) == []
