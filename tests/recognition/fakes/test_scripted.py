"""Scripted models hear what was spoken to them, cut and disturbed as it may be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.audio import SAMPLE_RATE, samples
from recognition.exceptions import ModelSetError
from recognition.fakes.scripted import (
    MAX_LINES,
    Script,
    ScriptedEmbedder,
    ScriptedLine,
    ScriptedOffline,
    ScriptedPunctuator,
    ScriptedRevising,
    ScriptedSegmenter,
    ScriptedStreaming,
    ScriptedVad,
    read_script,
    scripted_models,
)
from recognition.interfaces import Samples, SpeakerSegmenter
from recognition.tables import Place

FULL = Script(
    [ScriptedLine(f"第{chr(0x4E00 + number)}行。", voice=number % 16) for number in range(MAX_LINES)]
)
SCRIPT = Script(
    [ScriptedLine("大家好，我们开始。", voice=0, seconds=2.0), ScriptedLine("好的！", voice=15, seconds=0.8)]
)
JOINED = Script(
    [
        ScriptedLine("今天先看一下预算。", voice=3, seconds=3.0),
        ScriptedLine("好的！", voice=9, seconds=1.0, gap_s=-1.5),
        ScriptedLine("那就开始吧。", voice=12, seconds=2.0, gap_s=0.0),
    ]
)
"""The second is spoken during the first; the third follows without a pause."""

SCRIPT_OF_ONE = Script([JOINED.lines[0], ScriptedLine("x"), ScriptedLine("那就开始吧。", voice=12)])
NOISE = np.random.default_rng(3).standard_normal(10 * SAMPLE_RATE).astype(np.float32)


class TestSpeaking:
    def test_a_line_lasts_as_long_as_it_says_and_then_there_is_silence(self) -> None:
        audio = SCRIPT.speak(0, pause_s=0.5)
        assert audio.dtype == np.float32
        assert len(audio) == samples(2.5)
        assert np.abs(audio[: samples(2.0)]).max() > 0.1
        assert not audio[samples(2.0) :].any()

    def test_a_meeting_is_its_lines_one_after_the_other(self) -> None:
        meeting = SCRIPT.audio(pause_s=1.0)
        np.testing.assert_array_equal(meeting[: samples(3.0)], SCRIPT.speak(0, pause_s=1.0))
        np.testing.assert_array_equal(meeting[samples(3.0) :], SCRIPT.speak(1, pause_s=1.0))

    def test_it_never_clips(self) -> None:
        assert all(np.abs(FULL.speak(number)).max() <= 1 for number in range(MAX_LINES))


class TestLinesThatMeet:
    def test_a_gap_of_ones_own_counts_from_all_that_was_said_before(self) -> None:
        assert JOINED.spans() == [
            (0, samples(3.0)),
            (samples(1.5), samples(2.5)),
            (samples(3.0), samples(5.0)),
        ]

    def test_without_one_the_pause_of_the_meeting_holds(self) -> None:
        assert SCRIPT.spans(pause_s=0.5) == [(0, samples(2.0)), (samples(2.5), samples(3.3))]

    def test_a_first_line_begins_the_meeting_whatever_its_gap(self) -> None:
        for gap_s in (-2.0, 0.0, 2.0):
            assert Script([ScriptedLine("好", gap_s=gap_s)]).spans() == [(0, samples(1.0))]

    def test_no_line_begins_before_the_meeting(self) -> None:
        script = Script([ScriptedLine("好"), ScriptedLine("是", gap_s=-60.0)])
        assert script.spans()[1] == (0, samples(1.0))

    def test_what_is_spoken_at_once_sounds_at_once(self) -> None:
        audio = JOINED.audio(pause_s=0.5)
        assert len(audio) == samples(5.5)
        both = JOINED.speak(0, pause_s=0)[samples(1.5) : samples(2.5)] + JOINED.speak(1, pause_s=0)
        np.testing.assert_array_equal(audio[samples(1.5) : samples(2.5)], both)
        assert not audio[samples(5.0) :].any()

    def test_it_does_not_clip_while_two_speak(self) -> None:
        assert np.abs(JOINED.audio()).max() <= 1

    def test_each_is_heard_in_its_place(self) -> None:
        found = JOINED.heard_apart(JOINED.audio())
        assert [line for line, _ in found] == JOINED.lines
        for (_, (start, end)), (true_start, true_end) in zip(found, JOINED.spans(), strict=True):
            assert start == pytest.approx(true_start, abs=800)
            assert end == pytest.approx(true_end, abs=800)

    @settings(max_examples=20)
    @given(st.floats(0.0, 0.03), st.integers(0, 4000))
    def test_noise_and_what_comes_before_do_no_harm(self, loudness: float, before: int) -> None:
        audio = np.concatenate([np.zeros(before, np.float32), JOINED.audio()])
        found = JOINED.heard_apart(audio + np.float32(loudness) * NOISE[: len(audio)])
        assert [line.voice for line, _ in found] == [3, 9, 12]

    def test_silence_holds_no_lines(self) -> None:
        assert JOINED.heard_apart(np.zeros(16_000, np.float32)) == []
        assert JOINED.heard_apart(np.zeros(0, np.float32)) == []
        assert JOINED.heard_apart(np.zeros(799, np.float32)) == []

    def test_no_line_is_heard_beyond_the_end_of_the_audio(self) -> None:
        audio = JOINED.audio()[: samples(2.0) + 77]
        assert max(end for _, (_, end) in JOINED.heard_apart(audio)) <= len(audio)


class TestHearing:
    @pytest.mark.parametrize("number", range(MAX_LINES))
    def test_every_line_of_the_longest_script_is_told_from_all_others(self, number: int) -> None:
        assert FULL.heard(FULL.speak(number, pause_s=0.1)) is FULL.lines[number]

    @settings(max_examples=40)
    @given(st.integers(0, MAX_LINES - 1), st.integers(0, 8000), st.integers(3200, 8000))
    def test_a_piece_of_a_line_is_enough(self, number: int, start: int, length: int) -> None:
        assert FULL.heard(FULL.speak(number)[start : start + length]) is FULL.lines[number]

    @settings(max_examples=20)
    @given(st.integers(0, MAX_LINES - 1), st.floats(0.001, 0.05))
    def test_noise_does_no_harm(self, number: int, loudness: float) -> None:
        audio = FULL.speak(number, pause_s=0.2)
        assert FULL.heard(audio + np.float32(loudness) * NOISE[: len(audio)]) is FULL.lines[number]

    @pytest.mark.parametrize("gain", [0.3, 3.0])
    def test_louder_or_softer_it_is_the_same_line(self, gain: float) -> None:
        assert SCRIPT.heard(SCRIPT.speak(0) * np.float32(gain)) is SCRIPT.lines[0]

    def test_silence_is_no_line(self) -> None:
        assert SCRIPT.heard(np.zeros(8000, np.float32)) is None
        assert SCRIPT.heard(np.zeros(0, np.float32)) is None

    def test_a_tone_that_is_no_line_is_none(self) -> None:
        assert SCRIPT.heard(FULL.speak(40)) is None


class TestLines:
    def test_marks_are_no_characters(self) -> None:
        assert SCRIPT.lines[0].characters == list("大家好我们开始")

    @pytest.mark.parametrize("text", ["", "，好", "。"])
    def test_a_line_begins_with_something_that_is_spoken(self, text: str) -> None:
        with pytest.raises(ValueError, match="a line begins with a character that is spoken"):
            ScriptedLine(text)


class TestModels:
    def test_the_detector_hears_a_line_and_not_its_pause(self) -> None:
        vad = ScriptedVad()
        audio = SCRIPT.speak(1, pause_s=0.8)
        windows = audio.reshape(-1, vad.window)
        found = np.concatenate([vad.detect([(vad.new_state(), window)])[0] for window in windows])
        assert found.shape == (len(audio) // vad.frame,)
        assert found[: samples(0.8) // vad.frame].all()
        assert not found[samples(0.8) // vad.frame :].any()

    def test_the_first_pass_says_one_character_per_chunk_until_there_is_none(self) -> None:
        streaming = ScriptedStreaming(SCRIPT)
        state = streaming.new_state()
        chunk = SCRIPT.speak(1)[:9600]
        assert [streaming.decode([(state, chunk)])[0] for _ in range(4)] == [["好"], ["的"], [], []]

    def test_the_first_pass_says_nothing_in_silence(self) -> None:
        streaming = ScriptedStreaming(SCRIPT)
        assert streaming.decode([(streaming.new_state(), np.zeros(9600, np.float32))]) == [[]]

    def test_a_line_with_a_tail_shows_what_probably_follows(self) -> None:
        models = scripted_models(Script([ScriptedLine("大家好我，们。", seconds=2.0, tail=2)]))
        streaming = models.streaming
        assert isinstance(streaming, ScriptedRevising)
        assert models.revises
        state, audio = streaming.new_state(), Script([ScriptedLine("x", seconds=3.0)]).speak(0)
        assert streaming.tail(state) == []
        assert streaming.decode([(state, audio[:9600])]) == [["大"]]
        assert streaming.tail(state) == ["家", "好"]
        assert streaming.decode([(state, audio[: 3 * 9600])]) == [["家", "好", "我"]]
        assert streaming.tail(state) == ["们"]
        assert streaming.decode([(state, np.zeros(9600, np.float32))]) == [[]]
        assert streaming.tail(state) == ["们"]

    def test_the_second_pass_spreads_its_characters_over_the_speech(self) -> None:
        [tokens] = ScriptedOffline(SCRIPT).recognize(
            [np.concatenate([np.zeros(8000, np.float32), SCRIPT.speak(0)])]
        )
        assert "".join(token.text for token in tokens) == "大家好我们开始"
        assert tokens[0].start == pytest.approx(8000, abs=2)
        assert tokens[-1].end == pytest.approx(8000 + samples(2.0), abs=2)
        assert all(token.start < token.end for token in tokens)
        assert all(one.end == other.start for one, other in pairwise(tokens))

    def test_the_second_pass_knows_no_marks(self) -> None:
        [tokens] = ScriptedOffline(SCRIPT).recognize([SCRIPT.speak(0)])
        assert {token.mark for token in tokens} == {""}

    def test_the_punctuator_knows_the_marks_of_whole_lines_only(self) -> None:
        punctuator = ScriptedPunctuator(SCRIPT)
        assert punctuator.punctuate([list("好的"), list("好")]) == [["", "！"], [""]]
        assert punctuator.punctuate([list("大家好我们开始")]) == [["", "", "，", "", "", "", "。"]]

    def test_the_punctuator_knows_whole_lines_one_behind_the_other(self) -> None:
        punctuator = ScriptedPunctuator(SCRIPT)
        [marks] = punctuator.punctuate([list("好的大家好我们开始")])
        assert marks == ["", "！", "", "", "，", "", "", "", "。"]
        assert punctuator.punctuate([list("好的大家"), []]) == [[""] * 4, []]

    def test_the_second_pass_writes_down_each_line_of_an_utterance(self) -> None:
        [tokens] = ScriptedOffline(JOINED).recognize([JOINED.audio()])
        written = "".join(token.text for token in tokens)
        assert sorted(written) == sorted("今天先看一下预算好的那就开始吧")
        assert written.endswith("那就开始吧")
        assert written.index("好") > written.index("今")
        assert all(one.start <= other.start for one, other in pairwise(tokens))

    def test_the_second_pass_writes_down_one_line_as_if_there_were_no_others(self) -> None:
        audio = JOINED.speak(2, pause_s=0.3)
        assert ScriptedOffline(JOINED).recognize([audio]) == ScriptedOffline(SCRIPT_OF_ONE).recognize([audio])

    @pytest.mark.parametrize("voice", range(16))
    def test_every_voice_is_an_axis_of_its_own(self, voice: int) -> None:
        audio = FULL.speak(voice)
        [[embedding]] = ScriptedEmbedder().embed([(audio, [(0, samples(1.0))])])
        np.testing.assert_array_equal(embedding, np.eye(16, dtype=np.float32)[voice])

    def test_each_span_has_its_voice(self) -> None:
        audio = SCRIPT.audio(pause_s=0.5)
        [found] = ScriptedEmbedder().embed([(audio, [(0, samples(2)), (samples(2.5), samples(3.3))])])
        assert found.argmax(axis=1).tolist() == [0, 15]

    def test_each_set_of_models_counts_its_own_states(self) -> None:
        one, other = scripted_models(SCRIPT), scripted_models(SCRIPT)
        assert isinstance(one.streaming, ScriptedStreaming)
        assert isinstance(other.streaming, ScriptedStreaming)
        one.streaming.new_state()
        assert (one.streaming.open_states, other.streaming.open_states) == (1, 0)


class TestSegmenter:
    segmenter = ScriptedSegmenter()

    def activity(self, audio: Samples) -> np.ndarray:
        [found] = self.segmenter.segment([audio])
        assert found.dtype == np.float32
        assert found.shape == (self.segmenter.window // self.segmenter.frame, self.segmenter.speakers)
        return found

    def rows(self, start: int, end: int) -> slice:
        """The rows whose middles lie in a span."""
        first, frame = self.segmenter.first, self.segmenter.frame
        return slice(-(-(start - first) // frame), -(-(end - first) // frame))

    def test_it_is_one(self) -> None:
        assert isinstance(self.segmenter, SpeakerSegmenter)

    def test_each_voice_has_a_column_in_the_order_in_which_they_begin(self) -> None:
        found = self.activity(JOINED.audio())
        for column, (start, end) in enumerate(JOINED.spans()):
            expected = np.zeros(len(found), np.float32)
            expected[self.rows(start, end)] = 1
            assert np.abs(found[:, column] - expected).sum() <= 2

    def test_two_at_once_are_both_active(self) -> None:
        found = self.activity(JOINED.audio())
        assert found[self.rows(samples(1.6), samples(2.4))].tolist() == [[1, 1, 0]] * 40

    def test_a_voice_that_comes_back_has_its_column_again(self) -> None:
        script = Script(
            [ScriptedLine("好", 5), ScriptedLine("是", 1, gap_s=0.5), ScriptedLine("对", 5, gap_s=0.5)]
        )
        found = self.activity(script.audio())
        assert found[self.rows(samples(3.1), samples(3.9))].tolist() == [[1, 0, 0]] * 40

    def test_in_another_window_the_numbers_are_others(self) -> None:
        audio = JOINED.audio()
        assert self.activity(audio[samples(3.0) :])[10].tolist() == [1, 0, 0]
        assert self.activity(audio)[self.rows(samples(3.1), samples(3.2))][0].tolist() == [0, 0, 1]

    def test_of_four_those_are_heard_who_speak_the_most(self) -> None:
        seconds = {0: 2.0, 7: 0.5, 2: 1.0, 15: 1.5}
        script = Script(
            [
                ScriptedLine(text, voice, each, gap_s=0.2)
                for text, (voice, each) in zip("甲乙丙丁", seconds.items(), strict=True)
            ]
        )
        found = self.activity(script.audio())
        assert found.sum(axis=0) * self.segmenter.frame / SAMPLE_RATE == pytest.approx(
            [2.0, 1.0, 1.5], abs=0.05
        )

    @pytest.mark.parametrize("length", [0, 1, 319, 16_000, 160_000])
    def test_silence_is_nobody(self, length: int) -> None:
        assert not self.activity(np.zeros(length, np.float32)).any()

    def test_noise_is_nobody(self) -> None:
        assert not self.activity(np.float32(0.03) * NOISE).any()

    @pytest.mark.parametrize("gain", [0.5, 3.0])
    def test_louder_or_softer_the_same_voices_speak(self, gain: float) -> None:
        audio = JOINED.audio()
        difference = self.activity(audio * np.float32(gain)) - self.activity(audio)
        assert np.abs(difference).sum() <= 4

    def test_a_batch_is_its_windows(self) -> None:
        windows = [JOINED.audio(), SCRIPT.audio(), np.zeros(100, np.float32)]
        together = self.segmenter.segment(windows)
        for one, window in zip(together, windows, strict=True):
            np.testing.assert_array_equal(one, self.activity(window))
        assert self.segmenter.segment([]) == []

    @pytest.mark.parametrize("voice", range(16))
    def test_every_voice_is_heard_beside_every_pitch(self, voice: int) -> None:
        for number in range(voice, MAX_LINES, 16):
            found = self.activity(FULL.speak(number))
            assert found.sum(axis=0).tolist() == pytest.approx([50, 0, 0], abs=1)

    def test_models_have_one_if_lines_meet(self) -> None:
        assert isinstance(scripted_models(JOINED).segmenter, ScriptedSegmenter)
        assert scripted_models(SCRIPT).segmenter is None


class TestReading:
    PLACE = Place("meeting.toml")

    def test_lines_as_a_set_has_them(self) -> None:
        script = read_script([{"text": "好的。", "voice": 3, "seconds": 2}, {"text": "嗯"}], self.PLACE)
        assert script.lines == [ScriptedLine("好的。", 3, 2.0), ScriptedLine("嗯")]

    def test_a_line_may_begin_before_the_line_before_it_ends(self) -> None:
        script = read_script([{"text": "好的。"}, {"text": "嗯", "gap_s": -0.5}], self.PLACE)
        assert [line.gap_s for line in script.lines] == [None, -0.5]
        assert script.is_joined

    @pytest.mark.parametrize("lines", [[], {}, "好的", 3, [{"text": "好"}] * (MAX_LINES + 1)])
    def test_what_is_no_list_of_lines_is_refused(self, lines: object) -> None:
        with pytest.raises(ModelSetError, match=r"^meeting.toml: script takes 1 to 85 tables"):
            read_script(lines, self.PLACE)

    @pytest.mark.parametrize(
        "line",
        [
            {"text": "好", "voice": -1},
            {"text": "好", "seconds": 0.01},
            {"text": "好", "gap_s": -61},
            {"voice": 1},
        ],
    )
    def test_a_line_that_cannot_be_spoken_is_refused(self, line: object) -> None:
        with pytest.raises(ModelSetError, match=r"^meeting.toml: \[script\]: "):
            read_script([line], self.PLACE)
