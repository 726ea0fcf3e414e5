"""Marks between words, from a second hearing whose words are not used."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from recognition.audio import samples
from recognition.interfaces import SessionContext, Token
from recognition.whisper.listening import Listener
from recognition.whisper.marks import PROMPTS, Marker, aligned, ended
from recognition.whisper.network import Network, Search
from recognition.whisper.offline import OfflineWhisper
from recognition.whisper.vocabulary import Vocabulary

from .scripted import ScriptedNetwork, ids

NOISE = (0.1 * np.random.default_rng(0).standard_normal(samples(5))).astype(np.float32)


def said(text: str) -> list[Token]:
    """Each character is a word, with the mark behind it."""
    words: list[Token] = []
    for character in text:
        if character in "，。？！、":
            words[-1] = Token(words[-1].text, 0, 0, character)
        else:
            words.append(Token(character, 0, 0))
    return words


def marked(words: str, prompted: str) -> str:
    tokens = said(words)
    return "".join(
        token.text + mark for token, mark in zip(tokens, aligned(tokens, said(prompted)), strict=True)
    )


class TestAligned:
    def test_marks_stand_where_the_other_hearing_has_them(self) -> None:
        assert marked("大家好今天开会", "大家好，今天开会。") == "大家好，今天开会。"

    @pytest.mark.parametrize(
        ("prompted", "expected"),
        [
            ("我们今天讨论，好的。", "那个我们今天讨论，好的。"),
            ("那个我们明天讨论，好的。", "那个我们今天讨论，好的。"),
            ("那个我们今天讨论论，好的。", "那个我们今天讨论，好的。"),
            ("那个我们今天商量，好的。", "那个我们今天讨论，好的。"),
        ],
        ids=["a word is missing", "another word", "a word too many", "the last word is another"],
    )
    def test_its_words_are_not_used(self, prompted: str, expected: str) -> None:
        assert marked("那个我们今天讨论好的", prompted) == expected

    def test_none_lies_within_a_word_of_the_dictionary(self) -> None:
        assert marked("他就是黑衣人吗", "他就是黑。衣人吗？") == "他就是黑衣人吗？"

    def test_a_line_without_one_at_its_end_goes_on(self) -> None:
        assert marked("你们可以", "你们可以") == "你们可以，"

    def test_another_hearing_that_heard_nothing_leaves_the_words_alone(self) -> None:
        assert marked("你们可以", "") == "你们可以，"

    def test_no_words_have_no_marks(self) -> None:
        assert aligned([], said("好。")) == []


class TestEnded:
    @pytest.mark.parametrize(
        ("text", "marks"),
        [("好的", ["", "。"]), ("对吗", ["", "？"]), ("你呢", ["", "？"]), ("", [])],
    )
    def test_a_short_line_has_one_mark(self, text: str, marks: list[str]) -> None:
        assert ended(list(text)) == marks


class TestRecognize:
    def recognize(
        self, vocabulary: Vocabulary, network: ScriptedNetwork, *, marks: bool = True
    ) -> list[Token]:
        listener = Listener(cast(Network, network), vocabulary, ["zh", "en"])
        offline = OfflineWhisper(listener, Search(), marker=Marker(listener) if marks else None)
        [tokens] = offline.recognize([NOISE], [SessionContext(self.language)])
        return tokens

    language = "zh"

    def text(self, tokens: list[Token]) -> str:
        return "".join(token.text + token.mark for token in tokens)

    def test_a_line_is_heard_again_behind_a_prompt(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["我们今天先讨论预算", "我们今天，先讨论预算。"])
        assert self.text(self.recognize(vocabulary, network)) == "我们今天，先讨论预算。"
        (first, second) = [prompt for prompt, *_ in network.asked]
        assert second == vocabulary.prompted("zh", PROMPTS["zh"])
        assert second[-len(first) :] == first != second

    def test_that_hearing_is_held_to_the_words_of_the_first(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["我们今天, 先讨论预算", "我们今天，先讨论预算。"])
        self.recognize(vocabulary, network)
        [(_, first, _), (_, second, _)] = network.asked
        assert (first.between, second.between) == (frozenset(), vocabulary.marks)
        assert network.drafts == [[], [ids("我们今天先讨论预算")]]

    def test_the_encoder_hears_it_once(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["我们今天先讨论预算", "我们今天，先讨论预算。"])
        self.recognize(vocabulary, network)
        assert len(network.windows) == 1

    def test_its_own_marks_are_of_no_account(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["我们，今天先，讨论预算", "我们今天先讨论预算。"])
        assert self.text(self.recognize(vocabulary, network)) == "我们今天先讨论预算。"

    def test_a_short_line_is_not_heard_again(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["好，的"])
        assert self.text(self.recognize(vocabulary, network)) == "好的。"

    def test_other_languages_keep_their_own(self, vocabulary: Vocabulary) -> None:
        self.language = "en"
        tokens = self.recognize(vocabulary, ScriptedNetwork([" Well, it is 3.5 percent. Right?"]))
        assert [token.text + token.mark for token in tokens] == [
            "Well,", "it", "is", "3", "5", "percent.", "Right?",
        ]  # fmt: skip

    def test_it_can_be_left_to_a_punctuator(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["我们，今天先讨论预算。"])
        assert self.text(self.recognize(vocabulary, network, marks=False)) == "我们今天先讨论预算"

    def test_where_nobody_speaks_nothing_is_heard_again(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["字幕"], [-1.0], no_speech=0.9)
        assert self.recognize(vocabulary, network) == []
