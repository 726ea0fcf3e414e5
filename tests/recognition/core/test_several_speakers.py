"""A session with a segmenter: people who speak at once, or one after the other without a pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from recognition.audio import samples, seconds
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final, OverlappingSpeech, UtteranceFailed
from recognition.core.session import SessionOptions, TranscriptionSession
from recognition.core.tracks import WindowLayout
from recognition.core.work import (
    DetectSpeech,
    Embed,
    Embedded,
    Failed,
    Recognize,
    Recognized,
    Result,
    Segment,
    Segmented,
    SpeechProbabilities,
    Work,
)
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.interfaces import Samples, SpeakerSegmenter, Token
from tests.support.arrays import assert_close

WINDOW, FRAME = 1600, 160
LAYOUT = WindowLayout(window=samples(10), frame=270, first=495)
OPTIONS = SessionOptions(WINDOW, FRAME, 0, 0, has_punctuator=False, segmenter=LAYOUT)

Said = list[tuple[int, float, float]]
"""Speaker, from, to in seconds of the stream."""

ALICE, BOB = 0, 1


def speech(length_s: float) -> np.ndarray:
    return np.full(samples(length_s), 0.5, np.float32)


def silence(length_s: float) -> np.ndarray:
    return np.zeros(samples(length_s), np.float32)


def segmented(work: Segment, said: Said) -> Segmented:
    """What a perfect segmenter answers."""
    times = seconds(work.window[0]) + (np.arange(589) * 270 + 495) / samples(1)
    activity = np.zeros((589, 3), np.float32)
    for speaker, start, end in said:
        activity[(times >= start) & (times < end), speaker] = 1
    return Segmented(work.utterance, work.window, activity)


class Session:
    """Answers speech detection at once, and the rest when the test says so."""

    def __init__(self, options: SessionOptions = OPTIONS, *, start: int = 0) -> None:
        self.session = TranscriptionSession(options, start=start)
        self.asked: list[Work] = []
        self.said: Said = []
        self.every = 0.2

    def hear(self, *audio: np.ndarray) -> None:
        for at in range(0, len(heard := np.concatenate(audio)), WINDOW):
            self.session.receive_audio(heard[at : at + WINDOW])
            self._look()

    def answer(self, *results: Result) -> None:
        for result in results:
            self.session.receive_result(result)
            self._look()

    def take(self, kind: type[Work]) -> list[Work]:
        taken = [work for work in self.asked if isinstance(work, kind)]
        self.asked = [work for work in self.asked if not isinstance(work, kind)]
        return taken

    def answer_all(self) -> None:
        """Let the models do all that waits: they are perfect."""
        while self.asked:
            self.answer(self.answered(self.asked.pop(0)))

    def answered(self, work: Work) -> Result:
        match work:
            case Recognize(index, audio):
                starts = range(0, len(audio) - samples(self.every) // 2, samples(self.every))
                tokens = [Token("x", at, min(at + samples(self.every), len(audio))) for at in starts]
                return Recognized(index, tuple(tokens))
            case Segment():
                return segmented(work, self.said)
            case Embed(index, audio, spans):
                return Embedded(index, np.stack([self.voice(audio[start:end]) for start, end in spans]))
        raise AssertionError(work)

    def voice(self, audio: np.ndarray) -> np.ndarray:
        """Return an axis for each loudness."""
        axis: np.ndarray = np.eye(1, 4, int(np.median(audio) > 0.6), dtype=np.float32)[0]
        return axis

    def finals(self) -> list[Final]:
        return [event for event in self.session.events_to_send() if isinstance(event, Final)]

    def _look(self) -> None:
        while works := self.session.work_to_do():
            for work in works:
                if isinstance(work, DetectSpeech):
                    loud = work.audio.reshape(-1, FRAME).max(1) > 0.1
                    self.session.receive_result(SpeechProbabilities(loud.astype(np.float32)))
                else:
                    self.asked.append(work)


def times(found: list[Final]) -> list[tuple[float, float]]:
    return [(round(seconds(each.start), 1), round(seconds(each.end), 1)) for each in found]


class TestAsking:
    def test_the_segmenter_is_asked_together_with_the_recogniser(self) -> None:
        session = Session()
        session.hear(silence(2), speech(3), silence(1.5))
        assert [type(work) for work in session.asked] == [Recognize, Segment]

    def test_a_short_utterance_is_heard_with_what_was_before_it(self) -> None:
        session = Session()
        session.hear(silence(2), speech(3), silence(1.5), speech(2), silence(1.5), speech(4), silence(1.5))
        *_, last = session.take(Segment)
        assert isinstance(last, Segment)
        assert len(last.audio) == LAYOUT.window == last.window[1] - last.window[0]
        assert np.count_nonzero(last.audio[: samples(5)]) > samples(1)

    def test_voices_wait_for_words_and_for_who_speaks_whatever_comes_first(self) -> None:
        for order in ([Recognize, Segment], [Segment, Recognize]):
            session = Session()
            session.said = [(ALICE, 2, 5)]
            session.hear(silence(2), speech(3), silence(1.5))
            works = [work for kind in order for work in session.take(kind)]
            session.answer(session.answered(works[0]))
            assert session.asked == []
            session.answer(session.answered(works[1]))
            assert [type(work) for work in session.asked] == [Embed]

    def test_voices_are_asked_for_once(self) -> None:
        session = Session()
        session.said = [(ALICE, 2, 11.5)]
        session.hear(silence(2), speech(9.85), silence(1.5))
        windows = session.take(Segment)
        session.answer(*(session.answered(work) for work in session.take(Recognize)))
        session.answer(*(session.answered(work) for work in reversed(windows)))
        session.answer(*(session.answered(work) for work in windows))
        assert len(session.take(Embed)) == 1

    def test_of_long_speech_the_first_windows_are_asked_while_it_goes_on(self) -> None:
        session = Session()
        session.hear(silence(2), speech(10.5))
        [early] = session.take(Segment)
        assert isinstance(early, Segment)
        assert early.window[1] - early.window[0] == LAYOUT.window
        session.hear(speech(2), silence(1.5))
        [late] = session.take(Segment)
        assert isinstance(late, Segment)
        assert early.window[0] < late.window[0] < early.window[1] < late.window[1]

    def test_without_a_segmenter_nobody_is_asked(self) -> None:
        session = Session(replace(OPTIONS, segmenter=None))
        session.hear(silence(2), speech(12), silence(1.5))
        assert [type(work) for work in session.asked] == [Recognize]

    def test_what_was_before_a_flush_is_none_of_it(self) -> None:
        session = Session()
        session.hear(silence(1), speech(3))
        session.session.receive_flush()
        session.hear(silence(0.5), speech(3), silence(1.5))
        *_, last = session.take(Segment)
        assert isinstance(last, Segment)
        assert last.window[0] == samples(4)

    def test_a_session_that_goes_on_has_no_more_than_came(self) -> None:
        session = Session(start=samples(100))
        session.hear(speech(3), silence(1.5))
        [work] = session.take(Segment)
        assert isinstance(work, Segment)
        assert work.window[0] == samples(100)


class TestLines:
    def test_each_speaker_has_a_line(self) -> None:
        session = Session()
        session.said = [(ALICE, 2, 5), (BOB, 5, 8)]
        session.hear(silence(2), speech(3), speech(3) * 1.5, silence(1.5))
        session.answer_all()
        first, second = session.finals()
        assert first.utterance == second.utterance == 0
        assert first.end == second.start == pytest.approx(samples(5), abs=samples(session.every / 2))
        assert_close(first.embedding, [1, 0, 0, 0])
        assert_close(second.embedding, [0, 1, 0, 0])

    def test_who_speaks_within_a_line_is_told_with_it(self) -> None:
        session = Session()
        session.said = [(ALICE, 2, 8), (BOB, 4, 5.5)]
        session.hear(silence(2), speech(2), speech(1.5) * 1.5, speech(2.5), silence(1.5))
        session.answer_all()
        [final] = session.finals()
        [overlap] = final.overlaps
        assert overlap == OverlappingSpeech(overlap.start, overlap.end)
        assert seconds(overlap.start) == pytest.approx(4, abs=0.02)
        assert seconds(overlap.end) == pytest.approx(5.5, abs=0.02)
        assert_close(overlap.embedding, [0, 1, 0, 0])
        assert overlap.speech == pytest.approx(samples(0.75), abs=160)
        assert_close(final.embedding, [1, 0, 0, 0])

    def test_all_tokens_are_told_at_their_times(self) -> None:
        session = Session()
        session.said = [(ALICE, 2, 5), (BOB, 4.5, 8)]
        session.hear(silence(2), speech(3), speech(3) * 1.5, silence(1.5))
        session.answer_all()
        tokens = [token for final in session.finals() for token in final.tokens]
        assert [token.start for token in tokens] == sorted(token.start for token in tokens)
        assert len(tokens) == pytest.approx(6 / session.every, abs=4)
        assert 1.5 < seconds(tokens[0].start) < 2
        assert 7.5 < seconds(tokens[-1].end) < 8.5

    def test_nobody_heard_is_todays_way(self) -> None:
        session = Session()
        session.hear(silence(2), speech(3), silence(1.5))
        session.answer_all()
        assert session.finals() == self._plain(silence(2), speech(3), silence(1.5))

    def test_a_segmenter_that_fails_is_todays_way(self) -> None:
        for kinds in ([Recognize, Segment], [Segment, Recognize]):
            session = Session()
            session.said = [(ALICE, 2, 4)]
            session.hear(silence(2), speech(3), silence(1.5))
            for work in [work for kind in kinds for work in session.take(kind)]:
                is_segment = isinstance(work, Segment)
                session.answer(Failed(work) if is_segment else session.answered(work))
            session.answer_all()
            assert session.finals() == self._plain(silence(2), speech(3), silence(1.5))

    def test_voices_that_cannot_be_told_leave_one_line(self) -> None:
        session = Session()
        session.said = [(ALICE, 2, 5), (BOB, 5, 8)]
        session.hear(silence(2), speech(6), silence(1.5))
        session.answer(
            *(session.answered(work) for work in [*session.take(Recognize), *session.take(Segment)])
        )
        [work] = session.take(Embed)
        session.answer(Failed(work))
        [final] = session.finals()
        assert final.embedding is None

    def test_a_recogniser_that_fails_loses_the_utterance_alone(self) -> None:
        session = Session()
        session.hear(silence(2), speech(3), silence(1.5))
        [work] = session.take(Recognize)
        session.answer(Failed(work))
        assert any(isinstance(event, UtteranceFailed) for event in session.session.events_to_send())
        session.answer_all()
        assert session.asked == []

    def _plain(self, *audio: np.ndarray) -> list[Final]:
        session = Session(replace(OPTIONS, segmenter=None))
        session.hear(*audio)
        session.answer_all()
        return session.finals()


class TestCutUtterance:
    options = replace(OPTIONS, endpointing=EndpointingOptions(longest_utterance_ms=6000))

    def test_no_line_reaches_beyond_the_cut(self) -> None:
        session = Session(self.options)
        session.said = [(ALICE, 2, 20)]
        session.hear(silence(2), speech(10), silence(1.5))
        session.answer_all()
        found = session.finals()
        assert len(found) > 1
        assert all(one.end <= other.start for one, other in pairwise(found))

    def test_windows_wait_until_it_is_certain_where_the_utterance_begins(self) -> None:
        session = Session(self.options)
        session.hear(silence(2), speech(9), silence(1.5))
        [first] = session.take(Segment)
        session.answer(*(session.answered(work) for work in session.take(Recognize)))
        [second] = session.take(Segment)
        assert isinstance(first, Segment)
        assert isinstance(second, Segment)
        assert second.utterance == 1


class TestMemory:
    @pytest.mark.parametrize("pause_s", [1.5, 20])
    def test_so_much_audio_is_kept_as_the_segmenter_hears_before_speech(self, pause_s: float) -> None:
        session, longest = Session(), 0
        for _ in range(20):
            session.hear(speech(1), silence(pause_s))
            session.answer_all()
            session.session.events_to_send()
            longest = max(longest, session.session._audio.end - session.session._audio.start)
        assert LAYOUT.window < longest < LAYOUT.window + samples(5)


class TestOptions:
    script = Script([ScriptedLine("你好")])

    def test_a_segmenter_without_an_embedder_is_not_asked(self) -> None:
        models = replace(scripted_models(self.script), segmenter=Segmenter())
        endpointing = EndpointingOptions()
        assert SessionOptions.for_models(models, endpointing).segmenter == LAYOUT
        assert SessionOptions.for_models(replace(models, embedder=None), endpointing).segmenter is None

    def test_the_penalty_of_a_turn_is_that_of_the_models(self) -> None:
        models = replace(scripted_models(self.script), turn_penalty=0.3)
        assert SessionOptions.for_models(models, EndpointingOptions()).turn_penalty == 0.3


class Segmenter:
    """Hears nobody."""

    model_id = "nobody"
    window, frame, first, speakers = LAYOUT.window, LAYOUT.frame, LAYOUT.first, 3

    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        return [np.zeros((589, 3), np.float32) for _ in batch]


def test_a_segmenter_of_ones_own_has_what_the_session_asks_for() -> None:
    assert isinstance(Segmenter(), SpeakerSegmenter)
