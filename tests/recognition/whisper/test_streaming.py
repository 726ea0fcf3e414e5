"""Partials: what two hypotheses in a row agree on is firm, the rest a tail."""

from __future__ import annotations

from typing import cast

import numpy as np

from recognition.audio import samples
from recognition.hotwords import Hotword, Hotwords
from recognition.interfaces import RevisingRecognizer, SessionContext
from recognition.whisper.listening import Listener
from recognition.whisper.network import Network, Search
from recognition.whisper.streaming import StreamingWhisper
from recognition.whisper.vocabulary import Vocabulary

from .scripted import ScriptedNetwork

SECOND = np.full(samples(1.0), 0.1, np.float32)


def recognizer(vocabulary: Vocabulary, *texts: str) -> StreamingWhisper:
    network = cast(Network, ScriptedNetwork(list(texts)))
    return StreamingWhisper(Listener(network, vocabulary, ["zh"]), Search(1), chunk=len(SECOND))


def shown(streaming: StreamingWhisper, steps: int) -> list[tuple[str, str]]:
    """What is firm and what follows, after each step."""
    state, firm, found = streaming.new_state(), "", []
    for _ in range(steps):
        [added] = streaming.decode([(state, SECOND)])
        firm += "".join(added)
        found.append((firm, "".join(streaming.tail(state))))
    return found


class TestAgreement:
    def test_what_was_heard_once_is_the_tail(self, vocabulary: Vocabulary) -> None:
        assert shown(recognizer(vocabulary, "你好"), 1) == [("", "你好")]

    def test_what_was_heard_twice_is_firm(self, vocabulary: Vocabulary) -> None:
        streaming = recognizer(vocabulary, "你号", "你好吗", "你好吗朋友")
        assert shown(streaming, 3) == [("", "你号"), ("你", "好吗"), ("你好吗", "朋友")]

    def test_what_is_firm_stays_when_something_else_is_heard(self, vocabulary: Vocabulary) -> None:
        streaming = recognizer(vocabulary, "你好", "你好", "泥好吗", "泥好吗我")
        assert shown(streaming, 4)[2:] == [("你好", ""), ("你好吗", "")]

    def test_nothing_heard_shows_nothing(self, vocabulary: Vocabulary) -> None:
        assert shown(recognizer(vocabulary, "", "你"), 2) == [("", ""), ("", "你")]


class TestDecode:
    def test_sessions_are_heard_together_and_kept_apart(self, vocabulary: Vocabulary) -> None:
        streaming = recognizer(vocabulary, "一", "二", "一", "二")
        states = [streaming.new_state() for _ in range(2)]
        for _ in range(2):
            added = streaming.decode([(state, SECOND) for state in states])
        assert added == [["一"], ["二"]]

    def test_the_whole_utterance_is_heard_each_time(self, vocabulary: Vocabulary) -> None:
        network = ScriptedNetwork(["一"] * 8)
        streaming = StreamingWhisper(
            Listener(cast(Network, network), vocabulary, ["zh"]), Search(1), chunk=len(SECOND)
        )
        shown(streaming, 8)
        assert network.windows == [(1, 800)] * 5 + [(1, 850), (1, 950), (1, 1050)]

    def test_an_utterance_too_long_for_a_window_keeps_its_text(self, vocabulary: Vocabulary) -> None:
        streaming = recognizer(vocabulary, *["一"] * 28)
        assert shown(streaming, 31)[-1] == ("一", "")

    def test_the_language_of_the_session_is_found_out(self, vocabulary: Vocabulary) -> None:
        network, context = ScriptedNetwork(["yes"] * 3, probabilities={"en": 1.0}), SessionContext()
        streaming = StreamingWhisper(
            Listener(cast(Network, network), vocabulary, ["zh", "en"]), Search(1), chunk=len(SECOND)
        )
        state = streaming.new_state(context)
        for _ in range(3):
            streaming.decode([(state, SECOND)])
        assert context.language == "en"
        assert network.language_questions == 2

    def test_hotwords_of_the_session_are_written(self, vocabulary: Vocabulary) -> None:
        streaming = recognizer(vocabulary, *["汪类"] * 3)
        state, found = streaming.new_state(SessionContext("zh", hotwords=Hotwords((Hotword("王磊"),)))), []
        for _ in range(3):
            found += streaming.decode([(state, SECOND)])[0]
        assert "".join(found) == "王磊"

    def test_it_is_a_first_pass_with_a_tail(self, vocabulary: Vocabulary) -> None:
        assert isinstance(recognizer(vocabulary), RevisingRecognizer)
