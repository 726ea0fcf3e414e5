"""Both passes of Paraformer write the hotwords of each session, whoever it is batched with."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recognition.audio import SAMPLE_RATE
from recognition.funasr.deciding import TokenDecider
from recognition.funasr.offline import with_capitals
from recognition.funasr.vocabulary import Vocabulary
from recognition.hotwords import Hotword, Hotwords
from recognition.interfaces import Models, SessionContext, Token
from recognition.language_model import Choices
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set

SAMPLE = Path("sessions_app/sample")


@functools.cache
def models() -> Models:
    return load_models(read_model_set("embedded"), Path("var/models"))


@functools.cache
def line(said: str) -> np.ndarray:
    """Audio of the sample meeting's line that begins so."""
    reference = json.loads((SAMPLE / "reference.json").read_text(encoding="utf-8"))
    [own] = [line for line in reference["lines"] if line["text"].startswith(said)]
    audio = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")[0]
    start, end = (int(SAMPLE_RATE * own[name]) for name in ("start", "end"))
    return np.asarray(audio[start - 4000 : end + 4000])


def session(*words: str) -> SessionContext:
    return SessionContext(hotwords=Hotwords(tuple(map(Hotword, words))))


LINE = "那就这么定了"
WITHOUT, WITH = "我们负责联系供应商", "王磊负责联系供应商"


class TestSecondPass:
    def test_each_session_of_a_batch_has_its_own_words(self) -> None:
        contexts = [SessionContext(), session("王磊"), session("实时字幕"), session("李雷", "王磊")]

        found = models().offline.recognize([line(LINE)] * len(contexts), contexts)

        texts = ["".join(token.text for token in tokens) for tokens in found]
        assert [WITH in text for text in texts] == [False, True, False, True]
        assert texts[0] == texts[2]
        assert texts[1] == texts[3]

    def test_a_word_that_was_not_said_is_not_written(self) -> None:
        audio = [line("找到了"), line("好，接下来")]

        without = models().offline.recognize(audio, [SessionContext()] * 2)
        with_words = models().offline.recognize(audio, [session("王磊", "实时字幕", "供应商", "明天")] * 2)

        assert with_words == without

    def test_no_sessions_have_no_words(self) -> None:
        [tokens] = models().offline.recognize([line(LINE)])

        assert WITH not in "".join(token.text for token in tokens)


class TestFirstPass:
    def test_each_stream_of_a_batch_has_its_own_words(self) -> None:
        streaming = models().streaming
        assert streaming
        contexts = [SessionContext(), session("王磊")]
        audio = np.pad(line(LINE), (0, streaming.chunk))
        states = [streaming.new_state(context) for context in contexts]
        texts = ["", ""]
        for start in range(0, len(audio) - streaming.chunk + 1, streaming.chunk):
            chunk = audio[start : start + streaming.chunk]
            found = streaming.decode([(state, chunk) for state in states])
            texts = [text + "".join(tokens) for text, tokens in zip(texts, found, strict=True)]
        for state in states:
            streaming.release(state)

        assert ["王磊" in text for text in texts] == [False, True]


class TestCompiling:
    @pytest.fixture
    def decider(self) -> TokenDecider:
        return TokenDecider(Vocabulary(["<blank>", "王", "汪", "磊"]), None)

    def choices(self) -> Choices:
        return Choices(np.array([[2, 1], [3, 0]]), np.array([[0, -1], [0, -9]], np.float32))

    def test_a_list_is_compiled_once(self, decider: TokenDecider, monkeypatch: pytest.MonkeyPatch) -> None:
        context = session("王磊")
        assert decider.choose(self.choices(), context) == [1, 3]
        monkeypatch.setattr(decider, "_spelling", None)

        assert decider.choose(self.choices(), context) == [1, 3]

    def test_a_list_that_no_session_has_any_more_is_forgotten(self, decider: TokenDecider) -> None:
        context = session("王磊")
        decider.choose(self.choices(), context)
        context.hotwords = None

        assert len(decider._compiled) == 0

    def test_words_that_cannot_be_spelt_are_left_out(self, decider: TokenDecider) -> None:
        assert decider.choose(self.choices(), session("王鑫", "王磊")) == [1, 3]
        assert decider.choose(self.choices(), session("王鑫")) == [2, 3]


def test_words_in_letters_have_the_capitals_of_hotwords_and_keep_their_times() -> None:
    words = [Token("用", 0, 8), Token("kubernetes", 8, 16)]
    assert with_capitals(words, session("Kubernetes")) == [words[0], Token("Kubernetes", 8, 16)]
    assert with_capitals(words, SessionContext()) == words
    assert with_capitals(words, None) == words
