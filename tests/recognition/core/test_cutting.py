"""Utterances that grow too long: cut between two words, and no word is lost or said twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core.cutting import Cut, best_cut
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Final, Flushed, Settled, UtteranceFailed
from recognition.core.work import (
    ChunkDecoded,
    DecodeChunk,
    EndDecoding,
    Failed,
    Punctuate,
    Punctuated,
    Recognize,
    Recognized,
)
from recognition.interfaces import Token

from .test_session import OPTIONS, SessionTests, silence, speech

SEARCH = samples(3)


def spoken(
    text: str, *, each_s: float = 0.2, start_s: float = 0.0, gaps: dict[int, float] | None = None
) -> list[Token]:
    """Characters one after the other, with gaps (in seconds) before some of them."""
    found, at = [], start_s
    for number, character in enumerate(text):
        at += (gaps or {}).get(number, 0.0)
        found.append(Token(character, samples(at), samples(at + each_s)))
        at += each_s
    return found


def audio_of(tokens: list[Token], *, dips: dict[float, float] | None = None) -> np.ndarray:
    """A tone as long as the tokens, quieter around some moments: seconds to level."""
    audio = np.full(tokens[-1].end, 0.3, np.float32)
    for at_s, level in (dips or {}).items():
        audio[samples(at_s - 0.02) : samples(at_s + 0.02)] = level
    return audio


class TestBestCut:
    def test_lies_in_the_widest_gap(self) -> None:
        tokens = spoken("今天我们讨论预算", gaps={2: 0.1, 4: 0.3})
        assert best_cut(tokens, audio_of(tokens), search=SEARCH).tokens == 4  # type: ignore[union-attr]

    def test_never_lies_within_a_word_however_wide_the_gap(self) -> None:
        tokens = spoken("留下印象深刻", gaps={2: 0.06, 3: 0.5})
        cut = best_cut(tokens, audio_of(tokens), search=SEARCH)
        assert cut is not None
        assert cut.tokens == 2

    def test_of_equal_gaps_the_quietest_is_taken_and_cut_where_it_is_quietest(self) -> None:
        tokens = spoken("今天我们讨论预算")
        cut = best_cut(tokens, audio_of(tokens, dips={0.4: 0.1, 0.82: 0.01}), search=SEARCH)
        assert cut is not None
        assert cut.tokens == 4
        assert abs(cut.at - samples(0.82)) <= samples(0.03)

    def test_times_that_are_a_little_wrong_do_no_harm(self) -> None:
        tokens = spoken("今天我们讨论预算")
        late = [replace(token, start=token.start + 900, end=token.end + 900) for token in tokens]
        cut = best_cut(late, audio_of(tokens, dips={0.8: 0.001}), search=SEARCH)
        assert cut is not None
        assert cut.tokens == 4
        assert abs(cut.at - samples(0.8)) <= samples(0.03)

    def test_is_looked_for_in_the_last_seconds_only(self) -> None:
        tokens = spoken("今天我们讨论预算", gaps={2: 0.5})
        assert best_cut(tokens, audio_of(tokens), search=samples(1)).tokens == 4 + 2  # type: ignore[union-attr]

    def test_english_words_are_words(self) -> None:
        tokens = [Token("hello", 0, 8000), Token("world", 8800, 16000)]
        cut = best_cut(tokens, np.zeros(16000, np.float32), search=SEARCH)
        assert cut is not None
        assert cut.tokens == 1
        assert 4000 <= cut.at <= 12400

    @pytest.mark.parametrize("text", ["", "好", "会议", "会议室"])
    def test_there_is_none_where_no_two_words_are(self, text: str) -> None:
        tokens = spoken(text)
        assert best_cut(tokens, np.zeros(16000, np.float32), search=SEARCH) is None

    def test_times_beyond_the_audio_are_no_error(self) -> None:
        tokens = [Token("好", 0, 40_000), Token("的", 90_000, 95_000)]
        cut = best_cut(tokens, np.zeros(16_000, np.float32), search=SEARCH)
        assert cut is None or isinstance(cut, Cut)


class TestLongUtterance(SessionTests):
    options = replace(OPTIONS, endpointing=EndpointingOptions(longest_utterance_ms=5000), has_embedder=False)
    TEXT = "今天我们讨论明年的预算然后安排下周的工作"

    def speak_too_long(self) -> Recognize:
        """Six seconds without a pause; returns the work for the first five."""
        self.hear(silence(1), speech(6))
        (work,) = self.take(Recognize)
        return work

    def recognized(self, work: Recognize, text: str = TEXT, *, gaps: dict[int, float] | None = None) -> None:
        tokens = spoken(text, each_s=0.2, start_s=0.4, gaps=gaps)
        self.answer(Recognized(work.utterance, tuple(t for t in tokens if t.end <= len(work.audio))))
        for asked in self.take(Punctuate):
            self.punctuated(asked)

    def punctuated(self, asked: Punctuate) -> None:
        self.answer(Punctuated(asked.utterance, ("",) * (len(asked.tokens) - 1) + ("。",)))

    def test_is_heard_to_where_it_was_found_too_long(self) -> None:
        assert len(self.speak_too_long().audio) == pytest.approx(samples(5), abs=320)

    def test_ends_between_two_words_and_the_next_begins_there(self) -> None:
        self.recognized(self.speak_too_long(), gaps={15: 0.2})
        (first,) = self.told(Final)
        assert first.text == "今天我们讨论明年的预算然后安排，"
        self.hear(silence(1.5))
        (behind,) = self.take(Recognize)
        self.recognized(behind, "下周的工作")
        (second,) = self.told(Final)
        assert second.start == first.end
        assert second.text == "下周的工作。"

    @pytest.mark.parametrize("text", [TEXT, "好"], ids=["two words apart", "one word"])
    def test_all_up_to_the_cut_is_settled_and_no_more(self, text: str) -> None:
        """A worker that takes over begins there, and must neither leave out nor say again what is near it."""
        self.recognized(self.speak_too_long(), text)
        *_, final, settled = self.told(Final, Settled)
        assert isinstance(final, Final)
        assert settled == Settled(final.end)

    def test_the_first_pass_of_the_next_goes_on_behind_the_cut(self) -> None:
        """Speech seems to end at the dip, but the only word reaches far behind it."""
        self.hear(silence(1), speech(2.5), silence(0.05), speech(3.45))
        (work,) = self.take(Recognize)
        self.take(DecodeChunk)
        self.recognized(work, "好")
        (first,) = self.told(Final)
        assert first.end > samples(5)
        self.answer(ChunkDecoded(work.utterance, ("好",)), ChunkDecoded(work.utterance + 1, ("然",)))
        self.hear(speech(0.5))
        (chunk,) = self.take(DecodeChunk)
        assert chunk.utterance == work.utterance + 1
        self.hear(silence(1.5))
        assert [end.utterance for end in self.take(EndDecoding)] == [work.utterance, work.utterance + 1]

    def test_what_is_behind_the_cut_is_heard_once_more(self) -> None:
        work = self.speak_too_long()
        self.recognized(work, gaps={13: 0.3})
        (first,) = self.told(Final)
        self.hear(silence(1.5))
        (behind,) = self.take(Recognize)
        assert len(behind.audio) >= samples(6) - (first.end - samples(1))

    def test_the_next_waits_for_the_cut(self) -> None:
        work = self.speak_too_long()
        self.hear(silence(1.5))
        assert self.take(Recognize) == []
        self.recognized(work)
        assert [again.utterance for again in self.take(Recognize)] == [work.utterance + 1]

    def test_one_that_fails_is_cut_where_speech_was_least_probable(self) -> None:
        work = self.speak_too_long()
        self.answer(Failed(work))
        (failed,) = self.told(UtteranceFailed)
        self.hear(silence(1.5))
        (behind,) = self.take(Recognize)
        self.recognized(behind, "好的")
        (second,) = self.told(Final)
        assert second.start == failed.end

    def test_in_which_nothing_was_understood_is_no_line_and_the_next_goes_on(self) -> None:
        self.answer(Recognized(self.speak_too_long().utterance, ()))
        assert self.told(Final, UtteranceFailed) == []
        self.hear(silence(1.5))
        assert len(self.take(Recognize)) == 1

    def test_a_stream_that_ends_meanwhile_ends_after_both(self) -> None:
        work = self.speak_too_long()
        self.end()
        assert self.told(Ended) == []
        self.recognized(work)
        (behind,) = self.take(Recognize)
        self.recognized(behind, "好的")
        assert len(self.told(Ended)) == 1

    def test_a_flush_waits_for_both(self) -> None:
        work = self.speak_too_long()
        self.session.receive_flush()
        self.detect()
        self.recognized(work)
        assert self.told(Flushed) == []
        (behind,) = self.take(Recognize)
        self.recognized(behind, "好的")
        assert len(self.told(Flushed)) == 1

    def test_three_in_a_row_leave_no_stretch_out(self) -> None:
        self.hear(silence(1), speech(17), silence(1.5))
        finals: list[Final] = []
        for _ in range(5):
            for work in self.take(Recognize):
                self.recognized(work, self.TEXT * 2)
            finals += self.told(Final)
        assert len(finals) == 4
        assert [line.end for line in finals[:-1]] == [line.start for line in finals[1:]]
