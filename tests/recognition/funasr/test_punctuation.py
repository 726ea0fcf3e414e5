from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.core.words import word_ends
from recognition.exceptions import ModelError
from recognition.funasr.loading import open_directory
from recognition.funasr.punctuation import CtPunctuator

from .random_models import auto_model, model_directory, model_path

CHARACTERS = [chr(0x4E00 + number) for number in range(60)]
sentences = st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=20)

punctuator = CtPunctuator(model_directory("ct-punc"))


def funasr_marks(tokens: list[str]) -> list[str]:
    """FunASR's mark after each token; it works on at most twenty tokens at once."""
    model = auto_model(model_path("ct-punc"))
    found = model.generate(input="".join(tokens))[0]["punc_array"].tolist()
    return ["" if model.model.punc_list[i] in "_<unk>" else model.model.punc_list[i] for i in found]


class TestEquivalence:
    @settings(max_examples=40)
    @given(sentences)
    def test_a_sentence_gets_the_marks_that_funasr_sets(self, tokens: list[str]) -> None:
        marks = punctuator.punctuate([tokens])[0]

        expected = [
            mark if is_end else ""  # FunASR sets some within words
            for mark, is_end in zip(funasr_marks(tokens), word_ends(tokens), strict=True)
        ]
        assert marks[:-1] == expected[:-1]

    def test_no_mark_lies_within_a_word_of_the_dictionary(self) -> None:
        tokens = list("黑衣人留下印象" * 3)
        ends = word_ends(tokens)
        assert not any(
            mark and not is_end for mark, is_end in zip(punctuator.punctuate([tokens])[0], ends, strict=True)
        )

    @settings(max_examples=20)
    @given(st.lists(sentences, min_size=1, max_size=5))
    def test_what_a_sentence_is_batched_with_does_not_change_its_marks(self, batch: list[list[str]]) -> None:
        assert punctuator.punctuate(batch) == [punctuator.punctuate([tokens])[0] for tokens in batch]


class TestEnd:
    @settings(max_examples=30)
    @given(sentences)
    def test_an_utterance_ends_with_the_end_of_a_sentence(self, tokens: list[str]) -> None:
        assert punctuator.punctuate([tokens])[0][-1] in ("。", "？", "！")

    def test_nothing_said_has_no_marks(self) -> None:
        assert punctuator.punctuate([[], ["一"]])[0] == []
        assert punctuator.punctuate([]) == []


class TestUnit:
    def test_a_word_in_capitals_is_read_as_the_vocabulary_writes_it(self) -> None:
        ids, _ = punctuator._units(["丁", "未知", "一"])

        assert ids[0] == punctuator._ids["丁"]
        assert ids[1] == punctuator._unknown

    def test_with_a_dictionary_marks_stand_after_words_and_never_inside(self, tmp_path: Path) -> None:
        path = tmp_path / "ct-punc"
        shutil.copytree(model_path("ct-punc"), path)
        (path / "jieba_usr_dict").write_text("一丁丂 100000000\n", encoding="utf-8")
        wordwise = CtPunctuator(open_directory(path))

        marks = wordwise.punctuate([["一", "丁", "丂", "meeting", "七"]])[0]
        units = wordwise._units(["一", "丁", "丂", "meeting", "七"])[1]

        assert units == [2, 3, 4]
        assert marks[:2] == ["", ""]
        assert len(marks) == 5

    def test_a_mark_that_nobody_knows_is_refused_at_loading(self, tmp_path: Path) -> None:
        path = tmp_path / "ct-punc"
        shutil.copytree(model_path("ct-punc"), path)
        config = yaml.safe_load((path / "config.yaml").read_text())
        config["model_conf"]["punc_list"][2] = "¿"
        (path / "config.yaml").write_text(yaml.safe_dump(config))

        with pytest.raises(ModelError, match="has a punctuation mark '¿' that is not supported"):
            CtPunctuator(open_directory(path))
