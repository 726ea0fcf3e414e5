"""Figures of models that say what a script tells them to, so that every figure is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.evaluation.measuring import Evaluation, Recording, error_rate
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models

SCRIPT = Script(
    [
        ScriptedLine("大家好，我们开始。", voice=0, seconds=2.5),
        ScriptedLine("预算没有问题。", voice=0, seconds=2.5),
        ScriptedLine("下周再说吧。", voice=5, seconds=2.5),
        ScriptedLine("那就这样。", voice=5, seconds=2.5),
    ]
)
MODELS = scripted_models(SCRIPT)


def evaluation(**changes: Any) -> Evaluation:
    return Evaluation(replace(MODELS, **changes), EndpointingOptions())


def recorded(number: int, text: str | None = None) -> Recording:
    said = SCRIPT.lines[number].text if text is None else text
    return Recording(SCRIPT.speak(number, pause_s=0), said, "")


VOICES = [[SCRIPT.speak(number, pause_s=0) for number in pair] for pair in ((0, 1), (2, 3))]


class TestTranscripts:
    def test_a_recording_ends_without_silence_of_its_own(self) -> None:
        [transcript] = evaluation().transcribe("one", [recorded(0)])

        assert transcript.text == "大家好，我们开始。"
        assert "大家好我们开始".startswith(transcript.partial_text)
        assert transcript.partial_text

    def test_recordings_do_not_run_into_each_other(self) -> None:
        found = evaluation().transcribe("all", [recorded(number) for number in range(4)])

        assert [transcript.text for transcript in found] == [line.text for line in SCRIPT.lines]

    def test_lines_of_one_recording_follow_each_other(self) -> None:
        meeting = Recording(SCRIPT.audio(), "", "")

        [transcript] = evaluation().transcribe("meeting", [meeting])

        assert transcript.text == "".join(line.text for line in SCRIPT.lines)
        assert len(transcript.partials) == 4

    def test_it_is_told_how_much_is_done(self) -> None:
        told: list[tuple[str, int, int]] = []

        Evaluation(MODELS, EndpointingOptions(), lambda *news: told.append(news)).transcribe(
            "two", [recorded(0), recorded(1)]
        )

        assert told == [("two", 1, 2), ("two", 2, 2)]


class TestErrorRates:
    def test_what_is_understood_has_no_errors(self) -> None:
        assert evaluation().error_rate("one", [recorded(0), recorded(2)]) == 0

    def test_errors_are_counted_by_characters_of_all_recordings(self) -> None:
        wrong = recorded(3, "那就那样。")

        assert evaluation().error_rate("one", [wrong, recorded(1)]) == pytest.approx(1 / 10)

    def test_no_recordings_are_no_figure(self) -> None:
        assert evaluation().error_rate("none", []) is None

    def test_texts_and_recordings_belong_together(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            error_rate([recorded(0), recorded(1)], ["大家好"])

    def test_partials_are_measured_by_themselves(self) -> None:
        [transcript] = evaluation().transcribe("one", [recorded(0)])
        transcript.partials = {0: "大家", 1: "好我们开"}

        assert evaluation().partial_error_rate([recorded(0)], [transcript]) == pytest.approx(1 / 7)

    def test_without_a_first_pass_partials_have_no_figure(self) -> None:
        assert evaluation(streaming=None).partial_error_rate([recorded(0)], []) is None


class TestVoices:
    def test_voices_that_are_told_apart_have_no_errors(self) -> None:
        figures = evaluation().voices(VOICES)

        assert figures["eer_1s"] == figures["eer_2s"] == pytest.approx(0, abs=1e-6)
        score = figures["score_at_eer_2s"]
        assert score is not None and score > 0.5

    def test_lengths_for_which_nothing_is_long_enough_have_no_figure(self) -> None:
        figures = evaluation().voices(VOICES)

        assert figures["eer_3s"] is figures["eer_5s"] is None
        assert "score_at_eer_3s" not in figures

    def test_one_recording_of_each_has_no_figure(self) -> None:
        assert set(evaluation().voices([voice[:1] for voice in VOICES]).values()) == {None}

    def test_one_voice_alone_has_no_figure(self) -> None:
        assert set(evaluation().voices(VOICES[:1]).values()) == {None}

    @pytest.mark.parametrize(("changes", "voices"), [({"embedder": None}, VOICES), ({}, [])])
    def test_without_voices_or_an_embedder_there_is_nothing_to_measure(
        self, changes: dict[str, None], voices: list[list[np.ndarray]]
    ) -> None:
        figures = evaluation(**changes).voices(voices)

        assert figures == dict.fromkeys(("eer_1s", "eer_2s", "eer_3s", "eer_5s"))
