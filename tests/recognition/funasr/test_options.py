"""Options of FunASR's kinds of models: their ranges, their files, and what each of them loads."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from recognition.exceptions import ModelError, ModelSetError
from recognition.funasr.embedding import FunasrEmbedder
from recognition.funasr.int8 import networks
from recognition.funasr.int8.campplus import CampPlus
from recognition.funasr.loading import ModelDirectory, build_model
from recognition.funasr.nano import FunAsrNano
from recognition.funasr.offline import OfflineParaformer
from recognition.funasr.options import (
    CAMPPLUS,
    CampplusOptions,
    CtTransformerOptions,
    FsmnOptions,
    FunasrOptions,
    NanoOptions,
    ParaformerOptions,
    SenseVoiceOptions,
    SileroOptions,
    SpeakerOptions,
    StreamingOptions,
)
from recognition.funasr.punctuation import CtPunctuator
from recognition.funasr.sensevoice import SenseVoice
from recognition.funasr.streaming import StreamingParaformer
from recognition.funasr.vad import FsmnDetector, SileroDetector
from recognition.int8 import products
from recognition.language_model import TrigramSearch, read_language_model
from recognition.model_options import LoadContext
from recognition.tables import Place, read_table

from .random_models import model_path, speech_like

PLACE = Place("set.toml", "streaming.options")

DIRECTORIES: dict[type[FunasrOptions], tuple[str, type]] = {
    FsmnOptions: ("fsmn-vad", FsmnDetector),
    StreamingOptions: ("paraformer-zh-streaming", StreamingParaformer),
    ParaformerOptions: ("paraformer-zh", OfflineParaformer),
    SenseVoiceOptions: ("sensevoice", SenseVoice),
    NanoOptions: ("fun-asr-nano", FunAsrNano),
    CtTransformerOptions: ("ct-punc", CtPunctuator),
    SpeakerOptions: ("cam++", FunasrEmbedder),
}

RANGES = [
    (SileroOptions, "frames", 1, 30),
    (FsmnOptions, "frames", 3, 100),
    (StreamingOptions, "chunk", 1, 100),
    (StreamingOptions, "look_ahead", 0, 100),
    (StreamingOptions, "encoder_look_back", 0, 100),
    (StreamingOptions, "decoder_look_back", 0, 100),
]


def context(name: str, **options: Any) -> LoadContext:
    return LoadContext(model_path(name), **{"compute_type": "float32", "device": "cpu", **options})


def test_voices_that_scatter_less_make_a_turn_of_less() -> None:
    assert CampplusOptions().turn_penalty < SpeakerOptions().turn_penalty


class TestRange:
    @pytest.mark.parametrize(("kind", "key", "low", "high"), RANGES)
    def test_both_ends_of_a_range_are_allowed(
        self, kind: type[FunasrOptions], key: str, low: int, high: int
    ) -> None:
        for value in (low, high):
            assert getattr(read_table(kind, {key: value}, PLACE), key) == value

    @pytest.mark.parametrize(("kind", "key", "low", "high"), RANGES)
    def test_what_lies_outside_is_refused_with_the_range(
        self, kind: type[FunasrOptions], key: str, low: int, high: int
    ) -> None:
        for value in (low - 1, high + 1):
            with pytest.raises(ModelSetError, match=f"{key} = {value} is refused.* from {low} to {high}"):
                read_table(kind, {key: value}, PLACE)

    @pytest.mark.parametrize(("kind", "key", "low", "high"), RANGES)
    def test_a_number_in_quotes_or_with_a_point_is_refused(
        self, kind: type[FunasrOptions], key: str, low: int, high: int
    ) -> None:
        for value in (str(low), low + 0.5, True):
            with pytest.raises(ModelSetError, match=f"{key} = .* is refused; it takes a whole number"):
                read_table(kind, {key: value}, PLACE)

    def test_what_another_turn_must_gain_has_a_range_of_its_own(self) -> None:
        for value in (0, 0.35, 10):
            assert read_table(SpeakerOptions, {"turn_penalty": value}, PLACE).turn_penalty == value
        for value in (-0.1, 10.5):
            with pytest.raises(ModelSetError, match=f"turn_penalty = {value} is refused.* from 0 to 10"):
                read_table(SpeakerOptions, {"turn_penalty": value}, PLACE)

    def test_a_kind_without_options_takes_none(self) -> None:
        with pytest.raises(ModelSetError, match="there is no key chunk, which is 10 here; it takes none"):
            read_table(CtTransformerOptions, {"chunk": 10}, PLACE)

    @pytest.mark.parametrize("kind", [ParaformerOptions, NanoOptions])
    def test_a_way_to_hear_hotwords_that_there_is_not_is_refused(self, kind: type[FunasrOptions]) -> None:
        with pytest.raises(ModelSetError, match='hotwords = "loud" is refused'):
            read_table(kind, {"hotwords": "loud"}, PLACE)


class TestLoad:
    @pytest.mark.parametrize("kind", DIRECTORIES)
    def test_a_kind_loads_its_model_from_its_directory(self, kind: type[FunasrOptions]) -> None:
        name, expected = DIRECTORIES[kind]

        model = kind().load(context(name))

        assert isinstance(model, expected)

    @pytest.mark.parametrize("kind", DIRECTORIES)
    def test_the_directory_of_another_model_is_refused_by_its_class(self, kind: type[FunasrOptions]) -> None:
        other = "cam++" if kind is not SpeakerOptions else "ct-punc"

        with pytest.raises(ModelError, match=f"{other.replace('+', '.')} holds a .*; supported here: "):
            kind().load(context(other))

    @pytest.mark.parametrize("kind", DIRECTORIES)
    def test_a_directory_that_is_not_there_is_named(self, kind: type[FunasrOptions], tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"there is no model directory .*/nowhere"):
            kind().load(LoadContext(tmp_path / "nowhere", compute_type="float32", device="cpu"))

    @pytest.mark.parametrize("kind", DIRECTORIES)
    def test_torch_is_left_one_thread(self, kind: type[FunasrOptions]) -> None:
        torch.set_num_threads(2)

        kind().load(context(DIRECTORIES[kind][0]))

        assert torch.get_num_threads() == 1

    def test_silero_needs_no_directory(self) -> None:
        model = SileroOptions(frames=2).load(LoadContext(Path()))

        assert isinstance(model, SileroDetector)
        assert model.window == 2 * 512

    def test_options_reach_the_model(self) -> None:
        options = StreamingOptions(chunk=5, look_ahead=3, encoder_look_back=2, decoder_look_back=0)

        recognizer = options.load(context("paraformer-zh-streaming"))

        assert recognizer.chunk == 5 * 960
        recognizer.decode([(recognizer.new_state(), speech_like(0, recognizer.chunk))])
        assert FsmnOptions(frames=7).load(context("fsmn-vad")).window == 7 * 160

    @pytest.mark.parametrize("kind", [StreamingOptions, ParaformerOptions])
    def test_a_language_model_reaches_both_passes(self, kind: type[FunasrOptions], tmp_path: Path) -> None:
        (tmp_path / "own.arpa").write_text("\\1-grams:\n-1\t<unk>\n-1\t一\n\n\\end\\\n")
        language_model = read_language_model(tmp_path / "own.arpa")

        model = kind().load(context(DIRECTORIES[kind][0], language_model=language_model))

        assert kind.takes_language_model
        assert isinstance(model, StreamingParaformer | OfflineParaformer)
        assert isinstance(model.decider.search, TrigramSearch)


class TestDevice:
    def test_the_device_is_that_which_models_would_get(self) -> None:
        assert FsmnOptions().device(LoadContext(Path(), device="cpu")) == "cpu"
        assert SileroOptions().device(LoadContext(Path(), device="cuda")) == "cpu"

    def test_an_unknown_compute_type_is_named(self) -> None:
        with pytest.raises(ModelError, match="there is no compute type 'int4'"):
            SpeakerOptions().load(context("cam++", compute_type="int4"))

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_a_device_that_is_not_there_is_named(self) -> None:
        with pytest.raises(ModelError, match="there is no CUDA device"):
            ParaformerOptions().load(context("paraformer-zh", device="cuda"))

    @pytest.mark.skipif(not products.is_supported(), reason="the CPU has no 8-bit products")
    def test_the_compute_type_is_the_one_that_was_asked_for(self) -> None:
        model = ParaformerOptions().load(context("paraformer-zh", compute_type="int8"))

        assert isinstance(model, OfflineParaformer)
        assert isinstance(model._encoder, networks.OfflineEncoder)


@pytest.fixture(scope="module")
def campplus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("content")
    torch.manual_seed(0)
    torch.save(build_model(ModelDirectory(path, CAMPPLUS, {})).state_dict(), path / CampplusOptions.weights)
    return path


class TestCampplus:
    """Weights in the published size, random, under the name that they are published by."""

    def test_it_loads_from_its_weights_alone(self, campplus: Path) -> None:
        model = CampplusOptions().load(LoadContext(campplus, "float32", "cpu"))

        assert isinstance(model, FunasrEmbedder)
        assert model.dimension == 192

    def test_its_id_is_that_of_the_content_wherever_it_lies(self, campplus: Path, tmp_path: Path) -> None:
        shutil.copytree(campplus, tmp_path / "elsewhere")

        here, there = (
            CampplusOptions().load(LoadContext(path, "float32", "cpu")).model_id
            for path in (campplus, tmp_path / "elsewhere")
        )

        assert here == there
        assert re.fullmatch(r"campplus-zh-en@[0-9a-f]{12}", here)

    @pytest.mark.skipif(not products.is_supported(), reason="the CPU has no 8-bit products")
    def test_it_is_computed_in_8_bits_where_they_are_there(self, campplus: Path) -> None:
        model = CampplusOptions().load(LoadContext(campplus, "auto", "cpu"))

        assert isinstance(model, FunasrEmbedder)
        assert isinstance(model._network, CampPlus)

    def test_without_its_weights_it_is_not_complete_and_says_so(self, tmp_path: Path) -> None:
        assert not CampplusOptions.is_complete(tmp_path)
        with pytest.raises(ModelError, match=r"is not complete: it has no .* or campplus_cn_en_common\.pt"):
            CampplusOptions().load(LoadContext(tmp_path, "float32", "cpu"))

    def test_weights_that_were_cut_short_are_named(self, campplus: Path, tmp_path: Path) -> None:
        whole = (campplus / CampplusOptions.weights).read_bytes()
        (tmp_path / CampplusOptions.weights).write_bytes(whole[: len(whole) // 2])

        assert CampplusOptions.is_complete(tmp_path)
        with pytest.raises(ModelError, match=r"campplus_cn_en_common\.pt holds no weights, or was cut short"):
            CampplusOptions().load(LoadContext(tmp_path, "float32", "cpu"))


class TestComplete:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Any:
        return Path(shutil.copytree(model_path("cam++"), tmp_path / "cam++"))

    def test_a_directory_with_configuration_and_weights_is_complete(self, directory: Path) -> None:
        (directory / "configuration.json").unlink()

        assert FunasrOptions.is_complete(directory)

    def test_weights_may_lie_where_the_hubs_description_says(self, directory: Path) -> None:
        (directory / "model.pt").unlink()

        assert FunasrOptions.is_complete(directory)

    def test_without_configuration_it_is_not(self, directory: Path) -> None:
        (directory / "config.yaml").unlink()

        assert not FunasrOptions.is_complete(directory)

    def test_without_weights_it_is_not(self, directory: Path) -> None:
        (directory / "model.pt").unlink()
        (directory / "configuration.json").unlink()

        assert not FunasrOptions.is_complete(directory)

    def test_what_is_not_there_is_not(self, tmp_path: Path) -> None:
        assert not FunasrOptions.is_complete(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", sorted({name for name, _ in DIRECTORIES.values()}))
    def test_all_files_of_a_model_are_wanted_from_the_hub(self, name: str) -> None:
        [wanted] = {kind.wanted_files for kind, (own, _) in DIRECTORIES.items() if own == name}

        files = [path for path in model_path(name).rglob("*") if path.is_file()]
        assert [path.name for path in files if not any(map(path.match, wanted))] == []

    def test_pictures_and_examples_stay_there(self) -> None:
        wanted = FunasrOptions.wanted_files

        assert not any(Path(name).match(pattern) for name in ("fig.png", "a.wav") for pattern in wanted)


class TestSenseVoice:
    def test_its_languages_can_be_chosen(self) -> None:
        options = read_table(SenseVoiceOptions, {"languages": ["zh", "yue"]}, PLACE)
        assert options.spoken() == ("zh", "yue")

        model = options.load(context("sensevoice"))

        assert isinstance(model, SenseVoice)
        assert model.languages == ("zh", "yue")

    @pytest.mark.parametrize("languages", [[], ["fr"], ["zh", "zz"], "zh"])
    def test_what_it_does_not_know_is_refused(self, languages: object) -> None:
        with pytest.raises(ModelSetError, match="languages"):
            read_table(SenseVoiceOptions, {"languages": languages}, PLACE)

    def test_without_the_pieces_of_its_words_it_is_not_complete(self, tmp_path: Path) -> None:
        directory = Path(shutil.copytree(model_path("sensevoice"), tmp_path / "sensevoice"))
        assert SenseVoiceOptions.is_complete(directory)

        next(directory.glob("*.model")).unlink()

        assert FunasrOptions.is_complete(directory)
        assert not SenseVoiceOptions.is_complete(directory)


class TestNano:
    def test_its_languages_can_be_chosen(self) -> None:
        options = read_table(NanoOptions, {"languages": ["zh", "ja"]}, PLACE)

        assert options.spoken() == ("zh", "ja")
        with pytest.raises(ModelSetError, match="languages"):
            read_table(NanoOptions, {"languages": []}, PLACE)

    def test_without_the_tokens_of_its_language_model_it_is_not_complete(self, tmp_path: Path) -> None:
        directory = Path(shutil.copytree(model_path("fun-asr-nano"), tmp_path / "nano"))
        assert NanoOptions.is_complete(directory)

        for path in directory.glob("*/tokenizer*.json"):
            path.unlink()

        assert FunasrOptions.is_complete(directory)
        assert not NanoOptions.is_complete(directory)

    def test_it_takes_long_and_recognises_apart(self) -> None:
        assert NanoOptions.recognises_apart


class TestImport:
    def test_options_are_read_without_torch(self) -> None:
        code = (
            "import sys; from recognition.funasr import options; "
            "print('torch' in sys.modules, 'funasr.models' in sys.modules)"
        )

        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert found.stdout.split() == ["False", "False"]
