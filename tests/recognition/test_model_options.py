"""Options of one kind of model, as every family derives its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from recognition.fakes.scripted import Script, ScriptedOffline
from recognition.funasr.options import FunasrOptions, ParaformerOptions, SileroOptions, StreamingOptions
from recognition.model_options import LoadContext, ModelOptions
from recognition.model_sets.arpa import ArpaOptions


@dataclass(frozen=True, slots=True)
class Plain(ModelOptions):
    """As little as a family must say."""

    def load(self, context: LoadContext) -> ScriptedOffline:
        return ScriptedOffline(Script())


class TestWhatAFamilyNeedNotSay:
    def test_it_has_files_in_a_directory_and_wants_all_of_them(self) -> None:
        assert (Plain.has_files, Plain.package, Plain.wanted_files) == (True, "", ("*",))

    def test_it_takes_no_language_model(self) -> None:
        assert not Plain.takes_language_model

    def test_it_computes_on_the_cpu(self) -> None:
        assert Plain().device(LoadContext(Path(), device="cuda")) == "cpu"

    def test_it_is_complete_when_its_directory_is_not_empty(self, tmp_path: Path) -> None:
        assert not Plain.is_complete(tmp_path / "nowhere")
        assert not Plain.is_complete(tmp_path)
        (tmp_path / "model.bin").touch()
        assert Plain.is_complete(tmp_path)

    def test_a_file_in_the_place_of_its_directory_is_not_complete(self, tmp_path: Path) -> None:
        (tmp_path / "model").touch()
        assert not Plain.is_complete(tmp_path / "model")


class TestWhatItMustSay:
    def test_how_a_model_is_loaded(self) -> None:
        @dataclass(frozen=True, slots=True)
        class Unfinished(ModelOptions):
            beam: int = 2

        with pytest.raises(TypeError, match="abstract"):
            Unfinished()  # type: ignore[abstract]

    def test_options_do_not_change_while_a_model_uses_them(self) -> None:
        with pytest.raises(FrozenInstanceError):
            StreamingOptions().chunk = 5  # type: ignore[misc]

    def test_options_of_one_kind_are_equal_when_their_values_are(self) -> None:
        assert StreamingOptions() == StreamingOptions(chunk=10)
        assert StreamingOptions() != StreamingOptions(chunk=5)
        kinds: list[ModelOptions] = [ParaformerOptions(), SileroOptions()]
        assert kinds[0] != kinds[1]


class TestContext:
    def test_by_default_everything_is_chosen_by_itself(self) -> None:
        context = LoadContext(Path("weights"))
        assert (context.compute_type, context.device) == ("auto", "auto")
        assert (context.language_model, context.offline) == (None, None)


class TestOurFamilies:
    @pytest.mark.parametrize("suffix", [".pt", ".bin", ".ckpt"])
    def test_funasrs_models_are_a_configuration_and_weights(self, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"model{suffix}").touch()
        assert not ParaformerOptions.is_complete(tmp_path)
        (tmp_path / "config.yaml").touch()
        assert ParaformerOptions.is_complete(tmp_path)

    def test_of_a_hub_they_want_no_pictures_and_no_training_logs(self) -> None:
        assert "*.pt" in FunasrOptions.wanted_files
        assert not {"*", "*.png", "*.wav", "*.log"} & set(FunasrOptions.wanted_files)

    def test_a_language_model_is_one_file(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        assert not ArpaOptions.is_complete(tmp_path)
        (tmp_path / "minutes.arpa").touch()
        assert ArpaOptions.is_complete(tmp_path)

    def test_the_detector_of_a_package_says_which_one(self) -> None:
        assert SileroOptions.package == "silero-vad"

    def test_their_options_are_there_without_the_libraries(self) -> None:
        code = (
            "import sys, recognition.funasr.options, recognition.model_sets.arpa, recognition.model_options; "
            "print({'torch', 'funasr', 'numba', 'yaml'} & set(sys.modules))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "set()"
