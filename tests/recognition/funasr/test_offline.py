from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.funasr.offline import OfflineParaformer, micro_batches

from .random_models import auto_model, model_directory, model_path, speech_like

MODELS = ("paraformer-zh", "paraformer-zh-plain")
LENGTHS = (9_600, 17_000, 40_000, 41_000, 43_210, 64_000, 100_000, 160_000)


@functools.cache
def recognizer(model: str) -> OfflineParaformer:
    return OfflineParaformer(model_directory(model))


def utterance(number: int) -> np.ndarray:
    return speech_like(100 + number, LENGTHS[number])


@functools.cache
def funasr_text(model: str, number: int) -> str:
    text = auto_model(model_path(model)).generate(input=utterance(number))[0]["text"]
    return str(text).replace(" ", "")  # FunASR puts spaces between tokens that have times


class TestEquivalence:
    @pytest.mark.parametrize("number", range(len(LENGTHS)))
    @pytest.mark.parametrize("model", MODELS)
    def test_an_utterance_gets_the_tokens_that_funasr_finds(self, model: Any, number: Any) -> None:
        tokens = recognizer(model).recognize([utterance(number)])[0]

        assert "".join(token.text for token in tokens) == funasr_text(model, number)

    @settings(max_examples=25)
    @given(
        model=st.sampled_from(MODELS),
        numbers=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=6),
    )
    def test_what_an_utterance_is_batched_with_does_not_change_its_tokens(
        self, model: Any, numbers: Any
    ) -> None:
        found = recognizer(model).recognize([utterance(number) for number in numbers])

        texts = ["".join(token.text for token in tokens) for tokens in found]
        assert texts == [funasr_text(model, number) for number in numbers]


class TestTime:
    def test_tokens_follow_each_other_within_the_utterance(self) -> None:
        for model in MODELS:
            tokens = recognizer(model).recognize([utterance(6)])[0]

            edges = [edge for token in tokens for edge in (token.start, token.end)]
            assert edges == sorted(edges)
            assert edges[0] >= 0
            assert edges[-1] <= LENGTHS[6]
            assert len(tokens) > 10

    def test_a_batch_does_not_shift_times(self) -> None:
        alone = recognizer("paraformer-zh").recognize([utterance(3)])[0]
        together = recognizer("paraformer-zh").recognize([utterance(2), utterance(3), utterance(4)])[1]

        assert alone == together


class TestShortAudio:
    def test_nothing_and_next_to_nothing_have_no_words(self) -> None:
        found = recognizer("paraformer-zh-plain").recognize(
            [np.zeros(0, np.float32), np.zeros(399, np.float32), utterance(0)]
        )

        assert found[:2] == [[], []]
        assert found[2]

    def test_one_frame_is_enough_to_run(self) -> None:
        assert isinstance(recognizer("paraformer-zh").recognize([speech_like(1, 400)])[0], list)

    def test_an_empty_batch_is_no_work(self) -> None:
        assert recognizer("paraformer-zh").recognize([]) == []


class TestMicroBatch:
    def test_utterances_of_similar_length_run_together(self) -> None:
        batches = list(micro_batches({0: 40_000, 1: 200_000, 2: 42_000, 3: 210_000}))

        assert batches == [[0, 2], [1, 3]]

    def test_a_batch_does_not_get_longer_than_a_minute(self) -> None:
        batches = list(micro_batches(dict.fromkeys(range(5), 240_000)))

        assert [len(batch) for batch in batches] == [4, 1]

    @given(st.lists(st.integers(400, 960_000), max_size=30))
    def test_every_utterance_is_in_one_batch(self, lengths: Any) -> None:
        batches = list(micro_batches(dict(enumerate(lengths))))

        assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
