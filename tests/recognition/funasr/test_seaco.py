"""SeACo's own decoder for hotwords: it writes what FunASR writes, for each session its own."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.full_size_models import SMALL
from recognition.exceptions import ModelError
from recognition.funasr.loading import open_directory
from recognition.funasr.offline import OfflineParaformer
from recognition.funasr.options import ParaformerOptions
from recognition.funasr.precision import choose
from recognition.hotwords import Hotword, Hotwords
from recognition.int8 import products
from recognition.interfaces import SessionContext
from recognition.model_options import LoadContext
from recognition.model_sets.reading import read_model_set

from .random_models import auto_model, model_directory, model_path, speech_like

LENGTHS = (17_000, 41_000, 64_000, 100_000)

FEW = ("丁丂", "丐丑丒", "且世")
MANY = tuple(chr(0x4E00 + first) + chr(0x4E01 + first + second) for first in range(20) for second in range(4))
"""More than the decoder attends to at once."""


_ROOT = tempfile.TemporaryDirectory(prefix="seaco-")


@functools.cache
def seaco_path() -> Path:
    """Directory of a model that hears words that differ as different: random weights are too small to."""
    path = Path(_ROOT.name) / "model"
    shutil.copytree(model_path("paraformer-zh"), path)
    weights: dict[str, Any] = torch.load(path / "model.pt", weights_only=True)
    for name, tensor in weights.items():
        if name.startswith(("decoder.embed.", "bias_encoder.")):
            tensor *= 20
        elif name.startswith("seaco_decoder.") and "src_attn.linear" in name and tensor.ndim == 2:
            tensor *= 4
    torch.save(weights, path / "model.pt")
    return path


@functools.cache
def recognizer() -> OfflineParaformer:
    return OfflineParaformer(open_directory(seaco_path()), hotwords="seaco")


def session(words: tuple[str, ...]) -> SessionContext:
    return SessionContext(hotwords=Hotwords(tuple(map(Hotword, words))) if words else None)


def utterance(number: int) -> np.ndarray:
    return speech_like(300 + number, LENGTHS[number])


def written(number: int, words: tuple[str, ...]) -> str:
    [tokens] = recognizer().recognize([utterance(number)], [session(words)])
    return "".join(token.text for token in tokens)


@functools.cache
def funasr_text(number: int, words: tuple[str, ...]) -> str:
    # FunASR takes a word's tokens from blanks between them, and its list from blanks between words: the
    # tokens of a word of several are given by the list that it would have made.
    model = auto_model(seaco_path())
    network, characters = model.model, {f"{chr(0x4E00 + at)}": at + 3 for at in range(SMALL.vocabulary - 4)}
    listed = [[characters[character] for character in word] for word in words]
    own = network.generate_hotwords_list
    network.generate_hotwords_list = lambda *_, **__: [*listed, [network.sos]] if words else None
    try:
        text = model.generate(input=utterance(number))[0]["text"]
    finally:
        network.generate_hotwords_list = own
    return str(text).replace(" ", "")


class TestEquivalence:
    @pytest.mark.parametrize("words", [FEW, MANY], ids=["few words", "more than it attends to"])
    @pytest.mark.parametrize("number", range(len(LENGTHS)))
    def test_an_utterance_gets_the_tokens_that_funasr_finds(
        self, number: int, words: tuple[str, ...]
    ) -> None:
        assert written(number, words) == funasr_text(number, words)

    def test_the_words_make_a_difference(self) -> None:
        texts = {words: written(1, words) for words in ((), FEW, MANY)}

        assert len(set(texts.values())) == 3

    def test_each_session_of_a_batch_has_its_own_words(self) -> None:
        own = [(), FEW, MANY, FEW[:1]]

        found = recognizer().recognize([utterance(1)] * len(own), [session(words) for words in own])

        texts = ["".join(token.text for token in tokens) for tokens in found]
        assert texts == [funasr_text(1, words) for words in own]


class TestWords:
    def test_without_words_it_writes_as_it_does_otherwise(self) -> None:
        plain = OfflineParaformer(open_directory(seaco_path()))
        audio = [utterance(number) for number in range(len(LENGTHS))]

        assert recognizer().recognize(audio) == plain.recognize(audio)

    def test_words_that_the_model_cannot_write_change_nothing(self) -> None:
        assert written(1, ("龘龘", "kubernetes")) == written(1, ())

    def test_a_word_that_it_cannot_write_does_not_keep_others_from_being_heard(self) -> None:
        assert written(1, ("龘龘", *FEW)) == written(1, FEW)

    def test_a_list_is_read_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        context = session(FEW)
        [first] = recognizer().recognize([utterance(1)], [context])
        monkeypatch.setattr(recognizer()._seaco, "_encoder", None)

        assert recognizer().recognize([utterance(1)], [context]) == [first]


class TestNoBias:
    def test_a_place_where_no_word_is_heard_keeps_what_was_heard(self) -> None:
        """Whatever the words are: the network says of every place that none of them was said."""
        quiet = OfflineParaformer(open_directory(seaco_path()), hotwords="seaco")
        assert quiet._seaco
        with torch.no_grad():
            quiet._seaco._output.bias[quiet._seaco._no_bias] = 1e6
        context = session(FEW)

        assert quiet.recognize([utterance(1)], [context]) == quiet.recognize([utterance(1)])


@pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")
def test_in_8_bits_nearly_all_tokens_are_those_of_float32() -> None:
    precise = recognizer()
    rough = OfflineParaformer(open_directory(seaco_path()), precision=choose("int8", "cpu"), hotwords="seaco")
    same = total = 0
    for number in range(len(LENGTHS)):
        pair = [each.recognize([utterance(number)], [session(FEW)])[0] for each in (precise, rough)]
        same += sum(a.text == b.text for a, b in zip(*pair, strict=False))
        total += len(pair[0])

    assert same >= 0.8 * total


class TestRefusal:
    def test_a_model_of_another_class_is_refused_by_it(self) -> None:
        with pytest.raises(ModelError, match="holds a Paraformer; supported here: SeacoParaformer"):
            OfflineParaformer(model_directory("paraformer-zh-plain"), hotwords="seaco")

    def test_weights_without_those_for_hotwords_are_refused_and_do_for_the_lattice(
        self, tmp_path: Path
    ) -> None:
        directory = self.copied(tmp_path, leave_out="bias_encoder.")

        with pytest.raises(ModelError, match=r"8 weights are missing \(bias_encoder\."):
            OfflineParaformer(open_directory(directory), hotwords="seaco")
        assert OfflineParaformer(open_directory(directory)).recognize([utterance(0)])

    def test_too_few_layers_to_select_words_are_told_with_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recognition.funasr.seaco._LAYERS", 7)

        with pytest.raises(ModelError, match=r'leave out hotwords = "seaco".*7 layers.*it has 6'):
            OfflineParaformer(open_directory(seaco_path()), hotwords="seaco")

    @staticmethod
    def copied(tmp_path: Path, *, leave_out: str) -> Path:
        source = seaco_path()
        for each in source.iterdir():
            if each.name != "model.pt":
                (tmp_path / each.name).write_bytes(each.read_bytes())
        weights: dict[str, Any] = torch.load(source / "model.pt", weights_only=True)
        inner = weights.get("state_dict", weights)
        kept = {name: tensor for name, tensor in inner.items() if not name.startswith(leave_out)}
        torch.save(kept, tmp_path / "model.pt")
        return tmp_path


class TestOption:
    def test_a_set_asks_for_it_in_one_line(self, tmp_path: Path) -> None:
        path = tmp_path / "own.toml"
        path.write_text('base = "paraformer-zh"\noffline.options.hotwords = "seaco"\n')

        options = read_model_set(str(path)).sources["offline"].options

        assert isinstance(options, ParaformerOptions)
        assert options.hotwords == "seaco"

    def test_it_is_what_the_option_loads(self) -> None:
        context = LoadContext(seaco_path(), compute_type="float32", device="cpu")
        found = ParaformerOptions(hotwords="seaco").load(context)

        [tokens] = found.recognize([utterance(1)], [session(FEW)])
        assert "".join(token.text for token in tokens) == funasr_text(1, FEW)

    def test_otherwise_words_are_weighed_among_likely_tokens(self) -> None:
        assert ParaformerOptions().hotwords == "lattice"
