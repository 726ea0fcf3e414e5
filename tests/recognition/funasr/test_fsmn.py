from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr.fsmn import FsmnNetwork
from recognition.funasr.int8 import fsmn
from recognition.funasr.int8.fsmn import CompiledFsmn
from recognition.funasr.loading import load_model
from recognition.funasr.precision import Precision

from .random_models import model_directory

FEATURES = 400


def funasr_network(silence: tuple[int, ...] = (0,)) -> FsmnNetwork:
    model = load_model(model_directory("fsmn-vad"), ["FsmnVADStreaming"])
    return FsmnNetwork(model.encoder, silence)


def random_step(network: FsmnNetwork, batch: int, frames: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Features, memory as `FsmnNetwork` has it, and marks of which some are 0."""
    generator = torch.Generator().manual_seed(seed)
    layers, width, past = network.memory_shape
    features = torch.randn(batch, frames, FEATURES, generator=generator)
    memory = torch.randn(layers, batch, width, past, generator=generator)
    there = torch.ones(batch, frames)
    there[0, : frames // 3] = 0
    return features, memory, there


class TestFsmnNetwork:
    def test_what_it_remembers_stands_for_the_frames_before(self) -> None:
        network = funasr_network()
        features, memory, there = random_step(network, 1, 24, seed=0)

        with torch.inference_mode():
            together, _ = network(features, memory, there)
            first, between = network(features[:, :10], memory, there[:, :10])
            then, _ = network(features[:, 10:], between, there[:, 10:])

        torch.testing.assert_close(torch.cat((first, then), dim=1), together, atol=1e-5, rtol=0)


@pytest.mark.skipif(not fsmn.is_supported(), reason="this CPU has no registers of 512 bits")
class TestCompiledFsmn:
    network: FsmnNetwork
    compiled: CompiledFsmn

    @classmethod
    def setup_class(cls) -> None:
        cls.network = funasr_network()
        cls.compiled = CompiledFsmn(cls.network)

    @given(st.integers(1, 4), st.integers(1, 23), st.integers(0, 1000))
    def test_it_computes_what_the_plain_network_computes(self, batch: int, frames: int, seed: int) -> None:
        features, memory, there = random_step(self.network, batch, frames, seed)
        with torch.inference_mode():
            expected, remembered = self.network(features, memory, there)

        found, kept = self.compiled(features, memory.mT.contiguous(), there)

        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(kept.mT, remembered, atol=1e-3, rtol=1e-4)

    def test_silence_may_have_several_classes(self) -> None:
        network = funasr_network((0, 3, 7))
        features, memory, there = random_step(network, 2, 20, seed=1)
        with torch.inference_mode():
            expected, _ = network(features, memory, there)
        found, _ = CompiledFsmn(network)(features, memory.mT.contiguous(), there)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)

    @given(st.integers(2, 5), st.integers(0, 1000))
    def test_no_stream_depends_on_what_it_is_batched_with(self, batch: int, seed: int) -> None:
        features, memory, there = random_step(self.network, batch, 20, seed)
        memory = memory.mT.contiguous()

        together, kept = self.compiled(features, memory, there)

        for row in range(batch):
            own = slice(row, row + 1)
            alone, kept_alone = self.compiled(features[own], memory[:, own].contiguous(), there[own])
            np.testing.assert_array_equal(together[own], alone)
            np.testing.assert_array_equal(kept[:, own], kept_alone)

    def test_what_it_is_given_stays_as_it_is(self) -> None:
        features, memory, there = random_step(self.network, 2, 20, seed=2)
        memory = memory.mT.contiguous()
        before = features.clone(), memory.clone(), there.clone()
        self.compiled(features, memory, there)
        for now, then in zip((features, memory, there), before, strict=True):
            assert torch.equal(now, then)


class TestChoice:
    def test_it_is_compiled_beside_networks_in_8_bits_only(self) -> None:
        network = funasr_network()
        assert isinstance(Precision("float32").speech_network(network), FsmnNetwork)
        expected = CompiledFsmn if fsmn.is_supported() else FsmnNetwork
        assert isinstance(Precision("int8").speech_network(network), expected)
