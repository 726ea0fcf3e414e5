from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from recognition.exceptions import ModelError
from recognition.funasr.loading import load_model, open_directory

from .random_models import model_directory, model_path

SUPPORTED = ["Paraformer", "SeacoParaformer"]


class DirectoryTests:
    """Works on a copy of a good directory, to break it."""

    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.path = tmp_path / "model"
        shutil.copytree(model_path("paraformer-zh-plain"), self.path)

    def change_config(self, **changes: object) -> None:
        config = yaml.safe_load((self.path / "config.yaml").read_text())
        (self.path / "config.yaml").write_text(yaml.safe_dump(config | changes))

    def assert_refused(self, message: str) -> None:
        with pytest.raises(ModelError, match=message):
            load_model(open_directory(self.path), SUPPORTED)


class TestIncompleteDirectory(DirectoryTests):
    def test_a_directory_that_is_not_there_is_not_taken_for_a_name_on_a_hub(self) -> None:
        shutil.rmtree(self.path)

        self.assert_refused("there is no model directory .*/model")

    def test_without_configuration_it_is_no_model(self) -> None:
        (self.path / "config.yaml").unlink()

        self.assert_refused("it has no config.yaml")

    @pytest.mark.parametrize("text", ["{", "- a\n", "encoder: SANMEncoder\n"])
    def test_a_configuration_that_is_none_is_named(self, text: str) -> None:
        (self.path / "config.yaml").write_text(text)
        self.assert_refused(r"config.yaml")

    def test_without_weights_it_is_not_complete(self) -> None:
        (self.path / "model.pt").unlink()

        self.assert_refused("is not complete: it has no model.pt or ")

    def test_without_a_vocabulary_it_is_not_complete(self) -> None:
        (self.path / "tokens.json").unlink()

        with pytest.raises(ModelError, match=r"it has no tokens.json or tokens.txt"):
            _ = open_directory(self.path).tokens

    def test_a_vocabulary_cut_short_is_named(self) -> None:
        (self.path / "tokens.json").write_text('["<blank>", ')

        self.assert_refused("tokens.json is no list of tokens")


class TestDamagedWeights(DirectoryTests):
    def test_weights_cut_short_are_named(self) -> None:
        weights = self.path / "model.pt"
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])

        self.assert_refused("model.pt holds no weights, or was cut short")

    def test_an_empty_file_of_weights_is_named(self) -> None:
        (self.path / "model.pt").write_bytes(b"")

        self.assert_refused("model.pt holds no weights, or was cut short")

    def test_code_in_a_file_of_weights_is_not_run(self) -> None:
        torch.save({"encoder": Path("/")}, self.path / "model.pt")

        self.assert_refused("model.pt holds no weights")

    def test_weights_of_another_size_are_named(self) -> None:
        config = yaml.safe_load((self.path / "config.yaml").read_text())
        config["encoder_conf"]["output_size"] = 128
        config["predictor_conf"]["idim"] = 128
        (self.path / "config.yaml").write_text(yaml.safe_dump(config))

        self.assert_refused("model.pt does not fit config.yaml beside it")

    def test_missing_weights_are_counted_and_named(self) -> None:
        weights = torch.load(self.path / "model.pt")
        del weights["encoder.after_norm.bias"]
        torch.save(weights, self.path / "model.pt")

        self.assert_refused(r"1 weights are missing \(encoder.after_norm.bias\), 0 are unknown")

    def test_unknown_weights_are_counted_and_named(self) -> None:
        weights = torch.load(self.path / "model.pt")
        torch.save(weights | {"adapter.weight": torch.zeros(1)}, self.path / "model.pt")

        self.assert_refused(r"1 are unknown \(adapter.weight\)")


class TestUnknownClass(DirectoryTests):
    def test_a_model_of_another_kind_is_named(self) -> None:
        self.change_config(model="SenseVoiceSmall")

        self.assert_refused("holds a SenseVoiceSmall; supported here: Paraformer, SeacoParaformer")

    def test_an_unknown_part_is_named(self) -> None:
        self.change_config(encoder="ConformerEncoder")

        self.assert_refused("FunASR's class ConformerEncoder is not supported")

    def test_arguments_that_funasr_does_not_know_are_named(self) -> None:
        self.change_config(predictor_conf={"idim": 64, "l_order": 1, "r_order": 1, "sharpness": 2})

        self.assert_refused("config.yaml is not what FunASR expects: .*sharpness")


class TestLayout(DirectoryTests):
    def test_the_hubs_own_file_names_are_followed(self) -> None:
        (self.path / "model.pt").rename(self.path / "finetuned.pt")
        hub_path = self.path / "configuration.json"
        hub = json.loads(hub_path.read_text())
        hub["file_path_metas"]["init_param"] = "finetuned.pt"
        hub_path.write_text(json.dumps(hub))

        assert open_directory(self.path).file("weights").name == "finetuned.pt"
        load_model(open_directory(self.path), SUPPORTED)

    def test_two_directories_may_share_a_file_of_weights(self) -> None:
        (self.path / "model.pt").rename(self.path.parent / "model.pt")
        hub_path = self.path / "configuration.json"
        hub = json.loads(hub_path.read_text())
        hub["file_path_metas"]["init_param"] = "../model.pt"
        hub_path.write_text(json.dumps(hub))

        load_model(open_directory(self.path), SUPPORTED)

    def test_without_the_hubs_description_the_usual_names_are_found(self) -> None:
        (self.path / "configuration.json").unlink()

        load_model(open_directory(self.path), SUPPORTED)

    def test_weights_saved_in_half_precision_are_run_in_single(self) -> None:
        weights = torch.load(self.path / "model.pt")
        torch.save({name: tensor.half() for name, tensor in weights.items()}, self.path / "model.pt")

        model = load_model(open_directory(self.path), SUPPORTED)

        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    "name", ["paraformer-zh-streaming", "paraformer-zh", "sensevoice", "fun-asr-nano", "cam++"]
)
def test_no_random_numbers_are_drawn_for_weights_that_a_file_has(name: str) -> None:
    directory = model_directory(name)
    load_model(directory, [directory.model_class])  # FunASR draws some when it is imported
    before = torch.random.get_rng_state()

    load_model(directory, [directory.model_class])

    assert torch.equal(torch.random.get_rng_state(), before)


class TestImport:
    def run_python(self, code: str) -> str:
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return result.stdout.strip()

    def test_loading_one_model_does_not_import_the_others(self) -> None:
        code = (
            "import sys; from pathlib import Path; "
            "from recognition.funasr.loading import load_model, open_directory; "
            f"load_model(open_directory(Path({str(model_path('fsmn-vad'))!r})), ['FsmnVADStreaming']); "
            "models = {name.split('.')[2] for name in sys.modules if name.startswith('funasr.models.')}; "
            "print(sorted(models & {'whisper', 'campplus', 'qwen3_asr', 'llm_asr', 'paraformer'}))"
        )

        assert self.run_python(code) == "[]"

    def test_loading_a_model_does_not_import_the_compiler_of_pytorch(self) -> None:
        code = (
            "import sys; from pathlib import Path; "
            "from recognition.funasr.loading import load_model, open_directory; "
            f"load_model(open_directory(Path({str(model_path('cam++'))!r})), ['CAMPPlus']); "
            "print('torch._dynamo' in sys.modules)"
        )

        assert self.run_python(code) == "False"

    def test_what_funasr_prints_on_import_stays_out_of_our_output(self) -> None:
        code = (
            "from pathlib import Path; "
            "from recognition.funasr.loading import load_model, open_directory; "
            f"load_model(open_directory(Path({str(model_path('cam++'))!r})), ['CAMPPlus'])"
        )

        assert self.run_python(code) == ""

    def test_funasr_can_be_imported_as_a_whole_afterwards(self) -> None:
        code = (
            "from pathlib import Path; "
            "from recognition.funasr.loading import load_model, open_directory; "
            f"load_model(open_directory(Path({str(model_path('fsmn-vad'))!r})), ['FsmnVADStreaming']); "
            "import funasr, pkgutil; "
            "assert sum(1 for _ in pkgutil.walk_packages(funasr.__path__)) > 10; "
            "from funasr import AutoModel; print(AutoModel.__name__)"
        )

        assert "AutoModel" in self.run_python(code)

    def test_loading_a_model_touches_no_network(self) -> None:
        code = (
            "import socket; from pathlib import Path\n"
            "def forbidden(*args, **kwargs): raise AssertionError('network')\n"
            "socket.socket.connect = socket.getaddrinfo = socket.create_connection = forbidden\n"
            "from recognition.funasr.loading import load_model, open_directory\n"
            f"load_model(open_directory(Path({str(model_path('ct-punc'))!r})), ['CTTransformer'])\n"
            "print('quiet')"
        )

        assert self.run_python(code) == "quiet"
