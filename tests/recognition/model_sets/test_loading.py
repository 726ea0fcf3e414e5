"""Models of a set, loaded; and the start that fails, in one line that names its place."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recognition.exceptions import ModelError
from recognition.fakes.scripted import ScriptedSegmenter
from recognition.int8 import products
from recognition.interfaces import (
    TURN_PENALTY,
    Models,
    OfflineRecognizer,
    Punctuator,
    Samples,
    SpeakerEmbedder,
    StreamingRecognizer,
    VoiceActivityDetector,
)
from recognition.model_sets.loading import MAX_REASON, load_models
from recognition.model_sets.reading import read_model_set
from recognition.segmentation.options import PyannoteOptions
from tests.recognition.funasr.random_models import model_path, speech_like
from tests.recognition.segmentation.random_segmentation import write_weights

from .own_set import LANGUAGE_MODEL, own_text, without, write
from .tone_family import BREAKS, HERE, LINES, SET


def load(folder: Path, text: str, **options: str) -> Models:
    return load_models(read_model_set(write(folder, text)), folder, **options)


def failure(folder: Path, text: str, **options: str) -> str:
    """What is said of a start that fails, without the folder in front."""
    with pytest.raises(ModelError) as failed:
        load(folder, text, **options)
    return str(failed.value).replace(f"{folder}/", "")


def copy(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(model_path(name), folder / name))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return load(tmp_path_factory.mktemp("set"), own_text())


class TestAWholeSet:
    def test_each_role_has_its_model(self, models: Models) -> None:
        assert models.name == "own"
        assert models.device == "cpu"
        assert isinstance(models.vad, VoiceActivityDetector)
        assert isinstance(models.streaming, StreamingRecognizer)
        assert isinstance(models.offline, OfflineRecognizer)
        assert isinstance(models.punctuator, Punctuator)
        assert isinstance(models.embedder, SpeakerEmbedder)

    def test_options_reach_their_model(self, models: Models) -> None:
        assert models.chunk == 20 * 960

    def test_all_of_them_recognise(self, models: Models) -> None:
        assert models.streaming
        assert models.punctuator
        assert models.embedder
        audio = speech_like(0, 4 * models.chunk)
        [partial] = models.streaming.decode([(models.streaming.new_state(), audio[: models.chunk])])
        [tokens] = models.offline.recognize([audio])
        [marks] = models.punctuator.punctuate([[token.text for token in tokens]])
        [voices] = models.embedder.embed([(audio, [(0, len(audio))])])
        [probabilities] = models.vad.detect([(models.vad.new_state(), audio[:3200])])
        assert partial
        assert len(marks) == len(tokens)
        assert voices.shape == (1, models.embedder.dimension)
        assert (probabilities >= 0).all()


class TestOptions:
    @pytest.mark.parametrize(("frames", "window"), [(3, 480), (20, 3200), (100, 16_000)])
    def test_frames_of_the_fsmn_are_its_window(self, tmp_path: Path, frames: int, window: int) -> None:
        text = own_text().replace("[vad]", f"[vad]\noptions = {{ frames = {frames} }}")
        vad = load(tmp_path, without(without(text, "streaming"), "speaker")).vad
        assert vad.window == window
        [probabilities] = vad.detect([(vad.new_state(), speech_like(0, window))])
        assert probabilities.shape == (frames,)

    @pytest.mark.parametrize("frames", [1, 30])
    def test_frames_of_silero_are_its_window(self, tmp_path: Path, frames: int) -> None:
        text = own_text().replace(f'path = "{model_path("fsmn-vad")}"', 'package = "silero-vad"')
        text = text.replace("[vad]", f"[vad]\noptions = {{ frames = {frames} }}")
        vad = load(tmp_path, without(without(text, "streaming"), "speaker")).vad
        [probabilities] = vad.detect([(vad.new_state(), speech_like(0, 512 * frames))])
        assert probabilities.shape == (frames,)

    @pytest.mark.parametrize(
        "options",
        [
            "chunk = 1, look_ahead = 0, encoder_look_back = 0, decoder_look_back = 0",
            "chunk = 5, look_ahead = 20",
            "chunk = 100, look_ahead = 100, encoder_look_back = 1, decoder_look_back = 3",
        ],
    )
    @pytest.mark.parametrize("compute_type", ["float32", "int8"] if products.is_supported() else ["float32"])
    def test_at_the_ends_of_their_ranges_the_first_pass_runs(
        self, tmp_path: Path, options: str, compute_type: str
    ) -> None:
        text = without(without(own_text(), "punctuation"), "speaker").replace("chunk = 20", options)
        models = load(tmp_path, text, compute_type=compute_type)
        assert models.streaming
        state = models.streaming.new_state()
        for part in np.split(speech_like(0, 5 * models.chunk), 5):
            models.streaming.decode([(state, part)])
        models.streaming.release(state)


class TestRolesLeftOut:
    def test_what_another_turn_must_gain_is_an_option_of_the_embedder(self, tmp_path: Path) -> None:
        text = without(without(own_text(), "streaming"), "punctuation")
        assert load(tmp_path, text).turn_penalty == TURN_PENALTY
        assert load(tmp_path, f"{text}options = {{ turn_penalty = 0.4 }}").turn_penalty == 0.4
        assert load(tmp_path, without(text, "speaker")).turn_penalty == TURN_PENALTY

    def test_without_all_that_may_be_there_are_a_detector_and_a_second_pass(self, tmp_path: Path) -> None:
        text = own_text()
        for role in ("streaming", "punctuation", "speaker"):
            text = without(text, role)
        models = load(tmp_path, text)
        assert (models.streaming, models.punctuator, models.embedder) == (None, None, None)
        assert models.segmenter is None
        assert models.chunk == 0
        assert models.partials
        assert not load(tmp_path, f"partials = false\n{text}").partials


class TestWhoSpeaksAtOnce:
    TABLE = """
[segmentation]
title = "Segmentation"
path = "segmentation"
licence = "MIT"
"""

    def text(self, folder: Path) -> str:
        """A set that needs no weights but those."""
        (folder / "weights").mkdir()
        (folder / "weights" / LINES).write_text("好的。", encoding="utf-8")
        return SET + self.TABLE

    def test_a_segmenter_is_loaded_and_run_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []

        class Segmenter(ScriptedSegmenter):
            def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
                seen.extend(len(audio) for audio in batch)
                return super().segment(batch)

        segmenter = Segmenter()
        monkeypatch.setattr(PyannoteOptions, "load", lambda self, context: segmenter)
        (tmp_path / "segmentation").mkdir()
        assert load(tmp_path, self.text(tmp_path)).segmenter is segmenter
        assert seen == [segmenter.window]

    def test_one_that_is_not_there_is_named_with_its_file(self, tmp_path: Path) -> None:
        (tmp_path / "segmentation").mkdir()
        message = failure(tmp_path, self.text(tmp_path))
        assert message == "own.toml: [segmentation]: there is no segmentation/pytorch_model.bin"

    def test_weights_that_were_cut_short_are_named_with_their_file(self, tmp_path: Path) -> None:
        file = write_weights(tmp_path / "segmentation")
        file.write_bytes(file.read_bytes()[:-1000])
        message = failure(tmp_path, self.text(tmp_path))
        start = (
            "own.toml: [segmentation]: segmentation/pytorch_model.bin holds no weights, or was cut short: "
        )
        assert message.startswith(start)
        assert "\n" not in message

    def test_it_is_left_out_in_so_many_words(self, tmp_path: Path) -> None:
        base = write(tmp_path, self.text(tmp_path), "base")
        text = f'base = "{base}"\nsegmentation = false\n'
        assert load(tmp_path, text).segmenter is None


class TestALanguageModel:
    def test_one_that_is_not_there_is_named_with_its_directory(self, tmp_path: Path) -> None:
        (tmp_path / "words").mkdir()
        message = failure(tmp_path, own_text() + LANGUAGE_MODEL)
        assert message.startswith("own.toml: [language_model]: words must hold one language model")

    @pytest.mark.parametrize("compute_type", ["float32", "int8"] if products.is_supported() else ["float32"])
    def test_ones_own_decides_between_what_was_heard(self, tmp_path: Path, compute_type: str) -> None:
        text = own_text()
        [(often, _)] = Counter(self.heard(load(tmp_path, text, compute_type=compute_type))).most_common(1)
        (tmp_path / "words").mkdir()
        (tmp_path / "words" / "own.arpa").write_text(f"\\1-grams:\n-1\t<unk>\n-99\t{often}\n\n\\end\\\n")
        models = load(tmp_path, text + LANGUAGE_MODEL, compute_type=compute_type)
        assert often not in self.heard(models)

    def test_its_weight_is_an_option(self, tmp_path: Path) -> None:
        text = own_text()
        plain = self.heard(load(tmp_path, text))
        [(often, _)] = Counter(plain).most_common(1)
        (tmp_path / "words").mkdir()
        (tmp_path / "words" / "own.arpa").write_text(f"\\1-grams:\n-1\t<unk>\n-99\t{often}\n\n\\end\\\n")
        weightless = load(tmp_path, text + LANGUAGE_MODEL + "options = { weight = 0 }\n")
        assert self.heard(weightless) == plain

    def heard(self, models: Models) -> str:
        """Return what both passes make of some noise."""
        assert models.streaming
        audio = speech_like(0, 4 * models.chunk)
        [partial] = models.streaming.decode([(models.streaming.new_state(), audio[: models.chunk])])
        [tokens] = models.offline.recognize([audio])
        assert partial
        assert tokens
        return "".join([*partial, *(token.text for token in tokens)])


class TestSetsThatNeedNoModels:
    def test_checksums(self, tmp_path: Path) -> None:
        assert load(tmp_path, 'title = "Checksums"\nchecksum = true\n').name == "checksum"

    def test_a_script(self, tmp_path: Path) -> None:
        text = 'title = "Script"\n[[script]]\ntext = "好的。"\n'
        assert load(tmp_path / ".", text).name == "scripted"


class TestFailures:
    """The start ends with one line that names file and table, whatever is the matter."""

    def test_a_set_from_the_hub_that_was_not_fetched_says_how_to_fetch_it(self, tmp_path: Path) -> None:
        with pytest.raises(
            ModelError,
            match=r"paraformer-zh-streaming, .* fetch with: python manage.py models pull paraformer-zh",
        ):
            load_models(read_model_set("paraformer-zh"), tmp_path)

    def test_an_own_set_is_fetched_by_its_file(self, tmp_path: Path) -> None:
        message = failure(tmp_path, 'base = "paraformer-zh"')
        assert message.endswith("fetch with: python manage.py models pull own.toml")

    def test_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        message = failure(tmp_path, own_text(speaker=Path("/nowhere")))
        assert message == "own.toml: [speaker]: there is no model directory /nowhere"

    def test_weights_of_another_kind(self, tmp_path: Path) -> None:
        message = failure(tmp_path, own_text(offline=model_path("cam++")))
        assert message.startswith("own.toml: [offline]: ")
        assert "holds a CAMPPlus; supported here: Paraformer" in message

    @pytest.mark.parametrize(
        ("role", "name"),
        [
            ("vad", "fsmn-vad"),
            ("streaming", "paraformer-zh-streaming"),
            ("offline", "paraformer-zh-plain"),
            ("punctuation", "ct-punc"),
            ("speaker", "cam++"),
        ],
    )
    def test_weights_that_were_cut_short(self, tmp_path: Path, role: str, name: str) -> None:
        folder = copy(name, tmp_path)
        content = (folder / "model.pt").read_bytes()
        (folder / "model.pt").write_bytes(content[: len(content) // 2])
        message = failure(tmp_path, own_text(**{role: folder}))
        assert message.startswith(f"own.toml: [{role}]: {name}/model.pt holds no weights, or was cut short: ")
        assert "\n" not in message

    @pytest.mark.parametrize(
        ("role", "name", "file", "content"),
        [
            ("vad", "fsmn-vad", "am.mvn", b"<Nnet> nothing"),
            ("offline", "paraformer-zh-plain", "am.mvn", b""),
            ("offline", "paraformer-zh-plain", "tokens.json", b"[1, 2"),
            ("punctuation", "ct-punc", "tokens.json", b"\xff\xfe"),
            ("speaker", "cam++", "config.yaml", b"model: [unclosed"),
            ("speaker", "cam++", "model.pt", b""),
        ],
    )
    def test_any_other_damaged_file(
        self, tmp_path: Path, role: str, name: str, file: str, content: bytes
    ) -> None:
        folder = copy(name, tmp_path)
        (folder / file).write_bytes(content)
        message = failure(tmp_path, own_text(**{role: folder}))
        assert message.startswith(f"own.toml: [{role}]: ")
        assert "\n" not in message

    def test_whatever_a_library_raises_is_told_in_one_line_of_bounded_length(self, tmp_path: Path) -> None:
        message = failure(tmp_path, BREAKS.replace("HOW", "load"))
        start = "own.toml: [offline]: it cannot be loaded or run: RuntimeError: the library has a bad day"
        assert message.startswith(start)
        assert "\n" not in message
        assert len(message) <= len(start) + MAX_REASON

    def test_what_fails_only_when_it_runs_fails_at_the_start(self, tmp_path: Path) -> None:
        assert failure(tmp_path, BREAKS.replace("HOW", "run")) == (
            "own.toml: [offline]: it cannot be loaded or run: RuntimeError: mat1 and mat2 shapes cannot be "
            "multiplied"
        )

    def test_too_little_memory(self, tmp_path: Path) -> None:
        message = failure(tmp_path, BREAKS.replace("HOW", "memory"))
        assert message == "own.toml: [offline]: there is not enough memory for it"

    def test_a_familys_own_words_follow_the_place(self, tmp_path: Path) -> None:
        message = failure(tmp_path, BREAKS.replace("HOW", "model"))
        assert message == "own.toml: [offline]: the weights are those of another network"

    def test_a_model_of_another_role(self, tmp_path: Path) -> None:
        message = failure(tmp_path, BREAKS.replace("HOW", "another"))
        assert message == (
            f"own.toml: [offline]: kind {HERE}.Breaks loads a ScriptedVad, which is no OfflineRecognizer"
        )

    def test_what_caused_it_stays_with_it(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError) as failed:
            load(tmp_path, BREAKS.replace("HOW", "load"))
        assert isinstance(failed.value.__cause__, RuntimeError)

    def test_an_unknown_compute_type(self, tmp_path: Path) -> None:
        message = failure(tmp_path, own_text(), compute_type="int4")
        assert "there is no compute type 'int4'; known are auto, float32" in message
