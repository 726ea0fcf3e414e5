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
    ScriptedStreaming,
    ScriptedVad,
    read_script,
    scripted_models,
)
from recognition.tables import Place

FULL = Script(
    [ScriptedLine(f"第{chr(0x4E00 + number)}行。", voice=number % 16) for number in range(MAX_LINES)]
)
SCRIPT = Script(
    [ScriptedLine("大家好，我们开始。", voice=0, seconds=2.0), ScriptedLine("好的！", voice=15, seconds=0.8)]
)
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


class TestReading:
    PLACE = Place("meeting.toml")

    def test_lines_as_a_set_has_them(self) -> None:
        script = read_script([{"text": "好的。", "voice": 3, "seconds": 2}, {"text": "嗯"}], self.PLACE)
        assert script.lines == [ScriptedLine("好的。", 3, 2.0), ScriptedLine("嗯")]

    @pytest.mark.parametrize("lines", [[], {}, "好的", 3, [{"text": "好"}] * (MAX_LINES + 1)])
    def test_what_is_no_list_of_lines_is_refused(self, lines: object) -> None:
        with pytest.raises(ModelSetError, match=r"^meeting.toml: script takes 1 to 85 tables"):
            read_script(lines, self.PLACE)

    @pytest.mark.parametrize(
        "line", [{"text": "好", "voice": -1}, {"text": "好", "seconds": 0.01}, {"voice": 1}]
    )
    def test_a_line_that_cannot_be_spoken_is_refused(self, line: object) -> None:
        with pytest.raises(ModelSetError, match=r"^meeting.toml: \[script\]: "):
            read_script([line], self.PLACE)
