"""Checking a set: its models with their sizes, its figures, and what a missing one would need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from recognition.core.endpointing import EndpointingOptions
from recognition.evaluation import checking
from recognition.evaluation.measuring import Evaluation, Recording
from recognition.evaluation.recordings import Recorded
from recognition.exceptions import RecordingsError
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.model_sets.reading import ModelSet, read_model_set
from tests.recognition.model_sets.tone_family import LINES, SET

SCRIPT = Script([ScriptedLine(text, voice, 2.5) for voice in (0, 5) for text in ("大家好。", "没有问题。")])
MODELS = scripted_models(SCRIPT)
MEETING = Recording(SCRIPT.audio(), "大家好。没有问题。大家好。没问题。", "")


def evaluation(**changes: Any) -> Evaluation:
    return Evaluation(replace(MODELS, **changes), EndpointingOptions())


@pytest.fixture
def people(tmp_path: Path) -> list[Recorded]:
    """Two recordings of each of two people."""
    entries = []
    for number, line in enumerate(SCRIPT.lines):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, SCRIPT.speak(number, pause_s=0.5), 16_000, subtype="FLOAT")
        entries.append(Recorded(path, f"voice {line.voice}", line.text, "CC0"))
    return entries


class TestFigures:
    def test_a_meeting_alone_gives_errors_and_speed(self) -> None:
        figures = checking.figures(evaluation(), MEETING)

        assert figures["sample_meeting_cer"] == pytest.approx(1 / 13)
        assert figures["cer_partials"] is not None
        assert figures["rtf"] is not None and 0 < figures["rtf"] < 1
        assert figures["cer_people"] is figures["eer_1s"] is None

    def test_recordings_of_people_give_errors_and_voices(self, people: list[Recorded]) -> None:
        figures = checking.figures(evaluation(), MEETING, people)

        assert figures["cer_people"] == 0
        assert figures["eer_2s"] == pytest.approx(0, abs=1e-6)

    def test_people_who_were_recorded_once_say_nothing_of_voices(self, people: list[Recorded]) -> None:
        figures = checking.figures(evaluation(), MEETING, people[::2])

        assert figures["cer_people"] == 0
        assert figures["eer_2s"] is None

    def test_recordings_without_text_that_can_be_compared_are_left_out(self, people: list[Recorded]) -> None:
        texts = zip(people, (None, "", "hello", "。"), strict=True)
        unknown = [replace(entry, text=text) for entry, text in texts]

        assert checking.figures(evaluation(), MEETING, unknown)["cer_people"] is None

    def test_a_set_without_voices_has_no_figures_for_them(self, people: list[Recorded]) -> None:
        figures = checking.figures(evaluation(embedder=None), MEETING, people)

        assert [name for name in figures if name.startswith("eer")] == []

    def test_a_recording_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        gone = Recorded(tmp_path / "gone.wav", "ann", "好", "")

        with pytest.raises(RecordingsError, match=r"gone\.wav cannot be read"):
            checking.figures(evaluation(), MEETING, [gone])

    def test_of_many_recordings_some_are_taken_from_all_over(self, people: list[Recorded]) -> None:
        many = [replace(people[0], speaker=str(number)) for number in range(3 * checking.MAX_READINGS)]

        taken = [int(reading.voice) for reading in checking._readings(many)]

        assert len(taken) == checking.MAX_READINGS
        assert taken[0] == 0
        assert taken[-1] > 2.9 * checking.MAX_READINGS


class TestTable:
    @pytest.mark.parametrize(
        ("name", "figure", "line"),
        [
            ("cer_people", 0.1234, "  cer_people                 12.3 %"),
            ("rtf", 0.05678, "  rtf                        0.057"),
            ("score_at_eer_3s", 0.5, "  score_at_eer_3s            0.500"),
            ("eer_3s", 0.0, "  eer_3s                     0.0 %"),
        ],
    )
    def test_rates_are_percents_and_scores_numbers(self, name: str, figure: float, line: str) -> None:
        assert checking.table({name: figure}) == [line]

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("cer_partials", "a set with [streaming]"),
            ("punctuation_f1", "a set with [punctuation]"),
            ("eer_synthetic_3s", "a set with [speaker]"),
            ("cer_people", "recordings of people (--recordings)"),
        ],
    )
    def test_it_says_what_a_missing_figure_would_need(self, name: str, reason: str) -> None:
        [line] = checking.table({name: None})

        assert line.endswith(f"not measured: it needs {reason}")

    def test_a_bar_is_full_when_all_is_done(self) -> None:
        assert checking.bar("people", 3, 3) == f"  {'people':<28} [{'=' * 30}] 3 of 3"
        assert checking.bar("people", 1, 3).count("=") == 10


class TestInventory:
    @pytest.fixture
    def own_set(self, tmp_path: Path) -> ModelSet:
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / LINES).write_bytes(b"x" * 30_000)
        (tmp_path / "weights" / "picture.png").write_bytes(b"x" * 99_999)
        (tmp_path / "own.toml").write_text(SET)
        return read_model_set(str(tmp_path / "own.toml"))

    def test_the_size_of_another_family_is_that_of_the_files_it_wants(
        self, own_set: ModelSet, tmp_path: Path
    ) -> None:
        assert "  offline        Tones, 0.03 MB, MIT" in checking.inventory(own_set, tmp_path)

    def test_a_model_without_files_says_so(self, own_set: ModelSet, tmp_path: Path) -> None:
        expected = "  vad            Loudness, without files of its own, MIT"
        assert expected in checking.inventory(own_set, tmp_path)

    def test_a_model_in_a_package_says_which(self, tmp_path: Path) -> None:
        rows = checking.inventory(read_model_set("embedded"), tmp_path)
        assert "  vad            Silero VAD, in the package silero-vad, MIT" in rows

    def test_weights_that_lie_beside_a_directory_count(self, tmp_path: Path) -> None:
        source = read_model_set("embedded").sources["offline"]
        directory = source.directory(tmp_path)
        assert directory
        assert checking._size(source, directory) > (directory.parent / "model.pt").stat().st_size


def test_every_figure_of_a_check_has_a_line(people: list[Recorded]) -> None:
    figures: Mapping[str, float | None] = checking.figures(evaluation(), MEETING, people)
    assert len(checking.table(dict(figures))) == len(figures)
