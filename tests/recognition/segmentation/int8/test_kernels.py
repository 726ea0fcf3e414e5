"""Each kernel against plain numpy or torch, number by number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from recognition.int8 import matmul_vnni
from recognition.int8.kernels import Norm, Product
from recognition.segmentation.int8 import kernels

pytestmark = pytest.mark.skipif(not matmul_vnni.is_supported(), reason="this CPU has no AVX512-VNNI")


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class TestFilters:
    @pytest.mark.parametrize(
        ("outputs", "bands", "half"), [(9, 40, 125), (72, 40, 125), (75, 3, 20), (30, 48, 7)]
    )
    def test_they_give_what_a_convolution_gives(self, outputs: int, bands: int, half: int) -> None:
        later = normal(1, 2 * bands, half + 1)
        even = np.concatenate([later[:bands, :0:-1], later[:bands]], axis=1)
        later[bands:, 0] = 0
        odd = np.concatenate([-later[bands:, :0:-1], later[bands:]], axis=1)
        audio = normal(2, 10 * (outputs - 1) + 2 * half + 1)

        filters = torch.from_numpy(np.concatenate([even, odd]))[:, None]
        convolved = functional.conv1d(torch.from_numpy(audio)[None, None], filters, stride=10).abs()
        expected = functional.max_pool1d(convolved, 3)[0].T.numpy()

        room = ((0, 0), (0, kernels.TILE_COLUMNS - bands))
        columns = [np.ascontiguousarray(np.pad(part.T, room)) for part in np.split(later, 2)]
        columns[0][0] /= 2
        longer = np.pad(audio, (0, 10 * kernels.BLOCK + kernels.FOLDED))
        found = np.empty((outputs // 3, 2 * bands), np.float32)
        kernels.filter_and_pool(longer, np.pad(longer[::-1], (0, kernels.FOLDED)), *columns, half, 10, found)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


class TestConvolution:
    @pytest.mark.parametrize(("frames", "channels", "outputs"), [(7, 80, 60), (13, 60, 60), (41, 3, 1)])
    def test_it_gives_the_largest_of_three_of_what_torch_gives(
        self, frames: int, channels: int, outputs: int
    ) -> None:
        x, weights = normal(1, frames, channels), normal(2, outputs, channels, 5)
        convolved = functional.conv1d(torch.from_numpy(x.T.copy())[None], torch.from_numpy(weights))
        expected = functional.max_pool1d(convolved, 3)[0].T.numpy()

        columns = weights.transpose(2, 1, 0).reshape(5 * channels, outputs)
        found = np.full((len(expected) + 1, outputs), 7, np.float32)
        kernels.convolve_and_pool(x, np.pad(columns, ((0, 0), (0, kernels.CONVOLVED - outputs))), found[:-1])
        np.testing.assert_allclose(found[:-1], expected, rtol=1e-4, atol=1e-4)
        assert (found[-1] == 7).all()


class TestNormalizing:
    @pytest.mark.parametrize(("rows", "columns"), [(1, 16), (7, 60), (500, 80)])
    def test_columns_are_normalised_as_torch_does(self, rows: int, columns: int) -> None:
        x = normal(4, rows, columns) * 5 + normal(5, columns)
        norm = Norm(normal(6, columns), normal(7, columns), np.float32(1e-5))
        expected = functional.leaky_relu(
            functional.batch_norm(
                torch.from_numpy(x.copy()), None, None, torch.from_numpy(norm.gamma),
                torch.from_numpy(norm.beta), training=True, eps=1e-5,
            )
        ) if rows > 1 else functional.leaky_relu(torch.from_numpy(norm.beta)[None])  # fmt: skip

        kernels.normalize_columns(x, norm, np.float32(0.01))

        np.testing.assert_allclose(x, expected, rtol=1e-3, atol=1e-4)

    def test_a_column_without_changes_becomes_its_beta(self) -> None:
        x = np.full((50, 16), 3.0, np.float32)
        norm = Norm(np.ones(16, np.float32), np.full(16, -2.0, np.float32), np.float32(1e-5))

        kernels.normalize_columns(x, norm, np.float32(0.01))

        np.testing.assert_allclose(x, -0.02, atol=1e-4)


def as_product(inputs: torch.Tensor, scale: float = 0.5) -> Product:
    """Return a product that stands for these inputs."""
    rows = inputs.detach().numpy()
    bias = normal(9, rows.shape[1])
    return Product(np.ascontiguousarray((rows - bias) / scale), np.full(len(rows), scale, np.float32), bias)


class TestRecurrence:
    WIDTH = 64

    def layer(self, seed: int = 0) -> torch.nn.LSTM:
        torch.manual_seed(seed)
        lstm = torch.nn.LSTM(self.WIDTH, self.WIDTH, batch_first=True, bidirectional=True)
        with torch.no_grad():
            for name, weight in lstm.named_parameters():
                if name.startswith("weight_hh"):  # what 8 bits can hold, so that nothing is left to chance
                    scale = weight.abs().amax(1, keepdim=True) / 127
                    weight.copy_((weight / scale).round() * scale)
        return lstm

    def run(self, lstm: torch.nn.LSTM, inputs: torch.Tensor) -> np.ndarray:
        def both(name: str) -> torch.Tensor:
            return torch.stack([getattr(lstm, f"{name}_l0{end}").detach() for end in ("", "_reverse")])

        halves = torch.tensor([0.5, 0.5, 1.0, 0.5]).repeat_interleave(self.WIDTH)
        weight, hidden = (both(name) * halves[:, None] for name in ("weight_ih", "weight_hh"))
        bias = (both("bias_ih") + both("bias_hh")) * halves
        gates = functional.linear(inputs, weight.flatten(0, 1), bias.flatten())
        scale = hidden.abs().amax(2) / 127
        quantized = (hidden / scale[..., None]).round().to(torch.int8)
        packed = np.stack([matmul_vnni.pack(each.numpy()) for each in quantized])
        correction = (128 * quantized.sum(2, dtype=torch.int32)).numpy()
        out = np.empty((len(inputs), 2 * self.WIDTH), np.uint8)
        kernels.recur(as_product(gates), packed, (scale / 127).numpy(), correction, out)
        return out

    @pytest.mark.parametrize("frames", [1, 2, 40])
    def test_it_gives_what_torch_gives_within_8_bits(self, frames: int) -> None:
        lstm, inputs = self.layer(), torch.from_numpy(normal(10, frames, self.WIDTH))
        expected, _ = lstm(inputs)
        found = (self.run(lstm, inputs).astype(np.float32) - 128) / 127
        np.testing.assert_allclose(found, expected.detach(), atol=0.02)

    def test_what_it_tells_has_the_full_range(self) -> None:
        lstm, inputs = self.layer(), torch.from_numpy(normal(10, 80, self.WIDTH)) * 100
        found = self.run(lstm, inputs)
        assert found.min() == 1
        assert found.max() == 255

    def test_the_next_window_begins_with_nothing_remembered(self) -> None:
        lstm, inputs = self.layer(), torch.from_numpy(normal(11, 20, self.WIDTH))
        first = self.run(lstm, inputs)
        self.run(lstm, inputs * 10)
        np.testing.assert_array_equal(self.run(lstm, inputs), first)

    def test_backwards_it_hears_the_end_first(self) -> None:
        lstm, inputs = self.layer(), torch.from_numpy(normal(12, 30, self.WIDTH))
        changed = inputs.clone()
        changed[20] += 1
        before, after = self.run(lstm, inputs), self.run(lstm, changed)
        same = (before == after).reshape(30, 2, self.WIDTH).all(2)
        assert same[:20, 0].all()
        assert same[21:, 1].all()
        assert not same[20].any()


class TestTanh:
    def test_it_is_within_a_fraction_of_a_step_of_8_bits(self) -> None:
        """By a layer whose cells are set by their inputs alone."""
        values = np.linspace(-8, 8, 640, dtype=np.float32).reshape(10, 64)
        gates = np.zeros((10, 2, 4, 64), np.float32)
        gates[:, :, 0] = gates[:, :, 3] = 30  # input and output are open
        gates[:, :, 1] = -30  # and nothing is kept
        gates[:, :, 2] = values[:, None]
        out = np.empty((10, 128), np.uint8)
        none = np.zeros((2, 256), np.float32)
        kernels.recur(
            Product(gates.reshape(10, -1), np.ones(10, np.float32), np.zeros(512, np.float32)),
            np.zeros((2, 4, 16, 64, 4), np.int8), none, none.astype(np.int32), out,
        )  # fmt: skip
        expected = np.tanh(np.tanh(values)) * 127 + 128
        np.testing.assert_allclose(out[:, :64], expected, atol=0.55)
