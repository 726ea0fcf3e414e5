"""TranscriptionSession, driven one call at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event, Final, Partial, Settled, UtteranceFailed
from recognition.core.session import (
    FIRST_PREVIEW,
    PREVIEW_STEP,
    SessionOptions,
    State,
    TranscriptionSession,
)
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
from recognition.exceptions import SessionClosed
from recognition.interfaces import NO_TAGS, Tags, Token
from tests.support.arrays import assert_close

WINDOW, FRAME, CHUNK = 1600, 160, 9600
OPTIONS = SessionOptions(WINDOW, FRAME, 0, CHUNK, EndpointingOptions())
VOICE = np.array([[1.0, 0.0]], np.float32)

T = TypeVar("T")


def speech(seconds: float) -> np.ndarray:
    return np.full(samples(seconds), 0.5, np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(samples(seconds), np.float32)


def probabilities(work: DetectSpeech) -> SpeechProbabilities:
    """What a perfect detector says: speech is where the audio is not zero."""
    return SpeechProbabilities((work.audio.reshape(-1, FRAME).max(1) > 0.1).astype(np.float32))


class SessionTests:
    """Answers speech detection at once and leaves the rest of the work to the test."""

    options = OPTIONS

    def setup_method(self) -> None:
        self.session = TranscriptionSession(self.options)
        self.asked: list[Work] = []

    def state(self) -> State:
        return self.session.state

    def hear(self, *audio: np.ndarray) -> None:
        self.session.receive_audio(np.concatenate(audio))
        self.detect()

    def end(self) -> None:
        self.session.receive_end()
        self.detect()

    def detect(self) -> None:
        waiting = self.session.work_to_do()
        while waiting:
            work = waiting.pop(0)
            if isinstance(work, DetectSpeech):
                self.session.receive_result(probabilities(work))
                waiting = waiting + self.session.work_to_do()
            else:
                self.asked.append(work)

    def answer(self, *results: Result) -> None:
        for result in results:
            self.session.receive_result(result)
            self.detect()

    def recognize(self, index: int, text: str, *, at: int = 0) -> None:
        """Answer the whole second pass of an utterance."""
        tokens = tuple(Token(c, at + 1600 * i, at + 1600 * (i + 1)) for i, c in enumerate(text))
        marks = ("",) * (len(text) - 1) + ("。",)
        self.answer(Recognized(index, tokens), Punctuated(index, marks))
        for work in self.take(Embed):
            self.answer(Embedded(index, VOICE.repeat(len(work.spans), 0)))

    def take(self, kind: type[T]) -> list[T]:
        taken: list[T] = [work for work in self.asked if isinstance(work, kind)]
        self.asked = [work for work in self.asked if not isinstance(work, kind)]
        return taken

    def told(self, *kinds: type[T]) -> list[T]:
        found: list[T] = [event for event in self.session.events_to_send() if isinstance(event, kinds)]
        return found

    def assert_told(self, *expected: Event) -> None:
        assert self.told(Partial, Final, UtteranceFailed, Ended) == list(expected)


class TestPreview(SessionTests):
    """An utterance of which the first pass has said nothing yet is shown to the second."""

    options = SessionOptions(WINDOW, FRAME, 0, CHUNK, EndpointingOptions(), preview_step=PREVIEW_STEP)

    def hear_until_the_first_preview(self) -> Preview:
        self.hear(silence(1), speech(0.6))
        (preview,) = self.take(Preview)
        assert isinstance(preview, Preview)
        return preview

    def test_the_first_looks_at_all_that_was_said_so_far(self) -> None:
        preview = self.hear_until_the_first_preview()
        assert len(preview.audio) >= FIRST_PREVIEW
        assert np.count_nonzero(preview.audio) >= samples(0.4)

    def test_too_little_is_not_shown(self) -> None:
        self.hear(silence(1), speech(0.3))
        assert self.take(Preview) == []

    def test_it_makes_a_partial_before_the_first_pass_has_one(self) -> None:
        self.hear_until_the_first_preview()
        self.answer(Previewed(0, ("你", "好")))
        (partial,) = self.told(Partial)
        assert isinstance(partial, Partial)
        assert partial.text == "你好"

    def test_as_long_as_nothing_is_understood_it_looks_again(self) -> None:
        first = self.hear_until_the_first_preview()
        self.answer(Previewed(0, ()))
        assert self.take(Preview) == []
        self.hear(speech(0.25))
        (again,) = self.take(Preview)
        assert isinstance(again, Preview)
        assert len(again.audio) >= len(first.audio) + PREVIEW_STEP
        assert self.told(Partial) == []

    def test_what_was_shown_is_not_looked_at_again(self) -> None:
        self.hear_until_the_first_preview()
        self.answer(Previewed(0, ("你",)))
        self.hear(speech(1))
        assert self.take(Preview) == []

    def test_the_next_waits_for_the_one_before(self) -> None:
        self.hear_until_the_first_preview()
        self.hear(speech(0.5))
        assert self.take(Preview) == []

    def test_the_first_pass_never_shows_less_than_was_shown(self) -> None:
        self.hear_until_the_first_preview()
        self.answer(Previewed(0, ("你", "好")))
        self.hear(speech(1.2))
        self.answer(ChunkDecoded(0, ("你",)))
        assert [p.text for p in self.told(Partial)] == ["你好"]
        self.answer(ChunkDecoded(0, ("们", "好")))
        assert [p.text for p in self.told(Partial)] == ["你们好"]

    def test_one_that_comes_after_the_first_pass_is_too_late(self) -> None:
        self.hear_until_the_first_preview()
        self.hear(speech(0.5))
        self.answer(ChunkDecoded(0, ("您",)), Previewed(0, ("你", "好")))
        assert [p.text for p in self.told(Partial)] == ["您"]

    def test_one_that_comes_after_the_end_changes_nothing(self) -> None:
        self.hear_until_the_first_preview()
        self.hear(silence(1))
        self.answer(Previewed(0, ("你",)))
        assert self.told(Partial) == []

    def test_one_that_was_given_up_is_followed_by_the_next(self) -> None:
        first = self.hear_until_the_first_preview()
        self.answer(Failed(first))
        self.hear(speech(0.25))
        assert len(self.take(Preview)) == 1

    def test_without_a_first_pass_they_go_on(self) -> None:
        self.session = TranscriptionSession(
            SessionOptions(WINDOW, FRAME, 0, 0, EndpointingOptions(), preview_step=samples(0.6))
        )
        self.hear(silence(1), speech(0.9))
        for text in ("你", "你好", "你好吗"):
            assert len(self.take(Preview)) == 1
            self.answer(Previewed(0, tuple(text)))
            self.hear(speech(0.7))
        assert [p.text for p in self.told(Partial)] == ["你", "你好", "你好吗"]

    def test_none_are_asked_for_where_none_are_wanted(self) -> None:
        self.session = TranscriptionSession(OPTIONS)
        self.hear(silence(1), speech(2))
        assert self.take(Preview) == []


class TestListening(SessionTests):
    def test_silence_asks_for_no_recognition(self) -> None:
        self.hear(silence(5))
        assert self.asked == []
        assert self.session.position == samples(5)
        assert self.session.state is State.LISTENING

    def test_audio_shorter_than_a_window_waits(self) -> None:
        self.session.receive_audio(np.zeros(WINDOW - 1, np.float32))
        assert self.session.work_to_do() == []
        self.session.receive_audio(np.zeros(1, np.float32))
        assert len(self.session.work_to_do()) == 1

    def test_one_window_at_a_time_is_with_the_detector(self) -> None:
        self.session.receive_audio(silence(1))
        [work] = self.session.work_to_do()
        assert self.session.work_to_do() == []
        assert isinstance(work, DetectSpeech)
        self.session.receive_result(probabilities(work))
        assert len(self.session.work_to_do()) == 1

    def test_silence_settles_and_is_not_kept(self) -> None:
        self.hear(silence(10))
        assert self.told(Settled)[-1] == Settled(samples(9.6))
        assert len(self.session._audio._memory) <= 4 * samples(10)
        assert self.session._audio.start == samples(9.6)


class TestUtterance(SessionTests):
    def test_the_second_pass_gets_the_whole_utterance_with_pre_and_post_roll(self) -> None:
        self.hear(silence(2), speech(3), silence(2))
        [work] = self.take(Recognize)
        begin, length = samples(1.74), len(work.audio)
        assert begin + length == samples(5.16)
        np.testing.assert_array_equal(
            work.audio, np.concatenate([silence(0.26), speech(3), silence(0.16)])[:length]
        )

    def test_text_is_punctuated_and_embedded_once_it_is_recognized(self) -> None:
        self.hear(speech(3), silence(2))
        assert self.take(Punctuate) + self.take(Embed) == []
        self.answer(Recognized(0, (Token("你", 0, 1600), Token("好", 1600, 20_000))))
        assert self.take(Punctuate) == [Punctuate(0, ("你", "好"))]
        [work] = self.take(Embed)
        assert work.spans == ((0, 20_000),)

    def test_a_final_has_text_with_marks_tokens_on_the_timeline_and_the_voice(self) -> None:
        self.hear(silence(2), speech(3), silence(2))
        self.session.events_to_send()
        self.recognize(0, "你好")
        [final] = self.told(Final)
        start = samples(1.74)
        assert (final == Final(
                0, start, samples(5.16), "你好。",
                (Token("你", start, start + 1600), Token("好", start + 1600, start + 3200)),
            ))  # fmt: skip
        np.testing.assert_array_equal(final.embedding, VOICE[0])

    def test_a_final_tells_how_its_first_word_sounds(self) -> None:
        self.hear(silence(2), speech(3), silence(2))
        self.session.events_to_send()
        tags = Tags("yue", "happy", "laughter music")
        tokens = tuple(Token(each, at, at + 1600, tags=tags) for at, each in ((0, "你"), (1600, "好")))
        self.answer(Recognized(0, tokens), Punctuated(0, ("", "。")), Embedded(0, VOICE))
        [final] = self.told(Final)
        assert (final.language, final.emotion, final.events) == ("yue", "happy", "laughter music")
        assert {token.tags for token in final.tokens} == {NO_TAGS}

    def test_noise_without_words_is_no_line(self) -> None:
        self.hear(speech(1), silence(2))
        self.answer(Recognized(0, ()))
        self.assert_told()
        assert self.take(Punctuate) + self.take(Embed) == []

    def test_a_word_too_short_to_tell_the_voice_has_no_embedding(self) -> None:
        self.session = TranscriptionSession(
            SessionOptions(WINDOW, FRAME, 0, CHUNK, EndpointingOptions(pre_roll_ms=0, window_ms=10,
                                                                        speech_ms=10, silence_ms=0,
                                                                        post_roll_ms=0))
        )  # fmt: skip
        self.hear(silence(1), speech(0.2), silence(2))
        self.answer(Recognized(0, (Token("嗯", 0, 3200),)), Punctuated(0, ("。",)))
        [final] = self.told(Final)
        assert final.embedding is None

    def test_utterances_are_numbered_from_where_asked(self) -> None:
        self.session = TranscriptionSession(OPTIONS, start=samples(60), first_utterance=7)
        self.hear(speech(3), silence(2))
        self.recognize(7, "好")
        [final] = self.told(Final)
        assert (final.utterance, final.start) == (7, samples(60))


class TestPartial(SessionTests):
    def test_speech_is_decoded_in_whole_chunks_one_at_a_time(self) -> None:
        self.hear(silence(1), speech(4))
        [work] = self.take(DecodeChunk)
        assert len(work.audio) == CHUNK
        self.answer(ChunkDecoded(0, ()))
        assert len(self.take(DecodeChunk)) == 1

    def test_a_chunk_that_was_there_before_its_turn_says_so(self) -> None:
        self.hear(silence(1), speech(3))
        [first] = self.take(DecodeChunk)
        self.answer(ChunkDecoded(0, ()))
        [second] = self.take(DecodeChunk)
        assert (first.has_waited, second.has_waited) == (False, True)

    def test_each_partial_is_the_whole_line_so_far(self) -> None:
        self.hear(speech(4))
        self.session.events_to_send()
        self.answer(ChunkDecoded(0, ("你",)), ChunkDecoded(0, ()), ChunkDecoded(0, ("好",)))
        self.assert_told(Partial(0, 0, "你"), Partial(0, 0, "你好"))

    def test_a_partial_after_its_endpoint_is_dropped(self) -> None:
        self.hear(speech(4), silence(2))
        self.session.events_to_send()
        self.answer(ChunkDecoded(0, ("晚",)))
        self.assert_told()

    def test_the_endpoint_ends_the_first_pass(self) -> None:
        self.hear(speech(4), silence(2))
        assert self.take(EndDecoding) == [EndDecoding(0)]

    def test_an_utterance_too_short_for_a_chunk_has_no_first_pass_to_end(self) -> None:
        session = TranscriptionSession(SessionOptions(WINDOW, FRAME, 0, samples(9), EndpointingOptions()))
        self.session = session
        self.hear(speech(1), silence(2))
        assert self.take(EndDecoding) == []

    def test_a_chunk_of_zero_means_no_partials(self) -> None:
        self.session = TranscriptionSession(SessionOptions(WINDOW, FRAME, 0, 0, EndpointingOptions()))
        self.hear(speech(4), silence(2))
        assert self.take(DecodeChunk) == []
        assert len(self.take(Recognize)) == 1


class TestRevisingPartial(SessionTests):
    """A first pass that hears the utterance again each time, and shows a tail that may change."""

    options = replace(OPTIONS, revises=True)

    def partials(self) -> list[tuple[str, str]]:
        return [(partial.text, partial.tail) for partial in self.told(Partial)]

    def test_a_tail_is_shown_behind_what_is_firm(self) -> None:
        self.hear(speech(4))
        self.session.events_to_send()
        self.answer(ChunkDecoded(0, ("你",), ("好", "吗")))
        self.assert_told(Partial(0, 0, "你", tail="好吗"))

    def test_a_tail_is_shown_before_anything_is_firm(self) -> None:
        self.hear(speech(4))
        self.answer(ChunkDecoded(0, (), ("你",)))
        assert self.partials() == [("", "你")]

    def test_only_a_change_is_told(self) -> None:
        self.hear(speech(4))
        self.answer(ChunkDecoded(0, ("你",), ("好",)))
        self.hear(speech(1))
        self.answer(ChunkDecoded(0, (), ("好",)))
        assert self.partials() == [("你", "好")]
        self.hear(speech(1))
        self.answer(ChunkDecoded(0, (), ("号", "码")))
        self.hear(speech(1))
        self.answer(ChunkDecoded(0, (), ()))
        assert self.partials() == [("你", "号码"), ("你", "")]

    def test_words_of_a_tail_stand_apart_as_they_will_when_they_are_firm(self) -> None:
        self.hear(speech(4))
        self.answer(ChunkDecoded(0, ("hello",), ("world", "你", "好")))
        assert self.partials() == [("hello", " world你好")]

    def test_nothing_is_heard_again_while_nobody_speaks(self) -> None:
        self.hear(silence(1), speech(0.9))
        assert len(self.take(DecodeChunk)) == 1
        self.hear(silence(0.4))
        self.answer(ChunkDecoded(0, ("你",)))
        assert self.take(DecodeChunk) == []
        self.hear(speech(0.5))
        [again] = self.take(DecodeChunk)
        assert len(again.audio) >= CHUNK

    def test_a_stream_that_has_fallen_behind_catches_up_in_one_step(self) -> None:
        self.hear(silence(1), speech(1.2))
        [first] = self.take(DecodeChunk)
        self.hear(speech(2.5))
        self.answer(ChunkDecoded(0, ("你",)))
        [second] = self.take(DecodeChunk)
        assert len(first.audio) % CHUNK == 0
        assert len(second.audio) >= 3 * CHUNK
        assert len(second.audio) % CHUNK == 0
        assert (first.heard, second.heard) == (0, len(first.audio))
        assert second.has_waited


class TestOrder(SessionTests):
    def test_finals_come_in_order_even_if_results_do_not(self) -> None:
        self.hear(speech(2), silence(2), speech(2), silence(2))
        self.recognize(1, "后")
        assert self.told(Final) == []
        self.recognize(0, "先")
        assert [final.text for final in self.told(Final)] == ["先。", "后。"]

    def test_nothing_settles_beyond_an_utterance_that_is_not_final(self) -> None:
        self.hear(speech(2), silence(2), speech(2), silence(5))
        self.recognize(1, "后")
        assert self.session.settled == 0
        self.recognize(0, "先")
        assert self.session.settled == samples(10.6)

    def test_a_final_is_told_before_it_settles(self) -> None:
        self.hear(speech(2), silence(5))
        self.session.events_to_send()
        self.recognize(0, "好")
        assert [type(event) for event in self.session.events_to_send()] == [Final, Settled]


class TestTurn(SessionTests):
    """Several people in one utterance."""

    TOKENS = tuple(Token(c, samples(i), samples(i + 0.9)) for i, c in enumerate("你是谁我是他啊"))
    MARKS = ("", "", "？", "", "", "", "。")

    def search(self) -> Embed:
        """Recognise seven seconds; what is asked of the voices in them."""
        self.hear(speech(7), silence(2))
        self.answer(Recognized(0, self.TOKENS), Punctuated(0, self.MARKS))
        [work] = self.take(Embed)
        return work

    def voices(self, work: Embed, change: float) -> Embedded:
        """One person before the change, another after."""
        middles = [(start + end) / 2 for start, end in work.spans]
        rows = [[1.0, 0.0] if middle < samples(change) else [0.0, 1.0] for middle in middles]
        return Embedded(0, np.array(rows, np.float32))

    def test_a_long_utterance_is_searched_for_a_change_of_voice(self) -> None:
        work = self.search()
        assert len(work.spans) > 4
        assert self.told(Final) == []

    def test_each_turn_is_a_line_with_its_own_words_marks_and_voice(self) -> None:
        self.answer(self.voices(self.search(), 3.0))
        first, second = self.told(Final)
        assert (first.text, second.text) == ("你是谁？", "我是他啊。")
        assert (first.utterance, second.utterance) == (0, 0)
        np.testing.assert_array_equal([first.embedding, second.embedding], [[1, 0], [0, 1]])
        assert (first.speech, second.speech) == (samples(2.9), samples(3.9))
        assert first.end < second.start + 1

    def test_one_voice_is_one_line(self) -> None:
        self.answer(self.voices(self.search(), 99))
        [final] = self.told(Final)
        assert final.text == "你是谁？我是他啊。"
        np.testing.assert_array_equal(final.embedding, VOICE[0])

    def test_the_voice_of_a_shorter_line_is_heard_whole_as_well(self) -> None:
        self.hear(speech(4), silence(2))
        self.answer(Recognized(0, self.TOKENS[:4]), Punctuated(0, self.MARKS[:4]))
        [work] = self.take(Embed)
        assert work.spans[-1] == (work.spans[0][0], work.spans[-2][1])
        self.answer(Embedded(0, np.array([[1, 0]] * (len(work.spans) - 1) + [[0, 1]], np.float32)))
        [final] = self.told(Final)
        assert_close(final.embedding, [0.5**0.5, 0.5**0.5], atol=1e-6)

    def test_the_lines_of_an_utterance_settle_together(self) -> None:
        self.answer(self.voices(self.search(), 3.0))
        kinds = [type(event) for event in self.told(Final, Settled)]
        assert kinds == [Final, Final, Settled]

    def test_a_failed_search_leaves_one_line_without_a_voice(self) -> None:
        self.answer(Failed(self.search()))
        [final] = self.told(Final)
        assert (final.text, final.embedding) == ("你是谁？我是他啊。", None)


class TestEnd(SessionTests):
    def test_the_end_waits_for_the_last_final(self) -> None:
        self.hear(speech(3))
        self.end()
        assert self.state() is State.DRAINING
        assert self.told(Ended) == []
        self.recognize(0, "再见")
        assert [type(event) for event in self.session.events_to_send()] == [Final, Settled, Ended]
        assert self.state() is State.ENDED

    def test_the_last_word_is_heard_though_it_ends_with_the_audio(self) -> None:
        self.hear(silence(1), speech(0.95))
        self.end()
        [work] = self.take(Recognize)
        assert len(work.audio) == samples(1.95 - 0.74)

    def test_a_detector_that_lags_still_hears_the_last_word(self) -> None:
        self.session = TranscriptionSession(SessionOptions(WINDOW, FRAME, 640, CHUNK, EndpointingOptions()))
        self.hear(speech(1.0))
        self.end()
        [work] = self.take(Recognize)
        assert len(work.audio) == samples(1.0)

    def test_an_empty_stream_ends_at_once(self) -> None:
        self.end()
        self.assert_told(Ended(0))

    def test_silence_ends_without_lines(self) -> None:
        self.hear(silence(3.33))
        self.end()
        self.assert_told(Ended(samples(3.33)))

    def test_the_end_is_idempotent(self) -> None:
        self.end()
        self.end()
        self.assert_told(Ended(0))

    def test_audio_after_the_end_is_refused(self) -> None:
        self.end()
        with pytest.raises(SessionClosed, match="the session is ended"):
            self.session.receive_audio(silence(1))


class TestFailure(SessionTests):
    def test_a_failed_second_pass_says_which_audio_has_no_text_and_goes_on(self) -> None:
        self.hear(speech(2), silence(2), speech(2), silence(2))
        work = self.take(Recognize)[0]
        self.session.events_to_send()
        self.answer(Failed(work))
        self.recognize(1, "好")
        failed, final = self.told(UtteranceFailed, Final)
        assert failed == UtteranceFailed(0, 0, samples(2.16))
        assert isinstance(final, Final)
        assert final.text == "好。"

    def test_failed_punctuation_costs_only_the_marks(self) -> None:
        self.hear(speech(2), silence(2))
        self.answer(Recognized(0, (Token("好", 0, 9000),)))
        [work] = self.take(Punctuate)
        self.answer(Failed(work), Embedded(0, VOICE))
        assert [final.text for final in self.told(Final)] == ["好"]

    def test_a_failed_embedding_costs_only_the_voice(self) -> None:
        self.hear(speech(2), silence(2))
        self.answer(Recognized(0, (Token("好", 0, 9000),)))
        [work] = self.take(Embed)
        self.answer(Failed(work), Punctuated(0, ("。",)))
        [final] = self.told(Final)
        assert (final.text, final.embedding) == ("好。", None)

    def test_a_failed_chunk_costs_the_partials_of_its_utterance(self) -> None:
        self.hear(speech(4))
        [work] = self.take(DecodeChunk)
        self.answer(Failed(work))
        self.hear(speech(2), silence(2))
        assert self.take(DecodeChunk) == []
        assert len(self.take(Recognize)) == 1

    def test_a_failed_detection_counts_as_silence(self) -> None:
        self.session.receive_audio(silence(0.1))
        [work] = self.session.work_to_do()
        self.session.receive_result(Failed(work))
        assert self.session.processed == samples(0.1)


class TestCut:
    """However the audio is cut into frames, the result is the same."""

    @settings(max_examples=40)
    @given(st.lists(st.integers(1, 30_000), min_size=1, max_size=30))
    def test_same_utterances(self, sizes: list[int]) -> None:
        audio = np.concatenate(
            [silence(0.7), speech(1.3), silence(1.4), speech(0.5), silence(0.3), speech(1), silence(1)]
        )
        assert self.utterances(audio, sizes) == self.utterances(audio, [len(audio)])

    def utterances(self, audio: np.ndarray, sizes: list[int]) -> list[tuple[int, int]]:
        session = TranscriptionSession(OPTIONS)
        found: list[tuple[int, int]] = []
        at = 0
        while at < len(audio):
            for size in sizes:
                session.receive_audio(audio[at : at + size])
                found += self.advance(session)
                at += size
        session.receive_end()
        found += self.advance(session)
        assert session.state is State.ENDED
        return found

    def advance(self, session: TranscriptionSession) -> list[tuple[int, int]]:
        while work := session.work_to_do():
            for item in work:
                match item:
                    case DetectSpeech():
                        session.receive_result(probabilities(item))
                    case DecodeChunk(index):
                        session.receive_result(ChunkDecoded(index, ("字",)))
                    case Recognize(index, audio):
                        session.receive_result(Recognized(index, (Token("字", 0, len(audio)),)))
                    case Punctuate(index):
                        session.receive_result(Punctuated(index, ("。",)))
                    case Embed(index, _, spans):
                        session.receive_result(Embedded(index, VOICE.repeat(len(spans), 0)))
        return [(e.start, e.end) for e in session.events_to_send() if isinstance(e, Final)]
