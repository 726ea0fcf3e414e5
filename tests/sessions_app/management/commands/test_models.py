from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import soundfile
from django.core.management import CommandError, call_command
from django.test import override_settings
from pytest_django import Settings

from recognition.exceptions import ModelError
from recognition.fakes.scripted import Script, ScriptedLine
from recognition.model_sets import download
from tests.recognition.model_sets.tone_family import LINES, SET


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("models", *arguments, stdout=output, no_color=True)
    return output.getvalue()


class TestList:
    def test_it_says_what_each_set_is_where_it_comes_from_and_whether_it_is_here(
        self, tmp_path: Path
    ) -> None:
        with override_settings(MODELS_DIR=tmp_path):
            text = run("list")

        assert "embedded: Embedded models   (in use)" in text
        assert "vad            Silero VAD  MIT  silero-vad  here" in text
        assert re.search(r"streaming +paraformer-zh-streaming +880 MB .* iic/speech_para.* missing", text)
        assert "fetch with: python manage.py models pull paraformer-zh" in text

    def test_a_set_in_use_that_cannot_be_read_is_named(self, settings: Settings) -> None:
        settings.MODEL_SETS = ["/nowhere.toml"]
        with pytest.raises(CommandError, match=r"the model set /nowhere\.toml cannot be read"):
            run("list")


class TestListOfAnOwnSet:
    @pytest.fixture(autouse=True)
    def own_set(self, settings: Settings, tmp_path: Path) -> None:
        family = "tests.recognition.model_sets.tone_family"
        (tmp_path / "weights").mkdir()
        (tmp_path / "own.toml").write_text(
            'base = "paraformer-zh"\ntitle = "Ours"\nstreaming = false\npunctuation = false\n'
            f'vad = {{ title = "Loudness", kind = "{family}.ToneVad", hub = "iic/vad" }}\n'
        )
        self.file = tmp_path / "own.toml"
        settings.MODEL_SETS, settings.MODELS_DIR = [str(self.file)], tmp_path / "models"

    def rows(self) -> str:
        return run("list").split(f"{self.file}: Ours   (in use)")[1]

    def write(self, vad: str) -> None:
        self.file.write_text(
            f'base = "paraformer-zh"\ntitle = "Ours"\nstreaming = false\npunctuation = false\n{vad}\n'
        )

    def test_a_mistake_in_it_is_named_with_its_place(self) -> None:
        with pytest.raises(CommandError, match=r"own.toml: \[vad\]: kind .* has no files, and takes no hub"):
            run("list")

    def test_roles_that_it_leaves_out_are_not_listed(self) -> None:
        self.write("")
        rows = self.rows()
        assert "fsmn-vad" in rows
        assert "speaker" in rows
        assert "streaming" not in rows
        assert "punctuation" not in rows

    def test_its_own_directories_are_named(self) -> None:
        self.write('offline.path = "weights"')
        assert re.search(rf"offline +paraformer-zh .*{self.file.parent}/weights  missing", self.rows())

    def test_what_is_missing_of_it_is_fetched_by_its_file(self) -> None:
        self.write("")
        assert f"fetch with: python manage.py models pull {self.file}" in self.rows()


class TestPull:
    def test_a_set_from_the_repository_needs_nothing(self) -> None:
        assert run("pull", "embedded") == "embedded needs nothing from a hub.\n"

    def test_an_unknown_set_is_named(self) -> None:
        with pytest.raises(CommandError, match="there is no model set 'whisper'"):
            run("pull", "whisper")

    def test_each_model_ends_in_one_line_of_a_log(self) -> None:
        def pull(model_set: Any, models_dir: Any, report: Any) -> None:
            source = model_set.sources["vad"]
            for done in (0, 500_000, 1_730_000):
                report(download.Progress(source, done, 1_730_000))

        with mock.patch.object(download, "pull", pull):
            lines = run("pull", "paraformer-zh").splitlines()

        assert len(lines) == 2
        assert re.search(r"^fsmn-vad +\[={30}\] 1.7 MB of 1.7 MB$", lines[0])
        assert "paraformer-zh is complete in" in lines[1]

    def test_what_went_wrong_is_said_without_a_traceback(self) -> None:
        with mock.patch.object(download, "pull", side_effect=ModelError("the hub cannot be reached")):
            with pytest.raises(CommandError, match="the hub cannot be reached"):
                run("pull", "paraformer-zh")


class TestCheck:
    @pytest.fixture(autouse=True)
    def own_set(self, settings: Settings, tmp_path: Path) -> None:
        """A set whose lines are tones, which understands nothing of the sample meeting."""
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / LINES).write_text("大家好。 下周再说吧。")
        (tmp_path / "own.toml").write_text(SET)
        settings.MODEL_SETS = [str(tmp_path / "own.toml")]

    def test_the_set_in_use_is_checked_with_the_sample_meeting(self) -> None:
        text = run("check")

        assert text.startswith("own: Tones\n")
        assert re.search(r"^  offline        Tones, 0\.00 MB, MIT$", text, re.MULTILINE)
        assert re.search(r"^  sample meeting .* 1 of 1$", text, re.MULTILINE)
        assert re.search(r"^  sample_meeting_cer +\d+\.\d %$", text, re.MULTILINE)
        assert re.search(r"^  rtf +0\.\d{3}$", text, re.MULTILINE)
        assert "cer_partials               not measured: it needs a set with [streaming]" in text
        assert "cer_people                 not measured: it needs recordings of people" in text

    def test_recordings_of_people_are_measured(self, tmp_path: Path) -> None:
        script = Script([ScriptedLine("大家好。"), ScriptedLine("下周再说吧。")])
        rows = []
        for number, said in enumerate(("大家好", "下周来吧")):
            soundfile.write(tmp_path / f"{number}.wav", script.speak(number), 16_000, subtype="FLOAT")
            rows.append({"file": f"{number}.wav", "speaker": "ann", "text": said})
        (tmp_path / "manifest.json").write_text(json.dumps(rows))

        text = run("check", "--recordings", str(tmp_path))

        assert re.search(r"^  cer_people +28\.6 %$", text, re.MULTILINE)

    def test_a_folder_without_a_manifest_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"has no manifest\.json"):
            run("check", "--recordings", str(tmp_path))

    def test_a_set_whose_files_are_missing_is_refused(self, settings: Settings, tmp_path: Path) -> None:
        settings.MODELS_DIR = tmp_path
        with pytest.raises(CommandError, match=r"fetch with: python manage\.py models pull paraformer-zh"):
            run("check", "paraformer-zh")
