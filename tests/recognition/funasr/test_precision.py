from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import torch

from recognition.exceptions import ModelError
from recognition.funasr.offline import OfflineParaformer
from recognition.funasr.options import StreamingOptions
from recognition.funasr.precision import Precision, choose
from recognition.funasr.streaming import StreamingParaformer
from recognition.int8 import products

from .random_models import model_directory, speech_like


class TestChoose:
    def test_an_unknown_compute_type_is_named(self) -> None:
        with pytest.raises(ModelError, match="no compute type 'int4'; known are auto, float32"):
            choose("int4", "cpu")

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
    def test_a_device_that_is_not_there_is_named(self) -> None:
        with pytest.raises(ModelError, match="there is no CUDA device"):
            choose("auto", "cuda")

    @pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")
    def test_a_cpu_computes_large_networks_in_8_bits_and_small_ones_in_float32(self) -> None:
        large, small = torch.nn.Linear(4000, 4000), torch.nn.Linear(10, 10)

        automatic, asked_for = choose("auto", "cpu"), choose("int8", "cpu")

        assert automatic.for_model(large).kind == "int8"
        assert automatic.for_model(small).kind == "float32"
        assert asked_for.for_model(small).kind == "int8"

    def test_without_8_bit_products_it_is_float32(self) -> None:
        with mock.patch.object(products, "is_supported", return_value=False):
            assert choose("auto", "cpu").for_model(torch.nn.Linear(4000, 4000)).kind == "float32"
            with pytest.raises(ModelError, match="has no 8-bit products; take float32 or auto"):
                choose("int8", "cpu")

    def test_cuda_computes_in_half_precision(self) -> None:
        with mock.patch.object(torch.cuda, "is_available", return_value=True):
            assert choose("auto", "cuda").kind == "float16"
            assert choose("auto", "auto").device.type == "cuda"
            with pytest.raises(ModelError, match="8-bit integers are for CPUs"):
                choose("int8", "cuda")


class TestHalfPrecision:
    """On a CPU here; the same code runs on CUDA."""

    def test_bfloat16_writes_nearly_what_float32_writes(self) -> None:
        audio = speech_like(7, 96_000)
        exact, found = (
            OfflineParaformer(model_directory("paraformer-zh-plain"), precision=Precision(kind)).recognize(
                [audio]
            )[0]
            for kind in ("float32", "bfloat16")
        )

        assert len(exact) == len(found)
        same = np.mean([a.text == b.text for a, b in zip(exact, found, strict=True)])
        assert same > 0.7

    def test_streams_run_in_bfloat16(self) -> None:
        recognizer = StreamingParaformer(
            model_directory("paraformer-zh-streaming"), StreamingOptions(), precision=Precision("bfloat16")
        )
        state = recognizer.new_state()

        words = [recognizer.decode([(state, chunk)])[0] for chunk in speech_like(1, 57_600).reshape(6, -1)]

        assert sum(map(len, words)) > 8
        assert recognizer._encoder.past.dtype == torch.bfloat16


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
class TestCuda:
    def test_both_passes_write_on_the_device_nearly_what_they_write_on_the_cpu(self) -> None:
        audio = speech_like(7, 96_000)
        for kind in ("float32", "float16"):
            precision = Precision(kind, torch.device("cuda"))
            offline = OfflineParaformer(model_directory("paraformer-zh-plain"), precision=precision)
            exact = OfflineParaformer(model_directory("paraformer-zh-plain")).recognize([audio])[0]
            found = offline.recognize([audio])[0]
            assert np.mean([a.text == b.text for a, b in zip(exact, found, strict=False)]) > 0.7
            streaming = StreamingParaformer(
                model_directory("paraformer-zh-streaming"), StreamingOptions(), precision=precision
            )
            state = streaming.new_state()
            for chunk in audio.reshape(10, -1):
                streaming.decode([(state, chunk)])
