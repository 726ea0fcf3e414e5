"""Encoders and decoders in float32 and in 8 bits keep the same promises to those who call them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.exceptions import ModelError
from recognition.funasr import sanm
from recognition.funasr.int8 import networks
from recognition.funasr.loading import load_model
from recognition.funasr.sanm import Geometry, position_encoding
from recognition.int8 import products

from .random_models import model_directory

GEOMETRY = Geometry(chunk=10, window=15, past=40, decoder_past=10)
WIDTH = 64

IMPLEMENTATIONS = [sanm, *([networks] if products.is_supported() else [])]


@functools.cache
def streaming_model() -> Any:
    return load_model(model_directory("paraformer-zh-streaming"), ["ParaformerStreaming"])


@functools.cache
def offline_model() -> Any:
    return load_model(model_directory("paraformer-zh-plain"), ["Paraformer"])


def inputs(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def assert_same(found: torch.Tensor, expected: torch.Tensor, implementation: ModuleType) -> None:
    """Compare to the bit in 8 bits; in float32 a sum may be added up in another order."""
    tolerance = 0.0 if implementation is networks else 2e-5
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=0)


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda module: module.__name__.rpartition(".")[2])
def implementation(request: pytest.FixtureRequest) -> Iterator[Any]:
    with torch.inference_mode():
        yield request.param


@pytest.fixture
def streaming_encoder(implementation: ModuleType) -> Callable[..., Any]:
    def build(slots: int = 4) -> Any:
        model = streaming_model()
        encoder = implementation.StreamingEncoder(model.encoder, model.predictor, GEOMETRY)
        encoder.grow(slots)
        return encoder

    return build


@pytest.fixture
def streaming_decoder(implementation: ModuleType) -> Callable[..., Any]:
    def build(slots: int = 4, choices: int = 1) -> Any:
        decoder = implementation.StreamingDecoder(streaming_model().decoder, GEOMETRY, choices=choices)
        decoder.grow(slots)
        return decoder

    return build


def run_stream(encoder: Any, slot: int, seed: int, steps: int, first: int = 0) -> list[torch.Tensor]:
    """Encode so many windows of one stream, alone."""
    return [
        encoder.step(inputs(100 * seed + step, 1, 15, 560), np.array([slot]), np.array([step]))[0][0]
        for step in range(first, first + steps)
    ]


class TestStreamingEncoder:
    def test_a_window_gives_an_encoding_and_a_weight_for_each_frame(
        self, streaming_encoder: Callable[..., Any]
    ) -> None:
        encoding, weights = streaming_encoder().step(
            inputs(0, 3, 15, 560), np.array([0, 1, 2]), np.zeros(3, int)
        )

        assert encoding.shape == (3, 15, WIDTH)
        assert encoding.dtype == torch.float32
        assert weights.shape == (3, 15)
        assert weights.dtype == np.float32
        assert ((weights >= 0) & (weights <= 1)).all()

    def test_a_slot_that_another_stream_had_is_as_good_as_a_new_one(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        used, new = streaming_encoder(), streaming_encoder()
        run_stream(used, 1, seed=7, steps=6)

        found, expected = (run_stream(encoder, 1, seed=1, steps=6) for encoder in (used, new))

        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs, implementation)

    def test_a_slot_is_as_good_as_any_other(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        encoder = streaming_encoder()

        found, expected = (run_stream(encoder, slot, seed=1, steps=6) for slot in (3, 0))

        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs, implementation)

    def test_room_for_more_streams_leaves_those_that_run_alone(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        grown, large = streaming_encoder(slots=2), streaming_encoder(slots=9)
        for encoder in (grown, large):
            run_stream(encoder, 1, seed=1, steps=5)
        grown.grow(9)

        found, expected = (run_stream(encoder, 1, seed=1, steps=3, first=5) for encoder in (grown, large))

        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs, implementation)

    def test_the_order_of_a_batch_is_nothing_but_an_order(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        one, other = streaming_encoder(), streaming_encoder()
        order = np.array([2, 0, 1])
        for step in range(5):
            windows, slots = inputs(step, 3, 15, 560), np.arange(3)
            expected, weights = one.step(windows, slots, np.full(3, step))

            found, found_weights = other.step(windows[order], slots[order], np.full(3, step))

            assert_same(found, expected[order], implementation)
            np.testing.assert_allclose(found_weights, weights[order], atol=1e-5)

    def test_what_was_said_before_matters(self, streaming_encoder: Callable[..., Any]) -> None:
        encoder = streaming_encoder()
        [after_others] = run_stream(encoder, 0, seed=1, steps=2)[1:]
        run_stream(encoder, 1, seed=2, steps=1)

        [elsewhere] = run_stream(encoder, 1, seed=1, steps=1, first=1)

        assert (elsewhere - after_others).abs().max() > 0.01

    def test_streams_at_different_places_share_a_step(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        late, early, shared = streaming_encoder(), streaming_encoder(), streaming_encoder()
        [*_, after_four] = run_stream(late, 0, seed=1, steps=5)
        [first] = run_stream(early, 1, seed=2, steps=1)
        run_stream(shared, 0, seed=1, steps=4)
        windows = torch.cat([inputs(104, 1, 15, 560), inputs(200, 1, 15, 560)])

        encoding, _ = shared.step(windows, np.array([0, 1]), np.array([4, 0]))

        assert_same(encoding[0], after_four, implementation)
        assert_same(encoding[1], first, implementation)

    def test_it_looks_as_far_back_as_the_geometry_says(
        self, streaming_encoder: Callable[..., Any], implementation: ModuleType
    ) -> None:
        """Streams that differ only before that are the same."""
        encoder = streaming_encoder()
        forgets_after = len(encoder.layers) * GEOMETRY.past // GEOMETRY.chunk
        run_stream(encoder, 0, seed=1, steps=1)
        run_stream(encoder, 1, seed=2, steps=1)

        one, other = (run_stream(encoder, slot, seed=3, steps=forgets_after + 2, first=1) for slot in (0, 1))

        assert (one[0] - other[0]).abs().max() > 0.01
        assert_same(one[-1], other[-1], implementation)


class TestGeometries:
    """In float32 alone: for each of them the 8-bit kernels would be compiled anew."""

    def encoder(self, **geometry: int) -> sanm.StreamingEncoder:
        model = streaming_model()
        encoder = sanm.StreamingEncoder(model.encoder, model.predictor, Geometry(**geometry))
        encoder.grow(2)
        return encoder

    @torch.inference_mode()
    def test_without_look_back_every_window_stands_for_itself(self) -> None:
        encoder = self.encoder(chunk=10, window=15, past=0, decoder_past=0)
        [fresh] = run_stream(encoder, 0, seed=1, steps=1, first=4)
        run_stream(encoder, 1, seed=2, steps=4)

        [later] = run_stream(encoder, 1, seed=1, steps=1, first=4)

        assert_same(later, fresh, sanm)

    @torch.inference_mode()
    def test_chunks_as_long_as_the_window_are_allowed(self) -> None:
        encoder = self.encoder(chunk=15, window=15, past=15, decoder_past=15)

        encodings = run_stream(encoder, 0, seed=1, steps=4)

        assert all(encoding.isfinite().all() for encoding in encodings)


class TestStreamingDecoder:
    def decode(self, decoder: Any, slot: int, seed: int, count: int, seen: int = 0) -> Any:
        tokens, encoding = inputs(seed, count, WIDTH), inputs(seed + 50, 1, 15, WIDTH)
        [choices] = decoder.step([tokens], encoding, np.array([slot]), np.array([seen]))
        return choices

    def test_each_token_has_so_many_choices_the_likeliest_first(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        choices = self.decode(streaming_decoder(choices=5), 0, seed=1, count=4)

        assert choices.ids.shape == choices.scores.shape == (4, 5)
        assert (np.diff(choices.scores, axis=1) <= 0).all()
        assert all(len(set(row)) == 5 for row in choices.ids.tolist())

    def test_the_first_of_many_choices_is_the_only_one_of_one(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        many, one = (
            self.decode(streaming_decoder(choices=choices), 0, seed=1, count=4) for choices in (5, 1)
        )

        assert many.ids[:, 0].tolist() == one.ids[:, 0].tolist()
        np.testing.assert_allclose(many.scores[:, 0], one.scores[:, 0], rtol=1e-5)

    def test_streams_with_different_numbers_of_tokens_do_not_mix(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        together, alone = streaming_decoder(choices=2), streaming_decoder(choices=2)
        counts, slots = (1, 7, 3), np.array([2, 0, 3])
        for step in range(3):
            tokens = [inputs(10 * step + n, count, WIDTH) for n, count in enumerate(counts)]
            encoding, seen = inputs(step + 90, 3, 15, WIDTH), np.full(3, min(10, 15 * step))
            found = together.step(tokens, encoding, slots, seen)
            for row, choices in enumerate(found):
                own = slice(row, row + 1)
                [expected] = alone.step(tokens[own], encoding[own], slots[own], seen[own])
                assert len(choices.ids) == counts[row]
                np.testing.assert_array_equal(choices.ids, expected.ids)
                np.testing.assert_allclose(choices.scores, expected.scores, atol=1e-4)

    def test_a_stream_remembers_its_last_tokens_until_its_slot_is_cleared(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        decoder = streaming_decoder()
        fresh = self.decode(decoder, 0, seed=1, count=3)

        remembering = self.decode(decoder, 0, seed=1, count=3)
        decoder.clear(0)
        cleared = self.decode(decoder, 0, seed=1, count=3)

        assert abs(remembering.scores - fresh.scores).max() > 1e-3
        np.testing.assert_allclose(cleared.scores, fresh.scores, atol=1e-5)

    def test_clearing_a_slot_leaves_the_others_alone(self, streaming_decoder: Callable[..., Any]) -> None:
        decoder, untouched = streaming_decoder(), streaming_decoder()
        for each in (decoder, untouched):
            self.decode(each, 0, seed=1, count=3)
            self.decode(each, 1, seed=2, count=3)
        decoder.clear(1)

        found, expected = (self.decode(each, 0, seed=3, count=2, seen=10) for each in (decoder, untouched))

        np.testing.assert_array_equal(found.scores, expected.scores)

    def test_room_for_more_streams_leaves_those_that_run_alone(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        grown, large = streaming_decoder(slots=2), streaming_decoder(slots=7)
        for decoder in (grown, large):
            self.decode(decoder, 1, seed=1, count=3)
        grown.grow(7)

        found, expected = (self.decode(each, 1, seed=3, count=2, seen=10) for each in (grown, large))

        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)

    def test_frames_of_the_past_that_are_not_there_are_not_seen(
        self, streaming_decoder: Callable[..., Any]
    ) -> None:
        used, new = streaming_decoder(), streaming_decoder()
        self.decode(used, 0, seed=1, count=3)
        used.clear(0)

        found, expected = (self.decode(each, 0, seed=2, count=3, seen=0) for each in (used, new))

        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


class TestOfflineEncoder:
    @settings(max_examples=15, deadline=None)
    @given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=5))
    def test_no_utterance_depends_on_what_it_is_batched_with(self, lengths: list[int]) -> None:
        for implementation in IMPLEMENTATIONS:
            encoder = implementation.OfflineEncoder(offline_model().encoder)
            utterances = [inputs(n, length, 560) for n, length in enumerate(lengths)]
            with torch.inference_mode():
                together = encoder.encode(utterances)
                for found, utterance in zip(together, utterances, strict=True):
                    assert_same(found, encoder.encode([utterance])[0], implementation)

    def test_one_frame_is_an_utterance(self, implementation: ModuleType) -> None:
        [encoding] = implementation.OfflineEncoder(offline_model().encoder).encode([inputs(0, 1, 560)])

        assert encoding.shape == (1, WIDTH)
        assert encoding.isfinite().all()

    def test_the_last_frame_is_seen_by_the_first(self, implementation: ModuleType) -> None:
        encoder = implementation.OfflineEncoder(offline_model().encoder)
        utterance = inputs(0, 40, 560)
        changed = torch.cat((utterance[:-1], 5 * inputs(1, 1, 560)))

        [one], [other] = encoder.encode([utterance]), encoder.encode([changed])

        assert (one[0] - other[0]).abs().max() > 1e-4


class TestOfflineDecoder:
    def test_utterances_of_any_lengths_do_not_mix(self, implementation: ModuleType) -> None:
        decoder = implementation.OfflineDecoder(offline_model().decoder, choices=3)
        tokens = [inputs(n, count, WIDTH) for n, count in enumerate((4, 1, 9))]
        encodings = [inputs(20 + n, length, WIDTH) for n, length in enumerate((20, 3, 37))]

        together = decoder.decode(tokens, encodings)

        for n, choices in enumerate(together):
            [alone] = decoder.decode(tokens[n : n + 1], encodings[n : n + 1])
            assert choices.ids.shape == (len(tokens[n]), 3)
            np.testing.assert_array_equal(choices.ids, alone.ids)
            np.testing.assert_allclose(choices.scores, alone.scores, atol=1e-4)

    def test_nothing_is_remembered_from_call_to_call(self, implementation: ModuleType) -> None:
        decoder = implementation.OfflineDecoder(offline_model().decoder)
        tokens, encodings = [inputs(0, 5, WIDTH)], [inputs(1, 20, WIDTH)]

        first, second = decoder.decode(tokens, encodings), decoder.decode(tokens, encodings)

        np.testing.assert_array_equal(first[0].scores, second[0].scores)


class TestFrameWeights:
    def test_they_are_those_of_each_utterance_alone(self, implementation: ModuleType) -> None:
        weigh = implementation.FrameWeights(offline_model().predictor).weigh
        encodings = [inputs(n, length, WIDTH) for n, length in enumerate((1, 30, 8))]

        together = weigh(encodings)

        assert [len(weights) for weights in together] == [1, 30, 8]
        for weights, encoding in zip(together, encodings, strict=True):
            np.testing.assert_array_equal(weights, weigh([encoding])[0])

    def test_a_threshold_for_noise_silences_the_weakest(self, implementation: ModuleType) -> None:
        predictor = copy.deepcopy(offline_model().predictor)
        encoding = inputs(0, 40, WIDTH)
        [plain] = implementation.FrameWeights(predictor).weigh([encoding])
        predictor.noise_threshold = float(np.median(plain))

        [strict] = implementation.FrameWeights(predictor).weigh([encoding])

        assert (strict == 0).sum() == pytest.approx(20, abs=1)
        np.testing.assert_allclose(strict, np.maximum(plain - np.median(plain), 0), atol=1e-6)

    def test_a_smooth_factor_stretches_them(self, implementation: ModuleType) -> None:
        predictor = copy.deepcopy(offline_model().predictor)
        encoding = inputs(0, 10, WIDTH)
        [plain] = implementation.FrameWeights(predictor).weigh([encoding])
        predictor.smooth_factor = 0.5

        [halved] = implementation.FrameWeights(predictor).weigh([encoding])

        np.testing.assert_allclose(halved, plain / 2, atol=1e-6)


class TestPrecisionOfNetworks:
    def test_a_network_takes_and_gives_float32_whatever_it_computes_in(self) -> None:
        encoder = sanm.OfflineEncoder(copy.deepcopy(offline_model().encoder))
        placed = encoder.placed(torch.device("cpu"), torch.bfloat16)
        with torch.inference_mode():
            [encoding] = placed.encode([inputs(0, 12, 560)])

        assert encoding.dtype == torch.float32
        assert placed.layers[0].feed_forward.w_1.weight.dtype == torch.bfloat16

    def test_weights_of_frames_stay_in_single_precision(self) -> None:
        model = copy.deepcopy(streaming_model())
        encoder = sanm.StreamingEncoder(model.encoder, model.predictor, GEOMETRY)

        placed = encoder.placed(torch.device("cpu"), torch.bfloat16)

        assert placed.weigh.cif_output.weight.dtype == torch.float32
        assert placed.past.dtype == torch.bfloat16


class TestCheckDecoder:
    def test_a_decoder_that_looks_ahead_cannot_stream(self) -> None:
        with pytest.raises(ModelError, match=r"memory looks \d+ tokens ahead: it cannot stream"):
            sanm.check_decoder(offline_model().decoder, streaming=True)

    def test_one_that_looks_ahead_is_welcome_in_the_second_pass(self) -> None:
        sanm.check_decoder(offline_model().decoder, streaming=False)

    @pytest.mark.parametrize(
        ("attribute", "value"), [("decoders2", []), ("normalize_before", False), ("output_layer", None)]
    )
    def test_another_form_is_refused(self, attribute: str, value: Any) -> None:
        decoder = copy.copy(offline_model().decoder)
        decoder.__dict__ = {**decoder.__dict__, "_modules": dict(decoder._modules)}
        decoder._modules.pop(attribute, None)
        decoder.__dict__[attribute] = value

        with pytest.raises(ModelError, match="att_layer_num must be num_blocks"):
            sanm.check_decoder(decoder, streaming=False)


class TestPositionEncoding:
    def test_it_is_that_of_funasr(self) -> None:
        from funasr.models.transformer.embedding import SinusoidalPositionEncoder

        zeros = torch.zeros(1, 50, 560)

        expected = SinusoidalPositionEncoder()(zeros)[0]

        torch.testing.assert_close(position_encoding(50, 560), expected, atol=1e-5, rtol=0)

    @given(count=st.integers(1, 40), more=st.integers(0, 40))
    def test_a_longer_table_begins_as_a_shorter_one(self, count: int, more: int) -> None:
        torch.testing.assert_close(position_encoding(count + more, 64)[:count], position_encoding(count, 64))

    def test_no_two_positions_are_alike(self) -> None:
        table = position_encoding(2000, 560)

        distances = torch.cdist(table[::50], table[::50]) + 100 * torch.eye(40)

        assert distances.min() > 0.1
