"""Whatever order audio, answers and failures come in, what a session tells fits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event, Final, Partial, Settled, UtteranceFailed
from recognition.core.session import SessionOptions, TranscriptionSession
from recognition.core.tracks import WindowLayout
from recognition.core.work import (
    ChunkDecoded,
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
    Segment,
    Segmented,
    SpeechProbabilities,
    Work,
)
from recognition.interfaces import Span, Token

FRAME, WINDOW, CHUNK = 160, 1600, 9600
LAYOUT = WindowLayout(window=samples(4), frame=270, first=495)
FULL = SessionOptions(
    WINDOW, FRAME, 0, CHUNK, EndpointingOptions(longest_utterance_ms=6000), preview_step=samples(0.2)
)
OPTIONS = {
    "all models": FULL,
    "a detector that lags": replace(FULL, vad_delay=640),
    "a first pass that revises": replace(FULL, preview_step=0, revises=True),
    "no first pass": replace(FULL, chunk=0),
    "no partials": replace(FULL, chunk=0, preview_step=0),
    "no punctuator": replace(FULL, has_punctuator=False),
    "no voices": replace(FULL, has_embedder=False),
    "the least": replace(FULL, chunk=0, preview_step=0, has_punctuator=False, has_embedder=False),
}


def answered(work: Work) -> Result | None:
    """What models say that hear speech wherever the audio is not silent."""
    match work:
        case DetectSpeech(audio):
            return SpeechProbabilities((audio.reshape(-1, FRAME).max(1) > 0.1).astype(np.float32))
        case DecodeChunk(index, audio, heard=heard):
            return ChunkDecoded(index, ("字",) * (len(audio) // CHUNK), ("尾",) * (heard // CHUNK % 3))
        case Preview(index, audio):
            return Previewed(index, ("字",) * (len(audio) // CHUNK))
        case Recognize(index, audio):
            return Recognized(index, spelt(audio))
        case Punctuate(index, tokens):
            return Punctuated(index, ("。",) * len(tokens))
        case Segment(index, window, audio):
            return Segmented(index, window, activity(window, audio))
        case Embed(index, audio, spans):
            assert all(0 <= start < end <= len(audio) for start, end in spans)
            return Embedded(index, np.eye(1, 4, dtype=np.float32).repeat(len(spans), 0))
        case EndDecoding():
            return None


def spelt(audio: np.ndarray) -> tuple[Token, ...]:
    """A character for each chunk, with gaps between them; the last may be torn."""
    return tuple(
        Token("字", at, min(at + CHUNK // 2, len(audio)), "。") for at in range(0, len(audio), CHUNK)
    )


def activity(window: Span, audio: np.ndarray) -> np.ndarray:
    """Three who speak at odd times whenever the audio is not silent, in another order in each window."""
    at = window[0] + np.arange(max(1, (len(audio) - 495) // 270 + 1)) * 270 + 495
    loud = np.abs(audio[np.minimum(at - window[0], len(audio) - 1)]) > 0.1
    turns = [(at // samples(0.9)) % 3 != 1, (at // samples(0.7)) % 4 == 2, (at // samples(0.3)) % 7 == 3]
    order = Random(window[1]).sample(range(3), 3)
    return np.stack([(turns[speaker] & loud).astype(np.float32) for speaker in order], axis=1)


class Run:
    """One session to its end, with a random course of things.

    Args:
        failing: Share of the work that fails.
    """

    def __init__(self, options: SessionOptions, audio: np.ndarray, seed: int, *, failing: float) -> None:
        self.audio = audio
        self.random = Random(seed)
        self.failing = failing
        self.session = TranscriptionSession(options)
        self.waiting: list[Work] = []
        self.events: list[Event] = []
        self.failed: list[Work] = []
        self._run()

    def _run(self) -> None:
        at = 0
        while at < len(self.audio):
            size = self.random.randint(1, 20_000)
            self.session.receive_audio(self.audio[at : at + size])
            at += size
            self._look()
            while self.waiting and self.random.random() < 0.7:
                self._answer_one()
        self.session.receive_end()
        self._look()
        while self.waiting:
            self._answer_one()

    def _answer_one(self) -> None:
        work = self.waiting.pop(self.random.randrange(len(self.waiting)))
        result = answered(work)
        # A detector that fails changes what is heard; all else only what is told of it.
        if not isinstance(work, DetectSpeech) and self.random.random() < self.failing:
            self.failed.append(work)
            result = Failed(work)
        if result is not None:
            self.session.receive_result(result)
        self._look()

    def _look(self) -> None:
        self.waiting += self.session.work_to_do()
        self.events += self.session.events_to_send()

    def of(self, *kinds: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """Utterance, start and end of everything that is told for good."""
        return [(event.utterance, event.start, event.end) for event in self.of(Final, UtteranceFailed)]

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """Start and end of all that is told without a gap; where it is cut depends on what was understood."""
        found: list[tuple[int, int]] = []
        for _, start, end in self.spans:
            if found and found[-1][1] == start:
                found[-1] = found[-1][0], end
            else:
                found.append((start, end))
        return found


runs = st.lists(st.tuples(st.booleans(), st.floats(0.1, 4)), min_size=1, max_size=6)


def sound(parts: Sequence[tuple[bool, float]]) -> np.ndarray:
    return np.concatenate(
        [np.full(samples(length_s), 0.5 * is_speech, np.float32) for is_speech, length_s in parts]
    )


@pytest.mark.parametrize("name", OPTIONS)
class TestWhateverHappens:
    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_the_lines_are_those_of_models_that_answer_at_once(
        self, name: str, parts: Any, seed: int
    ) -> None:
        audio = sound(parts)
        prompt = Run(OPTIONS[name], audio, 0, failing=0)
        late = Run(OPTIONS[name], audio, seed, failing=0)
        assert late.of(Final) == prompt.of(Final)

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_failures_lose_no_stretch_of_speech(self, name: str, parts: Any, seed: int) -> None:
        audio = sound(parts)
        assert (
            Run(OPTIONS[name], audio, seed, failing=0.3).stretches
            == Run(OPTIONS[name], audio, 0, failing=0).stretches
        )

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_lines_come_in_order_and_do_not_overlap(self, name: str, parts: Any, seed: int) -> None:
        spans = Run(OPTIONS[name], sound(parts), seed, failing=0.3).spans
        assert [utterance for utterance, _, _ in spans] == list(range(len(spans)))
        edges = [edge for _, start, end in spans for edge in (start, end)]
        assert edges == sorted(edges)

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_what_has_settled_is_never_spoken_of_again(self, name: str, parts: Any, seed: int) -> None:
        run, settled = Run(OPTIONS[name], sound(parts), seed, failing=0.3), 0
        for event in run.events:
            match event:
                case Settled(position):
                    assert position > settled
                    settled = position
                case Final() | UtteranceFailed() | Partial():
                    assert event.start >= settled
        assert settled == len(run.audio)

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_partials_precede_their_line_and_never_shrink(self, name: str, parts: Any, seed: int) -> None:
        run = Run(OPTIONS[name], sound(parts), seed, failing=0.1)
        closed: set[int] = set()
        shown: dict[int, int] = {}
        for event in run.of(Partial, Final, UtteranceFailed):
            if isinstance(event, Partial):
                assert event.utterance not in closed
                assert len(event.text) >= shown.get(event.utterance, 0)
                shown[event.utterance] = len(event.text)
            else:
                closed.add(event.utterance)

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    @example([(True, 4.0), (False, 0.125), (True, 2.0), (False, 1.0), (False, 4.0)], 0)
    def test_it_ends_once_and_after_everything(self, name: str, parts: Any, seed: int) -> None:
        run = Run(OPTIONS[name], sound(parts), seed, failing=0.3)
        assert run.of(Ended) == [Ended(len(run.audio))]
        assert run.events[-1] == Ended(len(run.audio))
        assert run.session.work_to_do() == []

    @settings(max_examples=30)
    @given(runs, st.integers(0, 10**6))
    def test_only_a_failed_second_pass_loses_a_line(self, name: str, parts: Any, seed: int) -> None:
        run = Run(OPTIONS[name], sound(parts), seed, failing=0.4)
        lost = {event.utterance for event in run.of(UtteranceFailed)}
        assert lost == {work.utterance for work in run.failed if isinstance(work, Recognize)}


class TestSeveralSpeakers:
    """With a segmenter, lines of an utterance may overlap, and there may be several."""

    options = replace(FULL, segmenter=LAYOUT)

    @settings(max_examples=60)
    @given(runs, st.integers(0, 10**6))
    def test_the_lines_are_those_of_models_that_answer_at_once(self, parts: Any, seed: int) -> None:
        audio = sound(parts)
        prompt, late = (Run(self.options, audio, number, failing=0) for number in (0, seed))
        assert late.of(Final) == prompt.of(Final)

    @settings(max_examples=60)
    @given(runs, st.integers(0, 10**6))
    def test_each_word_is_in_one_line_and_lines_are_in_order(self, parts: Any, seed: int) -> None:
        audio = sound(parts)
        run = Run(self.options, audio, seed, failing=0.2)
        plain = Run(replace(self.options, segmenter=None), audio, seed, failing=0)
        finals, lost = run.of(Final), {event.utterance for event in run.of(UtteranceFailed)}
        assert [(final.utterance, final.start) for final in finals] == sorted(
            (final.utterance, final.start) for final in finals
        )
        if not lost:
            assert [token for final in finals for token in final.tokens] == [
                token for final in plain.of(Final) for token in final.tokens
            ]

    @settings(max_examples=60)
    @given(runs, st.integers(0, 10**6))
    def test_lines_and_what_is_beside_them_lie_within_the_utterance(self, parts: Any, seed: int) -> None:
        audio = sound(parts)
        run = Run(self.options, audio, seed, failing=0)
        plain = Run(replace(self.options, segmenter=None), audio, seed, failing=0)
        bounds = {final.utterance: (final.start, final.end) for final in plain.of(Final)}
        for final in run.of(Final):
            start, end = bounds[final.utterance]
            for each in (final, *final.overlaps):
                assert start <= each.start < each.end <= end

    @settings(max_examples=60)
    @given(runs, st.integers(0, 10**6))
    def test_it_ends_once_and_only_a_failed_second_pass_loses_a_line(self, parts: Any, seed: int) -> None:
        run = Run(self.options, sound(parts), seed, failing=0.4)
        assert run.of(Ended) == [Ended(len(run.audio))]
        assert run.events[-1] == Ended(len(run.audio))
        assert run.session.work_to_do() == []
        lost = {event.utterance for event in run.of(UtteranceFailed)}
        assert lost == {work.utterance for work in run.failed if isinstance(work, Recognize)}


class TestMemory:
    def test_audio_that_nobody_needs_is_not_kept(self) -> None:
        parts = [(True, 1.0), (False, 2.0)] * 60
        session = TranscriptionSession(FULL)
        audio, longest = sound(parts), 0
        for at in range(0, len(audio), 3200):
            session.receive_audio(audio[at : at + 3200])
            while works := session.work_to_do():
                for work in works:
                    if (result := answered(work)) is not None:
                        session.receive_result(result)
            session.events_to_send()
            longest = max(longest, session._audio.end - session._audio.start)
        assert longest < samples(5)
