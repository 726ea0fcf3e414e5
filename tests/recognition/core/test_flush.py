"""Ending the utterance now: at a position of the audio, whoever recognises it and however it comes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event, Final, Flushed, Partial, Settled
from recognition.core.session import SessionOptions, TranscriptionSession
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
    SpeechProbabilities,
    Work,
)
from recognition.interfaces import Token

FRAME = 160
PROMPT = SessionOptions(vad_window=1600, vad_frame=FRAME, vad_delay=0, chunk=9600)
LAGGING = SessionOptions(vad_window=3200, vad_frame=FRAME, vad_delay=640, chunk=9600)
COARSE = SessionOptions(vad_window=3072, vad_frame=512, vad_delay=0, chunk=9600)
DETECTORS = pytest.mark.parametrize("options", [PROMPT, LAGGING, COARSE], ids=["prompt", "lagging", "coarse"])


def speech(seconds: float) -> np.ndarray:
    return np.full(samples(seconds), 0.5, np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(samples(seconds), np.float32)


@dataclass
class Models:
    """Hear everything that is not zero, and write a token for each utterance."""

    options: SessionOptions
    heard: np.ndarray = field(default_factory=lambda: silence(0))
    beginnings: int = 0

    def do(self, work: Work) -> Result | None:
        match work:
            case DetectSpeech(audio, is_first):
                return self._detect(audio, is_first=is_first)
            case DecodeChunk(index):
                return ChunkDecoded(index, ("字",))
            case Preview(index):
                return Previewed(index, ("字",))
            case Recognize(index, audio):
                return Recognized(index, (Token("字", 0, len(audio)),))
            case Punctuate(index):
                return Punctuated(index, ("。",))
            case Embed(index, _, spans):
                return Embedded(index, np.eye(2, dtype=np.float32)[:1].repeat(len(spans), 0))
        return None

    def _detect(self, audio: np.ndarray, *, is_first: bool) -> SpeechProbabilities:
        if is_first:
            self.beginnings += 1
            self.heard = np.zeros(self.options.vad_delay, np.float32)
        together = np.concatenate([self.heard, audio])
        now = together[: len(audio)]
        self.heard = together[len(audio) :]
        loud = now.reshape(-1, self.options.vad_frame).max(1) > 0.1
        return SpeechProbabilities(loud.astype(np.float32))


@dataclass
class Recognition:
    """A session with its models, which answer when they are let."""

    session: TranscriptionSession
    models: Models
    waiting: list[Work] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @classmethod
    def begin(cls, options: SessionOptions, start: int = 0) -> Recognition:
        return cls(TranscriptionSession(options, start=start), Models(options))

    def hear(self, *audio: np.ndarray) -> None:
        self.session.receive_audio(np.concatenate(audio))

    def flush(self) -> None:
        self.session.receive_flush()

    def end(self) -> list[Event]:
        self.session.receive_end()
        self.work()
        return self.events

    def work(self, limit: int = 10_000) -> None:
        """Let the models do so many pieces of work."""
        for _ in range(limit):
            self.waiting += self.session.work_to_do()
            if not self.waiting:
                break
            result = self.models.do(self.waiting.pop(0))
            if result is not None:
                self.session.receive_result(result)
        self.events += self.session.events_to_send()

    def told(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]


def spans(events: Sequence[Event]) -> list[tuple[int, int]]:
    return [(event.start, event.end) for event in events if isinstance(event, Final)]


def recognise(
    audio: np.ndarray, options: SessionOptions, flushes: Sequence[int] = (), *, start: int = 0
) -> list[Event]:
    """Everything that is told of audio which begins at `start`, flushed at positions."""
    recognition = Recognition.begin(options, start)
    at = start
    for flush in sorted(flushes):
        recognition.hear(audio[at - start : flush - start])
        recognition.flush()
        at = flush
    recognition.hear(audio[at - start :])
    return recognition.end()


class TestOpenUtterance:
    @DETECTORS
    def test_ends_there_and_becomes_final_at_once(self, options: SessionOptions) -> None:
        recognition = Recognition.begin(options)
        recognition.hear(silence(1), speech(2))
        recognition.work()
        assert not recognition.told(Final)
        recognition.flush()
        recognition.work()
        [(_, end)] = spans(recognition.events)
        assert end == samples(3)
        assert recognition.events[-2:] == [Settled(samples(3)), Flushed(samples(3))]

    @DETECTORS
    def test_ends_there_though_the_detector_has_not_come_so_far(self, options: SessionOptions) -> None:
        recognition = Recognition.begin(options)
        recognition.hear(silence(1), speech(2))
        recognition.flush()
        recognition.hear(speech(2))
        recognition.work()
        assert spans(recognition.events)[0][1] == samples(3)
        assert recognition.told(Flushed) == [Flushed(samples(3))]

    @DETECTORS
    def test_what_is_said_behind_it_opens_another_that_begins_there(self, options: SessionOptions) -> None:
        first, second = spans(
            recognise(np.concatenate([silence(1), speech(4), silence(1)]), options, [samples(3)])
        )
        assert first[1] == second[0] == samples(3)
        assert second[1] > samples(5)

    def test_at_a_sample_that_ends_no_frame_and_no_window(self) -> None:
        at = samples(2) + 77
        audio = np.concatenate([silence(1), speech(3)])
        assert [span[1] for span in spans(recognise(audio, PROMPT, [at]))] == [at, samples(4)]

    def test_the_first_pass_takes_nothing_of_what_comes_behind(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))  # one whole chunk and the half of another
        recognition.flush()
        recognition.hear(speech(1))
        decoded: list[int] = []
        while work := recognition.session.work_to_do():
            for item in work:
                if isinstance(item, DecodeChunk):
                    decoded.append(item.utterance)
                if result := recognition.models.do(item):
                    recognition.session.receive_result(result)
        assert decoded == [0, 1]

    def test_nor_does_a_preview(self) -> None:
        recognition = Recognition.begin(replace(PROMPT, chunk=0, preview_step=samples(0.2)))
        recognition.hear(speech(0.3))
        recognition.work()
        recognition.hear(speech(0.2))
        recognition.flush()
        recognition.hear(speech(2))
        previewed = {work.utterance for work in detect_all(recognition) if isinstance(work, Preview)}
        assert previewed == {1}

    def test_a_partial_that_comes_late_is_dropped(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))
        recognition.work()
        told = len(recognition.told(Partial))
        recognition.flush()
        recognition.work()
        recognition.session.receive_result(ChunkDecoded(0, ("晚",)))
        recognition.work()
        assert len(recognition.told(Partial)) == told


class TestNoOpenUtterance:
    @DETECTORS
    def test_nothing_ends_and_it_is_told_that_all_is_final(self, options: SessionOptions) -> None:
        recognition = Recognition.begin(options)
        recognition.hear(silence(2))
        recognition.flush()
        recognition.work()
        assert recognition.events[-1] == Flushed(samples(2))
        assert not recognition.told(Final)

    def test_nor_at_the_very_beginning(self) -> None:
        recognition = Recognition.begin(PROMPT, start=4800)
        recognition.flush()
        recognition.work()
        assert recognition.events == [Flushed(4800)]

    @DETECTORS
    def test_two_at_one_place_are_both_told_and_cut_once(self, options: SessionOptions) -> None:
        recognition = Recognition.begin(options)
        recognition.hear(speech(1))
        recognition.flush()
        recognition.flush()
        recognition.work()
        recognition.flush()
        recognition.work()
        assert recognition.told(Flushed) == [Flushed(samples(1))] * 3
        assert len(spans(recognition.events)) == 1

    def test_speech_that_had_only_begun_is_not_lost(self) -> None:
        audio = np.concatenate([silence(1), speech(0.1), speech(1)])
        first, second = spans(recognise(audio, PROMPT, [samples(1.1)]))
        assert first[0] <= samples(1)
        assert first[1] == second[0] == samples(1.1)

    def test_a_click_is_no_speech(self) -> None:
        audio = np.concatenate([silence(1), speech(0.05), silence(1)])
        assert spans(recognise(audio, PROMPT, [samples(1.06)])) == []


class TestTelling:
    def test_waits_for_the_finals_before_it(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))
        recognition.flush()
        detect_all(recognition)
        assert recognition.session.events_to_send() == []
        recognition.work()
        assert [type(event) for event in recognition.events if not isinstance(event, Partial)] == [
            Final,
            Settled,
            Flushed,
        ]

    def test_comes_though_recognition_failed(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))
        recognition.flush()
        for work in detect_all(recognition):
            if isinstance(work, Recognize):
                recognition.session.receive_result(Failed(work))
        recognition.work()
        assert recognition.events[-1] == Flushed(samples(1))

    def test_comes_though_detection_failed(self) -> None:
        recognition = Recognition.begin(LAGGING)
        recognition.hear(speech(1))
        recognition.flush()
        while work := recognition.session.work_to_do():
            for item in work:
                recognition.session.receive_result(Failed(item))
        recognition.work()
        assert recognition.events[-1] == Flushed(samples(1))

    def test_comes_before_the_end(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))
        recognition.flush()
        assert recognition.end()[-2:] == [Flushed(samples(1)), Ended(samples(1))]

    def test_of_many_comes_for_each_in_order(self) -> None:
        recognition = Recognition.begin(LAGGING)
        for _ in range(5):
            recognition.hear(speech(0.7))
            recognition.flush()
        events = recognition.end()
        assert [e.position for e in events if isinstance(e, Flushed)] == [
            samples(0.7 * n) for n in range(1, 6)
        ]
        assert len(spans(events)) == 5

    def test_nothing_happens_after_the_end(self) -> None:
        recognition = Recognition.begin(PROMPT)
        recognition.hear(speech(1))
        recognition.end()
        recognition.flush()
        recognition.work()
        assert not recognition.told(Flushed)


def detect_all(recognition: Recognition) -> list[Work]:
    """Let only the detector work; what else there is to do."""
    others: list[Work] = []
    while work := recognition.session.work_to_do():
        for item in work:
            if isinstance(item, DetectSpeech):
                result = recognition.models.do(item)
                assert result
                recognition.session.receive_result(result)
            elif not isinstance(item, EndDecoding):
                others.append(item)
    recognition.waiting += others
    return others


RUNS = st.lists(st.tuples(st.booleans(), st.integers(200, 40_000)), min_size=1, max_size=8)
PLACES = st.lists(st.floats(0, 1), max_size=5)


def audio_of(runs: Sequence[tuple[bool, int]]) -> np.ndarray:
    return np.concatenate([np.full(length, 0.5 * loud, np.float32) for loud, length in runs])


@DETECTORS
class TestPieces:
    """What makes takeovers, replays and delays harmless: a flush divides one stream into several."""

    @settings(max_examples=60)
    @given(runs=RUNS, places=PLACES)
    @example(runs=[(True, 32_000)], places=[0.5])
    def test_each_is_recognised_as_a_stream_of_its_own(self, options: Any, runs: Any, places: Any) -> None:
        audio = audio_of(runs)
        flushes = sorted({round(place * len(audio)) for place in places})
        edges = [0, *flushes, len(audio)]
        alone: list[tuple[int, int]] = []
        for start, end in itertools.pairwise(edges):
            piece = recognise(audio[start:end], options, [end], start=start)
            alone += spans(piece)
        assert spans(recognise(audio, options, [*flushes, len(audio)])) == alone

    @settings(max_examples=60)
    @given(runs=RUNS, places=PLACES, seed=st.integers(0, 1000))
    def test_it_makes_no_difference_when_audio_comes_and_models_answer(
        self, options: Any, runs: Any, places: Any, seed: int
    ) -> None:
        audio = audio_of(runs)
        flushes = sorted(round(place * len(audio)) for place in places)
        timing = random.Random(seed)
        recognition = Recognition.begin(options)
        at = 0
        for stop in [*flushes, len(audio)]:
            while at < stop:
                step = min(timing.randint(1, 20_000), stop - at)
                recognition.hear(audio[at : at + step])
                at += step
                recognition.work(timing.randint(0, 3))
            if stop != len(audio) or len(audio) in flushes:
                recognition.flush()
        finals = spans(recognition.end())
        assert finals == spans(recognise(audio, options, flushes))

    @settings(max_examples=60)
    @given(runs=RUNS, places=PLACES)
    def test_nothing_is_in_two_utterances_and_no_long_speech_in_none(
        self, options: Any, runs: Any, places: Any
    ) -> None:
        audio = audio_of(runs)
        flushes = sorted({round(place * len(audio)) for place in places} | {len(audio)})
        found = spans(recognise(audio, options, flushes))
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(found))
        assert not any(start < flush < end for start, end in found for flush in flushes)
        covered = np.zeros(len(audio), bool)
        for start, end in found:
            covered[start:end] = True
        lost = (audio > 0) & ~covered
        for start, end in itertools.pairwise([0, *flushes]):
            # Less than half a vote, and what a frame holds besides.
            assert max(lengths(lost[start:end]), default=0) <= samples(0.15) + 2 * options.vad_frame

    @settings(max_examples=60)
    @given(runs=RUNS, places=PLACES, death=st.integers(1, 40))
    def test_another_session_goes_on_from_what_has_settled(
        self, options: Any, runs: Any, places: Any, death: Any
    ) -> None:
        """The first one dies after so many pieces of work; flushes up to its end come again."""
        audio = audio_of(runs)
        flushes = sorted({round(place * len(audio)) for place in places})
        first = Recognition.begin(options)
        at = 0
        for flush in flushes:
            first.hear(audio[at:flush])
            first.flush()
            at = flush
        first.hear(audio[at:])
        first.work(death)
        durable = first.session.settled
        kept = [span for span in spans(first.events) if span[1] <= durable]
        again = recognise(
            audio[durable:], options, [flush for flush in flushes if flush >= durable], start=durable
        )
        told = {e.position for e in again if isinstance(e, Flushed)}
        assert told == {flush for flush in flushes if flush >= durable}
        whole = kept + spans(again)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(whole))
        assert not any(start < flush < end for start, end in whole for flush in flushes)
        passed = [flush for flush in flushes if flush >= durable]
        if passed:  # from the next cut on nobody can tell that there were two
            cut = passed[0]
            expected = [s for s in spans(recognise(audio, options, flushes)) if s[0] >= cut]
            assert [s for s in whole if s[0] >= cut] == expected


def lengths(flags: np.ndarray) -> list[int]:
    """Of the runs of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]


class TestDetector:
    @DETECTORS
    def test_begins_anew_behind_each_cut(self, options: SessionOptions) -> None:
        recognition = Recognition.begin(options)
        recognition.hear(speech(1))
        recognition.flush()
        recognition.hear(speech(1))
        recognition.work()
        assert recognition.models.beginnings == 2

    def test_is_not_kept_busy_by_silence_behind_the_last_word(self) -> None:
        """A cut costs at most two windows: the rest of one, and one for the delay."""
        recognition = Recognition.begin(LAGGING)
        recognition.hear(speech(1))  # five windows
        recognition.flush()
        windows = 0
        while work := recognition.session.work_to_do():
            for item in work:
                windows += isinstance(item, DetectSpeech)
                if result := recognition.models.do(item):
                    recognition.session.receive_result(result)
        assert windows == 6

    def test_counts_positions_as_far_as_sessions_get(self) -> None:
        far = samples(40 * 3600)
        recognition = Recognition.begin(COARSE, start=far)
        recognition.hear(speech(1))
        recognition.flush()
        recognition.work()
        assert recognition.events[-1] == Flushed(far + samples(1))
        assert recognition.session.processed == far + samples(1)


def test_the_audio_before_a_cut_is_forgotten() -> None:
    recognition = Recognition.begin(PROMPT)
    recognition.hear(speech(10))
    recognition.flush()
    recognition.work()
    assert recognition.session._audio.start == samples(10)


def test_a_cut_within_the_longest_utterance_leaves_its_length_to_the_rest() -> None:
    options = SessionOptions(1600, FRAME, 0, 0, EndpointingOptions(longest_utterance_ms=5000))
    found = spans(recognise(speech(8), options, [samples(4)]))
    assert found == [(0, samples(4)), (samples(4), samples(8))]
