from __future__ import annotations

import io
import re
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from benchmarks import results
from recognition.exceptions import ModelError
from recognition.model_sets import download
from training import checking


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("models", *arguments, stdout=output, no_color=True)
    return output.getvalue()


class TestList:
    def test_it_says_what_each_set_is_where_it_comes_from_and_whether_it_is_here(self, tmp_path):
        with override_settings(MODELS_DIR=tmp_path):
            text = run("list")

        assert "embedded: Embedded models   (in use)" in text
        assert "vad            Silero VAD  MIT  silero-vad  here" in text
        assert re.search(r"streaming +paraformer-zh-streaming +880 MB .* iic/speech_para.* missing", text)
        assert "fetch with: python manage.py models pull paraformer-zh" in text

    def test_a_set_in_use_that_cannot_be_read_is_named(self, settings):
        settings.MODEL_SET = "/nowhere.toml"
        with pytest.raises(CommandError, match=r"the model set /nowhere\.toml cannot be read"):
            run("list")


class TestListOfAnOwnSet:
    @pytest.fixture(autouse=True)
    def own_set(self, settings, tmp_path):
        family = "tests.recognition.model_sets.tone_family"
        (tmp_path / "weights").mkdir()
        (tmp_path / "own.toml").write_text(
            'base = "paraformer-zh"\ntitle = "Ours"\nstreaming = false\npunctuation = false\n'
            f'vad = {{ title = "Loudness", kind = "{family}.ToneVad", hub = "iic/vad" }}\n'
        )
        self.file = tmp_path / "own.toml"
        settings.MODEL_SET, settings.MODELS_DIR = str(self.file), tmp_path / "models"

    def rows(self) -> str:
        return run("list").split(f"{self.file}: Ours   (in use)")[1]

    def write(self, vad: str) -> None:
        self.file.write_text(
            f'base = "paraformer-zh"\ntitle = "Ours"\nstreaming = false\npunctuation = false\n{vad}\n'
        )

    def test_a_mistake_in_it_is_named_with_its_place(self):
        with pytest.raises(CommandError, match=r"own.toml: \[vad\]: kind .* has no files, and takes no hub"):
            run("list")

    def test_roles_that_it_leaves_out_are_not_listed(self):
        self.write("")
        rows = self.rows()
        assert "fsmn-vad" in rows
        assert "speaker" in rows
        assert "streaming" not in rows
        assert "punctuation" not in rows

    def test_its_own_directories_are_named(self):
        self.write('offline.path = "weights"')
        assert re.search(rf"offline +paraformer-zh .*{self.file.parent}/weights  missing", self.rows())

    def test_what_is_missing_of_it_is_fetched_by_its_file(self):
        self.write("")
        assert f"fetch with: python manage.py models pull {self.file}" in self.rows()


class TestPull:
    def test_a_set_from_the_repository_needs_nothing(self):
        assert run("pull", "embedded") == "embedded needs nothing from a hub.\n"

    def test_an_unknown_set_is_named(self):
        with pytest.raises(CommandError, match="there is no model set 'whisper'"):
            run("pull", "whisper")

    def test_each_model_ends_in_one_line_of_a_log(self):
        def pull(model_set, models_dir, report):
            source = model_set.sources["vad"]
            for done in (0, 500_000, 1_730_000):
                report(download.Progress(source, done, 1_730_000))

        with mock.patch.object(download, "pull", pull):
            lines = run("pull", "paraformer-zh").splitlines()

        assert len(lines) == 2
        assert re.search(r"^fsmn-vad +\[={30}\] 1.7 MB of 1.7 MB$", lines[0])
        assert "paraformer-zh is complete in" in lines[1]

    def test_what_went_wrong_is_said_without_a_traceback(self):
        with mock.patch.object(download, "pull", side_effect=ModelError("the hub cannot be reached")):
            with pytest.raises(CommandError, match="the hub cannot be reached"):
                run("pull", "paraformer-zh")


class TestCheck:
    def test_the_set_in_use_is_checked_and_its_figures_are_kept(self):
        asked = {}

        def check(model_set, models_dir, **options):
            asked.update(name=model_set.name, **options)
            return {"rtf": 0.05}

        with mock.patch.object(checking, "check", check), mock.patch.object(results, "write") as write:
            run("check", "--seed", "7")

        assert asked == {"name": "embedded", "people": None, "seed": 7}
        write.assert_called_once_with("models-seed-7", {"rtf": 0.05})

    def test_a_folder_without_a_manifest_is_named(self, tmp_path):
        with pytest.raises(CommandError, match=r"has no manifest\.json"):
            run("check", "--recordings", str(tmp_path))

    def test_what_is_missing_to_speak_is_named(self):
        with mock.patch.dict("sys.modules", {"training.checking": None, "training": None}):
            with pytest.raises(CommandError, match=r"pip install -r requirements-dev\.txt"):
                run("check")
