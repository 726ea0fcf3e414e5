"""Fun-ASR-Nano: small networks with random weights beside FunASR itself, and scripted answers of one."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.full_size_models import FULL, _write_language_model, language_model_tokens, nano_config
from recognition.core.text import join
from recognition.exceptions import ModelError
from recognition.funasr.int8.language_model import QuantizedLinear
from recognition.funasr.loading import ModelDirectory, build_model, open_directory
from recognition.funasr.nano import FunAsrNano, speech_tokens
from recognition.funasr.precision import Precision, choose
from recognition.hotwords import Hotword, Hotwords
from recognition.int8 import products
from recognition.interfaces import OfflineRecognizer, SessionContext, Token

from .random_models import auto_model, model_directory, model_path, speech_like

LENGTHS = (9_600, 17_000, 40_000, 41_000, 64_000, 100_000)
LIMITS = [16 + 12 * length // 16_000 for length in LENGTHS]


@functools.cache
def recognizer(hotwords: Any = "sound", *languages: str) -> FunAsrNano:
    return FunAsrNano(
        model_directory("fun-asr-nano"), hotwords=hotwords, languages=languages or ("zh", "en", "ja")
    )


def utterance(number: int) -> np.ndarray:
    return speech_like(400 + number, LENGTHS[number])


def text(tokens: Sequence[Token]) -> str:
    return join([token.text for token in tokens], [token.mark for token in tokens])


def letters(written: str) -> str:
    return "".join(character for character in written if character.isalnum())


def session(*words: str) -> SessionContext:
    return SessionContext(hotwords=Hotwords(tuple(map(Hotword, words))) if words else None)


@functools.cache
def funasr_text(number: int, language: str | None = None, words: tuple[str, ...] = ()) -> str:
    recognizer()  # brings FunASR's class into its tables
    model = auto_model(model_path("fun-asr-nano"))
    model.model.ctc_decoder = None  # its times need torchaudio
    found = model.generate(
        input=[torch.from_numpy(utterance(number))],
        language=language,
        hotwords=list(words),
        itn=False,
        max_length=LIMITS[number],
    )
    return str(found[0]["text"])


class TestEquivalence:
    @pytest.mark.parametrize("number", range(len(LENGTHS)))
    def test_an_utterance_gets_the_words_that_funasr_finds(self, number: int) -> None:
        found = recognizer().recognize([utterance(number)])[0]

        assert letters(text(found)) == letters(funasr_text(number))
        assert len(found) > 5

    @pytest.mark.parametrize(("code", "name"), [("zh", "中文"), ("en", "英文"), ("ja", "日文")])
    def test_a_language_is_asked_for_as_by_funasr(self, code: str, name: str) -> None:
        found = recognizer().recognize([utterance(2)], [SessionContext(code)])[0]

        assert letters(text(found)) == letters(funasr_text(2, name))
        assert {token.tags.language for token in found} == {code}
        assert recognizer("sound", code).recognize([utterance(2)])[0] == found

    def test_hotwords_are_asked_for_as_by_funasr_where_the_set_says_so(self) -> None:
        words = ("王磊", "实时字幕")

        found = recognizer("prompt").recognize([utterance(3)], [session(*words)])[0]

        assert letters(text(found)) == letters(funasr_text(3, None, words))
        assert letters(text(found)) != letters(funasr_text(3))

    def test_what_an_utterance_is_batched_with_does_not_change_its_words(self) -> None:
        for numbers in ([2, 3], [3, 2, 3], [0, 1, 2, 3, 4, 5]):
            found = recognizer().recognize([utterance(number) for number in numbers])

            assert [letters(text(each)) for each in found] == [letters(funasr_text(n)) for n in numbers]

    def test_it_is_given_as_much_speech_as_funasr_gives_it(self) -> None:
        assert [speech_tokens(inputs) for inputs in (1, 8, 9, 16, 17, 500)] == [1, 1, 2, 2, 3, 63]


class TestPrecision:
    def test_a_language_model_is_in_8_bits_only_if_these_are_asked_for(self) -> None:
        automatic = FunAsrNano(model_directory("fun-asr-nano"), precision=choose("auto", "cpu"))

        assert all(isinstance(layer, nn.Linear) for layer in self.layers(automatic))

    @pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")
    def test_in_8_bits_its_first_words_are_mostly_the_same(self) -> None:
        rough = FunAsrNano(model_directory("fun-asr-nano"), precision=Precision("int8"))
        audio = [utterance(number) for number in range(len(LENGTHS))]

        pairs = list(zip(recognizer().recognize(audio), rough.recognize(audio), strict=True))

        assert all(isinstance(layer, QuantizedLinear) for layer in self.layers(rough))
        assert sum(exact[0].text == found[0].text for exact, found in pairs) >= 4

    @staticmethod
    def layers(model: FunAsrNano) -> list[Any]:
        return [layer.self_attn.q_proj for layer in model._llm.model.layers]


class TestAnswers:
    """Scripted: what the language model writes, without the language model."""

    @pytest.fixture
    def model(self) -> FunAsrNano:
        return FunAsrNano(model_directory("fun-asr-nano"))

    def hear(
        self, model: FunAsrNano, answer: str, context: SessionContext | None = None, *, s: float = 3.0
    ) -> list[Token]:
        model._llm = Scripted(model._llm, model._tokenizer.encode(answer))
        return model.recognize([speech_like(1, round(s * 16_000))], [context or SessionContext()])[0]

    def test_marks_belong_to_the_words_before_them(self, model: FunAsrNano) -> None:
        found = self.hear(model, "丁丂，丐hello world。")

        assert [(token.text, token.mark) for token in found] == [
            ("丁", ""), ("丂", "，"), ("丐", ""), ("hello", ""), ("world", "。"),
        ]  # fmt: skip

    def test_what_is_no_text_is_left_out(self, model: FunAsrNano) -> None:
        assert text(self.hear(model, "丁/sil丂<|nospeech|>")) == "丁丂"

    def test_an_answer_of_nothing_is_no_line(self, model: FunAsrNano) -> None:
        assert self.hear(model, "") == []

    def test_an_answer_that_does_not_end_is_cut_by_the_length_of_the_audio(self, model: FunAsrNano) -> None:
        assert len(self.hear(model, "丁" * 500, s=1.0)) == 16 + 12

    def test_words_lie_in_order_within_the_audio(self, model: FunAsrNano) -> None:
        for answer in ("丁丂丐", "丁" * 60):  # the second has more tokens than the audio has frames
            found = self.hear(model, answer, s=2.0)
            edges = [edge for token in found for edge in (token.start, token.end)]
            assert edges == sorted(edges)
            assert all(0 <= edge <= 32_000 for edge in edges)

    def test_hotwords_are_written_for_what_sounds_like_them(self, model: FunAsrNano) -> None:
        found = self.hear(model, "请汪雷来", SessionContext("zh", hotwords=Hotwords((Hotword("王磊", 40),))))

        assert text(found) == "请王磊来"

    def test_not_so_where_the_model_was_asked_for_them(self) -> None:
        model = FunAsrNano(model_directory("fun-asr-nano"), hotwords="prompt")

        context = SessionContext("zh", hotwords=Hotwords((Hotword("王磊", 40),)))
        assert text(self.hear(model, "请汪雷来", context)) == "请汪雷来"

    def test_the_heaviest_words_are_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model = FunAsrNano(model_directory("fun-asr-nano"), hotwords="prompt")
        asked = mock.Mock(side_effect=model._ask)
        monkeypatch.setattr(model, "_ask", asked)
        words = tuple(Hotword(f"w{weight}", weight) for weight in range(1, 61))

        self.hear(model, "丁", SessionContext(hotwords=Hotwords(words)))

        assert asked.call_args.args[1] == [f"w{weight}" for weight in range(60, 10, -1)]


class Scripted:
    """A language model that has one answer."""

    def __init__(self, model: Any, answer: Sequence[int]) -> None:
        self.config, self.get_input_embeddings = model.config, model.get_input_embeddings
        self.answer = list(answer)

    def generate(self, inputs_embeds: Tensor, **_: Any) -> Tensor:
        return torch.tensor([self.answer] * len(inputs_embeds))


class TestAudio:
    def test_it_is_a_second_pass(self) -> None:
        assert isinstance(recognizer(), OfflineRecognizer)

    def test_nothing_and_next_to_nothing_have_no_words(self) -> None:
        found = recognizer().recognize([np.zeros(0, np.float32), np.zeros(399, np.float32), utterance(0)])

        assert found[:2] == [[], []]
        assert found[2]

    def test_an_empty_batch_is_no_work(self) -> None:
        assert recognizer().recognize([]) == []


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(model_path("fun-asr-nano"), tmp_path / "nano"))

    def rewrite(self, folder: Path, keep: Any) -> None:
        weights: dict[str, Any] = torch.load(folder / "model.pt", weights_only=True)
        torch.save({name: value for name, value in weights.items() if keep(name)}, folder / "model.pt")

    def test_without_weights_for_times_words_fill_the_sound(self, folder: Path) -> None:
        self.rewrite(folder, lambda name: not name.startswith("ctc"))
        audio = np.concatenate([np.zeros(32_000, np.float32), utterance(3)])

        exact, found = (
            recognizer().recognize([audio])[0],
            FunAsrNano(open_directory(folder)).recognize([audio])[0],
        )

        assert [token.text for token in found] == [token.text for token in exact]
        assert found[0].start >= 31_000
        edges = [edge for token in found for edge in (token.start, token.end)]
        assert edges == sorted(edges)

    def test_an_output_layer_that_is_missing_is_the_embedding(self, folder: Path) -> None:
        self.rewrite(folder, lambda name: name != "llm.lm_head.weight")

        model = FunAsrNano(open_directory(folder))

        assert torch.equal(model._llm.lm_head.weight, model._llm.get_input_embeddings().weight)

    def test_other_weights_that_are_missing_are_named(self, folder: Path) -> None:
        self.rewrite(folder, lambda name: not name.startswith("audio_adaptor.linear1"))

        with pytest.raises(ModelError, match=r"2 weights are missing \(audio_adaptor\.linear1"):
            FunAsrNano(open_directory(folder))

    def test_a_language_model_that_is_missing_is_named(self, folder: Path) -> None:
        shutil.rmtree(folder / "Qwen3-0.6B")

        with pytest.raises(ModelError, match=r"not complete: it has no Qwen3-0\.6B/config\.json"):
            FunAsrNano(open_directory(folder))

    def test_it_is_found_from_any_working_directory(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        found = FunAsrNano(open_directory(Path("nano"))).recognize([utterance(2)])

        assert found == recognizer().recognize([utterance(2)])

    def test_the_network_at_full_size_has_as_many_weights_as_the_published_one(self, tmp_path: Path) -> None:
        _write_language_model(tmp_path / "Qwen3-0.6B", FULL, language_model_tokens())
        config = nano_config(FULL)
        for key in [key for key in config if key.startswith("ctc_")]:
            del config[key]

        with torch.device("meta"):
            model = build_model(ModelDirectory(tmp_path, config, {}))

        assert len(model.state_dict()) == 1261
        assert round(sum(tensor.numel() for tensor in model.state_dict().values()) / 1e6) == 985
        assert json.loads((tmp_path / "Qwen3-0.6B/config.json").read_text())["vocab_size"] == 151_936
