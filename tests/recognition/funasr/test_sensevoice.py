"""SenseVoice: small networks with random weights beside FunASR itself, and scripted answers of one."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.full_size_models import FULL, sensevoice_config, sensevoice_pieces, write_sentencepiece
from recognition.core.text import join
from recognition.exceptions import ModelError
from recognition.funasr.loading import ModelDirectory, build_model, open_directory
from recognition.funasr.precision import Precision
from recognition.funasr.sensevoice import SenseVoice
from recognition.hotwords import Hotword, Hotwords
from recognition.int8 import products
from recognition.interfaces import OfflineRecognizer, SessionContext, Tags, Token

from .random_models import auto_model, model_directory, model_path, speech_like

LENGTHS = (9_600, 17_000, 40_000, 41_000, 64_000, 100_000)
HEADS = {"zh": ["<|zh|>", "<|HAPPY|>", "<|Laughter|>", "<|withitn|>"], "en": ["<|en|>", "<|SAD|>"]}


@functools.cache
def recognizer(*languages: str) -> SenseVoice:
    return SenseVoice(model_directory("sensevoice"), languages=languages or ("zh", "en", "yue", "ja", "ko"))


def utterance(number: int) -> np.ndarray:
    return speech_like(300 + number, LENGTHS[number])


def text(tokens: Sequence[Token]) -> str:
    return join([token.text for token in tokens], [token.mark for token in tokens])


@functools.cache
def funasr_text(number: int, language: str = "auto") -> str:
    """What FunASR writes, without its tags."""
    model = auto_model(model_path("sensevoice"))
    found = str(model.generate(input=utterance(number), language=language, use_itn=True)[0]["text"])
    pieces = [piece for part in found.split("<|") for piece in [part.rpartition("|>")[2]]]
    return "".join(pieces)


def letters(written: str) -> str:
    return "".join(character for character in written if character.isalnum())


class TestEquivalence:
    @pytest.mark.parametrize("number", range(len(LENGTHS)))
    def test_an_utterance_gets_the_words_that_funasr_finds(self, number: int) -> None:
        found = recognizer().recognize([utterance(number)])[0]
        assert letters(text(found)) == letters(funasr_text(number))
        assert len(found) > 3

    @pytest.mark.parametrize("language", ["zh", "en", "yue", "ja", "ko"])
    def test_a_language_is_asked_for_as_by_funasr(self, language: str) -> None:
        found = recognizer().recognize([utterance(3)], [SessionContext(language)])[0]
        assert letters(text(found)) == letters(funasr_text(3, language))
        assert recognizer(language).recognize([utterance(3)])[0] != []

    @settings(max_examples=15)
    @given(numbers=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=5))
    def test_what_an_utterance_is_batched_with_does_not_change_its_words(self, numbers: list[int]) -> None:
        found = recognizer().recognize([utterance(number) for number in numbers])
        assert [letters(text(each)) for each in found] == [letters(funasr_text(each)) for each in numbers]

    @pytest.mark.skipif(not products.is_supported(), reason="the CPU has no 8-bit products")
    def test_in_8_bits_most_words_are_the_same(self) -> None:
        model = SenseVoice(model_directory("sensevoice"), precision=Precision("int8"))
        exact, found = (each.recognize([utterance(5)])[0] for each in (recognizer(), model))
        same = {(token.text, token.start) for token in exact} & {(token.text, token.start) for token in found}
        assert len(same) > 0.6 * len(exact)


class TestAnswers:
    """Scripted: what the network says of each frame, without the network."""

    @pytest.fixture
    def model(self, monkeypatch: pytest.MonkeyPatch) -> SenseVoice:
        model = SenseVoice(model_directory("sensevoice"))
        monkeypatch.setattr(model, "_output", lambda encoding: encoding)
        return model

    def hear(
        self,
        model: SenseVoice,
        pieces: Sequence[str],
        context: SessionContext | None = None,
        *,
        s: float = 3.0,
    ) -> list[Token]:
        model._encoders = [Scripted(model._pieces, pieces)]
        audio = speech_like(1, round(s * 16_000))
        return model.recognize([audio], [context or SessionContext()])[0]

    def test_words_come_with_marks_and_tags(self, model: SenseVoice) -> None:
        found = self.hear(model, [*HEADS["zh"], "<unk>", "㐀", "㐁", "。"])
        assert text(found) == "㐀㐁。"
        assert {token.tags for token in found} == {Tags("zh", "happy", "laughter")}

    def test_a_word_begins_where_its_frame_does(self, model: SenseVoice) -> None:
        found = self.hear(model, [*HEADS["zh"], *["<unk>"] * 10, "㐀", "<unk>", "㐁"])
        first_input = 200 - 480  # the first one is centred on the first frame of 25 ms
        assert [token.start for token in found] == [10 * 960 + first_input, 12 * 960 + first_input]
        assert found[0].end == found[1].start
        assert found[1].end == found[1].start + 5 * 960

    def test_the_language_that_was_heard_is_kept_for_the_session(self, model: SenseVoice) -> None:
        context = SessionContext()
        self.hear(model, [*HEADS["zh"], "㐀"], context)
        assert context.language == "zh"

    def test_not_so_after_a_short_utterance(self, model: SenseVoice) -> None:
        context = SessionContext()
        found = self.hear(model, [*HEADS["zh"], "㐀"], context, s=1.5)
        assert (context.language, found[0].tags.language) == ("", "zh")

    def test_a_language_that_was_given_stays(self, model: SenseVoice) -> None:
        context = SessionContext("en")
        self.hear(model, [*HEADS["zh"], "㐀"], context)
        assert context.language == "en"

    def test_a_language_that_is_the_only_one_is_told(self, model: SenseVoice) -> None:
        model.languages = ("ko",)
        assert self.hear(model, [*HEADS["zh"], "㐀"])[0].tags.language == "ko"

    def test_one_that_the_set_does_not_have_is_not_kept(self, model: SenseVoice) -> None:
        model.languages, context = ("en", "ja"), SessionContext()
        self.hear(model, [*HEADS["zh"], "㐀"], context)
        assert context.language == ""

    def test_where_nobody_speaks_there_are_no_words(self, model: SenseVoice) -> None:
        model._pieces[-1] = "<|nospeech|>"
        assert self.hear(model, ["<|nospeech|>", "<unk>", "㐀"]) == []

    def test_tags_alone_are_no_line(self, model: SenseVoice) -> None:
        assert self.hear(model, HEADS["zh"]) == []

    def test_hotwords_are_written_for_what_sounds_like_them(self, model: SenseVoice) -> None:
        for number, character in enumerate("请汪雷来"):
            model._pieces[-1 - number] = character
        context = SessionContext("zh", hotwords=Hotwords((Hotword("王磊", 40),)))
        found = self.hear(model, [*HEADS["zh"], *"请汪雷来"], context)
        assert text(found) == "请王磊来"
        assert {token.tags.emotion for token in found} == {"happy"}


class Scripted:
    """An encoder whose rows choose pieces."""

    def __init__(self, known: Sequence[str], pieces: Sequence[str]) -> None:
        self.ids, self.count = [known.index(piece) for piece in pieces], len(known)

    def encode(self, sequences: Sequence[Tensor]) -> list[Tensor]:
        rows = torch.zeros(len(sequences[0]), self.count)
        rows[:, 0] = 0.5
        rows[range(len(self.ids)), self.ids] = 1.0
        return [rows for _ in sequences]


class TestAudio:
    def test_it_is_a_second_pass(self) -> None:
        assert isinstance(recognizer(), OfflineRecognizer)

    def test_nothing_and_next_to_nothing_have_no_words(self) -> None:
        found = recognizer().recognize([np.zeros(0, np.float32), np.zeros(399, np.float32), utterance(0)])
        assert found[:2] == [[], []]
        assert found[2]

    def test_an_empty_batch_is_no_work(self) -> None:
        assert recognizer().recognize([]) == []

    def test_words_lie_within_audio_of_any_length(self) -> None:
        for length in (400, 1_000, 48_000, 1_100_000):
            found = recognizer().recognize([speech_like(2, length)])[0]
            edges = [edge for token in found for edge in (token.start, token.end)]
            assert edges == sorted(edges)
            assert all(0 <= edge <= length for edge in edges)


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(model_path("sensevoice"), tmp_path / "sensevoice"))

    def test_pieces_that_were_cut_short_are_named(self, folder: Path) -> None:
        [pieces] = folder.glob("*.model")
        pieces.write_bytes(pieces.read_bytes()[:1001])
        with pytest.raises(ModelError, match=r"bpe\.model is no SentencePiece model, or was cut short"):
            SenseVoice(open_directory(folder))

    def test_weights_of_the_way_to_words_may_not_be_missing(self, folder: Path) -> None:
        weights: dict[str, Any] = torch.load(folder / "model.pt", weights_only=True)
        kept = {name: value for name, value in weights.items() if not name.startswith("ctc.")}
        torch.save(kept, folder / "model.pt")
        with pytest.raises(ModelError, match=r"2 weights are missing \(ctc\.ctc_lo"):
            SenseVoice(open_directory(folder))

    def test_a_normalisation_of_another_size_is_refused(self, folder: Path) -> None:
        (folder / "am.mvn").write_text("<AddShift> [ 1 2 ] <Rescale> [ 1 2 ]")
        with pytest.raises(ModelError, match=r"am\.mvn has 2 values, not 560"):
            SenseVoice(open_directory(folder))

    def test_the_network_at_full_size_has_as_many_weights_as_the_published_one(self, tmp_path: Path) -> None:
        write_sentencepiece(tmp_path / "pieces.model", sensevoice_pieces(FULL))
        directory = ModelDirectory(tmp_path, sensevoice_config(FULL), {"pieces": tmp_path / "pieces.model"})
        with torch.device("meta"):
            model = build_model(directory)
        count = sum(parameter.numel() for parameter in model.parameters())
        assert model.vocab_size == 25_055
        assert round(count / 1e6) == 234
