"""A session on models that have no first pass, no punctuator or no voices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event, Final, Partial, UtteranceFailed
from recognition.core.session import PREVIEW_STEP, PREVIEW_STEP_ALONE, SessionOptions, TranscriptionSession
from recognition.core.work import (
    DecodeChunk,
    DetectSpeech,
    Embed,
    Embedded,
    EndDecoding,
    Failed,
    Preview,
    Previewed,
    Punctuate,
    Punctuated,
    Recognize,
    Recognized,
    Result,
    SpeechProbabilities,
    Work,
)
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.interfaces import Token

FRAME, WINDOW, CHUNK = 160, 1600, 9600
FULL = SessionOptions(WINDOW, FRAME, 0, CHUNK)
TOKENS = (Token("好", 0, 8000), Token("的", 8000, 16_000, "。"))
VOICE = np.array([[1.0, 0.0]], np.float32)

E = TypeVar("E", bound=Event)


def speech(seconds: float) -> np.ndarray:
    return np.full(samples(seconds), 0.5, np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(samples(seconds), np.float32)


class Driver:
    """Answers speech detection and leaves the rest."""

    def __init__(self, options: SessionOptions) -> None:
        self.session = TranscriptionSession(options)

    def hear(self, *audio: np.ndarray) -> list[Work]:
        self.session.receive_audio(np.concatenate(audio))
        return self.asked()

    def answer(self, *results: Result) -> list[Work]:
        for result in results:
            self.session.receive_result(result)
        return self.asked()

    def asked(self) -> list[Work]:
        left: list[Work] = []
        while works := self.session.work_to_do():
            for work in works:
                if isinstance(work, DetectSpeech):
                    loud = work.audio.reshape(-1, FRAME).max(1) > 0.1
                    self.session.receive_result(SpeechProbabilities(loud.astype(np.float32)))
                else:
                    left.append(work)
        return left

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.session.events_to_send() if isinstance(event, kind)]


class TestWithoutAPunctuator:
    OPTIONS = replace(FULL, has_punctuator=False)

    def test_marks_are_those_of_the_tokens(self) -> None:
        driver = Driver(self.OPTIONS)
        driver.hear(speech(2), silence(2))
        asked = driver.answer(Recognized(0, TOKENS))
        assert [type(work) for work in asked] == [Embed]
        driver.answer(Embedded(0, VOICE))
        [final] = driver.told(Final)
        assert final.text == "好的。"

    def test_a_recogniser_without_marks_gives_a_line_without_any(self) -> None:
        driver = Driver(self.OPTIONS)
        driver.hear(speech(2), silence(2))
        driver.answer(Recognized(0, (Token("好", 0, 16_000),)), Embedded(0, VOICE))
        assert [final.text for final in driver.told(Final)] == ["好"]

    def test_english_marks_are_followed_by_a_space(self) -> None:
        tokens = (Token("yes", 0, 8000, ","), Token("we", 8000, 12_000), Token("can", 12_000, 16_000, "."))
        driver = Driver(self.OPTIONS)
        driver.hear(speech(2), silence(2))
        driver.answer(Recognized(0, tokens), Embedded(0, VOICE))
        assert [final.text for final in driver.told(Final)] == ["Yes, we can."]

    def test_each_turn_has_the_marks_of_its_own_tokens(self) -> None:
        tokens = tuple(
            Token(character, samples(i), samples(i + 0.9), mark)
            for i, (character, mark) in enumerate(
                zip("你是谁我是他啊", ["", "", "？", "", "", "", "。"], strict=True)
            )
        )
        driver = Driver(self.OPTIONS)
        driver.hear(speech(7), silence(2))
        [work] = driver.answer(Recognized(0, tokens))
        assert isinstance(work, Embed)
        middles = [(start + end) / 2 for start, end in work.spans]
        rows = [[1.0, 0.0] if middle < samples(3) else [0.0, 1.0] for middle in middles]
        driver.answer(Embedded(0, np.array(rows, np.float32)))
        assert [final.text for final in driver.told(Final)] == ["你是谁？", "我是他啊。"]

    def test_where_there_is_one_it_decides_and_not_the_tokens(self) -> None:
        driver = Driver(FULL)
        driver.hear(speech(2), silence(2))
        driver.answer(Recognized(0, TOKENS), Punctuated(0, ("，", "！")), Embedded(0, VOICE))
        assert [final.text for final in driver.told(Final)] == ["好，的！"]

    def test_where_there_is_one_that_fails_the_line_has_no_marks(self) -> None:
        driver = Driver(FULL)
        driver.hear(speech(2), silence(2))
        [punctuate, _] = driver.answer(Recognized(0, TOKENS))
        driver.answer(Failed(punctuate), Embedded(0, VOICE))
        assert [final.text for final in driver.told(Final)] == ["好的"]


class TestWithoutVoices:
    OPTIONS = replace(FULL, has_embedder=False)

    def test_a_line_is_final_once_it_is_punctuated(self) -> None:
        driver = Driver(self.OPTIONS)
        driver.hear(speech(2), silence(2))
        asked = driver.answer(Recognized(0, TOKENS))
        assert [type(work) for work in asked] == [Punctuate]
        driver.answer(Punctuated(0, ("", "。")))
        [final] = driver.told(Final)
        assert (final.text, final.embedding, final.speech) == ("好的。", None, 0)

    def test_an_utterance_is_one_line_however_long(self) -> None:
        tokens = tuple(Token("字", samples(i), samples(i + 0.9)) for i in range(12))
        driver = Driver(self.OPTIONS)
        driver.hear(speech(12), silence(2))
        driver.answer(Recognized(0, tokens), Punctuated(0, ("",) * 12))
        [final] = driver.told(Final)
        assert len(final.tokens) == 12


class TestWithTheLeast:
    """Only a detector and a second pass: a result of recognition is a line."""

    OPTIONS = replace(FULL, chunk=0, has_punctuator=False, has_embedder=False)

    def test_a_line_is_final_at_once(self) -> None:
        driver = Driver(self.OPTIONS)
        [work] = driver.hear(speech(2), silence(2))
        assert isinstance(work, Recognize)
        assert driver.answer(Recognized(0, TOKENS)) == []
        assert [final.text for final in driver.told(Final)] == ["好的。"]

    def test_no_first_pass_begins_or_ends(self) -> None:
        driver = Driver(self.OPTIONS)
        asked = driver.hear(speech(5), silence(2))
        assert not any(isinstance(work, DecodeChunk | EndDecoding) for work in asked)

    def test_noise_is_no_line(self) -> None:
        driver = Driver(self.OPTIONS)
        driver.hear(speech(1), silence(2))
        driver.answer(Recognized(0, ()))
        assert driver.told(Final) == []
        assert driver.session.is_waiting

    def test_a_failure_loses_one_utterance(self) -> None:
        driver = Driver(self.OPTIONS)
        [work] = driver.hear(speech(2), silence(2))
        driver.answer(Failed(work))
        assert len(driver.told(UtteranceFailed)) == 1

    def test_the_end_comes_after_the_last_line(self) -> None:
        driver = Driver(self.OPTIONS)
        driver.hear(speech(2))
        driver.session.receive_end()
        [work] = driver.asked()
        assert isinstance(work, Recognize)
        assert driver.told(Ended) == []
        driver.answer(Recognized(0, TOKENS))
        assert [type(event) for event in driver.session.events_to_send()][-1] is Ended

    def test_previews_make_partials(self) -> None:
        driver = Driver(replace(self.OPTIONS, preview_step=PREVIEW_STEP_ALONE))
        [preview] = driver.hear(silence(1), speech(0.9))
        assert isinstance(preview, Preview)
        driver.answer(Previewed(0, ("好",)))
        assert [partial.text for partial in driver.told(Partial)] == ["好"]


class TestOptionsOfModels:
    MODELS = scripted_models(Script())

    def options(self, *, partials: bool = True, **changes: Any) -> SessionOptions:
        models = replace(self.MODELS, **changes)
        return SessionOptions.for_models(models, EndpointingOptions(), partials=partials)

    def test_all_models(self) -> None:
        assert self.options() == SessionOptions(1600, 160, 0, 9600, EndpointingOptions(), PREVIEW_STEP)

    def test_without_a_first_pass_the_second_makes_the_partials(self) -> None:
        options = self.options(streaming=None)
        assert (options.chunk, options.preview_step) == (0, PREVIEW_STEP_ALONE)

    def test_where_the_first_pass_revises_there_are_no_previews(self) -> None:
        models = scripted_models(Script([ScriptedLine("好的。", tail=1)]))
        options = SessionOptions.for_models(models, EndpointingOptions())
        assert (options.revises, options.chunk, options.preview_step) == (True, 9600, 0)

    def test_a_set_may_be_for_finals_only(self) -> None:
        without_first_pass = replace(self.MODELS, streaming=None)
        for models in (self.MODELS, without_first_pass):
            options = SessionOptions.for_models(replace(models, partials=False), EndpointingOptions())
            assert (options.chunk, options.preview_step, options.revises) == (0, 0, False)

    def test_where_nobody_wants_partials_there_are_neither(self) -> None:
        for changes in ({}, {"streaming": None}):
            options = self.options(partials=False, **changes)
            assert (options.chunk, options.preview_step) == (0, 0)

    @pytest.mark.parametrize(
        ("role", "flag"), [("punctuator", "has_punctuator"), ("embedder", "has_embedder")]
    )
    def test_what_is_not_there_is_known(self, role: str, flag: str) -> None:
        assert getattr(self.options(), flag)
        missing: dict[str, Any] = {role: None}
        assert not getattr(self.options(**missing), flag)

    def test_a_first_pass_that_has_no_partials_counts_as_none(self) -> None:
        models = scripted_models(Script())
        assert models.streaming
        models.streaming.chunk = 0
        options = SessionOptions.for_models(models, EndpointingOptions())
        assert (options.chunk, options.preview_step) == (0, PREVIEW_STEP_ALONE)
