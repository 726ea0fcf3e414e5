from __future__ import annotations

import hashlib
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
from tests.recognition.model_sets.local_places import use
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


class TestPin:
    def test_what_is_not_here_cannot_be_pinned(self, settings: Settings, tmp_path: Path) -> None:
        settings.MODELS_DIR = tmp_path
        with pytest.raises(CommandError, match=r"manifest\.json is missing or damaged: fetch the set first"):
            run("pin", "paraformer-zh")

    def test_it_prints_a_set_like_the_one_that_is_here(self) -> None:
        assert run("pin", "embedded") == 'base = "embedded"\n'


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
        assert run("pull", "embedded") == "embedded has all its files in the installation.\n"

    def test_an_unknown_set_is_named(self) -> None:
        with pytest.raises(CommandError, match="there is no model set 'whisper'"):
            run("pull", "whisper")

    def test_each_model_ends_in_one_line_of_a_log(self) -> None:
        def pull(model_set: Any, models_dir: Any, report: Any, fetching: Any) -> None:
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


class TestFilesByContent:
    """A set whose weights are named by their hash."""

    CONTENT = b"weights"

    @pytest.fixture(autouse=True)
    def own_set(self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use("http://127.0.0.1:9", monkeypatch)
        self.file, self.folder = tmp_path / "own.toml", tmp_path / "stick"
        self.folder.mkdir()
        (self.folder / "blob").write_bytes(self.CONTENT)
        self.file.write_text(
            f'''
            base = "embedded"
            title = "Ours"
            [speaker]
            title = "Voices"
            licence = "MIT"
            kind = "campplus"
            [speaker.files."campplus_cn_en_common.pt"]
            sha256 = "{hashlib.sha256(self.CONTENT).hexdigest()}"
            size = {len(self.CONTENT)}
            places = [{{ huggingface = "a/b@c:d" }}, {{ modelscope = "a/b@c:d" }}]
            '''
        )
        settings.MODEL_SETS, settings.MODELS_DIR = [str(self.file)], tmp_path / "models"
        self.models_dir = tmp_path / "models"

    def test_they_are_listed_with_their_places(self) -> None:
        text = run("list").partition(str(self.file))[2]
        assert "speaker        Voices  0.0 MB  MIT  Hugging Face or ModelScope  missing" in text
        assert f"fetch with: python manage.py models pull {self.file}" in text

    def test_they_come_from_a_folder_with_one_line_in_the_log(self) -> None:
        text = run("pull", str(self.file), "--from", str(self.folder))

        assert re.fullmatch(r"Voices +\[=+\] 0.0 MB of 0.0 MB\nown is complete in .*\n", text)
        assert "Voices  0.0 MB  MIT  Hugging Face or ModelScope  here" in run("list")

    def test_each_place_that_failed_is_told_and_then_all_of_them(self) -> None:
        output = io.StringIO()
        with pytest.raises(CommandError, match="could not be fetched from any place: Hugging Face") as failed:
            call_command("models", "pull", str(self.file), stdout=output, no_color=True)

        assert re.search("not from Hugging Face .*: it cannot be reached: .* refused\n", output.getvalue())
        assert "ModelScope (a/b): it cannot be reached: " in str(failed.value)

    def test_a_folder_that_is_not_there_is_named(self) -> None:
        with pytest.raises(CommandError, match="there is no folder /nowhere"):
            run("pull", str(self.file), "--from", "/nowhere")

    def test_damage_is_found_before_anything_is_measured(self) -> None:
        run("pull", str(self.file), "--from", str(self.folder))
        [weights] = self.models_dir.rglob("*.pt")
        weights.write_bytes(b"weighty")

        with pytest.raises(CommandError, match=f"{weights} is not what was fetched"):
            run("check")


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
