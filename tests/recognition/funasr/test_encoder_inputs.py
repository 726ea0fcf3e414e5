"""Inputs of encoders of whole utterances."""

from __future__ import annotations

import numpy as np
import torch

from recognition.funasr.encoder_inputs import EncoderInputs
from recognition.funasr.features import INPUT, Cmvn
from recognition.funasr.sanm import position_encoding

from .random_models import speech_like

CPU = torch.device("cpu")


def test_silence_is_its_positions_and_the_floor_of_its_features() -> None:
    inputs = EncoderInputs(64, CPU)(np.zeros(16_000, np.float32))

    bare = inputs - position_encoding(len(inputs), INPUT)
    assert inputs.shape == (17, INPUT)
    assert torch.allclose(bare, bare[0, 0].expand_as(bare), atol=1e-4)


def test_features_are_normalised_before_they_are_scaled() -> None:
    audio = speech_like(1, 16_000)
    cmvn = Cmvn(torch.full((INPUT,), -3.0), torch.full((INPUT,), 0.5))
    places = position_encoding(17, INPUT)

    plain = (EncoderInputs(64, CPU)(audio) - places) / 8
    normalised = EncoderInputs(16, CPU, cmvn)(audio) - places

    assert torch.allclose(normalised, 4 * (plain - 3) * 0.5, atol=1e-3)


def test_questions_stand_before_the_audio_and_take_the_first_positions() -> None:
    questions, audio = torch.ones(4, INPUT), speech_like(1, 16_000)
    places = position_encoding(21, INPUT)
    make = EncoderInputs(64, CPU)

    asked = make(audio, questions) - places

    assert torch.allclose(asked[:4], 8 * questions, atol=1e-4)
    assert torch.allclose(asked[4:], make(audio) - places[:17], atol=1e-3)


def test_audio_may_be_of_any_length() -> None:
    make = EncoderInputs(64, CPU)

    assert [len(make(np.zeros(length, np.float32))) for length in (400, 1_100_000, 400)] == [1, 1146, 1]
