from __future__ import annotations

import contextlib
import difflib
import functools
from collections.abc import Iterator
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.funasr import sanm
from recognition.funasr.int8 import networks
from recognition.funasr.loading import load_model
from recognition.funasr.offline import OfflineParaformer
from recognition.funasr.options import StreamingOptions
from recognition.funasr.precision import Precision
from recognition.funasr.punctuation import CtPunctuator
from recognition.funasr.sanm import Geometry
from recognition.funasr.streaming import StreamingParaformer
from recognition.int8 import matmul_vnni, products
from tests.recognition.funasr.random_models import model_directory, speech_like

pytestmark = pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")

CHUNK = 9600
GEOMETRY = Geometry(chunk=10, window=15, past=40, decoder_past=10)

streaming_model = functools.cache(
    lambda: load_model(model_directory("paraformer-zh-streaming"), ["ParaformerStreaming"])
)
offline_model = functools.cache(lambda: load_model(model_directory("paraformer-zh-plain"), ["Paraformer"]))


def close(a: np.ndarray, b: np.ndarray) -> float:
    """Signal to error, as a cosine."""
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


class TestLinear:
    def test_a_product_is_that_of_a_float_layer_within_its_bits(self) -> None:
        layer = torch.nn.Linear(64, 32)
        x = torch.randn(10, 64)
        linear, rows = products.Linear(layer.weight, layer.bias), products.Rows.of(x.numpy())

        found = products.result(linear(rows))

        np.testing.assert_allclose(found, layer(x).detach().numpy(), atol=0.05)

    def test_each_output_has_a_scale_of_its_own(self) -> None:
        weight = torch.randn(4, 16) * torch.tensor([[1e-3], [1.0], [1e3], [0.0]])
        x = torch.randn(5, 16)
        linear, rows = products.Linear(weight, None), products.Rows.of(x.numpy())

        found = products.result(linear(rows))

        expected = (x @ weight.T).numpy()
        for column in range(3):
            assert close(found[:, column], expected[:, column]) > 0.999
        assert not found[:, 3].any()

    def test_sums_of_large_products_do_not_saturate_on_any_processor(self) -> None:
        """Every weight and every activation at its largest: what AVX2 without VNNI cannot add in 16 bits."""
        linear = products.Linear(torch.ones(32, 256), None)
        rows = products.Rows.of(np.ones((3, 256), np.float32))

        product = products.result(linear(rows))

        np.testing.assert_allclose(product, 256, rtol=0.02)


class TestEncoder:
    def test_streaming_follows_float32_over_many_chunks(self) -> None:
        model = streaming_model()
        encoders = [
            encoder(model.encoder, model.predictor, GEOMETRY)
            for encoder in (sanm.StreamingEncoder, networks.StreamingEncoder)
        ]
        slots = np.array([2, 0])
        with torch.inference_mode():
            for encoder in encoders:
                encoder.grow(3)
            for step in range(7):
                torch.manual_seed(step)
                window, chunks = torch.randn(2, 15, 560) * 8, np.full(2, step)
                (exact, weights), (found, found_weights) = (
                    encoder.step(window, slots, chunks) for encoder in encoders
                )
                assert close(found.numpy(), exact.numpy()) > 0.998
                np.testing.assert_allclose(found_weights, weights, atol=0.02)

    def test_offline_follows_float32(self) -> None:
        model = offline_model()
        torch.manual_seed(0)
        utterances = [torch.randn(length, 560) * 8 for length in (1, 7, 30, 100)]
        with torch.inference_mode():
            exact = sanm.OfflineEncoder(model.encoder).encode(utterances)
            found = networks.OfflineEncoder(model.encoder).encode(utterances)
            weights = sanm.FrameWeights(model.predictor).weigh(exact)
            found_weights = networks.FrameWeights(model.predictor).weigh(exact)

        for a, b in zip(exact, found, strict=True):
            assert close(b.numpy(), a.numpy()) > 0.998
        for weight, found_weight in zip(weights, found_weights, strict=True):
            np.testing.assert_allclose(found_weight, weight, atol=0.01)


@contextlib.contextmanager
def with_products(name: str) -> Iterator[None]:
    """Build networks with products of our own, or with oneDNN's, whatever this CPU would have by itself."""
    with mock.patch.object(
        products, "takes_vnni", lambda inputs, many_rows=False: name == "ours" and inputs % 4 == 0
    ):
        yield


PRODUCTS = ["oneDNN", *(["ours"] if matmul_vnni.is_supported() else [])]


@pytest.mark.parametrize("products", PRODUCTS)
class TestIndependence:
    """What a stream or utterance gets is the same to the bit, whatever it is batched with."""

    @settings(max_examples=10)
    @given(data=st.data())
    def test_streams_do_not_change_each_others_encoding(self, products: str, data: st.DataObject) -> None:
        model = streaming_model()
        with with_products(products):
            alone, together = (
                networks.StreamingEncoder(model.encoder, model.predictor, GEOMETRY) for _ in "ab"
            )
        alone.grow(4)
        together.grow(4)
        heard = dict.fromkeys(range(4), 0)
        with torch.inference_mode():
            for step in range(data.draw(st.integers(2, 8))):
                streams = data.draw(st.lists(st.integers(0, 3), min_size=1, unique=True))
                windows = torch.stack(
                    [
                        torch.randn(15, 560, generator=torch.Generator().manual_seed(9 * step + n))
                        for n in streams
                    ]
                )
                chunks = np.array([heard[n] for n in streams])
                encoding, weights = together.step(windows, np.array(streams), chunks)
                for row, n in enumerate(streams):
                    own, own_weights = alone.step(
                        windows[row : row + 1], np.array([n]), chunks[row : row + 1]
                    )
                    np.testing.assert_array_equal(encoding[row], own[0])
                    np.testing.assert_array_equal(weights[row], own_weights[0])
                    heard[n] += 1

    @settings(max_examples=10)
    @given(numbers=st.lists(st.integers(0, 4), min_size=1, max_size=5))
    def test_utterances_do_not_change_each_others_tokens(self, products: str, numbers: list[int]) -> None:
        audio = [speech_like(200 + n, 12_000 + 9_000 * n) for n in numbers]
        with with_products(products):
            recognizer = offline_recognizer(products)

        together = recognizer.recognize(audio)

        assert together == [recognizer.recognize([one])[0] for one in audio]


@functools.cache
def offline_recognizer(products: str = "by itself") -> OfflineParaformer:
    """Return the second pass in 8 bits, one for each kind of products."""
    return OfflineParaformer(model_directory("paraformer-zh"), precision=Precision("int8"))


class TestAgreement:
    """Random networks decide by hair's breadths: a trained one agrees far more often."""

    def agreement(self, exact: str, found: str) -> float:
        return difflib.SequenceMatcher(None, exact, found, autojunk=False).ratio()

    def test_the_first_pass_writes_nearly_what_float32_writes(self) -> None:
        texts = []
        for kind in ("float32", "int8"):
            recognizer = StreamingParaformer(
                model_directory("paraformer-zh-streaming"), StreamingOptions(), precision=Precision(kind)
            )
            states = [recognizer.new_state() for _ in range(3)]
            text = ""
            for step in range(10):
                batch = [
                    (state, speech_like(seed, 10 * CHUNK)[step * CHUNK : (step + 1) * CHUNK])
                    for seed, state in enumerate(states)
                ]
                text += "".join(map("".join, recognizer.decode(batch)))
            texts.append(text)

        assert len(texts[0]) > 40
        assert self.agreement(*texts) > 0.85

    def test_the_second_pass_writes_nearly_what_float32_writes(self) -> None:
        audio = [speech_like(300 + n, 40_000 + 20_000 * n) for n in range(5)]
        exact = OfflineParaformer(model_directory("paraformer-zh")).recognize(audio)

        found = offline_recognizer().recognize(audio)

        texts = ["".join(token.text for tokens in side for token in tokens) for side in (exact, found)]
        assert self.agreement(*texts) > 0.85

    def test_punctuation_sets_nearly_the_same_marks(self) -> None:
        sentences = [[chr(0x4E00 + (7 * i + n) % 90) for i in range(12)] for n in range(12)]
        exact = CtPunctuator(model_directory("ct-punc")).punctuate(sentences)

        found = CtPunctuator(model_directory("ct-punc"), precision=Precision("int8")).punctuate(sentences)

        same = sum(a == b for x, y in zip(exact, found, strict=True) for a, b in zip(x, y, strict=True))
        assert same / (12 * 12) > 0.9
